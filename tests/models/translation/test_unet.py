"""The U-Net: published size, depth from the size, and noise that z alone decides."""

import pytest
import torch
from torch import nn

from genlab.core.condition import Classes
from genlab.core.errors import ConfigError
from genlab.core.picture import Picture
from genlab.core.random import Draws
from genlab.core.spec import Spec
from genlab.models.latent import EmptyLatent
from genlab.models.translation.patchgan import PatchGAN
from genlab.models.translation.resnet_translator import ResNetTranslator
from genlab.models.translation.unet import LatentDropout, UNet
from tests.conftest import composed


def spec(height, width=None, channels=3, source=1):
    width = width or height
    return Spec(channels, height, width, images=9, condition=Picture(source, height, width))


def z_of(network, count=2, turn=0):
    return network.latent.draw(Draws((turn,), count, 0, count, torch.device("cpu")))


def count(network):
    return sum(parameter.numel() for parameter in network.parameters())


def test_it_is_as_large_as_the_published_one():
    """The 54.414 M of U-Net-256 with 64 channels, which the authors' PyTorch code prints."""
    with torch.device("meta"):
        network = UNet(spec(256, source=3))
    assert f"{count(network) / 1e6:.3f}" == "54.414"
    assert network.latent.size == 512 * (2**2 + 4**2 + 8**2)  # dropout of the innermost three blocks
    assert network.side_multiple == 256


@pytest.mark.parametrize(
    ("size", "multiple"), [((32, 32), 32), ((12, 12), 4), ((24, 40), 8), ((16, 32), 16), ((28, 28), 4)]
)
@pytest.mark.parametrize("norm", ["batch", "instance", "none"])
def test_depth_follows_from_the_size(size, multiple, norm):
    network = UNet(spec(*size), width=4, norm=norm)
    images = network(z_of(network), torch.randn(2, 1, *size))
    assert images.shape == (2, 3, *size) and network.side_multiple == multiple
    assert images.abs().max() <= 1


def test_every_weight_learns():
    network = UNet(spec(16), width=4)
    network(z_of(network), torch.randn(2, 1, 16, 16)).square().sum().backward()
    assert all(parameter.grad.abs().sum() > 0 for parameter in network.parameters() if parameter.ndim > 1)


def test_skip_connections_bypass_the_innermost_maps():
    """With the innermost maps cut off, the image still depends on the source: through the skip connections."""
    network = UNet(spec(16), width=4).eval()
    with torch.no_grad():
        for parameter in network.ups[0].parameters():
            parameter.zero_()
    one, other = (network(z_of(network, 1), torch.randn(1, 1, 16, 16)) for _ in range(2))
    assert not torch.allclose(one, other)


def test_noise_is_a_function_of_z_in_training_and_evaluation():
    network, source = UNet(spec(16), width=4).eval(), torch.randn(1, 1, 16, 16).expand(2, -1, -1, -1)
    z = z_of(network)
    first, second = network(z, source)
    assert not torch.allclose(first, second)  # of one source
    torch.rand(7)
    assert torch.equal(network(z, source)[0], first)
    assert torch.allclose(network(z[1:], source[1:])[0], second, atol=1e-6)  # whatever else is in the batch
    plain = UNet(spec(16), width=4, dropout=0.0)
    assert isinstance(plain.latent, EmptyLatent) and plain(z_of(plain), source).shape == (2, 3, 16, 16)


def test_sampling_as_in_training_with_batches_of_one():
    """Section 3.3: the generator runs as in training; the paper's batches are of one image."""
    network = UNet(spec(16), width=4, norm="batch_own", dropout=0.0)
    source = torch.randn(3, 1, 16, 16)
    alone = torch.cat([network(torch.zeros(1, 0), one[None]) for one in source])
    torch.testing.assert_close(network.eval()(torch.zeros(3, 0), source), alone)
    before = UNet(spec(16), width=4, norm="batch", dropout=0.0)
    before.load_state_dict(network.state_dict())  # running averages, as a run made before is sampled
    assert not torch.allclose(before.eval()(torch.zeros(3, 0), source), alone)
    assert composed("experiment=pix2pix_paper")["model"]["generator"]["norm"] == "batch_own"


@pytest.mark.parametrize("build", [UNet, PatchGAN, ResNetTranslator])
def test_weights_start_as_in_the_authors_code(build):
    """N(0, 0.02), biases 0: init_weights of pytorch-CycleGAN-and-pix2pix."""
    layers = [
        m for m in build(spec(32), width=16, norm="none").modules() if isinstance(m, nn.Conv2d | nn.ConvTranspose2d)
    ]
    biases = [layer.bias for layer in layers if layer.bias is not None]
    assert biases and not any(bias.any() for bias in biases)
    weights = torch.cat([layer.weight.flatten() for layer in layers])
    assert weights.std().item() == pytest.approx(0.02, rel=0.02) and abs(weights.mean().item()) < 2e-4


def test_larger_sources_are_accepted():
    network = UNet(spec(16), width=4).eval()
    assert network(z_of(network), torch.randn(2, 1, 32, 48)).shape == (2, 3, 32, 48)


def test_dropout_drops_its_share_and_keeps_the_mean():
    layer = LatentDropout(8, 16, 16, share=0.25)
    z = Draws((0,), 50, 0, 50, torch.device("cpu")).uniform("latent", layer.size) * 2 - 1
    dropped = layer(torch.ones(50, 8, 16, 16), z)
    assert (dropped == 0).float().mean().item() == pytest.approx(0.25, abs=0.01)
    assert dropped.mean().item() == pytest.approx(1, abs=0.01)
    wide = layer(torch.ones(50, 8, 16, 40), z)
    assert torch.equal(wide[..., :16], dropped) and torch.equal(wide[..., 16:32], dropped)


@pytest.mark.parametrize(
    ("given", "options", "words"),
    [
        (spec(10), {}, "images of 10 x 10 pixels can be halved 1 times"),
        (spec(16), {"depth": 5}, "model.generator.depth=5: images of 16 x 16 pixels can be halved 4 times"),
        (Spec(3, 16, 16, images=9, condition=Picture(3, 4, 4)), {}, "sources of 4 x 4 pixels for images of 16 x 16"),
        (Spec(3, 16, 16, images=9, condition=Classes(3)), {}, "data.task=edges"),
        (Spec(2, None, None, images=9), {}, "the data are points"),
        (spec(16), {"latent_size": 100}, "model.latent=null"),
    ],
)
def test_unfit_data_and_options_are_refused(given, options, words):
    with pytest.raises(ConfigError, match=words):
        UNet(given, width=4, **options)

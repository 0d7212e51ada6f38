"""SPADE against its equation, and the generator's published size."""

import pytest
import torch
from torch import nn

from genlab.core.condition import Classes
from genlab.core.errors import ConfigError
from genlab.core.picture import Picture
from genlab.core.spec import Spec
from genlab.models.layers.spatial_norm import SPADE, SPADEBlock
from genlab.models.layers.spectral import normalise_spectrum
from genlab.models.layers.weights import is_set_apart
from genlab.models.translation.spade import Generator


def spec(height, width=None, *, classes=4, channels=3):
    width = width or height
    return Spec(channels, height, width, images=9, condition=Picture(1, height, width, classes))


def label_maps(count=2, classes=4, height=16, width=16):
    maps = torch.randint(classes, (count, height, width), generator=torch.Generator().manual_seed(1))
    return nn.functional.one_hot(maps, classes).permute(0, 3, 1, 2).float()


def count(classes, **options):
    with torch.device("meta"):
        network = Generator(spec(256, classes=classes), **options)
    return sum(parameter.numel() for parameter in network.parameters())


def test_it_is_as_large_as_the_published_one():
    """92.5 million for 19 classes, as the authors' code prints it; 96.5 for ADE20K's 151 in Tan et al. 2020 (CLADE)."""
    assert f"{count(19) / 1e6:.1f}" == "92.5"
    assert f"{count(151) / 1e6:.1f}" == "96.5"


@pytest.mark.parametrize(("norm", "axes"), [("batch", (0, 2, 3)), ("instance", (2, 3))])
def test_places_are_scaled_and_shifted_as_the_label_there_says(norm, axes):
    """Equations 1 to 3; the map is half as large as the source, so that every second place counts."""
    layer, maps, source = SPADE(3, 4, hidden=5, norm=norm), torch.randn(2, 3, 8, 8), label_maps()
    mean, deviation = maps.mean(axes, keepdim=True), (maps.var(axes, correction=0, keepdim=True) + 1e-5).sqrt()
    seen = layer.look(source[..., ::2, ::2])
    expected = (1 + layer.gain(seen)) * (maps - mean) / deviation + layer.bias(seen)
    torch.testing.assert_close(layer(maps, source), expected, atol=1e-5, rtol=1e-5)


def test_one_label_everywhere_is_conditional_normalisation():
    """Section 3: SPADE generalises it. Away from the edges one gain and one bias a channel."""
    layer, source = SPADE(3, 4, hidden=5), torch.zeros(2, 4, 16, 16)
    source[:, 1] = 1
    maps = torch.randn(2, 3, 16, 16)
    made, normal = (x[..., 3:-3, 3:-3] for x in (layer(maps, source), layer.norm(maps)))
    gain = (made - layer.bias(layer.look(source))[..., 3:-3, 3:-3]) / normal
    torch.testing.assert_close(gain, gain[:1, :, :1, :1].expand_as(gain), atol=1e-3, rtol=1e-3)


def test_the_shortcut_is_learned_where_the_width_changes():
    plain, changing = SPADEBlock(4, 4, 4, hidden=2), SPADEBlock(4, 2, 4, hidden=2)
    maps, source = torch.randn(2, 4, 8, 8), label_maps()
    for block in (plain, changing):
        nn.init.zeros_(block.conv2.weight)
        nn.init.zeros_(block.conv2.bias)
    assert torch.equal(plain(maps, source), maps)
    torch.testing.assert_close(changing(maps, source), changing.skip(changing.norm_skip(maps, source)))


def test_spectral_norm_skips_the_layers_that_read_labels():
    network = Generator(spec(16), width=4)
    before = network.blocks[0].norm1.gain.weight.clone()
    normalise_spectrum(network)
    assert torch.equal(network.blocks[0].norm1.gain.weight, before) and is_set_apart(network.blocks[0].norm1.look[0])
    assert torch.linalg.matrix_norm(network.eval().blocks[0].conv1.weight.flatten(1), 2).item() == pytest.approx(1, 0.2)


@pytest.mark.parametrize(
    ("height", "width", "blocks"), [(16, 16, 3), (12, 20, 3), (28, 28, 3), (9, 15, 1), (32, 64, 4)]
)
def test_the_side_is_doubled_until_it_is_the_images(height, width, blocks):
    network = Generator(spec(height, width), width=4).eval()
    images = network(torch.empty(2, 0), label_maps(height=height, width=width))
    assert images.shape == (2, 3, height, width) and images.abs().max() <= 1 and len(network.blocks) == blocks
    larger = height + network.side_multiple, width
    assert network(torch.empty(2, 0), label_maps(2, 4, *larger)).shape[2:] == larger


def test_the_first_map_is_made_from_the_latent():
    network, source = Generator(spec(16), 5, width=4).eval(), label_maps(1).expand(2, -1, -1, -1)
    one, other = network(torch.randn(2, 5), source)
    assert not torch.allclose(one, other) and network.side_multiple is None


def test_every_weight_learns():
    network = Generator(spec(16), width=4)
    network(torch.empty(2, 0), label_maps()).square().sum().backward()
    assert all(parameter.grad.abs().sum() > 0 for parameter in network.parameters() if parameter.ndim > 1)


def test_unfit_data_are_refused():
    with pytest.raises(ConfigError, match="data.task=edges"):
        Generator(Spec(3, 16, 16, images=9, condition=Classes(3)))
    with pytest.raises(ConfigError, match="sources of 4 x 4 pixels for images of 16 x 16"):
        Generator(Spec(3, 16, 16, images=9, condition=Picture(3, 4, 4)))

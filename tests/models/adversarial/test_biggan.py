"""BigGAN and BigGAN-deep: published sizes, the split latent, the shared embedding, orthogonal weights."""

import pytest
import torch
from torch import nn

from genlab.core.condition import Classes
from genlab.core.spec import Spec
from genlab.models.adversarial import biggan, biggan_deep, resnet
from genlab.models.layers.spectral import normalise_spectrum


def spec(channels=3, side=32, classes=10):
    return Spec(channels, side, side, images=100, condition=Classes(classes) if classes else None)


def parameters(network):
    return sum(param.numel() for param in network.parameters())


IMAGENET = spec(3, 128, 1000)


def test_parameter_counts_at_128_pixels():
    """70.4M and 88.0M: Brock et al. 2019, appendix B; to the last one in StudioGAN's logs/IMAGENET/BigGAN256*.log."""
    with torch.device("meta"):
        assert parameters(biggan.Generator(IMAGENET, 120)) == 70_433_988
        assert parameters(resnet.Discriminator(IMAGENET, width=96, attention=64)) == 87_982_370


def test_parameter_counts_of_the_deep_form_at_128_pixels():
    """50.4M and 34.6M: ibid. The authors' last convolution has 128 outputs, of which three are colours."""
    unused = (128 - 3) * (128 * 9 + 1)
    with torch.device("meta"):
        generator, discriminator = biggan_deep.Generator(IMAGENET, 128), biggan_deep.Discriminator(IMAGENET)
    assert round((parameters(generator) + unused) / 1e6, 1) == 50.4
    assert round(parameters(discriminator) / 1e6, 1) == 34.6


@pytest.mark.parametrize(
    ("generator", "discriminator", "counts"),
    [
        (biggan.Generator, resnet.Discriminator, (9_416_196, 2_415_170)),
        (biggan_deep.Generator, biggan_deep.Discriminator, (4_599_876, 415_010)),
    ],
)
def test_parameter_counts_of_studiogan_on_cifar10(generator, discriminator, counts):
    """github.com/POSTECH-CVLab/PyTorch-StudioGAN, logs/CIFAR10/{BigGAN,BigGAN-Deep}-train*.log; z of 80."""
    options = {"growth": "constant", "attention": 16}
    with torch.device("meta"):
        networks = generator(spec(), 80, width=384, **options), discriminator(spec(), width=192, **options)
    assert tuple(map(parameters, networks)) == counts


@pytest.mark.parametrize(
    ("side", "generated", "judged", "judged_deep", "halved"),
    [
        (32, [4, 4, 4, 4], [4, 4, 4, 4], [4, 4, 4, 4], 2),
        (64, [16, 16, 8, 4, 2], [1, 2, 4, 8, 16], [1, 2, 4, 8, 16], 4),
        (128, [16, 16, 8, 4, 2, 1], [1, 2, 4, 8, 16, 16], [1, 2, 4, 8, 16, 16], 5),
    ],
)
def test_widths_of_the_authors_code(side, generated, judged, judged_deep, halved):
    """Lists of channels in BigGAN.py and BigGANdeep.py of BigGAN-PyTorch, and how often the discriminator halves."""
    facts = spec(3, side)
    options = {"width": 4, "growth": "published", "attention": 0}
    with torch.device("meta"):
        plain, deep = (family.Generator(facts, 12, **options) for family in (biggan, biggan_deep))
        judge, deep_judge = (family.Discriminator(facts, **options) for family in (resnet, biggan_deep))
    assert [block.conv1.in_channels for block in plain.blocks] == [4 * m for m in generated[:-1]]
    assert [block.conv1.in_channels for block in deep.blocks][::2] == [4 * m for m in generated[:-1]]
    assert plain.last[0].num_features == deep.last[0].num_features == 4 * generated[-1]
    assert [block.conv1.out_channels for block in judge.blocks] == [4 * m for m in judged]
    deep_widths = [deep_judge.first.out_channels, *(block.conv4.out_channels for block in deep_judge.blocks[::2])]
    assert deep_widths == [4 * m for m in judged_deep]
    for network in (judge, deep_judge):
        assert sum(isinstance(block.pool, nn.AvgPool2d) for block in network.blocks) == halved


def test_sizes_without_a_published_list_double_as_before():
    with torch.device("meta"):
        for network in (biggan.Generator, biggan_deep.Generator):
            old, new = (network(spec(1, 28), 12, width=4, growth=growth) for growth in ("doubling", "published"))
            assert parameters(old) == parameters(new)
        for network in (resnet.Discriminator, biggan_deep.Discriminator):
            assert parameters(network(spec(1, 28))) == parameters(network(spec(1, 28), growth="published"))


def test_widths_at_256_and_512_pixels():
    """Ibid., tables 5 and 6."""
    for side, tables in ((256, [16, 16, 8, 8, 4, 2, 1]), (512, [16, 16, 8, 8, 4, 2, 1, 1])):
        with torch.device("meta"):
            network = biggan.Generator(spec(3, side), 140, width=1, attention=0)
        assert [block.conv1.in_channels for block in network.blocks] == tables[:-1]
        assert [block.conv1.out_channels for block in network.blocks] == tables[1:]


@pytest.mark.parametrize("classes", [None, 10])
@pytest.mark.parametrize(("channels", "side"), [(1, 8), (3, 28), (4, 40)])
@pytest.mark.parametrize("module", [biggan, biggan_deep])
def test_shapes(classes, channels, side, module):
    facts = spec(channels, side, classes)
    condition = None if classes is None else torch.tensor([0, 9])
    images = module.Generator(facts, 11, width=4)(torch.randn(2, 11), condition)
    assert images.shape == (2, channels, side, side)
    discriminator = getattr(module, "Discriminator", resnet.Discriminator)(facts, width=4)
    assert discriminator(images, condition).shape == (2,)


def test_the_latent_is_split_over_the_blocks():
    """120 = 6 x 20 at 128 pixels: ibid., table 4. Other sizes are split as evenly as can be."""
    assert biggan.split_evenly(120, 6) == [20] * 6
    assert biggan.split_evenly(120, 7) == [18, 17, 17, 17, 17, 17, 17]
    network = biggan.Generator(spec(1, 8, None), 5, width=4).eval()
    nn.init.zeros_(network.first.weight)  # then the first part says nothing
    z = torch.randn(1, 5)
    moved = z.clone()
    moved[:, :3] += 1
    torch.testing.assert_close(network(z), network(moved))
    assert not torch.allclose(network(z), network(z + 1))


@pytest.mark.parametrize(
    "network",
    [biggan.Generator(spec(1, 16), 12, width=4), resnet.Discriminator(spec(1, 16), width=4, weights="orthogonal")],
)
def test_weights_start_orthogonal(network):
    for layer in network.modules():
        if isinstance(layer, (nn.Conv2d, nn.Linear, nn.Embedding)):
            rows = layer.weight.flatten(1)
            rows = rows if len(rows) <= rows.shape[1] else rows.T
            torch.testing.assert_close(rows @ rows.T, torch.eye(len(rows)), rtol=0, atol=1e-5)


def test_one_class_embedding_whose_spectrum_is_free():
    network = biggan.Generator(spec(1, 16), 12, width=4)
    normalise_spectrum(network)
    embeddings = [name for name, layer in network.named_modules() if isinstance(layer, nn.Embedding)]
    assert embeddings == ["shared.layer"]
    assert not hasattr(network.shared.layer, "parametrizations")
    assert hasattr(network.blocks[0].norm1.gain, "parametrizations")

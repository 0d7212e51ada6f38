"""ProGAN's networks: published sizes, every shape, conditions, and gradients."""

import pytest
import torch

from genlab.core.condition import Attributes, Classes
from genlab.core.spec import Spec
from genlab.models.style_based import progan

SMALL = {"width": 4, "most": 8}


def parameters(network):
    return sum(param.numel() for param in network.parameters())


def test_parameter_counts_at_1024():
    """github.com/NVlabs/stylegan, `print_layers` of the discriminator, which is ProGAN's: 23,087,249.

    The generator: Karras et al. 2018, table 2, counts 23.1 M; exactly, its layers with 8 more 1x1 convolutions to
    images: 512 x 512 x 16 + 512 + 7 x (512 x 512 x 9 + 512) + ..., written out here from the table's channels.
    """
    spec, channels = Spec(3, 1024, 1024, images=100), [512, 512, 512, 512, 256, 128, 64, 32, 16]
    expected = 512 * 512 * 16 + 512 + 512 * 512 * 9 + 512
    for inputs, outputs in zip(channels, channels[1:], strict=False):
        expected += 9 * inputs * outputs + outputs + 9 * outputs * outputs + outputs
    expected += sum(3 * width + 3 for width in channels)
    assert expected == 23_079_115
    with torch.device("meta"):
        assert parameters(progan.Generator(spec, 512, width=16, most=512)) == expected
        for blur in (False, True):
            assert parameters(progan.Discriminator(spec, width=16, most=512, blur=blur)) == 23_087_249


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("size", [8, 32])
def test_shapes(channels, size):
    spec = Spec(channels, size, size, images=100)
    generator, discriminator = progan.Generator(spec, 5, **SMALL), progan.Discriminator(spec, **SMALL)
    for level in range(generator.doublings + 1):
        generator.grow(level)
        discriminator.grow(level)
        images = generator(torch.randn(3, 5))
        assert images.shape == (3, channels, 4 << level, 4 << level)
        assert discriminator(images).shape == (3,)
        assert discriminator.features(images).shape == (3, discriminator.feature_size)


@pytest.mark.parametrize("condition", [Classes(10), Attributes(3)])
def test_conditional(condition):
    spec = Spec(1, 8, 8, images=100, condition=condition)
    generator, discriminator = progan.Generator(spec, 5, **SMALL), progan.Discriminator(spec, **SMALL)
    conditions = [torch.zeros(2, dtype=torch.long), torch.ones(2, dtype=torch.long)]
    if spec.class_count is None:
        conditions = [torch.nn.functional.one_hot(condition, 3).float() for condition in conditions]
    z = torch.randn(2, 5)
    first, second = (generator(z, condition) for condition in conditions)
    assert not torch.allclose(first, second)
    assert not torch.allclose(*(discriminator(first, condition) for condition in conditions))


def test_the_length_of_z_has_no_effect():
    """Karras et al. 2018, appendix A.1: latents are normalised."""
    network, z = progan.Generator(Spec(1, 8, 8, images=100), 5, **SMALL), torch.randn(3, 5)
    torch.testing.assert_close(network(z), network(7 * z))


def test_every_vector_of_every_map_is_normalised():
    """Section 4.2."""
    network = progan.Generator(Spec(1, 8, 8, images=100), 5, **SMALL)
    maps = network.normalise(torch.randn(3, 5))
    for block in network.blocks:
        maps = block(maps)
        torch.testing.assert_close(maps.square().mean(1), torch.ones_like(maps[:, 0]), rtol=1e-4, atol=1e-4)


def test_the_discriminators_features_include_the_batchs_deviation():
    network, image = progan.Discriminator(Spec(1, 8, 8, images=100), **SMALL), torch.randn(1, 1, 8, 8)
    among_equals = network(image.expand(4, -1, -1, -1))[0]
    among_others = network(torch.cat([image, torch.randn(3, 1, 8, 8)]))[0]
    assert not torch.allclose(among_equals, among_others)


def test_every_parameter_learns_while_the_last_size_fades_in():
    torch.manual_seed(0)
    spec = Spec(1, 8, 8, images=100)
    generator, discriminator = progan.Generator(spec, 5, **SMALL), progan.Discriminator(spec, **SMALL)
    generator.grow(0.5)
    discriminator.grow(0.5)
    discriminator(generator(torch.randn(4, 5))).square().sum().backward()
    for name, param in [*generator.named_parameters(), *discriminator.named_parameters()]:
        assert param.grad.abs().max() > 0, name

"""StyleGAN2's networks: published sizes, every shape, effects of styles, noise and classes, and gradients."""

import pytest
import torch

from genlab.core.condition import Attributes, Classes
from genlab.core.errors import ConfigError
from genlab.core.spec import Spec
from genlab.models.layer_contract import set_noise
from genlab.models.layers.upfirdn import binomial, upsample2d
from genlab.models.style_based import stylegan2

SMALL = {"width": 4, "most": 8, "depth": 2}
STYLED = SMALL | {"style_size": 6}


def parameters(network):
    return sum(param.numel() for param in network.parameters())


# Rows of the summaries that the authors' code prints at 1024 pixels, by the side of the maps. Generator:
# github.com/open-mmlab/mmgeneration/issues/394, conv0 + conv1 + torgb of each size; a mapping of eight layers:
# github.com/lucidrains/stylegan2-pytorch/issues/124, Dense0 to Dense7. Discriminator:
# github.com/NVlabs/stylegan2-ada-pytorch/issues/181, skip + conv0 + conv1 of each size.
MAPPING = 8 * 262_656
PRINTED_G = {4: 2_622_465 + 264_195 + 8_192}  # conv1, torgb, constant
PRINTED_G |= {side: 2 * 2_622_465 + 264_195 for side in (8, 16, 32, 64)}
PRINTED_G |= {128: 1_442_561 + 721_409 + 132_099, 256: 426_369 + 213_249 + 66_051}
PRINTED_G |= {512: 139_457 + 69_761 + 33_027, 1024: 51_297 + 25_665 + 16_515}
PRINTED_D = {4: 2_364_416 + 4_194_816 + 513}  # conv, fc, out
PRINTED_D |= {side: 262_144 + 2 * 2_359_808 for side in (8, 16, 32, 64)}
PRINTED_D |= {128: 131_072 + 590_080 + 1_180_160, 256: 32_768 + 147_584 + 295_168}
PRINTED_D |= {512: 8_192 + 36_928 + 73_856, 1024: 2_048 + 9_248 + 18_496}
FROM_RGB = {1024: 128, 256: 512}  # a 1x1 convolution of 3 channels with its bias


@pytest.mark.parametrize(("size", "width"), [(256, 128), (1024, 32)])
def test_parameter_counts_of_configuration_f(size, width):
    """At 1024 pixels 30,370,060 and 29,012,513, the totals that the authors' code prints."""
    spec = Spec(3, size, size, images=100)
    with torch.device("meta"):
        generator = stylegan2.Generator(spec, 512, width=width)
        discriminator = stylegan2.Discriminator(spec, width=width)
    assert parameters(generator.mapping) == MAPPING
    assert parameters(generator) == MAPPING + sum(PRINTED_G[side] for side in PRINTED_G if side <= size)
    assert parameters(discriminator) == FROM_RGB[size] + sum(PRINTED_D[side] for side in PRINTED_D if side <= size)
    if size == 1024:
        assert (parameters(generator), parameters(discriminator)) == (30_370_060, 29_012_513)


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("size", [8, 16, 32])
def test_shapes(channels, size):
    spec = Spec(channels, size, size, images=100)
    images = stylegan2.Generator(spec, 5, **STYLED)(torch.randn(2, 5))
    assert images.shape == (2, channels, size, size)
    network = stylegan2.Discriminator(spec, **SMALL)
    assert network(images).shape == (2,)
    assert network.features(images).shape == (2, network.feature_size)


@pytest.mark.parametrize("size", [8, 64, 1024])
def test_every_size_has_its_stages(size):
    """Two layers a size and one image, all but the last of which shares the next layer's style."""
    with torch.device("meta"):
        network = stylegan2.Generator(Spec(3, size, size, images=100), 5, **STYLED)
        assert network(torch.randn(2, 5)).shape == (2, 3, size, size)
    assert network.layers == 2 * (size.bit_length() - 2)


@pytest.mark.parametrize(
    ("height", "width", "wanted"), [(28, 28, 32), (4, 4, 8), (10, 10, 16), (32, 16, 32), (2048, 2048, 1024)]
)
def test_other_sizes_are_refused_with_one_that_fits(height, width, wanted):
    spec = Spec(1, height, width, images=100)
    for network in (lambda: stylegan2.Generator(spec, 5), lambda: stylegan2.Discriminator(spec)):
        with pytest.raises(ConfigError, match=f"data.size={wanted}."):
            network()


def test_points_are_refused():
    with pytest.raises(ConfigError, match="images"):
        stylegan2.Generator(Spec(2, None, None, images=100), 5)


def test_the_forms_are_the_same_network():
    spec = Spec(1, 16, 16, images=100)
    networks = [stylegan2.Generator(spec, 5, form=form, **STYLED).eval() for form in ("plain", "fused")]
    networks[1].load_state_dict(networks[0].state_dict())
    z = torch.randn(3, 5)
    torch.testing.assert_close(networks[0](z), networks[1](z), rtol=0, atol=1e-5)


@pytest.mark.parametrize("condition", [Classes(10), Attributes(3)])
def test_conditional(condition):
    spec = Spec(1, 8, 8, images=100, condition=condition)
    generator, discriminator = stylegan2.Generator(spec, 5, **STYLED), stylegan2.Discriminator(spec, **SMALL)
    conditions = [torch.zeros(2, dtype=torch.long), torch.ones(2, dtype=torch.long)]
    if spec.class_count is None:
        conditions = [torch.nn.functional.one_hot(condition, 3).float() for condition in conditions]
    z = torch.randn(2, 5)
    first, second = (generator(z, condition) for condition in conditions)
    assert not torch.allclose(first, second)
    assert not torch.allclose(*(discriminator(first, condition) for condition in conditions))


def test_a_label_is_projected_with_variance_1():
    torch.manual_seed(0)
    mapping = stylegan2.LabelMapping(Spec(1, 8, 8, images=9, condition=Classes(500)), 256, depth=3)
    products = mapping(torch.arange(500)) @ torch.randn(256, 500)
    assert abs(products.std().item() - 1) < 0.2


@pytest.mark.parametrize("outputs", [1, 3])
def test_a_conditional_logit_is_an_inner_product(outputs):
    """<out(x), m(c)> / sqrt(d), d the size of both: the code of Karras et al. 2020 (ADA)."""
    spec = Spec(1, 8, 8, images=100, condition=Classes(10))
    network, images, classes = (
        stylegan2.Discriminator(spec, outputs=outputs, **SMALL),
        torch.randn(4, 1, 8, 8),
        torch.arange(4),
    )
    vectors = network.last(network.features(images)).view(4, outputs, 8)
    expected = (vectors * network.label_vectors.layers(classes)[:, None]).sum(2) / 8**0.5
    torch.testing.assert_close(network(images, classes), expected.squeeze(1))


def test_the_image_is_the_sum_over_all_sizes():
    """With nothing to add at the last size, it is the image before, doubled."""
    network = stylegan2.Generator(Spec(1, 16, 16, images=100), 5, **STYLED).eval()
    torch.nn.init.zeros_(network.stages[-1].to_image.weight)
    styles = network.styles(torch.randn(2, 5))
    maps, image = network.constant.expand(2, -1, -1, -1), None
    for first, stage in zip((0, 1), network.stages[:-1], strict=True):
        maps, image = stage(maps, image, styles[:, first : 2 * first + 2])
    torch.testing.assert_close(network.synthesis(styles), upsample2d(image, binomial()))


def test_every_layer_follows_its_own_style():
    """The styles of the first sizes change what comes after, the last one the image alone."""
    network = stylegan2.Generator(Spec(1, 16, 16, images=100), 5, **STYLED).eval()
    styles = network.styles(torch.randn(1, 5)).detach().requires_grad_()
    (slopes,) = torch.autograd.grad(network.synthesis(styles).square().sum(), styles)
    assert network.layers == 6 and (slopes.abs().sum(2) > 0).all()


def test_noise_is_added_after_demodulation_to_every_layer():
    """Its strengths start at 0; with others, samples differ though their styles are the same."""
    network = stylegan2.Generator(Spec(1, 8, 8, images=100), 5, **STYLED).eval()
    z = torch.randn(1, 5).expand(2, -1)
    for layer in (layer for stage in network.stages for layer in stage.layers):
        torch.nn.init.ones_(layer.noise.strength)
    torch.testing.assert_close(*network(z))
    set_noise(network, "random")
    assert not torch.allclose(*network(z))


def test_activations_keep_their_variance():
    """Equalised layers, demodulation and the blocks' gains: deviations stay near 1 at the start, however deep."""
    torch.manual_seed(0)
    spec = Spec(3, 64, 64, images=100)
    network = stylegan2.Discriminator(spec, width=16, most=64, minibatch="none")
    found = network.features(torch.randn(16, 3, 1, 1).expand(-1, -1, 64, 64))
    assert 0.3 < found.square().mean().sqrt() < 3
    generator = stylegan2.Generator(spec, 16, width=16, most=64, style_size=16)
    maps = {}
    generator.stages[-1].layers[-1].register_forward_hook(lambda *given: maps.update(last=given[2]))
    generator(torch.randn(4, 16))
    assert 0.5 < maps["last"].square().mean().sqrt() < 2


def test_every_parameter_learns():
    torch.manual_seed(0)
    spec = Spec(1, 8, 8, images=100, condition=Classes(3))
    networks = [stylegan2.Generator(spec, 5, **STYLED), stylegan2.Discriminator(spec, **SMALL)]
    condition = torch.arange(4) % 3
    logits = networks[1](networks[0](torch.randn(4, 5), condition), condition)
    weights = [param for network in networks for param in network.parameters()]
    gradients = torch.autograd.grad(logits.square().sum(), weights)
    assert all(gradient.abs().max() > 0 for gradient in gradients)


@pytest.mark.parametrize("minibatch", ["deviation", "none"])
def test_the_discriminator_may_use_the_batchs_deviation(minibatch):
    network = stylegan2.Discriminator(Spec(1, 8, 8, images=100), minibatch=minibatch, group=2, **SMALL)
    images = torch.randn(2, 1, 8, 8)
    alone = torch.cat([network(image[None]) for image in images])
    assert torch.allclose(network(images), alone, atol=1e-6) == (minibatch == "none")

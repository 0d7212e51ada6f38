"""Growing changes no weight and no image abruptly, in ProGAN's and StyleGAN's networks alike."""

import pytest
import torch
from torch import nn
from torch.nn.functional import avg_pool2d, interpolate

from genlab.core.spec import Spec
from genlab.models.style_based import progan, stylegan

SPEC = Spec(2, 16, 16, images=100)
SMALL = {"width": 4, "most": 8}


def make(kind, spec=SPEC, **options):
    torch.manual_seed(0)
    return kind(spec, 5, **SMALL, **options).double().eval()


def make_discriminator(spec=SPEC, **options):
    torch.manual_seed(0)
    return progan.Discriminator(spec, **SMALL, **options).double()


def rows(*shape, seed=0):
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def grown(network, level):
    network.grow(level)
    return network


GENERATORS = pytest.mark.parametrize("kind", [progan.Generator, stylegan.Generator])


@GENERATORS
@pytest.mark.parametrize("level", [0, 1])
def test_a_generator_fades_from_the_enlarged_size_below_to_the_new_one(kind, level):
    """The mean of both, weighted by how far the fade-in is: so it is continuous at either end."""
    network, z = make(kind), rows(3, 5)
    below = interpolate(grown(network, level)(z), scale_factor=2)
    above = grown(network, level + 1)(z)
    for share in (1e-9, 0.25, 0.5, 1 - 1e-9):
        found = grown(network, level + share)(z)
        torch.testing.assert_close(found, (1 - share) * below + share * above, rtol=1e-6, atol=1e-6)
    assert (below - above).abs().max() > 0.1  # there is something to fade


@pytest.mark.parametrize("blur", [False, True])
@pytest.mark.parametrize("level", [0, 1])
def test_a_discriminator_fades_with_its_images(level, blur):
    network, images = make_discriminator(blur=blur), rows(4, 2, 4 << level + 1, 4 << level + 1)
    below = grown(network, level)(avg_pool2d(images, 2))
    above = grown(network, level + 1)(images)
    torch.testing.assert_close(grown(network, level + 1e-9)(images), below, rtol=1e-6, atol=1e-6)
    torch.testing.assert_close(grown(network, level + 1 - 1e-9)(images), above, rtol=1e-6, atol=1e-6)
    assert (below - above).abs().max() > 0.01


def test_real_images_are_averaged_and_faded_as_generated_ones_are():
    network, images = make_discriminator(), rows(3, 2, 16, 16)
    assert torch.equal(grown(network, 2).shrink(images), images)
    cells = images.unflatten(3, (4, 4)).unflatten(2, (4, 4))
    torch.testing.assert_close(grown(network, 0).shrink(images), cells.mean((3, 5)))
    half, quarter = avg_pool2d(images, 2), avg_pool2d(images, 4)
    expected = 0.7 * interpolate(quarter, scale_factor=2) + 0.3 * half
    torch.testing.assert_close(grown(network, 0.3).shrink(images), expected)
    for level in (0.3, 1.0):  # the whole pictures, as callbacks have them, are judged as well
        torch.testing.assert_close(grown(network, level)(images), network(half))


@GENERATORS
def test_growing_changes_no_weight_and_replaces_none(kind):
    for network in (make(kind), make_discriminator()):
        held = dict(network.named_parameters())
        before = {name: param.clone() for name, param in held.items()}
        for level in (0, 0.5, 1, 1.25, 2):
            network.grow(level)
        after = dict(network.named_parameters())
        assert all(after[name] is param and torch.equal(param, before[name]) for name, param in held.items())


@GENERATORS
def test_layers_not_in_use_yet_have_no_gradient(kind):
    """A generator's blocks are counted from 4 x 4 on, a discriminator's from the one that leads there."""
    generator, discriminator = grown(make(kind), 0.5), grown(make_discriminator(), 0.5)
    discriminator(generator(rows(4, 5))).sum().backward()
    for network, later in (
        (generator, ("blocks.2.", "to_images.2.")),
        (discriminator, ("blocks.1.", "from_images.2.")),
    ):
        idle = {name for name, param in network.named_parameters() if param.grad is None}
        assert idle == {name for name, _ in network.named_parameters() if name.startswith(later)}


@GENERATORS
def test_the_level_is_part_of_the_state_dict(kind):
    """So that a checkpoint, an average and an exported file are sampled at the size that they were trained for."""
    network, other = grown(make(kind), 0.625), make(kind)
    assert other.stage == 2
    other.load_state_dict(network.state_dict())
    assert (other.level, other.stage, other.fading) == (0.625, 1, True)
    assert torch.equal(other(rows(2, 5)), network(rows(2, 5)))


def test_the_fade_in_is_a_tensor_on_the_device():
    network = make(progan.Generator)
    alpha = network.alpha
    network.grow(1.25)
    assert network.alpha is alpha and alpha.item() == 0.25 and "alpha" not in network.state_dict()
    assert isinstance(network, nn.Module)

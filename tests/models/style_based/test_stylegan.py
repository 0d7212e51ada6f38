"""StyleGAN's generator: published size, styles, noise, growing."""

import pytest
import torch
from torch import nn

from genlab.core.condition import Attributes, Classes
from genlab.core.spec import Spec
from genlab.models.layer_contract import set_noise
from genlab.models.style_based import stylegan

SMALL = {"width": 4, "most": 8, "style_size": 6, "depth": 2}


def made(size=16, spec=None, **options):
    torch.manual_seed(0)
    return stylegan.Generator(spec or Spec(1, size, size, images=100), 5, **SMALL, **options)


def loud(network):
    """With noise strong enough to show."""
    for name, param in network.named_parameters():
        if name.endswith("strength"):
            nn.init.ones_(param)
    return network


def test_parameter_count_at_1024():
    """github.com/NVlabs/stylegan, README.md: `Gs.print_layers()` counts 26,219,627."""
    with torch.device("meta"):
        network = stylegan.Generator(Spec(3, 1024, 1024, images=100), 512, width=16, most=512, style_size=512)
    assert sum(param.numel() for param in network.parameters()) == 26_219_627


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_shapes_and_styles_of_every_size(channels):
    network = made(spec=Spec(channels, 32, 32, images=100)).eval()
    for level in range(4):
        network.grow(level)
        styles = network.styles(torch.randn(3, 5))
        assert styles.shape == (3, 2 * (level + 1), 6)  # two layers a size
        assert network.synthesis(styles).shape == (3, channels, 4 << level, 4 << level)


def test_mixing_cuts_among_the_layers_so_far():
    network = made(mixing=1.0).train()
    network.grow(1)
    z = torch.randn(500, 5)
    own = (network.styles(z) == network.mapping(z)[:, None]).all(2)
    assert own[:, 0].all() and not own[:, 3].any()  # four layers: every image is mixed somewhere
    assert set(own.sum(1).tolist()) == {1, 2, 3}


def test_each_layer_has_its_own_style():
    network, z = made().eval(), torch.randn(1, 5)
    styles = network.styles(z)
    images = network.synthesis(styles)
    for layer in range(network.layers):
        changed = styles.clone()
        changed[:, layer] += 1
        assert not torch.allclose(network.synthesis(changed), images), layer


def test_without_styles_all_images_are_equal():
    network = made(style_strength=0.0).eval()
    images = network(torch.randn(4, 5))
    assert torch.equal(images[0], images[1]) and not torch.equal(images[0], made().eval()(torch.randn(4, 5))[0])


def test_noise_is_new_in_training_and_fixed_in_evaluation():
    network, z = loud(made(mixing=0.0)), torch.randn(2, 5)
    assert not torch.allclose(network(z), network(z))
    network.eval()
    assert torch.equal(network(z), network(z))
    first = network(z)
    set_noise(network, "none")
    assert not torch.allclose(network(z), first)


def test_full_truncation_is_the_image_of_the_mean_style():
    network = made().train()
    for _ in range(50):
        network(torch.randn(64, 5))
    network.eval()
    w = network.mapping(torch.randn(4, 5))
    images = network.synthesis(network.spread(network.mapping.truncate(w, 0.0)))
    expected = network.synthesis(network.spread(network.mapping.mean.expand(4, -1)))
    torch.testing.assert_close(images, expected)
    assert not torch.allclose(network.synthesis(network.spread(w)), expected)


@pytest.mark.parametrize("condition", [Classes(10), Attributes(3)])
def test_conditional(condition):
    network = made(spec=Spec(1, 8, 8, images=100, condition=condition)).eval()
    conditions = [torch.zeros(2, dtype=torch.long), torch.ones(2, dtype=torch.long)]
    if isinstance(condition, Attributes):
        conditions = [torch.nn.functional.one_hot(label, 3).float() for label in conditions]
    z = torch.randn(2, 5)
    assert not torch.allclose(*(network(z, condition) for condition in conditions))


def test_every_parameter_learns_while_the_last_size_fades_in():
    """The constant first needs noise: without any, normalisation takes from it all that it has."""
    network = loud(made(size=8, mixing=0.0)).train()
    network.grow(0.5)
    network(torch.randn(4, 5)).square().sum().backward()
    for name, param in network.named_parameters():
        assert param.grad is not None and param.grad.abs().max() > 0, name

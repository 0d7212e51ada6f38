"""The coarse-to-fine generator: published size, enhancers, and weights of a smaller one."""

import pytest
import torch
from torch import nn

from genlab.core.condition import Classes
from genlab.core.errors import ConfigError
from genlab.core.picture import Picture
from genlab.core.spec import Spec
from genlab.models.layers.resample import halve
from genlab.models.translation.pix2pix_hd import Generator

NOTHING = torch.empty(2, 0)


def spec(height, width=None, *, source=1, channels=3, classes=None):
    width = width or height
    return Spec(channels, height, width, images=9, condition=Picture(source, height, width, classes))


def built(*size, **options):
    return Generator(spec(*size), **({"width": 4, "blocks": 1, "enhancer_blocks": 1} | options))


def test_it_is_as_large_as_the_published_one():
    """The global network for ADE20K's 151 classes has 182.9 million in Tan et al. 2020 (CLADE)."""
    with torch.device("meta"):
        network = Generator(spec(256, classes=151), enhancers=0)
    assert f"{sum(parameter.numel() for parameter in network.parameters()) / 1e6:.1f}" == "182.9"


def test_an_enhancer_adds_the_global_networks_maps():
    """Figure 3, layer by layer."""
    network, source = built(16), torch.randn(2, 1, 16, 16)
    (enhancer,) = network.enhancers
    coarse = network.coarse(halve(source))
    assert coarse.shape == (2, 4, 8, 8)
    seen = enhancer.down(enhancer.first(source))
    assert enhancer.first(source).shape == (2, 2, 16, 16) and seen.shape == coarse.shape
    maps = enhancer.up(enhancer.blocks(coarse + seen), (16, 16))
    torch.testing.assert_close(network(NOTHING, source), network.last(maps))


@pytest.mark.parametrize("enhancers", [0, 1, 2])
@pytest.mark.parametrize("size", [(32, 32), (16, 24), (17, 30)])
def test_any_size_goes_through(enhancers, size):
    network = built(*size, enhancers=enhancers)
    for height, width in (size, (33, 41)):
        images = network(NOTHING, torch.randn(2, 1, height, width))
        assert images.shape == (2, 3, height, width) and images.abs().max() <= 1


@pytest.mark.parametrize(
    ("side", "enhancers", "halvings"),
    [(256, 1, 4), (128, 1, 4), (64, 1, 3), (32, 1, 2), (28, 1, 2), (8, 1, 0), (64, 0, 4)],
)
def test_the_global_network_halves_until_4_pixels_are_left(side, enhancers, halvings):
    with torch.device("meta"):
        assert len(built(side, enhancers=enhancers).coarse.downs) == halvings


def test_every_weight_learns():
    network = built(16, enhancers=2)
    network(NOTHING, torch.randn(2, 1, 16, 16)).square().sum().backward()
    assert all(parameter.grad.abs().sum() > 0 for parameter in network.parameters() if parameter.ndim > 1)


def test_a_generator_loads_the_weights_of_a_smaller_one():
    small, large, again = built(8, enhancers=0), built(16, enhancers=1), built(16, enhancers=1)
    fresh = {name: value.clone() for name, value in large.state_dict().items()}
    large.load_state_dict(small.state_dict())
    for name, value in large.state_dict().items():
        kept = fresh if name.startswith(("enhancers.", "last.")) else small.state_dict()
        assert torch.equal(value, kept[name]), name
    again.load_state_dict(large.state_dict())
    assert all(torch.equal(value, large.state_dict()[name]) for name, value in again.state_dict().items())
    with pytest.raises(RuntimeError):
        small.load_state_dict(large.state_dict())
    with pytest.raises(RuntimeError):
        large.load_state_dict(built(8, enhancers=0, blocks=2).state_dict())
    with pytest.raises(RuntimeError):
        large.load_state_dict({})


def test_normalisations_have_no_parameters():
    assert not [m for m in built(16).modules() if isinstance(m, nn.InstanceNorm2d) and m.affine]


@pytest.mark.parametrize(
    ("given", "options", "words"),
    [
        (spec(6), {}, "enhancers=1 halvings=null: of images of 6 x 6 pixels the global network sees 3 a side"),
        (spec(16), {"halvings": 4}, "halvings=4: of images of 16 x 16"),
        (spec(16), {"latent_size": 9}, "model.latent=null"),
        (Spec(3, 16, 16, images=9, condition=Picture(3, 4, 4)), {}, "super_resolution"),
        (Spec(3, 16, 16, images=9, condition=Classes(3)), {}, "data.task=edges"),
    ],
)
def test_unfit_data_and_options_are_refused(given, options, words):
    with pytest.raises(ConfigError, match=words):
        Generator(given, width=4, **options)

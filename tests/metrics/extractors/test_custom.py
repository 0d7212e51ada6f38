"""Pixels, and extractors that a user brings: features as expected, identities that follow the weights."""

from functools import partial

import pytest
import torch
from torch import nn

from genlab.core.errors import ConfigError
from genlab.core.spec import Spec
from genlab.metrics import CustomExtractor, Pixels

GREY = Spec(1, 8, 8, images=1, padding=2)
IMAGES = torch.rand(3, 1, 4, 4, generator=torch.Generator().manual_seed(0)) * 2 - 1


def network(seed: int = 0, channels: int = 1) -> nn.Module:
    torch.manual_seed(seed)
    return nn.Sequential(nn.Conv2d(channels, 2, 3), nn.Dropout(), nn.Flatten())


def mean_colour(images: torch.Tensor, weight: float = 1.0) -> torch.Tensor:
    return images.mean((2, 3)) * weight


def test_pixels_are_what_images_show():
    assert torch.equal(Pixels()(IMAGES), IMAGES.flatten(1))
    assert Pixels(2)(IMAGES).shape == (3, 4) and Pixels(2).identity != Pixels().identity
    Pixels().check(GREY)
    with pytest.raises(ConfigError, match=r"3 x 128 x 128: expected 12,288 values or fewer.*metrics\.extractor\.size="):
        Pixels().check(Spec(3, 128, 128, images=1))
    Pixels(32).check(Spec(3, 128, 128, images=1))
    with pytest.raises(ConfigError, match="data are points"):
        Pixels().check(Spec(2, None, None, images=1))


def test_a_network_is_evaluated_and_hashed():
    one, same, other = (CustomExtractor(network(seed)) for seed in (0, 0, 1))
    one.check(GREY)
    assert torch.equal(one(IMAGES), one(IMAGES)) and one(IMAGES).shape == (3, 8)  # no dropout
    assert one.identity == same.identity != other.identity
    assert (
        CustomExtractor(network(), size=8).identity != one.identity != CustomExtractor(network(), colour=True).identity
    )
    assert (
        one.name == "torch.nn.modules.container.Sequential" and CustomExtractor(network(), name="mine").name == "mine"
    )


def test_a_method_counts_with_its_network():
    one, other = network(0), network(1)
    assert CustomExtractor(one.forward).identity != CustomExtractor(other.forward).identity
    assert not CustomExtractor(one.forward)(IMAGES).requires_grad and not one.training


def test_a_function_counts_with_its_arguments():
    plain, twice = CustomExtractor(mean_colour), CustomExtractor(partial(mean_colour, weight=2.0))
    assert torch.equal(twice(IMAGES), 2 * plain(IMAGES)) and plain.identity != twice.identity
    assert plain.name.endswith("mean_colour") and twice.name == plain.name


def test_grey_images_are_shown_in_colour_and_resized():
    adapter = CustomExtractor(network(channels=3), size=5, colour=True)
    adapter.check(GREY)
    assert adapter(IMAGES).shape == (3, 18)
    with pytest.raises(ConfigError, match=r"cannot read images 1 x 4 x 4 .*metrics\.extractor\.colour=true"):
        CustomExtractor(network(channels=3)).check(GREY)


def test_an_output_that_is_no_features_is_an_error():
    with pytest.raises(ConfigError, match=r"found features \[2, 1, 4, 4\] for 2 images, expected \[2, D\]"):
        CustomExtractor(nn.Identity()).check(GREY)
    with pytest.raises(ConfigError, match="it gave a tuple"):
        CustomExtractor(lambda images: (images,)).check(GREY)

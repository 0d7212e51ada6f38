"""PatchGAN: published size, and receptive fields as gradients show them."""

import pytest
import torch

from genlab.core.errors import ConfigError
from genlab.core.picture import Picture
from genlab.core.spec import Spec
from genlab.models.translation.patchgan import PatchGAN


def spec(side, source=1, channels=3):
    return Spec(channels, side, side, images=9, condition=Picture(source, side, side) if source else None)


def test_it_is_as_large_as_the_published_one():
    """The 2.769 M of the 70 x 70 PatchGAN on two pictures of three channels."""
    with torch.device("meta"):
        network = PatchGAN(spec(256, source=3))
        logits = network(torch.empty(1, 3, 256, 256), torch.empty(1, 3, 256, 256))
    assert f"{sum(parameter.numel() for parameter in network.parameters()) / 1e6:.3f}" == "2.769"
    assert logits.shape == (1, 30, 30)


@pytest.mark.parametrize(("field", "side"), [(16, 48), (34, 80), (70, 160), (142, 300)])
def test_a_logit_has_the_stated_receptive_field(field, side):
    """By the slopes of one logit in the middle at the image and at the source beside it."""
    network = PatchGAN(spec(side), width=2, receptive_field=field, norm="none")
    torch.nn.init.ones_(network.last.weight)
    for layer in network.layers:
        if isinstance(layer, torch.nn.Conv2d):  # all slopes positive: none cancel
            torch.nn.init.uniform_(layer.weight, 0.1, 0.2)
    images, source = torch.rand(1, 3, side, side).requires_grad_(), torch.rand(1, 1, side, side).requires_grad_()
    logits = network(images, source)[0]
    logits[len(logits) // 2, len(logits) // 2].backward()
    for picture in (images, source):
        seen = picture.grad[0].abs().sum(0) > 0
        assert [int(seen.any(axis).sum()) for axis in (0, 1)] == [field, field]
        assert int(seen.sum()) == field**2


@pytest.mark.parametrize(
    ("side", "field", "map_side"), [(8, None, 2), (32, None, 14), (128, None, 30), (256, None, 30)]
)
def test_the_field_suits_the_size(side, field, map_side):
    """16 below 68 pixels; 34 of 128 and 70 of 256, the paper's."""
    with torch.device("meta"):
        network = PatchGAN(spec(side, source=0), width=4, receptive_field=field)
        assert network(torch.empty(1, 3, side, side)).shape == (1, map_side, map_side)


def test_the_whole_image_is_seen_by_a_logit_in_the_middle():
    network = PatchGAN(spec(32, source=0), width=2, receptive_field="image", norm="none")
    images = torch.rand(1, 3, 32, 32).requires_grad_()
    network(images)[0, 3, 3].backward()  # its 34 pixels begin at the second row
    assert (images.grad.abs().sum((0, 1)) > 0).float().mean() > 0.9


def test_logits_are_those_of_the_features():
    network, images, source = PatchGAN(spec(16), width=4), torch.rand(2, 3, 16, 16), torch.rand(2, 1, 16, 16)
    network.eval()
    assert torch.equal(network.head(network.features(images, source)), network(images, source))


def test_a_source_of_another_size_is_resized():
    network = PatchGAN(Spec(3, 16, 16, images=9, condition=Picture(3, 4, 4)), width=4)
    assert network(torch.rand(2, 3, 16, 16), torch.rand(2, 3, 4, 4)).shape == (2, 6, 6)


@pytest.mark.parametrize(("side", "field"), [(16, 70), (64, 286), (4, None)])
def test_images_that_are_too_small_are_refused(side, field):
    with pytest.raises(ConfigError, match="no patch is left"):
        PatchGAN(spec(side), receptive_field=field)

"""Logits of patches, as the numbers of their images."""

import pytest
import torch

from genlab.core.spec import Spec
from genlab.losses import Hinge, LeastSquares, NonSaturating
from genlab.models.translation.multi_scale import MultiScale
from tests.losses.conftest import images


def test_patches_count_as_their_mean(make_turn):
    turn, values = make_turn(), images(1)
    torch.testing.assert_close(turn.per_image(values), values.mean((1, 2, 3)))
    assert torch.equal(turn.per_image(values[:, 0, 0, 0]), values[:, 0, 0, 0])


@pytest.mark.parametrize("loss", [Hinge(), LeastSquares(), NonSaturating()], ids=lambda loss: type(loss).__name__)
def test_every_scale_counts_alike(loss, make_turn):
    """The mean over an image is the mean over scales of the mean over their patches, and so is its slope."""
    network = MultiScale(Spec(3, 32, 32, images=9), scales=3, width=4, norm="none").double()
    pictures = images(1, (3, 32, 32))
    turn = make_turn("discriminator", network=network)
    maps = [scale(copy) for scale, copy in zip(network.scales, network.pyramid(pictures, None), strict=True)]
    expected = torch.stack([loss.discriminator(m, m).flatten(1).mean(1) for m in maps]).mean(0)
    logits = network(pictures)
    found = turn.per_image(loss.discriminator(logits, logits))
    torch.testing.assert_close(found, expected)
    weights = list(network.parameters())
    slopes = (torch.autograd.grad(value.sum(), weights, retain_graph=True) for value in (found, expected))
    for one, other in zip(*slopes, strict=True):
        torch.testing.assert_close(one, other)

"""Logits of patches, as the numbers of their images."""

import pytest
import torch

from genlab.core.spec import Spec
from genlab.data.augment.ada import AdaptiveAugment
from genlab.losses import R1, GradientPenalty, Hinge, LeastSquares, LeCam, NonSaturating, RelativisticAverage
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


def test_relativistic_means_let_every_scale_count_alike(make_turn):
    network = MultiScale(Spec(3, 32, 32, images=9), scales=3, width=4, norm="none").double()
    loss = RelativisticAverage("hinge").with_patch_weights(network.patch_weights)
    real, fake = (network(images(number, (3, 32, 32))) for number in (1, 2))
    counts = [
        scale(copy)[0].numel()
        for scale, copy in zip(network.scales, network.pyramid(images(1, (3, 32, 32)), None), strict=True)
    ]
    means = [torch.stack([part.mean() for part in logits.split(counts, 1)]).mean() for logits in (real, fake)]
    expected = (1 + means[1] - real).relu() + (1 + fake - means[0]).relu()
    torch.testing.assert_close(loss.discriminator(real, fake), expected)


def test_the_share_of_certain_patches_lets_every_scale_count_alike():
    weights = MultiScale(Spec(3, 32, 32, images=9), scales=3, width=4).patch_weights
    coarsest = weights == weights.max()
    ada = AdaptiveAugment()
    ada.observe(torch.where(coarsest, 1.0, -1.0).expand(4, -1), weights)
    scales = len(weights.unique())
    torch.testing.assert_close(ada.turn_signs[0], torch.tensor(2 / scales - 1))


def scales_of(network, pictures):
    """Maps of logits, one a scale."""
    return [scale(copy) for scale, copy in zip(network.scales, network.pyramid(pictures, None), strict=True)]


@pytest.fixture
def network():
    return MultiScale(Spec(3, 32, 32, images=9), scales=3, width=4, norm="none").double()


@pytest.mark.parametrize("penalty", [R1(weight=2.0), GradientPenalty(weight=1.0)], ids=["r1", "gradient_penalty"])
def test_slopes_are_those_of_patches_that_count_as_in_the_loss(penalty, network, make_turn):
    """The sum over M patches of one scale, as in pix2pix's code; of several, M times the mean that the loss takes."""
    turn = make_turn(network=network, shape=(3, 32, 32), slopes=penalty.slopes)
    places = turn.real if penalty.slopes else penalty.points(turn)
    places = places.detach().requires_grad_()
    maps = scales_of(network, places)
    count = sum(logits[0].numel() for logits in maps)
    mean = sum(logits.flatten(1).mean(1) for logits in maps) / len(maps)
    (slope,) = torch.autograd.grad(count * mean.sum(), places)
    squares = slope.square().sum((1, 2, 3))
    torch.testing.assert_close(penalty(turn), squares if penalty.slopes else (squares.sqrt() - 1).square())


def test_anchors_are_means_in_which_every_scale_counts_alike(network, make_turn):
    penalty, turn = LeCam(weight=1.0), make_turn(network=network, shape=(3, 32, 32))
    penalty(turn)
    means = [torch.stack([m.mean() for m in scales_of(network, shown)]).mean() for shown in (turn.real, turn.fake)]
    torch.testing.assert_close(penalty.anchors, torch.stack(means).detach())
    assert (penalty.anchors[0] - turn.real_logits.mean()).abs() > 1e-6  # which the largest map would fill

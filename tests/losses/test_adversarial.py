"""Losses against their closed forms, written with sigmoids and logarithms as in the papers."""

import pytest
import torch
from torch.nn.functional import binary_cross_entropy_with_logits as bce

from genlab.losses import (
    KL,
    MMD,
    DiscriminatorOnly,
    Hinge,
    JensenShannon,
    LeastSquares,
    Minimax,
    NonSaturating,
    Pearson,
    RelativisticAverage,
    RelativisticPairing,
    ReverseKL,
    Wasserstein,
)
from genlab.losses.energy import BoundaryEquilibrium, EnergyMargin
from genlab.losses.relativistic import MARGIN_COSTS

REAL = torch.linspace(-4, 4, 9, dtype=torch.float64)
FAKE = torch.linspace(3, -5, 9, dtype=torch.float64)


def D(logits):
    return torch.sigmoid(logits)


EXPECTED = {
    NonSaturating: (-torch.log(D(REAL)) - torch.log(1 - D(FAKE)), -torch.log(D(FAKE))),
    Minimax: (-torch.log(D(REAL)) - torch.log(1 - D(FAKE)), torch.log(1 - D(FAKE))),
    LeastSquares: (((REAL - 1) ** 2 + FAKE**2) / 2, (FAKE - 1) ** 2 / 2),
    Hinge: ((1 - REAL).clamp(min=0) + (1 + FAKE).clamp(min=0), -FAKE),
    Wasserstein: (FAKE - REAL, -FAKE),
}


@pytest.mark.parametrize("loss", EXPECTED, ids=lambda loss: loss.__name__)
def test_closed_form(loss):
    discriminator, generator = EXPECTED[loss]
    torch.testing.assert_close(loss().discriminator(REAL, FAKE), discriminator, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(loss().generator(FAKE), generator, rtol=1e-12, atol=1e-12)


def test_smoothed_labels_are_those_of_binary_cross_entropy():
    loss = NonSaturating(real_label=0.9, fake_label=0.1)
    expected = bce(REAL, torch.full_like(REAL, 0.9), reduction="none") + bce(
        FAKE, torch.full_like(FAKE, 0.1), reduction="none"
    )
    torch.testing.assert_close(loss.discriminator(REAL, FAKE), expected)


def test_smoothed_least_squares():
    found = LeastSquares(real_label=0.9, fake_label=0.1).discriminator(REAL, FAKE)
    torch.testing.assert_close(found, ((REAL - 0.9) ** 2 + (FAKE - 0.1) ** 2) / 2)


BOUNDED = [
    NonSaturating(), NonSaturating(real_label=0.9), Minimax(real_label=0.8, fake_label=0.1), DiscriminatorOnly(),
    LeastSquares(), LeastSquares(real_label=0.9), Hinge(), JensenShannon(), EnergyMargin(), RelativisticPairing(),
    *(RelativisticAverage(base) for base in ("standard", "hinge", "least_squares")),
]  # fmt: skip


def logits_on_a_grid(reach):
    """Every pair of logits, one pair a row."""
    line = torch.linspace(-reach, reach, 1001, dtype=torch.float64)
    return (part.flatten() for part in torch.meshgrid(line, line, indexing="ij"))


@pytest.mark.parametrize("loss", BOUNDED, ids=lambda loss: type(loss).__name__)
def test_the_lowest_loss_is_the_least_over_all_logits(loss):
    real, fake = logits_on_a_grid(20)
    if isinstance(loss, EnergyMargin):  # energies, minus the logits, are errors: 0 at least
        real, fake = -real.abs(), -fake.abs()
    if isinstance(loss, RelativisticAverage):  # one image of either kind, so that each is the mean of its own
        cost = MARGIN_COSTS[loss.base]
        found = (2 * cost(fake - real)).min().item()
    else:
        found = loss.discriminator(real, fake).min().item()
    assert loss.lowest_loss() - 1e-9 <= found <= loss.lowest_loss() + 1e-3


@pytest.mark.parametrize(
    "loss",
    [
        *BOUNDED,
        Wasserstein(),
        *(kind(zero_sum) for kind in (KL, ReverseKL, JensenShannon, Pearson) for zero_sum in (False, True)),
    ],
    ids=lambda loss: type(loss).__name__,
)
def test_a_loss_saturates_where_its_gradient_vanishes_for_a_sure_discriminator(loss):
    fake, real = torch.full((1,), -30.0, requires_grad=True), torch.full((1,), 30.0)
    (slope,) = torch.autograd.grad(loss.generator(fake, real).sum(), fake)
    assert loss.saturates == (slope.abs() < 1e-6).item() or isinstance(loss, DiscriminatorOnly)


@pytest.mark.parametrize(
    "loss", [Wasserstein(), KL(), ReverseKL(), Pearson(), BoundaryEquilibrium()], ids=lambda loss: type(loss).__name__
)
def test_a_loss_without_a_lowest_value_falls_without_end(loss):
    assert loss.lowest_loss() is None
    if isinstance(loss, BoundaryEquilibrium):
        loss.k = torch.tensor(1.0)
    near, far = (loss.discriminator(*logits_on_a_grid(reach)).min() for reach in (10, 40))
    assert far < near - 10


def test_the_lowest_mmd_is_that_of_two_points_far_apart():
    loss = MMD()
    far = loss.discriminator(torch.zeros(3, 1), torch.full((3, 1), 1e9)).mean().item()
    assert loss.lowest_loss() == pytest.approx(far, abs=1e-2)


@pytest.mark.parametrize("loss", EXPECTED, ids=lambda loss: loss.__name__)
def test_huge_logits_stay_finite(loss):
    huge = torch.tensor([-1e4, 1e4])
    assert loss().discriminator(huge, -huge).isfinite().all()
    assert loss().generator(huge).isfinite().all()


def test_non_saturating_gradient_does_not_vanish_where_minimax_does():
    slopes = {}
    for loss in (NonSaturating(), Minimax()):
        logits = torch.tensor([-20.0], requires_grad=True)  # a discriminator that is sure
        loss.generator(logits).sum().backward()
        slopes[type(loss)] = logits.grad.abs().item()
    assert slopes[NonSaturating] > 0.99
    assert slopes[Minimax] < 1e-6


def test_discriminator_only_leaves_the_generator_no_slope_but_a_graph():
    logits = FAKE.clone().requires_grad_()
    loss = DiscriminatorOnly()
    torch.testing.assert_close(loss.discriminator(REAL, FAKE), NonSaturating().discriminator(REAL, FAKE))
    loss.generator(logits).mean().backward()
    assert not logits.grad.any()


@pytest.mark.parametrize("loss", [NonSaturating(), Minimax(), Hinge(), JensenShannon()])
def test_logits_that_are_0_where_they_are_undecided_are_their_own_certainty(loss):
    """There the loss of an image that is as likely of either kind is least."""
    real = torch.linspace(-2, 2, 401)
    cost = loss.discriminator(real, real)
    assert torch.equal(loss.certainty(real, real - 5), real)
    assert cost.min() == pytest.approx(cost[200].item())


@pytest.mark.parametrize("loss", [Wasserstein(), LeastSquares(), KL(), RelativisticPairing(), EnergyMargin()])
def test_certainty_of_others_is_the_side_of_the_middle(loss):
    real, fake = torch.tensor([9.0, 7, 3]), torch.tensor([1.0, 2, 3])
    for offset in (0, 100):
        assert loss.certainty(real + offset, fake + offset).sign().tolist() == [1, 1, -1]
        assert loss.certainty(offset - real, offset - fake).sign().tolist() == [1, 1, -1]
    assert loss.certainty(real, real).sign().tolist() == [0, 0, 0]
    maps = loss.certainty(torch.stack([real, -real], 1), torch.stack([fake, -fake], 1))
    assert maps.sign().T.tolist() == [[1, 1, -1]] * 2  # every place by itself

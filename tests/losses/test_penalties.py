"""Penalties against closed forms, and their gradients against finite differences."""

import pytest
import torch

from genlab.losses import R1, R2, Dragan, GradientPenalty, OneSidedGradientPenalty, Turn
from genlab.random import Draws

N, SHAPE = 5, (2, 3, 3)
PENALTIES = [GradientPenalty, OneSidedGradientPenalty, Dragan, R1, R2]


def draws():
    return Draws((0, "test", 0), N, 0, N, torch.device("cpu"), torch.float64)


def images(seed):
    return torch.randn(N, *SHAPE, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def turn(network, penalty):
    return Turn(
        network=lambda x, condition=None: network(x),
        images=lambda: images(1),
        generate=lambda: images(2),
        draws=draws(),
        slopes=penalty.slopes,
    )


def linear(weight):
    return lambda x: x.flatten(1) @ weight


@pytest.mark.parametrize("scale", [0.1, 3.0])
def test_linear_critic_has_the_slope_of_its_weights(scale):
    """D(x) = w.x has slope w everywhere: every penalty is known exactly."""
    weight = scale * torch.arange(1, 19, dtype=torch.float64) / 18
    norm = weight.norm()
    expected = {
        GradientPenalty: 10 * (norm - 1) ** 2,
        OneSidedGradientPenalty: 10 * (norm - 1).clamp(min=0) ** 2,
        Dragan: 10 * (norm - 1) ** 2,
        R1: 5 * norm**2,
        R2: 5 * norm**2,
    }
    for kind, value in expected.items():
        penalty = kind(weight=10.0)
        found = penalty(turn(linear(weight), penalty))
        torch.testing.assert_close(found, value.expand(N))


@pytest.mark.parametrize("kind", PENALTIES, ids=lambda kind: kind.__name__)
def test_gradient_by_the_weights_against_finite_differences(kind):
    """The double backward: d penalty / d weights of a curved critic."""
    penalty, mix = kind(weight=2.0), torch.randn(18, 4, generator=torch.Generator().manual_seed(3), dtype=torch.float64)

    def total(weight):
        return penalty(turn(lambda x: (torch.tanh(x.flatten(1) @ mix) * weight).sum(1) ** 2, penalty)).sum()

    assert torch.autograd.gradcheck(total, torch.linspace(0.5, 1.5, 4, dtype=torch.float64).requires_grad_())


def test_r1_looks_at_real_and_r2_at_generated_images():
    """D(x) = |x|^2 / 2 has slope x."""

    def network(x):
        return x.flatten(1).square().sum(1) / 2

    for penalty, where in ((R1(weight=2.0), images(1)), (R2(weight=2.0), images(2))):
        torch.testing.assert_close(penalty(turn(network, penalty)), where.flatten(1).square().sum(1))


def test_gradient_penalty_draws_one_point_between_each_pair():
    seen = []
    penalty = GradientPenalty()
    penalty(turn(lambda x: seen.append(x.detach()) or x.flatten(1).sum(1), penalty))
    share = (seen[0] - images(2)) / (images(1) - images(2))
    torch.testing.assert_close(share, share[:, :1, :1, :1].expand_as(share))
    assert share.flatten(1)[:, 0].unique().numel() == N
    assert ((share > -1e-9) & (share < 1 + 1e-9)).all()


def test_dragan_stays_near_the_real_images():
    seen = []
    penalty = Dragan()
    penalty(turn(lambda x: seen.append(x.detach()) or x.flatten(1).sum(1), penalty))
    distance = seen[0] - images(1)
    assert (distance >= 0).all()
    assert (distance <= 0.5 * images(1).std() + 1e-12).all()
    assert distance.abs().max() > 0


def test_a_flat_critic_gives_a_finite_gradient():
    """|slope| has no derivative at 0; it must not become NaN there."""
    weight = torch.zeros(18, dtype=torch.float64, requires_grad=True)
    penalty = GradientPenalty()
    penalty(turn(linear(weight), penalty)).sum().backward()
    assert weight.grad.isfinite().all()

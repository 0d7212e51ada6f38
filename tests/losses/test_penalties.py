"""Penalties against closed forms, and their gradients against finite differences."""

import pytest
import torch

from genlab.core.schedule import Ramp
from genlab.core.spec import Spec
from genlab.losses import R1, R2, Dragan, Drift, GradientPenalty, OneSidedGradientPenalty
from tests.losses.conftest import Judge, N, images

PENALTIES = [GradientPenalty, OneSidedGradientPenalty, Dragan, R1, R2]


@pytest.fixture
def turn(make_turn):
    """A turn of a critic that is a function of images, prepared for a penalty."""

    def make(network, penalty, **options):
        return make_turn(network=Judge(features=lambda x: x, head=network), slopes=penalty.slopes, **options)

    return make


def linear(weight):
    return lambda x: x.flatten(1) @ weight


@pytest.mark.parametrize("scale", [0.1, 3.0])
def test_linear_critic_has_the_slope_of_its_weights(scale, turn):
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
def test_gradient_by_the_weights_against_finite_differences(kind, turn):
    """The double backward: d penalty / d weights of a curved critic."""
    penalty, mix = kind(weight=2.0), torch.randn(18, 4, generator=torch.Generator().manual_seed(3), dtype=torch.float64)

    def total(weight):
        return penalty(turn(lambda x: (torch.tanh(x.flatten(1) @ mix) * weight).sum(1) ** 2, penalty)).sum()

    assert torch.autograd.gradcheck(total, torch.linspace(0.5, 1.5, 4, dtype=torch.float64).requires_grad_())


def test_r1_looks_at_real_and_r2_at_generated_images(turn):
    """D(x) = |x|^2 / 2 has slope x."""

    def network(x):
        return x.flatten(1).square().sum(1) / 2

    for penalty, where in ((R1(weight=2.0), images(1)), (R2(weight=2.0), images(2))):
        torch.testing.assert_close(penalty(turn(network, penalty)), where.flatten(1).square().sum(1))


def test_drift_is_the_square_of_the_logits_of_real_images(turn):
    """Karras et al. 2018, appendix A.1."""
    penalty = Drift(weight=0.5)
    found = penalty(turn(lambda x: x.flatten(1).sum(1), penalty))
    torch.testing.assert_close(found, 0.5 * images(1).flatten(1).sum(1) ** 2)


def test_gradient_penalty_draws_one_point_between_each_pair(turn):
    seen = []
    penalty = GradientPenalty()
    penalty(turn(lambda x: seen.append(x.detach()) or x.flatten(1).sum(1), penalty))
    share = (seen[0] - images(2)) / (images(1) - images(2))
    torch.testing.assert_close(share, share[:, :1, :1, :1].expand_as(share))
    assert share.flatten(1)[:, 0].unique().numel() == N
    assert ((share > -1e-9) & (share < 1 + 1e-9)).all()


def test_dragan_stays_near_the_real_images(turn):
    seen = []
    penalty = Dragan()
    penalty(turn(lambda x: seen.append(x.detach()) or x.flatten(1).sum(1), penalty))
    distance = seen[0] - images(1)
    assert (distance >= 0).all()
    assert (distance <= 0.5 * images(1).std() + 1e-12).all()
    assert distance.abs().max() > 0


def test_a_flat_critic_gives_a_finite_gradient(turn):
    """|slope| has no derivative at 0; it must not become NaN there."""
    weight = torch.zeros(18, dtype=torch.float64, requires_grad=True)
    penalty = GradientPenalty()
    penalty(turn(linear(weight), penalty)).sum().backward()
    assert weight.grad.isfinite().all()


def test_penalty_weights_may_change_with_the_images_seen(turn):
    """Half a cosine from 8 to 2: 5 half-way."""
    for kind in PENALTIES:
        penalty, fixed = kind(weight=Ramp(start=8.0, end=2.0)), kind(weight=5.0)
        weight = torch.arange(1, 19, dtype=torch.float64)
        half_way = penalty(turn(linear(weight), penalty, images_seen=50, total_images=100))
        torch.testing.assert_close(half_way, fixed(turn(linear(weight), fixed)))


def test_gradient_penalty_measures_where_the_critic_is_shown_images(turn):
    """Under augmentation the critic never sees the images themselves."""
    seen = []
    penalty = GradientPenalty()
    penalty(turn(lambda x: seen.append(x.detach()) or x.flatten(1).sum(1), penalty, augmentation=lambda x, _: 0 * x))
    assert not seen[0].any()


def test_players_are_one_or_several():
    assert R1().players == ("discriminator",)
    assert R2(on=["generator", "discriminator"]).players == ("generator", "discriminator")


def test_an_automatic_weight_follows_from_pixels_and_batch():
    """256 x 256 pixels in batches of 32: 0.0002 x 65,536 / 32."""
    penalty = R1(weight="auto", factor=2e-4)
    penalty.settle(Spec(3, 256, 256, images=100), batch_size=32)
    assert penalty.weight == pytest.approx(0.4096) and "weight=0.4096" in repr(penalty)
    fixed = R1(weight=3.0)
    fixed.settle(Spec(3, 256, 256, images=100), batch_size=32)
    assert fixed.weight == 3.0

"""f-GAN's losses against the divergences that they bound, computed from the definitions."""

from math import log

import pytest
import torch

from genlab.losses import KL, JensenShannon, Minimax, NonSaturating, Pearson, ReverseKL

P = torch.tensor([0.1, 0.2, 0.3, 0.4], dtype=torch.float64)
Q = torch.tensor([0.4, 0.1, 0.25, 0.25], dtype=torch.float64)
M = (P + Q) / 2
LOSSES = [KL, ReverseKL, JensenShannon, Pearson]

GENERATORS = {  # f, f', and the logits at which g_f gives t: Nowozin et al. 2016, tables 1 and 2
    KL: (lambda u: u * u.log(), lambda u: 1 + u.log(), lambda t: t),
    ReverseKL: (lambda u: -u.log(), lambda u: -1 / u, lambda t: -torch.log(-t)),
    JensenShannon: (
        lambda u: u * u.log() - (u + 1) * ((u + 1) / 2).log(),
        lambda u: (2 * u / (u + 1)).log(),
        lambda t: -torch.log(2 * torch.exp(-t) - 1),
    ),
    Pearson: (lambda u: (u - 1) ** 2, lambda u: 2 * (u - 1), lambda t: t),
}
DIVERGENCES = {
    KL: (P * (P / Q).log()).sum(),
    ReverseKL: (Q * (Q / P).log()).sum(),
    JensenShannon: (P * (P / M).log()).sum() + (Q * (Q / M).log()).sum(),
    Pearson: ((P - Q) ** 2 / Q).sum(),
}
PUBLISHED = DIVERGENCES | {JensenShannon: DIVERGENCES[JensenShannon] / 2}  # the game is for twice the divergence


@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: loss.__name__)
def test_the_conjugate_is_the_supremum(loss):
    """f*(t) = sup_u (u t - f(u)), over a fine grid of u."""
    u = torch.logspace(-6, 3, 400_001, dtype=torch.float64)
    logits = torch.linspace(-1.5, 2, 15, dtype=torch.float64)
    t = loss().activation(logits)
    expected = torch.stack([(u * value - GENERATORS[loss][0](u)).max() for value in t])
    torch.testing.assert_close(loss().conjugate(logits), expected, rtol=1e-6, atol=1e-4)


@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: loss.__name__)
def test_the_best_critic_reaches_the_divergence_and_no_other_does(loss):
    """T* = f'(p / q): their equation 5."""
    _, slope, logits_of = GENERATORS[loss]
    best = logits_of(slope(P / Q))

    def bound(logits):
        return (P * loss().activation(logits) - Q * loss().conjugate(logits)).sum()

    torch.testing.assert_close(bound(best), DIVERGENCES[loss])
    for seed in range(5):
        noise = torch.randn(4, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
        assert bound(best + 0.1 * noise) < DIVERGENCES[loss]


@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: loss.__name__)
def test_the_discriminator_raises_the_bound_that_is_watched(loss):
    real, fake = P.log(), Q.log()
    share = PUBLISHED[loss] / DIVERGENCES[loss]
    torch.testing.assert_close(-share * loss().discriminator(real, fake), loss().watch(real, fake)["divergence"])


@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: loss.__name__)
def test_the_curve_is_the_divergence_of_its_name(loss):
    """With the best critic, on as many points as the probabilities say: 20 points of P, 20 of Q."""
    _, slope, logits_of = GENERATORS[loss]
    best = logits_of(slope(P / Q))
    real, fake = (best.repeat_interleave((20 * law).round().long()) for law in (P, Q))
    torch.testing.assert_close(loss().watch(real, fake)["divergence"].mean(), PUBLISHED[loss])


def test_jensen_shannon_is_log_2_where_the_critic_is_sure():
    sure = torch.full((3,), 50.0, dtype=torch.float64)
    torch.testing.assert_close(JensenShannon().watch(sure, -sure)["divergence"], torch.full_like(sure, log(2)))


@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: loss.__name__)
@pytest.mark.parametrize("zero_sum", [False, True])
def test_the_generator_raises_the_logits(loss, zero_sum):
    logits = torch.linspace(-1.9, 3, 9, dtype=torch.float64, requires_grad=True)
    loss(zero_sum=zero_sum).generator(logits).sum().backward()
    assert (logits.grad < 0).all()


@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: loss.__name__)
def test_what_one_player_wins_the_other_loses(loss):
    logits = torch.linspace(-1, 1, 5, dtype=torch.float64)
    game = loss(zero_sum=True)
    lost = game.discriminator(torch.zeros_like(logits), logits) + game.generator(logits)
    torch.testing.assert_close(lost, lost[:1].expand(5))  # what is left does not depend on the generated images


def test_jensen_shannon_is_the_first_gan_up_to_constants():
    logits, other = torch.linspace(-4, 4, 9, dtype=torch.float64), torch.zeros(9, dtype=torch.float64)
    for first, game in ((NonSaturating(), JensenShannon()), (Minimax(), JensenShannon(zero_sum=True))):
        apart = first.discriminator(logits, other) - game.discriminator(logits, other)
        torch.testing.assert_close(apart, torch.full_like(apart, 2 * log(2)))
        apart = first.generator(logits) - game.generator(logits)
        torch.testing.assert_close(apart, apart[:1].expand(9))

"""Penalties of models that are told something, against closed forms."""

import pytest
import torch
from torch import nn
from torch.distributions import Normal, kl_divergence
from torch.nn.functional import logsigmoid

from genlab.core.spec import Spec
from genlab.losses import ConditioningKL, Hinge, Mismatch, NonSaturating
from genlab.models.translation.multi_scale import MultiScale
from tests.losses.conftest import N, images

TEXTS = torch.tensor([[1, 2], [3, 0], [3, 0], [1, 2], [4, 0]])


class Matching(nn.Module):
    """The logit is what an image's first value says of its first word."""

    def forward(self, shown, condition=None):
        return shown.flatten(1)[:, 0] * condition.view(len(condition), -1)[:, 0]


def test_a_mismatch_is_twice_the_published_loss_together_with_the_loss(make_turn):
    """Reed et al. 2016, algorithm 1, line 10: log s_r + (log(1 - s_w) + log(1 - s_f)) / 2, to be maximised."""
    condition = torch.arange(1, N + 1)
    turn = make_turn(network=Matching(), condition=condition, loss=NonSaturating())
    found = turn.loss.discriminator(turn.real_logits, turn.fake_logits) + Mismatch()(turn)
    right, fake = (picture.flatten(1)[:, 0] * condition for picture in (images(1), images(2)))
    wrong = images(1).flatten(1)[:, 0] * torch.tensor([N, *range(1, N)])
    published = logsigmoid(right) + (logsigmoid(-wrong) + logsigmoid(-fake)) / 2
    torch.testing.assert_close(found, -2 * published)


@pytest.mark.parametrize("loss", [Hinge(), NonSaturating()])
def test_pairs_that_are_told_the_same_cost_nothing(make_turn, loss):
    found = Mismatch(weight=3.0)(make_turn(network=Matching(), condition=TEXTS, loss=loss))
    others = images(1).flatten(1)[:, 0] * TEXTS.roll(1, 0)[:, 0]
    expected = 3 * loss.discriminator(images(1).flatten(1)[:, 0] * TEXTS[:, 0], others)
    assert found[2] == 0
    rows = [0, 1, 3, 4]
    torch.testing.assert_close(found[rows], expected[rows])


def test_a_map_of_logits_counts_as_its_mean(make_turn):
    class Patches(Matching):
        def forward(self, shown, condition=None):
            return super().forward(shown, condition)[:, None, None] + torch.arange(6.0).view(2, 3)

    condition = torch.arange(1, N + 1)
    found = Mismatch()(make_turn(network=Patches(), condition=condition, loss=Hinge()))
    assert found.shape == (N,) and (found > 0).any()


def test_every_scale_of_a_discriminator_counts_alike(make_turn):
    """As in the loss: a logit of -1 to the mismatched condition costs 1 at each scale, however many patches it has.

    Of three scales the coarsest alone changes its mind, from 1 to -1: a third of the images' cost is gone.
    """

    class Scales(Matching):
        patch_weights = MultiScale(Spec(2, 64, 64, images=9), scales=3, width=4).patch_weights.double()

        def forward(self, shown, condition=None):
            logits = torch.ones(N, len(self.patch_weights), dtype=torch.float64)
            coarsest = self.patch_weights == self.patch_weights.max()
            return logits.masked_fill(coarsest, -1) if condition[0] == N else logits  # the rolled ones

    found = Mismatch()(make_turn(network=Scales(), condition=torch.arange(1, N + 1), loss=Hinge()))
    torch.testing.assert_close(found, torch.full((N,), 2 * 2 / 3, dtype=torch.float64))


def test_the_code_of_a_condition_is_near_a_standard_normal(make_turn):
    mean, log_variance = torch.randn(2, N, 4, dtype=torch.float64)
    generator = nn.Module()
    generator.conditioning = lambda condition: (mean, log_variance)
    generator.forward = lambda z, condition: images(2)
    turn = make_turn("generator", generator=generator, condition=torch.arange(N))
    law = Normal(mean, (log_variance / 2).exp())
    expected = kl_divergence(law, Normal(torch.zeros_like(mean), torch.ones_like(mean))).mean(1)
    torch.testing.assert_close(ConditioningKL(weight=0.5)(turn), expected / 2)

"""Decoders of real images: the term, its distances, and what it refuses; margins drawn for each logit."""

import pytest
import torch

from genlab.core.errors import ConfigError
from genlab.core.random import Draws
from genlab.losses import FeatureDecoding, Hinge, RandomMarginHinge
from genlab.models.perceptual_distance import LPIPS
from tests.conftest import narrow, tiny_data

FASTGAN = ("model=fastgan", *narrow("fastgan"))


class Turn:
    """What the penalty reads, with a discriminator that draws zeros."""

    draws, images_seen, total_images = Draws((0, "discriminator", 0), 2, 0, 2, torch.device("cpu")), 0, 1
    real_features, real_input = torch.zeros(2, 1), torch.full((2, 1, 4, 4), 0.5)

    @property
    def network(self):
        return self

    def decode(self, features, images, quarter):
        assert quarter in range(4)
        return [(torch.zeros_like(images), images)] * 3


@pytest.mark.parametrize(
    ("distance", "expected"), [("absolute", 0.5), ("squared", 0.25), (lambda a, b: (b - a).amax((1, 2, 3)) + 1, 1.5)]
)
def test_the_term_is_the_weighted_sum_of_distances(distance, expected):
    assert torch.equal(FeatureDecoding(2.0, distance=distance)(Turn()), torch.full((2,), 6 * expected))


def test_a_step_moves_the_decoders(make_trainer):
    trainer = make_trainer(*FASTGAN, data=tiny_data(3, 16))
    before = [p.clone() for p in trainer.model.discriminator.decoders.parameters()]
    trainer.take_step()
    assert all(
        not torch.equal(a, b) for a, b in zip(before, trainer.model.discriminator.decoders.parameters(), strict=True)
    )
    assert trainer.statistics.flush()["discriminator/feature_decoding"] > 0


def test_other_discriminators_are_refused(make_trainer):
    with pytest.raises(ConfigError, match="penalty=feature_decoding needs a discriminator .*Choose model=fastgan"):
        make_trainer("model=dcgan", *narrow("dcgan"), "penalty=[feature_decoding]")


def test_perceptual_distances_need_files_and_images_that_they_can_read(make_trainer):
    words = (*FASTGAN, "penalty=[feature_decoding_perceptual]")
    with pytest.raises(ConfigError, match="penalty.feature_decoding.distance.vgg=null: no file is given"):
        make_trainer(*words)
    network = LPIPS("random", vgg="random")
    with pytest.raises(ConfigError, match="images of 8 x 8 pixels.*data.size of 32 or more"):
        FeatureDecoding(distance=network).settle(tiny_data(3, 16).spec, 8)
    FeatureDecoding(distance=network).settle(tiny_data(1, 32).spec, 8)
    images = torch.rand(2, 1, 16, 16, requires_grad=True)
    (slope,) = torch.autograd.grad(network(images, torch.rand(2, 1, 16, 16)).sum(), images)
    assert slope.isfinite().all() and slope.abs().sum() > 0 and not any(p.requires_grad for p in network.parameters())


def test_margins_are_drawn_for_each_logit_alike_on_any_number_of_ranks():
    real, fake = torch.zeros(4, 3), torch.zeros(4, 3)
    draws = [Draws((0,), 4, start, stop, torch.device("cpu")) for start, stop in ((0, 4), (0, 2), (2, 4))]
    whole, *parts = [RandomMarginHinge(0.8).with_draws(rows) for rows in draws]
    losses = whole.discriminator(real, fake)
    assert losses.unique().numel() == 12 and losses.min() >= 1.6 and losses.max() < 2
    assert torch.equal(losses, torch.cat([part.discriminator(real[:2], fake[:2]) for part in parts]))
    assert torch.equal(
        RandomMarginHinge(1.0).with_draws(draws[0]).discriminator(real, fake), Hinge().discriminator(real, fake)
    )
    assert RandomMarginHinge().lowest_loss() == 0 and RandomMarginHinge().lowest_loss(0.1) is None

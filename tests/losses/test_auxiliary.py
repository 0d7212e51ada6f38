"""Penalties on second heads against closed forms."""

from math import log, pi
from types import SimpleNamespace
from typing import NamedTuple

import torch
from torch.distributions import Categorical, Normal

from genlab.losses.auxiliary import (
    AuxiliaryClassification,
    MutualInformation,
    Supervised,
    categorical_information,
    continuous_information,
)

CLASSES = torch.tensor([0, 2, 1, 2])


class Guess(NamedTuple):
    categorical: tuple
    mean: torch.Tensor
    log_deviation: torch.Tensor


def class_turn(player):
    """A classifier whose class logits are the features; they are the same number times the true class's one-hot."""
    right = torch.eye(3, dtype=torch.float64)[CLASSES]
    return SimpleNamespace(
        player=player,
        images_seen=0,
        total_images=1,
        network=SimpleNamespace(classify=lambda features: features, features=lambda images: images),
        condition=CLASSES,
        fake_condition=CLASSES,
        real_features=5 * right,
        fake_features=2 * right,
        draw_labelled=lambda: (3 * right, CLASSES),
        augment=lambda images, purpose: images,
    )


def surprise(strength):
    """-log softmax of a logit of `strength` beside two of 0."""
    return log(1 + 2 * torch.exp(torch.tensor(-strength, dtype=torch.float64)))


def test_the_generator_answers_for_its_images_and_the_discriminator_for_both():
    penalty = AuxiliaryClassification(weight=0.5)
    found = penalty(class_turn("generator"))
    torch.testing.assert_close(found, torch.full((4,), 0.5 * surprise(2.0), dtype=torch.float64))
    found = penalty(class_turn("discriminator"))
    expected = 0.5 * (surprise(2.0) + surprise(5.0))
    torch.testing.assert_close(found, torch.full((4,), expected, dtype=torch.float64))


def test_supervision_is_the_cross_entropy_of_the_labelled_batch():
    found = Supervised(weight=2.0)(class_turn("discriminator"))
    torch.testing.assert_close(found, torch.full((4,), 2 * surprise(3.0), dtype=torch.float64))


def test_a_flat_classifier_is_surprised_by_log_k():
    turn = class_turn("generator")
    vars(turn)["fake_features"] = torch.zeros(4, 3, dtype=torch.float64)  # as if it were computed
    torch.testing.assert_close(AuxiliaryClassification()(turn), torch.full((4,), log(3), dtype=torch.float64))


def test_categorical_information_is_the_entropy_minus_the_surprise():
    logits = [torch.randn(4, 3), torch.randn(4, 5)]
    classes = [CLASSES, torch.tensor([4, 0, 3, 3])]
    one_hots = [torch.eye(3)[classes[0]], torch.eye(5)[classes[1]]]
    prior = log(3) + log(5)
    expected = prior + sum(Categorical(logits=logits[code]).log_prob(classes[code]) for code in range(2))
    torch.testing.assert_close(categorical_information(one_hots, logits), expected)
    sure = [1000 * one_hot for one_hot in one_hots]
    torch.testing.assert_close(categorical_information(one_hots, sure), torch.full((4,), prior))


def test_continuous_information_is_the_entropy_plus_the_gaussian_log_density():
    codes, mean, log_deviation = torch.rand(4, 2) * 2 - 1, torch.randn(4, 2), torch.randn(4, 2)
    expected = (log(2) + Normal(mean, log_deviation.exp()).log_prob(codes)).sum(1)
    torch.testing.assert_close(continuous_information(codes, mean, log_deviation), expected)


def test_no_guess_of_the_mean_beats_the_information_that_there_is():
    """With the code's own mean and deviation the bound is its entropy minus a Gaussian's of that variance: below 0."""
    codes = torch.rand(100_000, 1, dtype=torch.float64) * 2 - 1
    spread = torch.full_like(codes, 0.5 * log(1 / 3))
    found = continuous_information(codes, torch.zeros_like(codes), spread).mean()
    expected = log(2) - 0.5 * log(2 * pi * torch.e / 3)
    assert abs(found - expected) < 0.01 and expected < 0


def test_mutual_information_weighs_both_kinds_of_codes():
    codes = SimpleNamespace(categorical=[torch.eye(3)], continuous=torch.tensor([[0.5], [0.0], [-1.0]]))
    guess = Guess((torch.zeros(3, 3),), torch.zeros(3, 1), torch.zeros(3, 1))
    turn = SimpleNamespace(
        player="generator",
        images_seen=0,
        total_images=1,
        network=SimpleNamespace(law=SimpleNamespace(split=lambda z: codes), guess=lambda features: guess),
        latents=None,
        fake_features=None,
    )
    density = log(2) - 0.5 * log(2 * pi) - codes.continuous.squeeze(1) ** 2 / 2
    torch.testing.assert_close(MutualInformation(weight=2.0, continuous=0.1)(turn), -2 * 0.1 * density)
    penalty = MutualInformation(weight=2.0, continuous=0.1)
    assert penalty.watch(turn) == {}
    penalty(turn)
    torch.testing.assert_close(penalty.watch(turn)["information"], density)  # in nats, without weights
    guess.categorical[0][0, 0] = 1.0
    sure = log(3) + 1 - torch.log(torch.e + torch.tensor(2.0))
    found = MutualInformation(weight=2.0, continuous=0.0, categorical=0.5)(turn)
    torch.testing.assert_close(found, torch.tensor([-sure, 0.0, 0.0]))

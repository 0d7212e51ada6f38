import pytest
import torch

from genlab.core.random import Draws
from genlab.data import GaussianNoise, Masking


def draws(turn=0):
    return Draws((0, "autoencoder", turn), 100, 0, 100, torch.device("cpu"))


def test_noise_has_the_deviation_that_was_asked_for():
    images = torch.zeros(100, 1, 20, 20)
    added = GaussianNoise(deviation=0.3)(images, draws())
    assert added.mean().abs() < 0.005 and added.std() == pytest.approx(0.3, rel=0.02)


@pytest.mark.parametrize(("shape", "lost"), [((100, 1, 20, 20), -1.0), ((100, 2), 0.0)])
def test_masks_drop_a_share_of_the_values_and_leave_the_others(shape, lost):
    images = torch.full(shape, 0.5)
    masked = Masking(share=0.25)(images, draws())
    assert set(masked.unique().tolist()) == {lost, 0.5}
    assert (masked == lost).float().mean() == pytest.approx(0.25, abs=0.1 if len(shape) == 2 else 0.01)


@pytest.mark.parametrize("corrupt", [GaussianNoise(), Masking()])
def test_every_turn_has_its_own(corrupt):
    images = torch.zeros(100, 1, 4, 4)
    assert torch.equal(corrupt(images, draws()), corrupt(images, draws()))
    assert not torch.equal(corrupt(images, draws()), corrupt(images, draws(1)))

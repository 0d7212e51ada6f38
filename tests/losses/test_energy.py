"""Losses of energies against the papers' formulas, and the equilibrium that holds two of them in balance."""

import pytest
import torch

from genlab.losses.energy import BoundaryEquilibrium, EnergyMargin, PullingAway

REAL_ENERGY = torch.linspace(0.1, 0.9, 5, dtype=torch.float64)
FAKE_ENERGY = torch.linspace(0.5, 2.5, 5, dtype=torch.float64)


def test_margin():
    loss = EnergyMargin(margin=1.5)
    expected = REAL_ENERGY + (1.5 - FAKE_ENERGY).clamp(min=0)
    torch.testing.assert_close(loss.discriminator(-REAL_ENERGY, -FAKE_ENERGY), expected)
    torch.testing.assert_close(loss.generator(-FAKE_ENERGY), FAKE_ENERGY)


def test_equilibrium_follows_the_papers_three_equations():
    loss, k = BoundaryEquilibrium(gamma=0.7, rate=0.01), 0.0
    real, fake = REAL_ENERGY * 3, FAKE_ENERGY / 5
    for _ in range(4):
        torch.testing.assert_close(loss.discriminator(-real, -fake), real - k * fake)
        torch.testing.assert_close(loss.generator(-fake), fake)
        k += 0.01 * 5 * (0.7 * real.mean() - fake.mean()).item()  # the rate counts for each image
        assert loss.k.item() == pytest.approx(k)


def test_convergence_measure():
    found = BoundaryEquilibrium(gamma=0.5).watch(-REAL_ENERGY, -FAKE_ENERGY)
    expected = REAL_ENERGY.mean() + (0.5 * REAL_ENERGY.mean() - FAKE_ENERGY.mean()).abs()
    assert found["convergence"].item() == pytest.approx(expected.item())


@pytest.mark.parametrize(("real", "fake", "limit"), [(1.0, 0.0, 1.0), (0.0, 1.0, 0.0)])
def test_k_stays_between_zero_and_one(real, fake, limit):
    loss = BoundaryEquilibrium(rate=0.9)
    for _ in range(5):
        loss.discriminator(-torch.full((4,), real), -torch.full((4,), fake))
    assert loss.k.item() == limit


def test_micro_batches_move_k_as_far_as_the_whole_batch():
    whole, pieces = BoundaryEquilibrium(), BoundaryEquilibrium()
    whole.discriminator(-REAL_ENERGY[:4], -FAKE_ENERGY[:4])
    for rows in (slice(0, 2), slice(2, 4)):
        pieces.discriminator(-REAL_ENERGY[rows], -FAKE_ENERGY[rows])
    torch.testing.assert_close(whole.k, pieces.k)


def test_k_goes_without_a_gradient_and_survives_a_restart():
    loss, other = BoundaryEquilibrium(rate=0.1), BoundaryEquilibrium(rate=0.1)
    other.load_state_dict(loss.state_dict())  # before the first turn too
    loss.discriminator((-REAL_ENERGY).requires_grad_(), -FAKE_ENERGY / 9)
    assert not loss.k.requires_grad and loss.k > 0
    other.load_state_dict(loss.state_dict())
    assert torch.equal(other.discriminator(-REAL_ENERGY, -FAKE_ENERGY), loss.discriminator(-REAL_ENERGY, -FAKE_ENERGY))
    assert torch.equal(other.k, loss.k)


class Turn:
    """What the penalty looks at."""

    images_seen, total_images = 0, 1

    def __init__(self, features, **network):
        self.fake_features = features
        self.network = type("Network", (), network)


def test_pulling_away_is_the_mean_squared_cosine_of_the_pairs():
    codes = torch.randn(5, 7, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    expected = 0.0
    for i in range(5):
        for j in range(5):
            if i != j:
                expected += (codes[i] @ codes[j] / (codes[i].norm() * codes[j].norm())) ** 2 / (5 * 4)
    found = PullingAway(weight=2.0)(Turn(codes))
    assert found.shape == (5,)
    torch.testing.assert_close(found.mean(), 2 * expected)
    energies = torch.full((5, 1), 9.0, dtype=torch.float64)
    with_energy = PullingAway(weight=2.0)(Turn(torch.cat([codes, energies], dim=1), code_size=7))
    torch.testing.assert_close(with_energy, found)


def test_pulling_away_is_zero_for_orthogonal_codes_and_one_for_equal_ones():
    assert PullingAway(weight=1.0)(Turn(torch.eye(4))).abs().max() < 1e-12
    torch.testing.assert_close(PullingAway(weight=1.0)(Turn(torch.ones(4, 3))), torch.ones(4))
    assert PullingAway(weight=1.0)(Turn(torch.ones(1, 3))).tolist() == [0.0]

"""Relativistic losses as their paper writes them, with sigmoids and logarithms."""

import pytest
import torch

from genlab.losses import RelativisticAverage, RelativisticPairing

SOURCE = torch.Generator().manual_seed(0)
REAL, FAKE = (torch.randn(7, generator=SOURCE, dtype=torch.float64) + shift for shift in (1, -1))


def log_sigmoid(x):
    return torch.log(torch.sigmoid(x))


def test_average_standard():
    """RaSGAN: D~(x_r) = sigmoid(C(x_r) - E C(x_f)), D~(x_f) = sigmoid(C(x_f) - E C(x_r))."""
    real, fake = REAL - FAKE.mean(), FAKE - REAL.mean()
    loss = RelativisticAverage()
    torch.testing.assert_close(loss.discriminator(REAL, FAKE), -log_sigmoid(real) - torch.log(1 - torch.sigmoid(fake)))
    torch.testing.assert_close(loss.generator(FAKE, REAL), -log_sigmoid(fake) - torch.log(1 - torch.sigmoid(real)))


@pytest.mark.parametrize(
    ("base", "wanted", "unwanted"),
    [
        ("hinge", lambda x: (1 - x).clamp(min=0), lambda x: (1 + x).clamp(min=0)),
        ("least_squares", lambda x: (x - 1) ** 2, lambda x: (x + 1) ** 2),
    ],
)
def test_average_of_other_losses(base, wanted, unwanted):
    real, fake = REAL - FAKE.mean(), FAKE - REAL.mean()
    loss = RelativisticAverage(base=base)
    torch.testing.assert_close(loss.discriminator(REAL, FAKE), wanted(real) + unwanted(fake))
    torch.testing.assert_close(loss.generator(FAKE, REAL), unwanted(real) + wanted(fake))


def test_pairing():
    loss = RelativisticPairing()
    torch.testing.assert_close(loss.discriminator(REAL, FAKE), -log_sigmoid(REAL - FAKE))
    torch.testing.assert_close(loss.generator(FAKE, REAL), -log_sigmoid(FAKE - REAL))


@pytest.mark.parametrize(
    "loss",
    [RelativisticAverage(), RelativisticAverage("hinge"), RelativisticPairing()],
    ids=lambda loss: type(loss).__name__,
)
def test_only_differences_of_logits_count(loss):
    """What makes them relativistic."""
    torch.testing.assert_close(loss.discriminator(REAL, FAKE), loss.discriminator(REAL + 5, FAKE + 5))
    torch.testing.assert_close(loss.generator(FAKE, REAL), loss.generator(FAKE + 5, REAL + 5))
    assert loss.uses_real

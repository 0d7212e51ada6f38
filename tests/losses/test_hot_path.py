"""Losses and penalties on ordinary networks: a finite number a sample, no wait for the device, state to save."""

import io

import pytest
import torch
from torch import nn

from genlab import losses
from tests.losses.conftest import Maker, N, images
from tests.trainers.test_sync import NoWaiting

LOSSES = [
    losses.DiscriminatorOnly, losses.Hinge, losses.JensenShannon, losses.KL, losses.LeastSquares, losses.MMD,
    losses.Minimax, losses.NonSaturating, losses.Pearson, losses.RelativisticAverage, losses.RelativisticPairing,
    losses.ReverseKL, losses.Wasserstein,
]  # fmt: skip
PENALTIES = [
    losses.BalancedConsistency, losses.Consistency, losses.Dragan, losses.FeatureMatching, losses.GradientPenalty,
    losses.HistoricalAveraging, losses.LatentConsistency, losses.LeCam, losses.OneSidedGradientPenalty,
    losses.Orthogonal, losses.R1, losses.R2, losses.Spectral, losses.WitnessPenalty,
]  # fmt: skip


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.body, self.last = nn.Conv2d(2, 3, 3, padding=1).double(), nn.Linear(27, 1).double()

    def features(self, images, condition=None):
        return torch.tanh(self.body(images)).flatten(1)

    def head(self, features, condition=None):
        return self.last(features).squeeze(1)

    def forward(self, images, condition=None):
        return self.head(self.features(images))


@pytest.mark.parametrize("kind", LOSSES, ids=lambda kind: kind.__name__)
def test_losses(kind):
    real, fake = images(1, ()), images(2, ()).requires_grad_()
    with NoWaiting():
        values = [kind().discriminator(real, fake), kind().generator(fake, real), *kind().watch(real, fake).values()]
        sum(value.mean() for value in values).backward()
    assert all(value.shape == (N,) and value.isfinite().all() for value in values)


@pytest.mark.parametrize("kind", PENALTIES, ids=lambda kind: kind.__name__)
def test_penalties(kind, make_turn):
    torch.manual_seed(0)
    penalty, network = kind(), Network()
    layer = nn.Linear(4, 18).double()
    generator = Maker(lambda z: layer(z).unflatten(1, (2, 3, 3)))
    generator.layer = layer
    options = {"slopes": penalty.slopes, "with_features": penalty.needs_features, "joint": not penalty.slopes}
    for player in penalty.players:
        for key in (0, 1):
            turn = make_turn(player, network=network, generator=generator, key=("test", key), **options)
            with NoWaiting():
                value = penalty(turn)
                value.mean().backward()
            assert value.shape == (N,) and value.isfinite().all()
            assert any(parameter.grad is not None for parameter in turn.trained_network.parameters())
    if hasattr(penalty, "state_dict"):
        torch.save(penalty.state_dict(), buffer := io.BytesIO())
        buffer.seek(0)
        kind().load_state_dict(torch.load(buffer, weights_only=True))

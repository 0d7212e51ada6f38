"""A step in bfloat16 stays near one in float32, within what rounding to 8 significant bits explains."""

from math import sqrt

import pytest
import torch

from genlab.build import instantiate as build
from tests.conftest import TINY, composed, data_of, narrow

ROUNDING = 2**-8  # relative, of a number rounded to the nearest with 8 significant bits
ROUNDINGS = 3  # a layer: of its input, its weight and its output


@pytest.mark.parametrize("model", ["gan", "dcgan", "sngan", "vae"])
def test_losses_and_gradients_stay_within_the_bounds_of_rounding(model, tmp_path):
    """Errors of a loss are independent: their squares add. Those of a gradient, back through all layers, may add."""
    words = composed(*TINY, f"model={model}", *narrow(model))
    (exact, exact_gradients, layers), (found, gradients, _) = (
        first_step(words, data_of(model, size=16), precision, tmp_path) for precision in ("float32", "bfloat16")
    )
    for name, loss in exact.items():
        bound = sqrt(ROUNDINGS * layers) * ROUNDING * max(1, abs(loss))
        assert found[name] == pytest.approx(loss, abs=bound), name
    for player, gradient in exact_gradients.items():
        away = float((gradients[player] - gradient).norm() / gradient.norm())
        assert 0 < away <= 2 * ROUNDINGS * layers * ROUNDING, player


def first_step(words, data, precision, folder):
    """Return the losses, the gradient of each player, and how many layers with weights lie on the longest path."""
    config = words | {"trainer": words["trainer"] | {"precision": precision}}
    trainer = build.trainer(config, folder, data)
    trainer.take_step()
    gradients = {
        name: torch.cat([parameter.grad.flatten() for parameter in player.parameters])
        for name, player in trainer.players.items()
    }
    losses = {name: value for name, value in trainer.statistics.flush().items() if "norm" not in name}
    return losses, gradients, sum(parameter.ndim > 1 for parameter in trainer.model.parameters())

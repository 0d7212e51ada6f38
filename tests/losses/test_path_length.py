"""The path length penalty against closed forms, its gradient against finite differences, and its running mean."""

import pytest
import torch
from torch import nn

from genlab.core.spec import Spec
from genlab.losses import PathLength
from genlab.models.style_based import stylegan2
from tests.losses.conftest import N

PIXELS = 6  # of 1 channel, 2 x 3


class Linear(nn.Module):
    """Styles are z for each of two layers; the image is a linear function of each."""

    def __init__(self, weight):
        super().__init__()
        self.weight = weight  # [2, PIXELS, 4]

    def styles(self, z, condition=None):
        return z[:, None].expand(-1, 2, -1).requires_grad_()  # as a mapping gives them

    def synthesis(self, styles):
        return torch.einsum("lpw,nlw->np", self.weight, styles).view(-1, 1, 2, 3)


def weights(scale=1.0):
    return scale * torch.randn(2, PIXELS, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(5))


@pytest.fixture
def turn(make_turn):
    return lambda generator, **options: make_turn("generator", generator=generator, **options)


@pytest.mark.parametrize("shrink", [1, 2])
def test_lengths_of_a_linear_generator(turn, shrink):
    """J^T y of layer l is W_l^T y: the root of the mean over layers of its squared norm, y over the root of H x W."""
    weight = weights()
    given = turn(Linear(weight))
    noise = given.draws.normal("path_length", 1, 2, 3).flatten(1)[::shrink] / PIXELS**0.5
    slopes = torch.einsum("lpw,np->nlw", weight, noise)
    expected = slopes.square().sum(2).mean(1).sqrt()
    torch.testing.assert_close(PathLength(shrink=shrink).lengths(given), expected)
    assert len(expected) == -(-N // shrink)


def test_what_is_penalised_is_the_distance_from_the_mean(turn):
    """Which the first lengths start."""
    penalty = PathLength(weight=3.0, decay=0.5, shrink=1)
    given = turn(Linear(weights()))
    lengths = penalty.lengths(given)
    torch.testing.assert_close(penalty(given), 3 * (lengths - lengths.mean()).square())
    torch.testing.assert_close(penalty(turn(Linear(weights(3.0)))), 3 * (3 * lengths - 2 * lengths.mean()).square())


def test_the_mean_follows_and_is_state(turn):
    """After k equal calls 1 - (1 - decay)^k of the way."""
    penalty = PathLength(decay=0.1, shrink=1)
    assert penalty.state_dict() == {}
    for scale in [1.0] + [3.0] * 20:
        penalty(turn(Linear(weights(scale))))
    length = penalty.lengths(turn(Linear(weights()))).mean()
    torch.testing.assert_close(penalty.mean, (1 + 2 * (1 - 0.9**20)) * length)
    other = PathLength(decay=0.1, shrink=1)
    other.load_state_dict(penalty.state_dict())
    found = [each(turn(Linear(weights(2.0)))) for each in (penalty, other)]
    assert torch.equal(*found) and torch.equal(penalty.mean, other.mean)


def test_the_mean_that_is_kept_has_no_gradient(turn):
    penalty = PathLength(shrink=1)
    penalty(turn(Linear(weights().requires_grad_())))
    assert not penalty.mean.requires_grad


def test_gradient_by_the_weights_against_finite_differences(turn):
    """The double backward through a whole style-based generator, mapping and modulated convolutions and all.

    The mean follows the lengths of the turn, and its gradient counts, as in the authors' code.
    """
    torch.manual_seed(0)
    network = stylegan2.Generator(Spec(1, 8, 8, images=9), 4, width=2, most=2, style_size=3, depth=1, mixing=0.0)
    network = network.double().eval()
    watched = [network.mapping.layers[0].weight, network.stages[1].layers[0].conv.weight, network.constant]

    def total(*values):
        penalty = PathLength(shrink=2, decay=0.5)
        penalty.mean = torch.tensor(0.3, dtype=torch.float64)
        return penalty(turn(network)).sum()

    assert torch.autograd.gradcheck(total, watched, atol=1e-6)


def test_a_flat_generator_gives_a_finite_gradient(turn):
    weight = torch.zeros(2, PIXELS, 4, dtype=torch.float64, requires_grad=True)
    PathLength()(turn(Linear(weight))).sum().backward()
    assert weight.grad.isfinite().all()


def test_labels_go_with_their_latents(turn):
    class Labelled(Linear):
        def styles(self, z, condition=None):
            assert condition.tolist() == [0, 2, 4]
            return super().styles(z)

    PathLength(shrink=2)(turn(Labelled(weights()), condition=torch.arange(N)))

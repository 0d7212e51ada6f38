"""Penalties on parameters against linear algebra, and over time."""

import pytest
import torch
from torch import nn
from torch.nn.utils.parametrizations import spectral_norm

from genlab.losses import HistoricalAveraging, Orthogonal, Spectral
from genlab.losses.parameters import matrices
from genlab.models.layers.equalised import EqualisedLinear
from tests.losses.conftest import N


@pytest.fixture
def network():
    torch.manual_seed(0)
    layers = nn.Conv2d(2, 4, 3), nn.BatchNorm2d(4), nn.ConvTranspose2d(4, 3, 2), nn.Flatten(), nn.Linear(6, 5)
    return nn.Sequential(*layers).double()


def test_matrices_have_a_row_an_output(network):
    assert {name: tuple(rows.shape) for name, rows in matrices(network)} == {"0": (4, 18), "2": (3, 16), "4": (5, 6)}
    assert torch.equal(dict(matrices(network))["2"][1], network[2].weight[:, 1].flatten())


def test_matrices_are_what_the_optimizer_moves(network):
    spectral_norm(network[4])
    assert dict(matrices(network))["4"].data_ptr() == network[4].parametrizations.weight.original.data_ptr()


def test_orthogonal_against_its_formula(make_turn, network):
    """BigGAN's equations 3 and 2 of matrices whose products are known."""
    turn = make_turn("generator", generator=network)
    products = [rows @ rows.T for _, rows in matrices(network)]
    crossed = sum((p * (1 - torch.eye(len(p)))).square().sum() for p in products)
    identity = sum((p - torch.eye(len(p))).square().sum() for p in products)
    assert Orthogonal()(turn).shape == (N,)
    torch.testing.assert_close(Orthogonal(weight=2.0)(turn).mean(), 2 * crossed)
    torch.testing.assert_close(Orthogonal(weight=2.0, diagonal=True)(turn).mean(), 2 * identity)


def test_orthogonal_gradient_is_twice_the_published_step(make_turn):
    """d |W W^T * (1 - I)|^2 / dW = 4 (W W^T * (1 - I)) W, where BigGAN-PyTorch adds 2 (...) at the same weight."""
    layer = nn.Linear(6, 4).double()
    Orthogonal(weight=5e-5)(make_turn("generator", generator=layer)).mean().backward()
    rows = layer.weight.detach()
    torch.testing.assert_close(layer.weight.grad, 1e-4 * 2 * (rows @ rows.T * (1 - torch.eye(4))) @ rows)


def test_orthogonal_takes_equalised_weights_as_their_layers_do(make_turn):
    """A layer of N(0, 1) and He's constant costs what a plain one of the product costs, by the right slope."""
    layer, plain = EqualisedLinear(6, 4, gain=1.3, rate=0.5).double(), nn.Linear(6, 4).double()
    with torch.no_grad():
        plain.weight.copy_(layer.weight * layer.weight_scale)
    costs = [Orthogonal(weight=1.0)(make_turn("generator", generator=network)).mean() for network in (layer, plain)]
    torch.testing.assert_close(*costs)
    sum(costs).backward()
    torch.testing.assert_close(layer.weight.grad, plain.weight.grad * layer.weight_scale)


def test_orthogonal_rows_cost_nothing_and_have_no_slope(make_turn):
    layer = nn.Linear(6, 4).double()
    nn.init.orthogonal_(layer.weight)
    with torch.no_grad():
        layer.weight *= torch.arange(1, 5)[:, None]  # of any length
    value = Orthogonal(weight=1.0)(make_turn("generator", generator=layer)).mean()
    value.backward()
    assert value < 1e-25 and layer.weight.grad.abs().max() < 1e-12
    assert Orthogonal(weight=1.0, diagonal=True)(make_turn("generator", generator=layer)).mean() > 1


def test_spectral_finds_the_largest_singular_values(make_turn, network):
    penalty, turn = Spectral(weight=3.0), make_turn(network=network)
    for _ in range(200):
        found = penalty(turn)
    norms = [torch.linalg.matrix_norm(rows, 2) for _, rows in matrices(network)]
    assert found.shape == (N,)
    torch.testing.assert_close(found.mean(), 1.5 * sum(norm**2 for norm in norms), rtol=1e-4, atol=0)


def test_spectral_gradient_is_that_of_the_norm(make_turn):
    """d (sigma^2 / 2) / dW = sigma u v^T: Yoshida and Miyato 2017, section 3."""
    layer = nn.Linear(6, 4).double()
    penalty = Spectral(weight=1.0)
    for _ in range(200):
        layer.zero_grad()
        penalty(make_turn(network=layer)).mean().backward()
    left, values, right = torch.linalg.svd(layer.weight.detach())
    torch.testing.assert_close(layer.weight.grad, values[0] * torch.outer(left[:, 0], right[0]), rtol=1e-4, atol=1e-5)


def test_historical_averaging_over_time(make_turn):
    """|theta - mean of all thetas, the present one too|^2: Salimans et al. 2016, section 3.3."""
    layer, penalty, history = nn.Linear(3, 2).double(), HistoricalAveraging(weight=2.0), []
    for seed in range(5):
        nn.init.normal_(layer.weight, generator=torch.Generator().manual_seed(seed))
        now = torch.cat([param.flatten() for param in layer.parameters()])
        history.append(now.detach().clone())
        away = now - torch.stack(history).mean(0)
        layer.zero_grad()
        value = penalty(make_turn(network=layer))
        torch.testing.assert_close(value, (2 * away.square().sum()).expand(N))
        value.mean().backward()
        torch.testing.assert_close(layer.weight.grad.flatten(), 4 * away[:6].detach())


def test_the_second_call_costs_a_quarter_of_the_squared_step(make_turn):
    """t = 2: the mean lies half-way, |theta[2] - theta[1]|^2 / 4; a step of 1 and 3 costs 2.5."""
    layer, penalty = nn.Linear(2, 1, bias=False).double(), HistoricalAveraging()
    assert not penalty(make_turn(network=layer)).any()
    layer.weight.data += torch.tensor([[1.0, 3.0]])
    torch.testing.assert_close(penalty(make_turn(network=layer)), torch.full((N,), 2.5, dtype=torch.float64))


def test_players_have_a_history_each(make_turn):
    penalty, one, other = HistoricalAveraging(), nn.Linear(2, 2).double(), nn.Linear(3, 3).double()
    for _ in range(2):
        for player in ("discriminator", "generator"):
            assert not penalty(make_turn(player, network=one, generator=other)).any()


@pytest.mark.parametrize("kind", [Spectral, HistoricalAveraging])
def test_a_resumed_penalty_goes_on_as_one_never_stopped(make_turn, kind):
    layer = nn.Linear(6, 4).double()
    whole, first, second = kind(), kind(), kind()

    def call(penalty, seed):
        nn.init.normal_(layer.weight, generator=torch.Generator().manual_seed(seed))
        return penalty(make_turn(network=layer)).mean()

    expected = [call(whole, seed) for seed in range(4)]
    for seed in range(2):
        call(first, seed)
    state = first.state_dict()
    second.load_state_dict(state)
    assert [call(second, seed) for seed in (2, 3)] == expected[2:]
    assert kind().state_dict() != state  # there was something to remember

"""Differentiable steps against torch's own optimizers, and their gradients against finite differences."""

import pytest
import torch
from torch import nn

from genlab.core.errors import ConfigError
from genlab.trainers.differentiable_optimizers import Adam, GradientDescent, flat

OPTIMIZERS = {
    "sgd": (lambda parameters: torch.optim.SGD(parameters, lr=0.1), GradientDescent()),
    "adam": (lambda parameters: torch.optim.Adam(parameters, lr=0.1, betas=(0.5, 0.9)), Adam()),
    "fused": (lambda parameters: torch.optim.Adam(parameters, lr=0.1, betas=(0.0, 0.9), fused=True), Adam()),
}


def parameters():
    source = torch.Generator().manual_seed(0)
    return [nn.Parameter(torch.randn(*shape, generator=source, dtype=torch.float64)) for shape in ((3, 2), (4,))]


def gradients(weights):
    """Of sum(w^4) / 4."""
    return [weight.detach() ** 3 for weight in weights]


def move(optimizer, weights):
    for weight, gradient in zip(weights, gradients(weights), strict=True):
        weight.grad = gradient
    optimizer.step()


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("before", [0, 3])
def test_steps_are_those_of_the_real_optimizer_from_where_it_is(name, before):
    make, inner = OPTIMIZERS[name]
    weights = parameters()
    optimizer = make(weights)
    for _ in range(before):
        move(optimizer, weights)
    step, vector = inner.begin(optimizer, weights), flat(weights)
    for _ in range(4):
        vector = step(vector, vector**3)
        move(optimizer, weights)
        torch.testing.assert_close(vector, flat(weights), rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("inner", [GradientDescent(lr=0.05), Adam(lr=0.05)], ids=["descent", "adam"])
def test_gradient_through_three_steps_against_finite_differences(inner):
    weights = parameters()
    optimizer = torch.optim.Adam(weights, lr=0.1)
    move(optimizer, weights)

    def after(start, scale):
        step, vector = inner.begin(optimizer, weights), start
        for _ in range(3):
            vector = step(vector, scale * vector**3)
        return vector

    start, scale = flat(weights).requires_grad_(), torch.linspace(0.5, 1.5, 10, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(after, (start, scale))


def test_weights_that_never_move_have_a_finite_gradient():
    weights = parameters()
    scale = torch.ones((), dtype=torch.float64, requires_grad=True)
    step = Adam().begin(torch.optim.Adam(weights), weights)
    step(flat(weights), 0 * scale * flat(weights)).sum().backward()
    assert scale.grad == 0


def test_the_real_optimizer_is_left_alone():
    weights = parameters()
    optimizer = torch.optim.Adam(weights)
    move(optimizer, weights)
    before = [tensor.clone() for state in optimizer.state.values() for tensor in state.values()]
    step, vector = Adam().begin(optimizer, weights), flat(weights)
    for _ in range(3):
        vector = step(vector, vector)
    after = [tensor for state in optimizer.state.values() for tensor in state.values()]
    assert all(torch.equal(one, other) for one, other in zip(before, after, strict=True))


def test_adam_needs_an_adam():
    weights = parameters()
    with pytest.raises(ConfigError, match="GradientDescent"):
        Adam().begin(torch.optim.RMSprop(weights), weights)

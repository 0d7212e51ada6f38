"""Likelihoods are those of torch.distributions, summed over pixels."""

import pytest
import torch
from torch.distributions import Bernoulli as TorchBernoulli
from torch.distributions import Normal as TorchNormal

from genlab.losses import Bernoulli, Gaussian, SquaredError

SHAPE = (5, 3, 4, 6)


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_bernoulli_is_the_likelihood_of_black_and_white_images():
    logits, target = 4 * normal(*SHAPE), normal(*SHAPE, seed=1).sign()
    expected = -TorchBernoulli(logits=logits).log_prob((target + 1) / 2).flatten(1).sum(1)
    torch.testing.assert_close(Bernoulli().reconstruction(logits, target), expected)


def test_bernoulli_is_least_where_the_grey_value_is_the_probability():
    grey = torch.tensor([[-0.6, 0.0, 0.9]], dtype=torch.float64)
    logits = torch.logit((grey + 1) / 2).requires_grad_()
    (slope,) = torch.autograd.grad(Bernoulli().reconstruction(logits, grey).sum(), logits)
    torch.testing.assert_close(slope, torch.zeros_like(slope))
    torch.testing.assert_close(Bernoulli().mean_image(logits), grey)


def test_large_logits_stay_finite():
    loss = Bernoulli().reconstruction(torch.tensor([[1e4, -1e4]]), torch.tensor([[-1.0, 1.0]]))
    assert loss.tolist() == [2e4]


@pytest.mark.parametrize("deviation", [1.0, 0.1])
def test_gaussian_of_a_fixed_variance(deviation):
    mean, target = normal(*SHAPE), normal(*SHAPE, seed=1)
    expected = -TorchNormal(mean, deviation).log_prob(target).flatten(1).sum(1)
    torch.testing.assert_close(Gaussian(deviation=deviation).reconstruction(mean, target), expected)


@pytest.mark.parametrize("variance", ["learned", "per_pixel"])
@pytest.mark.parametrize("shape", [SHAPE, (5, 2)])
def test_gaussian_of_the_networks_variance(variance, shape):
    """Far above its floor the second output is the logarithm of the variance; far below it is held there."""
    mean, target, log_variance = (normal(*shape, seed=seed) for seed in range(3))
    loss = Gaussian(variance=variance, floor=1e-6)
    expected = -TorchNormal(mean, (log_variance / 2).exp()).log_prob(target).flatten(1).sum(1)
    found = loss.reconstruction(torch.cat([mean, log_variance], 1), target)
    torch.testing.assert_close(found, expected, rtol=1e-6, atol=1e-6)
    low = Gaussian(variance=variance, floor=0.1).reconstruction(torch.cat([mean, log_variance - 99], 1), target)
    torch.testing.assert_close(low, -TorchNormal(mean, 0.1).log_prob(target).flatten(1).sum(1))
    assert torch.equal(loss.mean_image(torch.cat([mean, log_variance], 1)), mean)


def test_squared_error_is_twice_the_gaussian_without_its_constant():
    mean, target = normal(*SHAPE), normal(*SHAPE, seed=1)
    gaussian = Gaussian().reconstruction(mean, target) - Gaussian().reconstruction(mean, mean)
    torch.testing.assert_close(SquaredError().reconstruction(mean, target), 2 * gaussian)


@pytest.mark.parametrize("loss", [Bernoulli(), Gaussian(), SquaredError()])
def test_sums_over_pixels_are_not_averages(loss):
    small, large = torch.zeros(2, 1, 4, 4), torch.zeros(2, 1, 8, 8)
    ratio = loss.reconstruction(large, large + 1) / loss.reconstruction(small, small + 1)
    torch.testing.assert_close(ratio, torch.full((2,), 4.0))

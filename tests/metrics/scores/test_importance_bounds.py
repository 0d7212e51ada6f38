"""Importance sampling against a model whose likelihood is known: probabilistic PCA (Tipping and Bishop 1999)."""

import pytest
import torch
from torch.distributions import MultivariateNormal

from genlab.losses import Gaussian
from genlab.metrics.scores.importance_bounds import likelihood, log_prior
from genlab.models.autoencoders.autoencoder import DiagonalNormal

DIMENSIONS, SIZE, NOISE, COUNT = 6, 2, 0.5, 40
LOSS = Gaussian(deviation=NOISE)


def model():
    """W with orthogonal columns, so that the posterior is diagonal, a mean, and images that it draws."""
    source = torch.Generator().manual_seed(0)

    def draw(*shape):
        return torch.randn(*shape, generator=source, dtype=torch.float64)

    weights = torch.linalg.qr(draw(DIMENSIONS, SIZE)).Q * torch.tensor([2.0, 1.0], dtype=torch.float64)
    mean = draw(DIMENSIONS)
    return weights, mean, draw(COUNT, SIZE) @ weights.T + mean + NOISE * draw(COUNT, DIMENSIONS)


def posterior(weights, mean, images):
    """Tipping and Bishop 1999, equation 8."""
    precision = (weights.square().sum(0) + NOISE**2) / NOISE**2
    centre = (images - mean) @ weights / NOISE**2 / precision
    return DiagonalNormal(centre, -precision.log().expand_as(centre))


def measured(samples, worse=0.0):
    """By samples of the exact posterior, or of one whose mean is off by so much."""
    weights, mean, images = model()

    def encode(batch):
        exact = posterior(weights, mean, batch)
        return DiagonalNormal(exact.mean + worse, exact.log_variance + worse)

    def error(z, targets):
        return LOSS.reconstruction(z @ weights.T + mean, targets)

    covariance = weights @ weights.T + NOISE**2 * torch.eye(DIMENSIONS).double()
    exact = -MultivariateNormal(mean, covariance).log_prob(images)
    return likelihood(images, encode, error, samples=samples, seed=0, batch_size=16), exact


@pytest.mark.parametrize("samples", [1, 7])
def test_the_exact_posterior_needs_one_sample(samples):
    found, exact = measured(samples)
    torch.testing.assert_close(found.nll, exact)
    torch.testing.assert_close(found.negative_elbo, exact)


def test_a_worse_posterior_gives_a_bound_that_samples_tighten():
    few, exact = measured(4, worse=0.2)
    many, _ = measured(4_000, worse=0.2)
    torch.testing.assert_close(many.nll, exact, atol=0.05, rtol=0)
    assert exact.mean() < few.nll.mean() < few.negative_elbo.mean()
    assert many.nll.mean() - exact.mean() < 0.01


def test_the_elbo_is_short_by_the_divergence():
    """By KL(q || p(z | x)), which two normals have in closed form."""
    weights, mean, images = model()
    exact = posterior(weights, mean, images)
    found, nll = measured(20_000, worse=0.4)
    shift = 0.4**2 * (-exact.log_variance).exp()
    divergence = (shift + torch.tensor(0.4).exp() - 0.4 - 1).sum(1) / 2
    torch.testing.assert_close(found.negative_elbo.mean(), (nll + divergence).mean(), atol=0.02, rtol=0)


def test_the_prior_is_standard_normal():
    z = torch.randn(3, 4, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    expected = MultivariateNormal(torch.zeros(2).double(), torch.eye(2).double()).log_prob(z)
    torch.testing.assert_close(log_prior(z), expected)

import torch
from torch.distributions import Normal, kl_divergence

from genlab.losses.latent_terms import commitment, free_bits, kl_to_standard_normal


def test_the_divergence_is_that_of_torch():
    source = torch.Generator().manual_seed(0)
    mean, log_variance = (torch.randn(7, 4, generator=source, dtype=torch.float64) for _ in range(2))
    expected = kl_divergence(Normal(mean, (log_variance / 2).exp()), Normal(torch.zeros(()), torch.ones(())))
    torch.testing.assert_close(kl_to_standard_normal(mean, log_variance), expected.double())


def test_free_bits_are_the_larger_of_bound_and_batch_mean():
    """Kingma et al. 2016, equation 15: the sum over groups of max(lambda, mean over the batch)."""
    divergence = torch.rand(64, 5, generator=torch.Generator().manual_seed(0)) * torch.arange(5)
    for least in (0.0, 0.7, 1.5):
        expected = divergence.mean(0).clamp(min=least).sum()
        torch.testing.assert_close(free_bits(divergence, least).mean(), expected)


def test_free_dimensions_have_no_gradient():
    divergence = torch.tensor([[0.1, 2.0], [0.3, 1.0]], requires_grad=True)
    (slope,) = torch.autograd.grad(free_bits(divergence, 0.5).sum(), divergence)
    assert slope.tolist() == [[0, 1], [0, 1]]


def test_commitment_pulls_the_latents_alone():
    latents, codes = (torch.full((2, 3, 2), value, requires_grad=True) for value in (1.0, 3.0))
    cost = commitment(latents, codes)
    assert cost.tolist() == [24.0, 24.0]
    cost.sum().backward()
    assert codes.grad is None and (latents.grad == -4).all()

import torch
from torch.distributions import Normal

from genlab.models.autoencoders.autoencoder import DiagonalNormal


def test_it_is_torchs_normal_and_samples_are_differentiable():
    source = torch.Generator().manual_seed(0)
    parameters = torch.randn(6, 8, generator=source, dtype=torch.float64, requires_grad=True)
    posterior = DiagonalNormal.of(parameters)
    noise = torch.randn(3, 6, 4, generator=source, dtype=torch.float64)
    z = posterior.sample(noise)
    mean, log_variance = parameters[:, :4], parameters[:, 4:]
    twin = Normal(mean, (log_variance / 2).exp())
    torch.testing.assert_close((z - mean) / (log_variance / 2).exp(), noise)
    torch.testing.assert_close(posterior.log_density(z), twin.log_prob(z).sum(-1))
    (slope,) = torch.autograd.grad(z.sum(), parameters)
    torch.testing.assert_close(slope[:, :4], torch.full((6, 4), 3.0, dtype=torch.float64))
    torch.testing.assert_close(slope[:, 4:], ((z - mean) / 2).sum(0))

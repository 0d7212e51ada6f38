"""Principal component analysis (Pearson 1901) as a linear, normally distributed model of images."""

from collections.abc import Callable, Iterable
from math import prod

import torch
from torch import Tensor, nn

from genlab.core.errors import ConfigError
from genlab.core.random import generator
from genlab.core.spec import Spec
from genlab.core.types import Count, Whole
from genlab.models.contract import Model
from genlab.models.latent import Normal

Chunks = Callable[[], Iterable[Tensor]]  # each call yields the data in chunks [n, D], float64


class PCA(Model):
    """Encoder and decoder in one: z are the components' coordinates, divided by their deviations.

    A standard normal z decodes to the data's mean and covariance within the components: Tipping and Bishop 1999
    without the noise around them. Raises ConfigError for more components than dimensions.
    """

    def __init__(
        self,
        spec: Spec,
        *,
        latent: Normal,
        exact: Count = 4096,  # most dimensions for which the covariance is diagonalised; beyond, a randomised solution
        oversampling: Whole = 10,  # extra directions of the randomised solution
        passes: Whole = 4,  # its power iterations; each reads the data twice
    ) -> None:
        super().__init__()
        dimensions = prod(spec.shape)
        if latent.size > dimensions:
            raise ConfigError(
                f"model.latent.size={latent.size}: the data have {dimensions} dimensions and no more components. "
                f"Set model.latent.size={max(1, dimensions // 2)}."
            )
        self.latent, self.shape, self.scale = latent, spec.shape, spec.scale
        self.exact, self.oversampling, self.passes = exact, oversampling, passes
        self.register_buffer("mean", torch.zeros(dimensions))
        self.register_buffer("components", torch.zeros(latent.size, dimensions))  # orthonormal rows
        self.register_buffer("variances", torch.zeros(latent.size))
        self.register_buffer("total_variance", torch.zeros(()))  # of all dimensions

    @property
    def generator(self) -> nn.Module:
        return self

    @property
    def players(self) -> dict[str, nn.Module]:
        return {}

    def codes(self, images: Tensor, condition: Tensor | None = None) -> Tensor:
        """Return codes [N, latent.size] of images; 0 where a component has no variance."""
        coordinates = (images.flatten(1) - self.mean) @ self.components.T
        return coordinates * torch.where(self.variances > 0, self.variances.rsqrt(), 0)

    def forward(self, z: Tensor, condition: Tensor | None = None) -> Tensor:
        """Decode latents [N, latent.size] to [N, C, H, W] or points [N, D], unbounded."""
        return ((z * self.variances.sqrt()) @ self.components + self.mean).unflatten(1, self.shape)

    def facts(self) -> dict[str, Tensor]:
        """Return the components' share of the variance, and the mean squared error a value, of points in own units."""
        lost = self.total_variance - self.variances.sum()
        return {
            "explained_variance": self.variances.sum() / self.total_variance,
            "mean_squared_error": lost / len(self.mean) * self.scale**2,
        }

    @torch.no_grad()
    def fit(self, chunks: Chunks, *, seed: int) -> None:
        count = sum(len(rows) for rows in chunks())
        mean = sum(rows.sum(0) for rows in chunks()) / count

        def centred_chunks() -> Iterable[Tensor]:
            return (rows - mean for rows in chunks())

        size = self.latent.size
        if len(self.mean) <= self.exact:
            squares, components, total = exact_svd(centred_chunks, size)
        else:
            squares, components, total = sketched_svd(centred_chunks, size, self.oversampling, self.passes, seed)
        self.mean.copy_(mean)
        self.components.copy_(components)
        self.variances.copy_(squares / count)
        self.total_variance.copy_(total / count)


def exact_svd(chunks: Chunks, size: int) -> tuple[Tensor, Tensor, Tensor]:
    """Return the `size` largest squared singular values of centred data, their directions [size, D], the sum of all."""
    scatter = sum(rows.T @ rows for rows in chunks())
    squares, directions = torch.linalg.eigh(scatter)
    return squares[-size:].flip(0).clamp(min=0), directions[:, -size:].flip(1).T, scatter.trace()


def sketched_svd(chunks: Chunks, size: int, oversampling: int, passes: int, seed: int) -> tuple[Tensor, Tensor, Tensor]:
    """Return the same, by randomised subspace iteration: Halko, Martinsson and Tropp 2011, algorithms 4.4 and 5.1."""
    first = next(iter(chunks()))
    width = min(size + oversampling, first.shape[1])
    start = torch.randn(first.shape[1], width, generator=generator(seed, "pca"), dtype=torch.float64)
    basis = orthonormalise(multiply(chunks, start.to(first.device)))
    for _ in range(passes):
        basis = orthonormalise(multiply(chunks, orthonormalise(multiply_transposed(chunks, basis))))
    _, values, directions = torch.linalg.svd(multiply_transposed(chunks, basis).T, full_matrices=False)
    total = sum(rows.square().sum() for rows in chunks())
    return values[:size].square(), directions[:size], total


def orthonormalise(columns: Tensor) -> Tensor:
    return torch.linalg.qr(columns).Q


def multiply(chunks: Chunks, matrix: Tensor) -> Tensor:
    """Return X M, [N, K], for the data X [N, D] and a matrix [D, K]."""
    return torch.cat([rows @ matrix for rows in chunks()])


def multiply_transposed(chunks: Chunks, matrix: Tensor) -> Tensor:
    """Return X^T M, [D, K], for the data X [N, D] and a matrix [N, K]."""
    pieces, start = [], 0
    for rows in chunks():
        pieces.append(rows.T @ matrix[start : start + len(rows)])
        start += len(rows)
    return sum(pieces)

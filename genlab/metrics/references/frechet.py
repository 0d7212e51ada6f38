"""The Frechet distance between two Gaussians, from running moments: exact also where they are degenerate."""

import math

import numpy as np
import torch
from torch import Tensor

from genlab.core.errors import ConfigError


class Moments:
    """Count, mean and covariance of feature vectors, gathered in float64 on the CPU.

    Batches are merged by their own means (Chan et al. 1979), so nothing large is ever subtracted from
    something large: features far from zero lose no digits.
    """

    def __init__(self, count: int = 0, mean: Tensor | None = None, scatter: Tensor | None = None) -> None:
        self.count = count
        self._mean = mean  # [D]
        self._scatter = scatter  # [D, D], sum of (x - mean) (x - mean)^T

    def update(self, features: Tensor) -> None:
        """Add features [N, D]."""
        if not len(features):
            return
        batch = features.detach().to("cpu", torch.float64)
        centred = batch - batch.mean(0)
        self.merge(Moments(len(batch), batch.mean(0), centred.T @ centred))

    def merge(self, other: "Moments") -> None:
        """Add the vectors that another one has gathered."""
        if not self.count or not other.count:
            full = self if self.count else other
            self.count, self._mean, self._scatter = full.count, full._mean, full._scatter
            return
        count = self.count + other.count
        shift = other._mean - self._mean
        between = torch.outer(shift, shift) * (self.count * other.count / count)
        self._scatter = self._scatter + other._scatter + between
        self._mean = self._mean + shift * (other.count / count)
        self.count = count

    def tensors(self) -> dict[str, Tensor]:
        """Return the mean [D] and the scatter matrix [D, D], from which, with the count, the moments are rebuilt."""
        self._require(1)
        return {"mean": self._mean, "scatter": self._scatter}

    @property
    def mean(self) -> Tensor:
        """Return the mean, float64 [D]. Raises ConfigError before the first image."""
        self._require(1)
        return self._mean

    @property
    def covariance(self) -> Tensor:
        """Return the unbiased covariance (over count - 1), float64 [D, D]. Raises ConfigError below two images."""
        self._require(2)
        return self._scatter / (self.count - 1)

    def _require(self, images: int) -> None:
        if self.count < images:
            raise ConfigError(f"a score of {self.count} images: expected {images} or more; raise metrics.images.")


def frechet_distance(a: Moments, b: Moments) -> float:
    """Return |m_a - m_b|^2 + Tr(S_a + S_b - 2 (S_a S_b)^(1/2)): Dowson and Landau 1982; Heusel et al. 2017, eq. 6.

    nan if features were not finite. Raises ConfigError below two images.
    """
    mean_a, mean_b = a.mean.numpy(), b.mean.numpy()
    covariance_a, covariance_b = a.covariance.numpy(), b.covariance.numpy()
    if not all(np.isfinite(part).all() for part in (mean_a, mean_b, covariance_a, covariance_b)):
        return math.nan
    shift = mean_a - mean_b
    cross = _trace_of_root(covariance_a, covariance_b, ample=min(a.count, b.count) > 2 * len(shift))
    return float(shift @ shift + np.trace(covariance_a) + np.trace(covariance_b) - 2 * cross)


def _trace_of_root(a: np.ndarray, b: np.ndarray, *, ample: bool) -> float:
    """Return Tr (A B)^(1/2) for positive semi-definite A = F F^T and B = G G^T: the sum of F^T G's singular values.

    It takes no root of a rounding error, which costs other methods their digits on few images.
    With ample images and full ranks, the roots of the eigenvalues of F^T B F are as exact, and faster.
    """
    values = _product_eigenvalues(a, b) if ample else None
    if values is not None:
        return float(np.sqrt(values).sum())
    return float(np.linalg.svd(_factor(a).T @ _factor(b), compute_uv=False).sum())


def _product_eigenvalues(a: np.ndarray, b: np.ndarray) -> np.ndarray | None:
    """Return the eigenvalues of A B, by plain Cholesky; None if one is without full rank, within rounding."""
    from scipy.linalg.lapack import dsygst  # slow to import

    try:
        root = np.linalg.cholesky(a)
    except np.linalg.LinAlgError:
        return None
    between, info = dsygst(b, root.T, itype=2, lower=0)  # the upper triangle of F^T B F, for half the work of products
    assert info == 0, f"dsygst refused argument {-info}"
    values = np.linalg.eigvalsh(between, "U")
    return values if values.min() > len(a) * np.finfo(float).eps * values.max() else None


def _factor(matrix: np.ndarray) -> np.ndarray:
    """Return F [D, rank] with F F^T = matrix, by Cholesky with pivoting: exact for matrices without full rank."""
    from scipy.linalg.lapack import dpstrf  # slow to import

    packed, pivots, rank, info = dpstrf(matrix, lower=1)  # info 1 says "rank below D", which is no failure
    assert info >= 0, f"dpstrf refused argument {-info}"
    factor = np.empty((len(matrix), rank))
    factor[pivots - 1] = np.tril(packed)[:, :rank]  # pivots count from 1; all but this part is garbage
    return factor

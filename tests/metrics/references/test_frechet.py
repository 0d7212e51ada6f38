"""Moments against numpy, and the Frechet distance against other ways to it and against closed forms."""

import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from genlab.core.errors import ConfigError
from genlab.metrics import FID, Moments, frechet_distance


def moments_of(features: np.ndarray, chunk: int = 100) -> Moments:
    moments = Moments()
    for batch in torch.from_numpy(features).split(chunk):
        moments.update(batch)
    return moments


def correlated(seed: int, images: int, dimensions: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.standard_normal((images, dimensions)) @ rng.standard_normal((dimensions, dimensions)) + seed


def by_scipy(a: np.ndarray, b: np.ndarray) -> float:
    from scipy.linalg import sqrtm

    covariance_a, covariance_b = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    root = sqrtm(covariance_a @ covariance_b).real
    return ((a.mean(0) - b.mean(0)) ** 2).sum() + np.trace(covariance_a + covariance_b - 2 * root)


def by_torch_fidelity(a: np.ndarray, b: np.ndarray) -> float:
    from torch_fidelity.metric_fid import KEY_METRIC_FID, fid_features_to_statistics, fid_statistics_to_metric

    statistics = [fid_features_to_statistics(torch.from_numpy(features)) for features in (a, b)]
    return fid_statistics_to_metric(*statistics, verbose=False)[KEY_METRIC_FID]


@pytest.mark.parametrize("images", [2_000, 100])  # eigenvalues; singular values
def test_full_rank_agrees_with_scipy_and_torch_fidelity(images):
    a, b = correlated(1, images, 64), correlated(2, images + 7, 64)
    distance = frechet_distance(moments_of(a), moments_of(b))
    assert distance == pytest.approx(by_scipy(a, b), rel=1e-9, abs=1e-6)
    assert distance == pytest.approx(by_torch_fidelity(a, b), rel=1e-9, abs=1e-6)


@pytest.mark.parametrize("images", [1_000, 20])
def test_equal_sets_are_at_distance_zero(images):
    features = correlated(3, images, 64)
    trace = np.trace(np.cov(features, rowvar=False))
    assert abs(frechet_distance(moments_of(features), moments_of(features, chunk=7))) < 1e-12 * trace


def test_few_images_scaled_have_a_closed_form():
    """S_b = c^2 S_a commutes with S_a: the distance is (1 - c)^2 Tr S_a, exactly, at rank 19 of 64."""
    a = correlated(4, 20, 64)
    a -= a.mean(0)
    expected = (1 - 0.5) ** 2 * np.trace(np.cov(a, rowvar=False))
    assert frechet_distance(moments_of(a), moments_of(a * 0.5)) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("images", [3_000, 50])
def test_orthogonal_subspaces_have_a_closed_form(images):
    """S_a S_b = 0: nothing but the means and traces is left. Many images, yet half the rank, at 3,000."""
    rng = np.random.default_rng(5)
    basis, _ = np.linalg.qr(rng.standard_normal((64, 64)))
    a = rng.standard_normal((images, 20)) @ basis[:20]
    b = rng.standard_normal((images, 30)) @ basis[20:50] * 3 + basis[60]
    expected = ((a.mean(0) - b.mean(0)) ** 2).sum() + np.trace(np.cov(a, rowvar=False) + np.cov(b, rowvar=False))
    assert frechet_distance(moments_of(a), moments_of(b)) == pytest.approx(expected, rel=1e-12)


def test_a_subspace_changes_nothing():
    a, b = correlated(6, 500, 8), correlated(7, 500, 8)
    basis, _ = np.linalg.qr(np.random.default_rng(8).standard_normal((64, 8)))
    inside = frechet_distance(moments_of(a @ basis.T), moments_of(b @ basis.T))
    assert inside == pytest.approx(frechet_distance(moments_of(a), moments_of(b)), rel=1e-10)


def test_a_generator_that_makes_one_image_is_scored():
    """Covariance zero, at any number of images."""
    real, collapsed = correlated(9, 1_000, 16), np.ones((1_000, 16))
    expected = ((real.mean(0) - 1) ** 2).sum() + np.trace(np.cov(real, rowvar=False))
    assert frechet_distance(moments_of(real), moments_of(collapsed)) == pytest.approx(expected, rel=1e-12)


def test_features_that_are_not_finite_give_nan():
    features = correlated(10, 100, 8)
    broken = features.copy()
    broken[3, 2] = math.nan
    assert math.isnan(frechet_distance(moments_of(broken), moments_of(features)))


@pytest.mark.parametrize("offset", [0, 1e6])
def test_moments_are_those_of_numpy(offset):
    features = correlated(11, 1_234, 16) + offset
    moments = moments_of(features, chunk=100)
    assert moments.count == 1_234
    np.testing.assert_allclose(moments.mean, features.mean(0), rtol=1e-12)
    np.testing.assert_allclose(moments.covariance, np.cov(features, rowvar=False), rtol=1e-8, atol=1e-8)


def test_merged_moments_are_those_of_all():
    features = correlated(12, 1_000, 8)
    merged, rest = moments_of(features[:300]), moments_of(features[300:])
    merged.merge(rest)
    merged.merge(Moments())
    empty = Moments()
    empty.merge(merged)
    for moments in (merged, empty):
        assert moments.count == 1_000
        np.testing.assert_allclose(moments.covariance, np.cov(features, rowvar=False), rtol=1e-10, atol=1e-12)
    assert rest.count == 700


def test_float32_features_are_summed_in_float64():
    features = correlated(13, 5_000, 4).astype(np.float32)
    np.testing.assert_allclose(moments_of(features).mean, features.astype(np.float64).mean(0), rtol=1e-12)


def test_too_few_images_are_the_users_mistake():
    moments = Moments()
    moments.update(torch.zeros(1, 4))
    with pytest.raises(ConfigError, match=r"1 images: expected 2 or more; raise metrics\.images"):
        frechet_distance(moments, moments)


def test_fid_starts_over_after_a_reset():
    a, b = torch.from_numpy(correlated(14, 300, 8)), torch.from_numpy(correlated(15, 300, 8))
    reference = moments_of(a.numpy())
    fid = FID()
    fid.update(b)
    fid.reset()
    fid.update(a)
    assert fid.compute(SimpleNamespace(moments=reference))["fid"] == pytest.approx(0, abs=1e-9)

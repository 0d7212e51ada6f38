"""Principal components, exact and randomised, against numpy's."""

import numpy as np
import pytest
import torch

from genlab.core.errors import ConfigError
from genlab.core.spec import Spec
from genlab.models import PCA, Normal

COUNT, SIDE, SIZE = 200, 6, 5


def data():
    """Rows of decaying variance, far from zero."""
    source = torch.Generator().manual_seed(0)
    rows = torch.randn(COUNT, SIDE**2, generator=source, dtype=torch.float64) * 0.7 ** torch.arange(SIDE**2)
    mixing = torch.linalg.qr(torch.randn(SIDE**2, SIDE**2, generator=source, dtype=torch.float64)).Q
    return rows @ mixing + 3


def fitted(exact):
    model = PCA(Spec(1, SIDE, SIDE, images=COUNT), latent=Normal(SIZE), exact=exact).double()
    model.fit(lambda: iter(data().split(64)), seed=0)
    return model


@pytest.mark.parametrize("exact", [4096, 1], ids=["covariance", "randomised"])
def test_components_are_the_singular_vectors(exact):
    rows, model = data().numpy(), fitted(exact)
    _, values, directions = np.linalg.svd(rows - rows.mean(0), full_matrices=False)
    np.testing.assert_allclose(model.variances, values[:SIZE] ** 2 / COUNT, rtol=1e-8)
    np.testing.assert_allclose(np.abs(np.sum(model.components.numpy() * directions[:SIZE], 1)), 1, rtol=1e-8)
    np.testing.assert_allclose(model.components @ model.components.T, np.eye(SIZE), atol=1e-12)
    np.testing.assert_allclose(model.facts()["explained_variance"], (values[:SIZE] ** 2).sum() / (values**2).sum())


@pytest.mark.parametrize("exact", [4096, 1], ids=["covariance", "randomised"])
def test_the_reported_error_is_that_of_reconstructions(exact):
    model, images = fitted(exact), data().view(COUNT, 1, SIDE, SIDE)
    error = (model(model.codes(images)) - images).square().mean()
    torch.testing.assert_close(error, model.facts()["mean_squared_error"])


def test_standard_normal_codes_decode_to_the_datas_covariance():
    model, images = fitted(4096), data().view(COUNT, 1, SIDE, SIDE)
    codes = model.codes(images)
    torch.testing.assert_close(codes.mean(0), torch.zeros(SIZE).double(), atol=1e-12, rtol=0)
    torch.testing.assert_close(codes.T @ codes / COUNT, torch.eye(SIZE).double(), atol=1e-12, rtol=0)


def test_more_components_than_dimensions_are_refused():
    with pytest.raises(ConfigError, match=r"model.latent.size=3: the data have 2 dimensions.*model.latent.size=1"):
        PCA(Spec(2, None, None, images=9), latent=Normal(3))


def test_directions_without_variance_have_the_code_zero():
    model = PCA(Spec(2, None, None, images=9), latent=Normal(2)).double()
    line = torch.tensor([[0.0, 1.0], [1.0, 1.0], [2.0, 1.0]], dtype=torch.float64)
    model.fit(lambda: iter([line]), seed=0)
    assert model.codes(line)[:, 1].tolist() == [0, 0, 0]
    torch.testing.assert_close(model(model.codes(line)), line)

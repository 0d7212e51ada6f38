"""Batch statistics of a discriminator, against closed forms."""

import pytest
import torch

from genlab.models.layer_contract import mixes_batch
from genlab.models.layers.minibatch import MinibatchDeviation, MinibatchDiscrimination, minibatch_layer


def features(rows=6, size=3):
    return torch.randn(rows, size, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


def test_discrimination_against_the_papers_sum_written_out():
    layer = MinibatchDiscrimination(3, kernels=4, size=2).double()
    given = features()
    matrices = torch.einsum("na,abc->nbc", given, layer.tensor)
    expected = torch.zeros(6, 4, dtype=torch.float64)
    for i in range(6):
        for j in range(6):
            expected[i] += torch.exp(-(matrices[i] - matrices[j]).abs().sum(1))
    torch.testing.assert_close(layer(given), torch.cat([given, expected], dim=1))


def test_equal_images_count_each_other_and_far_ones_only_themselves():
    layer = MinibatchDiscrimination(3, kernels=4, size=2).double()
    assert torch.equal(layer(features(1).expand(5, -1))[:, 3:], torch.full((5, 4), 5.0, dtype=torch.float64))
    far = torch.arange(5, dtype=torch.float64)[:, None] * 1e6 * torch.ones(3, dtype=torch.float64)
    torch.testing.assert_close(layer(far)[:, 3:], torch.ones(5, 4, dtype=torch.float64))


def test_discrimination_has_the_double_gradient_that_penalties_need():
    layer = MinibatchDiscrimination(3, kernels=2, size=2).double()
    assert torch.autograd.gradgradcheck(lambda given: layer(given).square().sum(), features(3).requires_grad_())


def test_deviation_is_the_mean_standard_deviation_of_each_group():
    given = features(8)
    found = MinibatchDeviation(group=4)(given)
    for group in (slice(0, 4), slice(4, 8)):
        expected = given[group].std(0, correction=0).mean()
        torch.testing.assert_close(found[group, 3], expected.expand(4), rtol=1e-6, atol=1e-6)
    assert torch.equal(found[:, :3], given)


def test_deviation_of_maps_is_one_more_channel():
    maps = torch.randn(4, 3, 5, 6, generator=torch.Generator().manual_seed(0))
    found = MinibatchDeviation(group=2)(maps)
    assert found.shape == (4, 4, 5, 6)
    expected = maps[2:].std(0, correction=0).mean()
    torch.testing.assert_close(found[2:, 3], expected.expand(2, 5, 6))


def test_a_batch_that_is_no_multiple_has_smaller_groups():
    given = features(6)
    torch.testing.assert_close(MinibatchDeviation(group=4)(given), MinibatchDeviation(group=2)(given))


def test_equal_images_have_a_finite_gradient():
    given = torch.zeros(4, 3, requires_grad=True)
    MinibatchDeviation()(given).sum().backward()
    assert given.grad.isfinite().all()


@pytest.mark.parametrize(
    ("name", "extra", "mixes"), [("none", 0, False), ("discrimination", 100, True), ("deviation", 1, True)]
)
def test_by_name(name, extra, mixes):
    layer = minibatch_layer(name, 3)
    assert layer.extra == extra
    assert layer(features().float()).shape == (6, 3 + extra)
    assert mixes_batch(layer) == mixes

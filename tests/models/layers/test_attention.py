"""Self-attention against a loop over places, and as the identity that it starts as."""

import pytest
import torch
from torch.nn.functional import max_pool2d

from genlab.models.layers.attention import SelfAttention


def layer():
    torch.manual_seed(0)
    return SelfAttention(8).double()


@pytest.mark.parametrize("size", [(4, 6), (7, 7)])
def test_starts_as_the_identity(size):
    maps = torch.randn(2, 8, *size, dtype=torch.float64)
    assert torch.equal(layer()(maps), maps)


@pytest.mark.parametrize("size", [(4, 6), (7, 7)])
def test_each_position_averages_the_values_that_it_attends_to(size):
    """Zhang et al. 2019, equations 1-3, place by place."""
    attention, maps = layer(), torch.randn(1, 8, *size, dtype=torch.float64)
    attention.gamma.data.fill_(0.7)
    query = attention.query(maps)
    key, value = max_pool2d(attention.key(maps), 2)[0].flatten(1), max_pool2d(attention.value(maps), 2)[0].flatten(1)
    expected = maps.clone()
    for row in range(size[0]):
        for column in range(size[1]):
            similar = (query[0, :, row, column] @ key).exp()
            mix = value @ (similar / similar.sum())
            expected[0, :, row, column] += 0.7 * attention.out.weight[:, :, 0, 0] @ mix
    torch.testing.assert_close(attention(maps), expected)

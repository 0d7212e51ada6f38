"""Reflection beyond an image's edges, against numpy's padding."""

import numpy as np
import pytest
import torch

from genlab.data.augment.reflection import filter_matrix, reflect_indices


@pytest.mark.parametrize("side", [2, 5, 8])
def test_reflection_is_that_of_numpy(side):
    beyond = 3 * side
    expected = np.pad(np.arange(side), beyond, mode="reflect")
    assert reflect_indices(torch.arange(-beyond, side + beyond), side).tolist() == expected.tolist()


def test_one_pixel_is_its_own_reflection():
    assert reflect_indices(torch.arange(-3, 4), 1).tolist() == [0] * 7


def test_a_filter_as_a_matrix_is_a_convolution_of_the_mirrored_signal():
    taps, signal = torch.tensor([0.5, 2.0, -1.0]), torch.arange(6.0).square()
    places = torch.arange(6).unsqueeze(1) + torch.arange(-1, 2)
    framed = np.pad(signal.numpy(), 1, mode="reflect")
    expected = torch.from_numpy(np.correlate(framed, taps.numpy(), mode="valid"))
    torch.testing.assert_close(filter_matrix(taps.expand(6, -1), places, 6) @ signal, expected)

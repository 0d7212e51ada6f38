"""Noise and holes, against their definitions."""

import pytest
import torch

from genlab.data.augment.corruptions import add_noise, centred_hole, cut_hole


def test_noise_is_normal_with_a_half_normal_deviation(make_draws, near):
    count = 4000
    noise = add_noise(torch.zeros(count, 1, 12, 12).double(), make_draws(count), torch.tensor(0.4))
    noisy = noise.flatten(1).ne(0).all(1)
    assert near(noisy, 0.4) and not noise[~noisy].any()
    deviations = noise[noisy].flatten(1).std(1)
    assert deviations.square().mean().sqrt() == pytest.approx(0.1, rel=0.05)
    assert deviations.mean() == pytest.approx(0.1 * (2 / torch.pi) ** 0.5, rel=0.05)


@pytest.mark.parametrize("side", [8, 9, 32])
def test_a_hole_is_half_as_long_and_lost_beyond_the_edges(side):
    """From round((c - 1/4) side) to round((c + 1/4) side): figure 23."""
    middles = torch.rand(200, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    for middle, found in zip(middles.tolist(), centred_hole(middles, side), strict=True):
        first, last = round((middle - 0.25) * side), round((middle + 0.25) * side)
        assert found.nonzero().flatten().tolist() == list(range(max(first, 0), min(last, side)))


def test_holes_are_rectangles_of_zeros_in_all_channels(make_images, make_draws, near):
    x = make_images(2000, 2, 8, 10) + 3  # no zero of its own
    found = cut_hole(x, make_draws(2000), torch.tensor(0.3))
    gone = found == 0
    assert torch.equal(found, torch.where(gone, 0, x)) and torch.equal(gone[:, 0], gone[:, 1])
    area = gone[:, 0].sum((1, 2))
    assert torch.equal(area, gone[:, 0].any(2).sum(1) * gone[:, 0].any(1).sum(1))
    assert near(area > 0, 0.3) and area.max() == 4 * 5

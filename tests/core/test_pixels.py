import numpy as np
import torch

from genlab.core.pixels import as_saved, network_values, round_network_input, to_float, to_network_input, to_uint8

LEVELS = torch.arange(256, dtype=torch.uint8)


def test_pixels_survive_the_way_to_floats_and_back():
    for floats in (to_float(LEVELS), to_float(LEVELS, torch.float64), to_network_input(LEVELS, torch.float32)):
        assert torch.equal(to_uint8(floats), LEVELS)
        assert floats.min() == -1 and floats.max() == 1


def test_values_outside_saturate():
    assert to_uint8(torch.tensor([-1.5, 1.5, -torch.inf, torch.inf, 3e38])).tolist() == [0, 255, 0, 255, 255]


def test_all_ways_to_round_are_one():
    """Saturating before or after rounding: every 4,099th of all numbers of 32 bits, and those around each level."""
    patterns = np.arange(0, 2**32, 4_099, dtype=np.uint64).astype(np.uint32).view(np.float32)
    middles = ((LEVELS[:-1].float() + 0.5) / 127.5 - 1).view(torch.int32) + torch.arange(-40, 41).view(-1, 1)
    images = torch.cat([torch.from_numpy(patterns), middles.to(torch.int32).view(torch.float32).flatten()])
    images = images[~images.isnan()]
    late = ((images + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)
    assert torch.equal(to_uint8(images), late)
    assert torch.equal(as_saved(images), to_float(late))
    inside = images[images.abs() <= 1]
    assert torch.equal(round_network_input(inside), to_network_input(to_uint8(inside), torch.float32))


def test_what_is_not_a_number_stays_so():
    assert as_saved(torch.tensor([torch.nan, 0.5])).isnan().tolist() == [True, False]


def test_training_and_scores_read_pixels_in_two_ways_that_differ_in_the_last_bit():
    """Cached statistics depend on the one, resumed runs on the other: neither may become the other."""
    scored, trained = to_float(LEVELS), to_network_input(LEVELS, torch.float32)
    assert (scored != trained).sum() == 111 and (scored - trained).abs().max() <= 2**-23
    assert torch.equal(scored, LEVELS / 127.5 - 1)
    assert torch.equal(trained, LEVELS * (1 / 127.5) - 1)


def test_points_are_read_in_their_scale():
    assert network_values(torch.tensor([[2.0, -4.0]]), 4.0).tolist() == [[0.5, -1.0]]
    assert torch.equal(network_values(LEVELS, 4.0), to_float(LEVELS))

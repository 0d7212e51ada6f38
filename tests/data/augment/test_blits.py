"""Whole pixels moved, against torch's own flips, turns and rolls."""

import pytest
import torch
from torch.nn.functional import pad

from genlab.data.augment.blits import Blits, blit, mirror_turn_shift, whole_shifts


def move(images, mirror=0, turns=0, right=0, down=0):
    each = (torch.full((len(images),), value) for value in (mirror, turns, right, down))
    return mirror_turn_shift(images, Blits(*each))


def test_a_mirrored_image_is_flipped(make_images):
    x = make_images()
    assert torch.equal(move(x, mirror=1), x.flip(3))


@pytest.mark.parametrize("side", [8, 9])
@pytest.mark.parametrize("turns", [0, 1, 2, 3])
def test_quarter_turns(make_images, side, turns):
    x = make_images(height=side, width=side)
    assert torch.equal(move(x, turns=turns), x.rot90(-turns, (2, 3)))


def test_shifts_roll_the_image_in_its_mirrored_continuation(make_images):
    x = make_images()
    framed = pad(x, (4, 4, 4, 4), mode="reflect")
    for right, down in ((2, 0), (-3, 1), (0, -4)):
        found = move(x, right=right, down=down)
        assert torch.equal(found, framed.roll((down, right), (2, 3))[:, :, 4:-4, 4:-4])
        inner = (slice(None), slice(None), slice(4, -4), slice(4, -4))
        assert torch.equal(found[inner], x.roll((down, right), (2, 3))[inner])


def test_the_order_is_mirror_turn_shift(make_images):
    x = make_images(height=8, width=8)
    expected = move(x.flip(3).rot90(-1, (2, 3)), right=2, down=-1)
    assert torch.equal(move(x, mirror=1, turns=1, right=2, down=-1), expected)


@pytest.mark.parametrize("size", [(8, 13), (9, 12), (1, 8)])
def test_what_a_turn_of_an_oblong_brings_in_is_mirrored(make_images, size):
    x = make_images(height=size[0], width=size[1])
    for turns in range(4):
        found = move(x, turns=turns)
        assert found.shape == x.shape and torch.isin(found[0, 0], x[0, 0]).all()
    assert torch.equal(move(x, turns=2), x.flip(2, 3))


def test_shifts_are_whole_and_an_eighth_at_most():
    found = whole_shifts(torch.linspace(0, 1, 8001)[:-1], 32)
    counts = (found + 4).bincount()
    assert found.unique().tolist() == list(range(-4, 5))
    assert counts[1:-1].tolist() == pytest.approx([1000] * 7, abs=2)  # rounded: the ends are half as likely
    assert counts[[0, -1]].tolist() == pytest.approx([500] * 2, abs=2)


def test_chances_are_the_papers(make_draws, near, monkeypatch):
    """Mirrored in half of the images that may be, turned by each number of quarters in a fourth of them."""
    seen = []
    monkeypatch.setattr("genlab.data.augment.blits.mirror_turn_shift", lambda images, blits: seen.extend(blits))
    count, strength = 8000, 0.6
    blit(torch.zeros(count, 1, 16, 32), make_draws(count), torch.tensor(strength))
    mirror, turns, right, down = seen
    assert near(mirror == 1, strength / 2)
    assert all(near(turns == number, strength / 4) for number in (1, 2, 3))
    assert near(right != 0, strength * 7 / 8) and near(down != 0, strength * 3 / 4)
    both = (right != 0) & (down != 0)
    assert near(both, strength * 7 / 8 * 3 / 4)  # one chance for both axes
    assert right.abs().max() == 4 and down.abs().max() == 2

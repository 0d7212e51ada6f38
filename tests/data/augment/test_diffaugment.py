"""DiffAugment against closed forms: what each change does to an image is known exactly."""

import pytest
import torch
from torch.nn.functional import pad

from genlab.core.random import Draws
from genlab.data.augment import DiffAugment
from genlab.data.augment.diffaugment import hole_mask, whole_shifts
from genlab.data.augment.shift import shift_images

N = 16
STILL = {"brightness": 0.0, "saturation": 0.0, "contrast": 0.0, "translation": 0.0, "cutout": 0.0}


def draws(count=N, turn=0, start=0, stop=None, dtype=torch.float64):
    return Draws((0, "test", turn), count, start, stop or count, torch.device("cpu"), dtype)


def images(channels=3, height=9, width=12, count=N):
    source = torch.Generator().manual_seed(channels)
    return torch.rand(count, channels, height, width, generator=source, dtype=torch.float64) * 2 - 1


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_no_strength_changes_nothing(channels):
    x = images(channels)
    torch.testing.assert_close(DiffAugment(**STILL)(x, draws(), 0.0), x)


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("size", [(1, 1), (7, 5), (32, 32)])
def test_any_channels_and_size_keep_shape_and_layout(channels, size):
    x = images(channels, *size)
    for layout in (torch.contiguous_format, torch.channels_last):
        found = DiffAugment()(x.contiguous(memory_format=layout), draws(), 0.0)
        assert found.shape == x.shape and found.isfinite().all()
        assert found.is_contiguous(memory_format=layout)


def test_rows_are_drawn_one_by_one_and_sliced():
    """A rank's share of the batch is changed as it is in the whole batch; images differ, and so do turns."""
    x = images(count=1).expand(N, -1, -1, -1).contiguous()
    whole = DiffAugment()(x, draws(), 0.0)
    torch.testing.assert_close(DiffAugment()(x[4:8], draws(start=4, stop=8), 0.0), whole[4:8])
    assert whole.flatten(1).unique(dim=0).shape[0] == N
    assert not torch.equal(whole, DiffAugment()(x, draws(turn=1), 0.0))


def color(**strength):
    return DiffAugment(policy=["color"], **(STILL | strength))


def test_brightness_adds_one_number_to_an_image():
    x = images()
    added = color(brightness=0.5)(x, draws(), 0.0) - x
    torch.testing.assert_close(added, added[:, :1, :1, :1].expand_as(added))
    assert added.abs().max() <= 0.5 and added.flatten(1)[:, 0].std() > 0.1


@pytest.mark.parametrize(("strength", "axes"), [({"saturation": 1.0}, (1,)), ({"contrast": 0.5}, (1, 2, 3))])
def test_saturation_and_contrast_stretch_distances_from_a_mean(strength, axes):
    """The mean stays, and all distances from it grow by one factor an image, in the range of the paper."""
    x, found = images(), color(**strength)(images(), draws(), 0.0)
    torch.testing.assert_close(found.mean(axes), x.mean(axes))
    ratio = (found - x.mean(axes, keepdim=True)) / (x - x.mean(axes, keepdim=True))
    torch.testing.assert_close(ratio, ratio[:, :1, :1, :1].expand_as(ratio))
    (reach,) = strength.values()
    assert ((ratio - 1).abs() <= reach).all() and ratio.std() > 0.1


def test_saturation_leaves_grey_images_and_alpha_alone():
    x = images(1)
    torch.testing.assert_close(color(saturation=1.0)(x, draws(), 0.0), x)
    x = images(4)
    found = color(brightness=0.5, saturation=1.0, contrast=0.5)(x, draws(), 0.0)
    assert torch.equal(found[:, 3], x[:, 3]) and not torch.isclose(found[:, :3], x[:, :3]).all((1, 2, 3)).any()


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_a_shift_is_a_crop_of_the_image_in_zeros(layout):
    x, down, right = images(), torch.arange(N) % 5 - 2, torch.arange(N) % 7 - 3
    found = shift_images(x.contiguous(memory_format=layout), down, right)
    framed = pad(x, (3, 3, 2, 2))
    for row, (dy, dx) in enumerate(zip(down.tolist(), right.tolist(), strict=True)):
        assert torch.equal(found[row], framed[row, :, 2 - dy : 11 - dy, 3 - dx : 15 - dx])


def test_shifts_are_whole_equally_likely_and_at_most_an_eighth():
    found = whole_shifts(torch.linspace(0, 1, 1001)[:-1], 32, 0.125)
    assert found.unique().tolist() == list(range(-4, 5))
    assert set((found + 4).bincount().tolist()) <= {111, 112}
    assert whole_shifts(torch.rand(9), 3, 0.125).abs().max() == 0  # an eighth of three pixels is none


@pytest.mark.parametrize("side", [8, 9])
def test_a_hole_has_its_size_wherever_it_fits(side):
    """Half of the side, anywhere: the middle of the hole is in the image, or between two of its pixels."""
    size = int(side * 0.5 + 0.5)
    found = hole_mask(torch.linspace(0, 1, 997)[:-1], side, 0.5)
    first, length = found.int().argmax(1), found.sum(1)
    inner = (first > 0) & (first + length < side)
    assert (length[inner] == size).all() and length.min() == (size if size % 2 == 0 else size + 1) // 2
    assert (found.int().diff(dim=1).clamp(min=0).sum(1) + found[:, 0].int() == 1).all()  # in one piece
    assert found.all(0).sum() == 0 and found.any(0).all()


def test_cutout_zeroes_one_rectangle_in_all_channels():
    x = images() + 3  # no zero of its own
    found = DiffAugment(policy=["cutout"])(x, draws(), 0.0)
    gone = found == 0
    assert torch.equal(found, torch.where(gone, 0, x))
    assert (gone == gone[:, :1]).all()
    area = gone[:, 0].sum((1, 2))
    assert torch.equal(area, gone[:, 0].any(2).sum(1) * gone[:, 0].any(1).sum(1))
    assert area.max() <= 5 * 6 and area.min() > 0


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_gradients_and_second_ones_against_finite_differences(layout):
    """What the generator learns through, and what R1 differentiates twice."""
    x = images(height=4, width=5, count=2).contiguous(memory_format=layout).requires_grad_()
    augment = DiffAugment(translation=0.3)

    def augmented(pixels):
        return augment(pixels, draws(2), 0.0).tanh()

    assert torch.autograd.gradcheck(augmented, x)
    assert torch.autograd.gradgradcheck(augmented, x)


def test_the_shift_back_is_the_transpose():
    """<shift(x), y> = <x, shift back(y)>, which is what the backward pass relies on."""
    x, y, down, right = images(), images(3).flip(0), torch.arange(N) - 8, 3 - torch.arange(N)
    torch.testing.assert_close((shift_images(x, down, right) * y).sum(), (x * shift_images(y, -down, -right)).sum())

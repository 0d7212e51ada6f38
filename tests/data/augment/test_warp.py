"""Affine maps against functions that can be evaluated anywhere."""

from math import pi

import pytest
import torch
from torch.nn.functional import conv2d, conv_transpose2d, grid_sample, pad

from genlab.data.augment import AdaptiveAugment
from genlab.data.augment.blits import Blits, blit_map, mirror_turn_shift
from genlab.data.augment.warp import (
    SYM6,
    back_map,
    bilinear,
    downsampler,
    join_maps,
    resample,
    rotation_matrix,
    upsampler,
    warp,
)

HEIGHT, WIDTH = 17, 21
NOTHING = torch.zeros(1, 2, dtype=torch.float64)
EYE = torch.eye(2, dtype=torch.float64).expand(1, 2, 2)


def blits(**changes):
    """One image's blits; those not named do nothing."""
    return Blits(*(torch.tensor([changes.get(name, 0)]) for name in Blits._fields))


def turned(angle):
    return rotation_matrix(torch.tensor([angle], dtype=torch.float64))


def test_the_filter_is_an_orthogonal_wavelets_with_six_vanishing_moments():
    taps = torch.tensor(SYM6, dtype=torch.float64)
    for shift in range(0, 12, 2):
        product = (taps[shift:] * taps[: 12 - shift]).sum().item()
        assert product == pytest.approx(float(shift == 0), abs=1e-11)
    signs = torch.tensor([1.0, -1.0], dtype=torch.float64).repeat(6)
    for moment in range(6):
        assert (taps * signs * torch.arange(12).double() ** moment).sum().abs() < 1e-6
    assert taps.sum().item() == pytest.approx(2**0.5)


@pytest.mark.parametrize("size", [(8, 8), (9, 12), (2, 3)])
def test_the_identity_map_changes_nothing(make_images, size):
    x = make_images(1, height=size[0], width=size[1])
    torch.testing.assert_close(resample(x, back_map(EYE, NOTHING)), x, rtol=0, atol=1e-10)


def test_whole_shifts_are_exact(make_images):
    x = make_images()
    right, down = torch.tensor([0, 1, -3, 20]), torch.tensor([2, 0, -1, -30])
    still = torch.zeros(4, dtype=torch.long)
    found = resample(x, back_map(EYE.expand(4, 2, 2), torch.stack([right, down], 1).double()))
    torch.testing.assert_close(found, mirror_turn_shift(x, Blits(still, still, right, down)), rtol=0, atol=1e-10)


@pytest.mark.parametrize(
    "moved", [{"mirror": 1}, {"turns": 1}, {"turns": 2, "right": 2}, {"mirror": 1, "turns": 3, "down": -3}]
)
def test_a_blits_map_names_the_pixels_that_blitting_copies(moved):
    """Columns and rows as pictures: blitted, they show where each pixel comes from."""
    side, one = 8, blits(**moved)
    row, column = torch.meshgrid(torch.arange(side), torch.arange(side), indexing="ij")
    places = torch.stack([column, row]).double() - (side - 1) / 2
    homogeneous = torch.cat([places, torch.ones(1, side, side)])
    named = torch.einsum("ij,jhw->ihw", blit_map(one)[0].double(), homogeneous)
    copied = mirror_turn_shift(places[None], one)[0]
    inside = named.abs().amax(0) < side / 2  # beyond the edges the image is mirrored
    assert torch.equal(named[:, inside], copied[:, inside]) and inside.sum() >= 40


def test_what_a_blit_moves_out_a_warp_brings_back(make_images):
    """One map and one resampling: a whole shift and its opposite are no change, at the edges either."""
    x = make_images(1, height=HEIGHT, width=WIDTH)
    there, back = blit_map(blits(right=4, down=-3)).double(), back_map(EYE, torch.tensor([[-4.0, 3]]).double())
    torch.testing.assert_close(resample(x, join_maps(there, back)), x, rtol=0, atol=1e-10)


def resample_by_torch(images, back):
    """The authors' procedure, of torch's own parts: reflect, upsample, sample bilinearly, downsample, both by sym6."""
    height, width = images.shape[2:]
    for _ in range(3):  # as far as any map of the test reaches
        images = pad(images, [images.shape[3] - 1] * 2 + [images.shape[2] - 1] * 2, mode="reflect")
    taps = torch.tensor(SYM6, dtype=torch.float64)
    kernel = taps.outer(taps).expand(images.shape[1], 1, 12, 12)
    fine = 2 * conv_transpose2d(images, kernel, stride=2, groups=images.shape[1])[:, :, 5:-6, 5:-6]
    y, x = torch.meshgrid(torch.arange(-5, 2 * height + 5), torch.arange(-5, 2 * width + 5), indexing="ij")
    places = torch.stack([x - (width - 1), y - (height - 1), torch.full_like(x, 2)]).double() / 2
    found = torch.einsum("nij,jhw->nhwi", back, places)
    # grid_sample's -1 and 1 are the middles of the outermost pixels.
    reach = torch.tensor([fine.shape[3] - 1, fine.shape[2] - 1]) / 4
    sampled = grid_sample(fine, found / reach, align_corners=True)
    return conv2d(sampled, kernel, stride=2, groups=images.shape[1]) / 2


def test_all_maps_at_once_are_one_resampling_of_the_authors_procedure(make_images, make_draws, monkeypatch):
    """Blits and warps as ADA draws them, with p = 1, on the same images and numbers."""
    maps = []
    monkeypatch.setattr(
        "genlab.data.augment.warp.resample", lambda images, back: maps.append(back) or resample(images, back)
    )
    x = make_images(6, 2, 9, 12)
    augmentation = AdaptiveAugment(policy=["geometry", "blit"], target=None, strength=1.0)
    found = augmentation(x, make_draws(6), 0.0)
    assert len(maps) == 1
    torch.testing.assert_close(found, resample_by_torch(x, maps[0]), rtol=0, atol=1e-8)


def waves(x, y):
    """Low frequencies that reflection at pixels 0 and WIDTH - 1, 0 and HEIGHT - 1 continues as they are."""
    x, y = x + (WIDTH - 1) / 2, y + (HEIGHT - 1) / 2
    return torch.cos(pi * 2 * x / (WIDTH - 1)) + torch.cos(pi * 3 * x / (WIDTH - 1)) * torch.cos(pi * y / (HEIGHT - 1))


def from_the_middle():
    y, x = torch.meshgrid(torch.arange(HEIGHT), torch.arange(WIDTH), indexing="ij")
    return torch.stack([x - (WIDTH - 1) / 2, y - (HEIGHT - 1) / 2]).double()


MAPS = {
    "rotation": (turned(-0.7), (0.0, 0.0)),
    "quarter turn": (turned(-pi / 2), (0.0, 0.0)),
    "size": (EYE / 1.3, (0.0, 0.0)),
    "smaller": (EYE * 1.4, (0.0, 0.0)),
    "stretch": (torch.diag_embed(torch.tensor([[1 / 1.2, 1.2]], dtype=torch.float64)), (0.0, 0.0)),
    "shift": (EYE, (2.3, -0.6)),
    "all": (turned(0.3) / 1.2 @ turned(2.0), (-3.1, 4.4)),
}


@pytest.mark.parametrize("name", MAPS)
def test_smooth_images_are_moved_as_functions_are(name):
    """image(p) -> image(back (p - shift)), beyond the edges too; off by what is linear between half pixels.

    As in the authors' code pixel m counts as place 2 m of the finer grid; sym6's centre of mass lies a little beyond.
    """
    back, shift = MAPS[name]
    places, shift = from_the_middle(), torch.tensor([shift], dtype=torch.float64)
    off = (sum(tap * index for index, tap in enumerate(SYM6)) / sum(SYM6) - 5) / 2  # pixels: 0.05
    found = resample(waves(*places)[None, None], back_map(back, shift))
    expected = waves(*(torch.einsum("ij,jhw->ihw", back[0], places + off - shift.view(2, 1, 1)) - off))
    torch.testing.assert_close(found[0, 0], expected, rtol=0, atol=0.03)
    assert (found[0, 0] - expected).square().mean().sqrt() < 0.01


def test_detail_too_fine_for_the_pixels_vanishes():
    """Stripes two and a half pixels wide, half as large: plain interpolation would make coarse stripes of them."""
    stripes = torch.cos(2 * pi / 2.5 * torch.arange(32.0)).expand(1, 1, 32, 32).double()
    found = resample(stripes, back_map(2 * EYE, NOTHING))
    assert stripes.std() > 0.6 and found.std() < 0.1


def test_interpolation_is_bilinear_on_a_torus():
    plane = torch.arange(12.0).view(1, 1, 3, 4)
    plane[..., -1, :], plane[..., -1] = plane[..., 0, :], plane[..., 0]
    rows, columns = torch.tensor([[[0.5, 1.0, 2.0, -0.5]]]), torch.tensor([[[0.25, -1.0, 3.5, 1.0]]])
    expected = [0.5 * (0.25 + 4.25), 4 + 2, 0.5, 0.5 * (1 + 5)]
    assert bilinear(plane, rows, columns).flatten().tolist() == pytest.approx(expected)


def test_resolutions_are_each_others_transpose_inside():
    """Down is up, transposed: what makes the pair orthogonal."""
    options = {"device": torch.device("cpu"), "dtype": torch.float64}
    up, down = upsampler(30, **options), downsampler(30, **options)
    torch.testing.assert_close(down[5:9, 5:33], up[:28, 5:9].T / 2)


def test_gradients_and_second_ones_against_finite_differences(make_images):
    x = make_images(2, 2, 3, 4).requires_grad_()
    back = torch.cat([turned(0.4) / 1.3, turned(2.0) * 1.2])
    shift = torch.tensor([[0.3, -1.2], [2.5, 0.1]], dtype=torch.float64)

    def augmented(pixels):
        return resample(pixels, back_map(back, shift)).tanh()

    assert torch.autograd.gradcheck(augmented, x)
    assert torch.autograd.gradgradcheck(augmented, x)


def test_chances_are_the_papers(make_draws, near, monkeypatch):
    seen = []
    monkeypatch.setattr("genlab.data.augment.warp.resample", lambda images, back: seen.append(back))
    count, strength = 8000, 0.6
    warp(torch.zeros(count, 1, 16, 32).double(), make_draws(count), torch.tensor(strength))
    back, shift = seen[0][:, :, :2], -torch.linalg.solve(seen[0][:, :, :2], seen[0][:, :, 2])
    size = back.det().log2() / -2  # of the image: stretches and turns leave the area as it is
    scaled = size.abs() > 1e-9
    assert near(scaled, strength) and size[scaled].std() == pytest.approx(0.2, rel=0.05)
    similar = (back[:, 0, 0] - back[:, 1, 1]).abs() + (back[:, 0, 1] + back[:, 1, 0]).abs() < 1e-9
    assert near(similar, 1 - strength)  # not stretched
    angles = torch.atan2(back[:, 1, 0], back[:, 0, 0])[similar]
    assert near(angles.abs() > 1e-9, strength)  # one rotation or both
    assert angles[angles.abs() > 1e-9].div(pi).square().mean() == pytest.approx(1 / 3, rel=0.1)  # uniform
    widths = torch.linalg.svdvals(back[~similar]).log2()
    stretch = (widths[:, 0] - widths[:, 1]) / 2
    assert stretch.square().mean().sqrt() == pytest.approx(0.2, rel=0.05)
    moved = shift.abs() > 1e-9
    moves = shift[moved.all(1)]
    assert near(moved.all(1), strength) and near(moved.any(1), strength)
    assert moves.std(0).tolist() == pytest.approx([0.125 * 32, 0.125 * 16], rel=0.05)

"""Maps of colours against closed forms, and against a product of homogeneous matrices as the paper has it."""

from math import log, pi

import pytest
import torch

from genlab.data.augment.colour import recolour, transform_colours


def change(images, luma=1.0, chroma=1.0, hue=0.0, shift=0.0):
    numbers = torch.tensor([luma, chroma, hue, shift], dtype=torch.float64).expand(len(images), -1)
    return transform_colours(images, *numbers.unbind(1))


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_no_change(make_images, channels):
    x = make_images(channels=channels)
    torch.testing.assert_close(change(x), x)


@pytest.mark.parametrize("channels", [1, 2, 3])
def test_brightness_contrast_and_luma_flip(make_images, channels):
    x = make_images(channels=channels)
    torch.testing.assert_close(change(x, shift=0.3), x + 0.3)
    torch.testing.assert_close(change(x, luma=1.7, chroma=1.7), 1.7 * x)
    torch.testing.assert_close(change(x, luma=-1), x - 2 * x.mean(1, keepdim=True))


def test_a_third_of_a_hue_turn_permutes_the_channels(make_images):
    x = make_images()
    found = change(x, hue=2 * pi / 3)
    torch.testing.assert_close(found, x.roll(1, 1))
    torch.testing.assert_close(change(x, hue=4 * pi / 3), x.roll(2, 1))


def test_hue_keeps_luma_and_distance_from_grey(make_images):
    x, found = make_images(), change(make_images(), hue=1.0)
    grey = x.mean(1, keepdim=True)
    torch.testing.assert_close(found.mean(1, keepdim=True), grey)
    torch.testing.assert_close((found - grey).norm(dim=1), (x - grey).norm(dim=1))
    assert (found - x).abs().max() > 0.1


def test_saturation_stretches_the_distance_from_grey(make_images):
    x = make_images()
    grey = x.mean(1, keepdim=True)
    torch.testing.assert_close(change(x, chroma=0), grey.expand_as(x))
    torch.testing.assert_close(change(x, chroma=2), grey + 2 * (x - grey))


def test_grey_images_have_no_hue_and_alpha_stays(make_images):
    x = make_images(channels=1)
    torch.testing.assert_close(change(x, chroma=3, hue=1.0), x)
    x = make_images(channels=4)
    found = change(x, luma=-2, chroma=3, hue=1.0, shift=0.5)
    assert torch.equal(found[:, 3], x[:, 3])
    torch.testing.assert_close(found[:, :3], change(x[:, :3], luma=-2, chroma=3, hue=1.0, shift=0.5))


def homogeneous(linear=None, shift=0.0):
    matrix = torch.eye(4, dtype=torch.float64)
    matrix[:3, :3] = torch.eye(3) if linear is None else linear
    matrix[:3, 3] = shift
    return matrix


def test_the_whole_is_the_papers_product_of_matrices(make_images, make_draws):
    """Brightness, contrast, luma flip, hue, saturation, one after another: figure 23."""
    x, draws, found = make_images(16), make_draws(16), recolour(make_images(16), make_draws(16), torch.tensor(0.7))
    happens = draws.uniform("color/happens", 5) < 0.7
    normal, uniform = draws.normal("color", 3), draws.uniform("color", 2)
    v = torch.full((3,), 3**-0.5, dtype=torch.float64)
    across = torch.tensor([[0.0, -1, 1], [1, 0, -1], [-1, 1, 0]], dtype=torch.float64) / 3**0.5
    eye, grey = torch.eye(3, dtype=torch.float64), torch.outer(v, v)
    for row in range(16):
        brightness, contrast, saturation = normal[row]
        flip, angle = uniform[row]
        matrices = [
            homogeneous(shift=0.2 * brightness),
            homogeneous(eye * torch.exp(0.5 * log(2) * contrast)),
            homogeneous(eye - 2 * grey * (flip < 0.5)),
            homogeneous(torch.linalg.matrix_exp(2 * pi * angle * across)),
            homogeneous(grey + (eye - grey) * 2**saturation),
        ]
        whole = homogeneous()
        for matrix, applies in zip(matrices, happens[row], strict=True):
            whole = matrix @ whole if applies else whole
        pixels = torch.cat([x[row].flatten(1), torch.ones(1, x[row, 0].numel(), dtype=torch.float64)])
        torch.testing.assert_close(found[row].flatten(1), (whole @ pixels)[:3])

import math

import pytest
import torch
from scipy.ndimage import gaussian_filter

from genlab.core.random import Draws
from genlab.data.augment import FadingBlur

DRAWS = Draws((0,), 2, 0, 2, torch.device("cpu"))


@pytest.mark.parametrize(("progress", "left"), [(0.0, 2.5), (0.125, 1.25)])
def test_is_a_gaussian_that_is_halved_at_the_falling_deviation(progress, left):
    """2^-(x/s)^2, cut at 3 s: the code of StyleGAN3. By scipy, whose deviation is s / sqrt(2 log 2)."""
    images = torch.randn(2, 3, 20, 24)
    found = FadingBlur(deviation=2.5, until=0.25)(images, DRAWS, progress)
    own, options = left / math.sqrt(2 * math.log(2)), {"mode": "constant", "radius": math.floor(3 * left)}
    wanted = gaussian_filter(images.double().numpy(), (0, 0, own, own), **options)
    torch.testing.assert_close(found, torch.from_numpy(wanted).float())


def test_it_ends():
    images = torch.randn(2, 1, 8, 8)
    for progress in (0.25, 0.9, 1.0):
        assert FadingBlur(until=0.25)(images, DRAWS, progress) is images
    assert FadingBlur(until=0.0)(images, DRAWS, 0.0) is images


def test_a_blur_wider_than_the_image_leaves_its_size():
    images = torch.randn(2, 1, 8, 8)
    assert FadingBlur()(images, DRAWS, 0.0).shape == images.shape

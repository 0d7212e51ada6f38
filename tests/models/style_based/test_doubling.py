"""Sides that doubling 4 x 4 reaches, and the widths of the maps on the way."""

import pytest

from genlab.core.errors import ConfigError
from genlab.core.spec import Spec
from genlab.models.style_based.growing import doublings_of, widths


@pytest.mark.parametrize(
    ("height", "width", "remedy"),
    [(28, 28, 32), (33, 33, 64), (4, 4, 8), (16, 8, 16), (10, 10, 16), (3, 3, 8), (2048, 2048, 1024)],
)
def test_other_sizes_are_refused_with_one_that_fits(height, width, remedy):
    with pytest.raises(ConfigError, match=f"images of {height}x{width}.*power of two.*data.size={remedy}\\."):
        doublings_of(Spec(1, height, width, images=9))


def test_powers_of_two_are_accepted():
    assert [doublings_of(Spec(1, side, side, images=9)) for side in (8, 16, 64, 1024)] == [1, 2, 4, 8]
    assert widths(Spec(3, 1024, 1024, images=9), 16, 512) == [512, 512, 512, 512, 256, 128, 64, 32, 16]


def test_points_are_no_images():
    with pytest.raises(ConfigError, match="points"):
        doublings_of(Spec(2, None, None, images=9))

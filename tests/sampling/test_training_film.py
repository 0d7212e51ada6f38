"""Films of a training: every grid in order, one size, and a sentence where there is nothing to film."""

import re

import numpy as np
import pytest
import torch
from PIL import Image

import genlab
from genlab.core.errors import ConfigError
from genlab.pictures.sheet import write_png
from genlab.sampling import Progress, Request
from genlab.sampling.training_film import draw_frames, find_grids
from tests.conftest import narrow, saved

SHADES = {0: 10, 5_000: 120, 1_000_000: 240}


@pytest.fixture
def loaded(tmp_path):
    saved(tmp_path, "model=dcgan", *narrow("dcgan"))
    return genlab.load(tmp_path, device="cpu")


def save_grids(folder, *, first_size: int = 500) -> None:
    """Grids of one shade each, and what else training saves beside them."""
    for images, shade in SHADES.items():
        size = 500 if images else first_size
        channels = 3 if images == 5_000 else 1
        words = "_no_prior_was_trained" if images == 5_000 else ""
        write_png(torch.full((channels, size, size), shade).byte(), folder / f"{images:09d}{words}.png")
    for name in ("real", "truncated_0.5"):
        write_png(torch.zeros(1, 500, 500).byte(), folder / f"{name}.png")


def test_a_gif_shows_every_grid_in_order_for_its_seconds(loaded, tmp_path):
    save_grids(tmp_path / "samples", first_size=250)  # as of a network that grows
    film = tmp_path / "film.gif"
    mode = Progress(seconds=0.3)
    mode.check(loaded, Request())
    mode.write(loaded, Request(), film)
    with Image.open(film) as image:
        assert image.n_frames == 3 and image.info["duration"] == 300
        for frame, shade in enumerate(SHADES.values()):
            image.seek(frame)
            pixels = np.array(image.convert("RGB"))
            assert pixels.shape[1] == 500 and pixels.shape[0] > 500 and abs(int(pixels[-9, 9, 0]) - shade) <= 2


def test_frames_are_captioned_and_of_one_size(tmp_path):
    save_grids(tmp_path, first_size=100)
    frames = list(draw_frames(find_grids(tmp_path)))
    assert len({frame.size for frame in frames}) == 1 and {frame.mode for frame in frames} == {"RGB"}
    captions = [np.array(frame)[:20] for frame in frames]
    assert all((caption < 128).any() for caption in captions) and not np.array_equal(captions[0], captions[1])


@pytest.mark.parametrize(
    ("grids", "said"), [(0, "holds no grids of samples"), (1, "holds one grid alone, of 0 images")]
)
def test_too_few_grids_are_a_sentence(loaded, tmp_path, grids, said):
    for number in range(grids):
        write_png(torch.zeros(1, 9, 9).byte(), tmp_path / "samples" / f"{number:09d}.png")
    with pytest.raises(ConfigError, match=f"{said}.*callbacks.grid.every"):
        Progress().check(loaded, Request())
    with pytest.raises(ConfigError, match=re.escape("seed=3: has no effect on mode=progress")):
        Progress().check(loaded, Request(seed=3))


def test_a_damaged_grid_is_named(tmp_path):
    save_grids(tmp_path)
    (tmp_path / "000005000_no_prior_was_trained.png").write_bytes(b"no picture")
    with pytest.raises(ConfigError, match=r"000005000\S*: cannot be read as a picture"):
        list(draw_frames(find_grids(tmp_path)))

"""Moving pictures as players see them."""

import sys

import numpy as np
import pytest
from PIL import Image

from genlab.core.errors import ConfigError
from genlab.sampling.video import pad_to_even, write_gif, write_mp4


def frames(count=4, size=(33, 20)):
    return [Image.new("L", size, 60 * number) for number in range(count)]


def test_a_gif_keeps_grey_levels_and_pace(tmp_path):
    write_gif(iter(frames()), tmp_path / "a.gif", rate=20)
    film = Image.open(tmp_path / "a.gif")
    assert film.info["duration"] == 50 and film.n_frames == 4
    film.seek(2)
    assert (np.asarray(film.convert("L")) == 120).all()


def test_odd_sizes_get_a_border():
    assert pad_to_even(frames()[0]).size == (34, 20)


def test_an_mp4_has_every_frame(tmp_path):
    imageio_ffmpeg = pytest.importorskip("imageio_ffmpeg")
    write_mp4(iter(frames(size=(64, 64))), tmp_path / "a.mp4", rate=10)
    reader = imageio_ffmpeg.read_frames(str(tmp_path / "a.mp4"))
    assert next(reader)["source_size"] == (64, 64)
    levels = [np.frombuffer(frame, np.uint8).mean() for frame in reader]
    assert np.abs(np.array(levels) - [0, 60, 120, 180]).max() < 5


def test_without_ffmpeg_one_message(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)
    with pytest.raises(ConfigError, match=r"genlab\[video\]"):
        write_mp4(iter(frames()), tmp_path / "a.mp4", rate=10)

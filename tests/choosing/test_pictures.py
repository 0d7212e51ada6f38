"""Facts of pictures, read from files of many kinds."""

import numpy as np
import pytest
from PIL import Image

from genlab.choosing.pictures import describe, look_at
from genlab.core.errors import ConfigError

rng = np.random.default_rng(0)


def save(path, mode="RGB", size=(12, 9), **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    channels = {"L": 1, "RGB": 3, "RGBA": 4, "CMYK": 4}[mode]
    pixels = rng.integers(0, 256, (size[1], size[0], channels), dtype=np.uint8)
    Image.fromarray(pixels.squeeze(), mode=mode).save(path, **options)


def test_a_folder_of_everything_is_told_in_one_line(tmp_path):
    for number in range(4):
        save(tmp_path / "猫" / f"фото {number}.JPG", "CMYK", (40, 20 + number))
    save(tmp_path / "été" / "=a,b [1].PNG", "RGBA", (30, 30))
    (tmp_path / "été" / "copy.png").write_bytes((tmp_path / "été" / "=a,b [1].PNG").read_bytes())
    save(tmp_path / "loose.webp", size=(60, 50))
    (tmp_path / "broken.jpg").write_bytes(b"no picture")
    found = look_at(str(tmp_path))
    assert (found.count, found.copies, found.unusable, found.loose) == (7, 1, 1, 2)
    assert (found.classes, found.grey, found.transparent, found.tested) == (["été", "猫"], False, 2, 0)
    assert found.sizes[0] == (40, 20) and found.sizes[-1] == (60, 50) and found.side == 23
    assert "7 pictures to train on, 1 of them copies of others, 40 x 20 to 60 x 50 pixels" in describe(found)


def test_twelve_bits_and_splits_are_found(tmp_path):
    for split in ("train", "test"):
        (tmp_path / split).mkdir()
        for number in range(3):
            scan = rng.integers(0, 4_000, (16, 16), dtype=np.uint16)
            Image.fromarray(scan).save(tmp_path / split / f"{number}.tif")
    found = look_at(str(tmp_path))
    assert (found.count, found.tested, found.grey, found.loose) == (3, 3, True, 0)
    assert look_at(str(tmp_path), limit=2).count == 2
    assert found.depths.keys() == {"16-bit"} and 3_000 < found.depths["16-bit"][1] < 4_000


def test_no_readable_picture_is_a_mistake(tmp_path):
    (tmp_path / "a.png").write_bytes(b"")
    with pytest.raises(ConfigError, match="none of 1 pictures can be read. The first of them, a.png: "):
        look_at(str(tmp_path))
    Image.new("RGB", (1, 1)).save(tmp_path / "a.png")
    with pytest.raises(ConfigError, match="a.png: 1 x 1 pixels, less than 8 a side"):
        look_at(str(tmp_path))

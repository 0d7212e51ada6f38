"""Values beyond 8 bit, signed and floating-point ones: which become black and white, what is said and refused."""

import io
import json
import struct

import numpy as np
import pytest
import torch
from PIL import Image

from genlab.core.errors import ConfigError
from genlab.core.spec import Spec
from genlab.data.sets.folder import Folder
from genlab.data.sets.pairs import Pairs
from genlab.data.sets.unpaired import Unpaired
from genlab.data.storage.file_notes import suggest_range
from genlab.data.storage.image_file import PixelRule, Unusable, read_picture

SOURCE = np.random.default_rng(0)
DEEP = SOURCE.integers(0, 4096, (4, 8, 8)).astype(np.uint16)
DEEP[0, 0, :2] = 0, 4095


def tiff(values: np.ndarray, *, sample_format: int, photometric: int = 1) -> bytes:
    """A TIFF by the letter of the standard (TIFF 6.0, section 8 and 19): one strip, little-endian."""
    height, width = values.shape
    data = values.astype(values.dtype.newbyteorder("<")).tobytes()
    bits = 8 * values.itemsize
    tags = [(256, width), (257, height), (258, bits), (259, 1), (262, photometric), (273, 8), (277, 1), (278, height)]
    tags += [(279, len(data)), (339, sample_format)]
    entries = b"".join(struct.pack("<HHII", tag, 4 if tag in (273, 279) else 3, 1, value) for tag, value in tags)
    return b"II*\0" + struct.pack("<I", 8 + len(data)) + data + struct.pack("<H", len(tags)) + entries + bytes(4)


def png(values: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(values).save(buffer, "PNG")
    return buffer.getvalue()


def folder(path, files: list[bytes], suffix: str = "tif"):
    path.mkdir()
    for number, content in enumerate(files):
        (path / f"{number}.{suffix}").write_bytes(content)
    return str(path)


def mapped(values: np.ndarray, low: float, high: float) -> np.ndarray:
    return ((values.astype(np.float64) - low) / (high - low) * 255).round().clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize(
    ("encode", "values", "limits"),
    [
        (png, DEEP[0], (0, 4095)),
        (lambda values: tiff(values, sample_format=1), DEEP[0], (100, 3000)),
        (lambda values: tiff(values, sample_format=2), DEEP[0].astype(np.int16) - 1000, (-1000, 2000)),
        (lambda values: tiff(values, sample_format=2), (DEEP[0] % 200).astype(np.uint8).view(np.int8), (-100, 90)),
        (lambda values: tiff(values, sample_format=3), DEEP[0].astype(np.float32) / 4095 - 0.5, (-0.5, 0.5)),
        (lambda values: tiff(values, sample_format=2), DEEP[0].astype(np.int32) * 100, (0, 409_500)),
        (png, (DEEP[0] % 16).astype(np.uint8), (0, 15)),
    ],
)
def test_a_range_becomes_black_and_white(encode, values, limits):
    found = read_picture(encode(values), PixelRule(1, range=limits))
    assert np.array_equal(found[0], mapped(values, *limits))


def test_zero_may_be_white():
    found = read_picture(tiff(DEEP[0], sample_format=1, photometric=0), PixelRule(1, range=(0, 4095)))
    assert np.array_equal(found[0], mapped(4095 - DEEP[0].astype(int), 0, 4095))
    shallow = (DEEP[0] // 16).astype(np.uint8)
    assert np.array_equal(read_picture(tiff(shallow, sample_format=1, photometric=0), PixelRule(1))[0], 255 - shallow)


def test_colours_are_stretched_and_alpha_is_not():
    pixels = SOURCE.integers(0, 16, (8, 8, 4), dtype=np.uint8)
    pixels[..., 3] = np.where(np.arange(8) < 4, 255, 0)
    red, _, _, alpha = read_picture(png(pixels), PixelRule(4, range=(0, 15)))
    assert np.array_equal(alpha, pixels[..., 3]) and np.array_equal(red[:, :4], pixels[:, :4, 0] * 17)
    white = read_picture(png(pixels), PixelRule(3, range=(0, 15)))[:, :, 4:]
    assert (white == 255).all()  # composited on white, not on 255 of 15


@pytest.mark.parametrize("low", [-1000, 5])
def test_signed_files_are_refused_whatever_their_sign(tmp_path, low):
    root = folder(tmp_path / "set", [tiff(values.astype(np.int16) + low, sample_format=2) for values in DEEP])
    with pytest.raises(ConfigError, match=r"signed 16-bit values(.|\n)*data\.range=\[-?\d+,\d+\]"):
        Folder(root)
    assert Folder(root, range=(low, 4095 + low)).train.images.max() == 255


def test_no_file_is_chosen_by_its_values(tmp_path):
    values = DEEP.astype(np.int32)
    values[0, 1, 1] = -9
    root = folder(tmp_path / "set", [tiff(picture, sample_format=2) for picture in values])
    with pytest.raises(ConfigError, match=r"32-bit files do not say .* Files hold -9 to 4,095"):
        Folder(root, on_error="skip")


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_values_that_are_no_numbers_are_refused(value):
    with pytest.raises(Unusable, match="not finite"):
        read_picture(tiff(np.full((8, 8), value, np.float32), sample_format=3), PixelRule(1, range=(0, 1)))


def test_twelve_bits_in_sixteen_are_told(tmp_path):
    root = folder(tmp_path / "set", list(map(png, DEEP)), "png")
    dark, data = Folder(root), Folder(root, range=[0, 4095])
    assert "0 to 16 (of 0 to 255); 16-bit files hold 0 to 4,095" in dict(dark.notes.rows)["values"]
    assert "data.range=[0,4095]" in dark.notes.advice[0] and not data.notes.advice
    assert data.fingerprint != dark.fingerprint == Folder(root).fingerprint
    expected = torch.from_numpy(mapped(DEEP, 0, 4095)).sort(0).values
    assert torch.equal(data.train.images[:, 0].sort(0).values, expected)


@pytest.mark.parametrize("limits", [(5, 5), (9, 0), (0, float("nan")), (0, float("inf"))])
def test_ranges_without_values_are_refused(tmp_path, limits):
    root = folder(tmp_path / "set", list(map(png, DEEP)), "png")
    for make in (Folder, Pairs, Unpaired):
        with pytest.raises(ConfigError, match=r"data\.range=.*expected \[LOW,HIGH\]"):
            make(root, range=limits)


@pytest.mark.parametrize("value", [0, 128, 255])
def test_sets_of_one_value_are_refused(tmp_path, value):
    root = folder(tmp_path / "set", [png(np.full((8, 8, 3), value, np.uint8))] * 3, "png")
    with pytest.raises(ConfigError, match=rf"every value of every training picture is {value}"):
        Folder(root)


def test_a_range_that_misses_all_values_is_refused(tmp_path):
    root = folder(tmp_path / "set", list(map(png, DEEP)), "png")
    with pytest.raises(ConfigError, match=r"16-bit files hold 0 to 4,095; data\.range=\[60000,65535\]"):
        Folder(root, range=(60_000, 65_535))


def test_equal_pictures_are_told(tmp_path):
    root = folder(tmp_path / "set", [png((DEEP[0] // 16).astype(np.uint8))] * 3, "png")
    assert Folder(root).notes.advice == ("all 3 training pictures are equal.",)


def test_pairs_and_unpaired_take_a_range(tmp_path):
    roots = [folder(tmp_path / side, list(map(png, DEEP)), "png") for side in "ab"]
    expected = torch.from_numpy(mapped(DEEP, 0, 4095)).sort(0).values
    pairs, unpaired = Pairs(roots, range=(0, 4095)), Unpaired(roots, range=(0, 4095))
    for found in (pairs.train.images, pairs.train.labels, unpaired.train.images, unpaired.other.train.images):
        assert torch.equal(found[:, 0].sort(0).values, expected)
    assert "images 0 to 255, sources 0 to 255" in dict(pairs.notes.rows)["values"]
    for dark in (Pairs(roots), Unpaired(roots)):
        assert "data.range=[0,4095]" in dark.notes.advice[0]
    for data in (pairs, unpaired):  # what a trained run is shown later is read alike
        assert Spec.of(json.loads(json.dumps(data.spec.facts()))) == data.spec and data.spec.value_range == (0, 4095)
    assert Pairs(roots).fingerprint != pairs.fingerprint and Unpaired(roots).fingerprint != unpaired.fingerprint


def test_the_range_in_effect_is_not_suggested():
    full = {"16-bit": [0.0, 65_535.0]}
    assert not suggest_range(full) and not suggest_range({"floating-point": [0.0, 1.0]}, (0.0, 1.0))
    assert "[0,65535]" in suggest_range(full, (0.0, 9.0)) and "[0,4095]" in suggest_range({"16-bit": [0.0, 4095.0]})
    assert "[0,65535]" in suggest_range({"floating-point": [0.0, 65_535.0]})


def test_many_clipped_values_are_told(tmp_path):
    root = folder(tmp_path / "deep", list(map(png, DEEP)), "png")
    share = f"{((DEEP < 2000) | (DEEP > 2400)).mean():.0%}"
    assert f"{share} of the values in the files lie beyond data.range=[2000,2400]" in "".join(
        Folder(root, range=(2000, 2400)).notes.advice
    )
    assert not Folder(root, range=(100, 4000)).notes.advice


def test_files_that_are_dark_beside_those_of_another_depth_are_told(tmp_path):
    root = folder(tmp_path / "both", [*map(png, DEEP), png((DEEP[0] // 16).astype(np.uint8))], "png")
    assert "16-bit files hold 0 to 4,095 of 0 to 65,535 and are dark beside 8-bit" in Folder(root).notes.advice[0]
    assert "8-bit files reach 255 at most and are dark" in Folder(root, range=(0, 4095)).notes.advice[0]

"""From a file to pixels: every mode against its arithmetic, the crop, the resize, and what is refused."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from genlab.data.storage.image_file import PixelRule, Unusable, is_grey, read_picture

RGB, GREY = PixelRule(3), PixelRule(1)
SOURCE = np.random.default_rng(0)
COLOURS = SOURCE.integers(0, 256, (12, 10, 3), dtype=np.uint8)
GREYS = COLOURS[..., 0]


def encoded(image, format="PNG", **options) -> bytes:
    buffer = io.BytesIO()
    (image if isinstance(image, Image.Image) else Image.fromarray(image)).save(buffer, format, **options)
    return buffer.getvalue()


def close(found, expected, tolerance=0):
    assert found.shape == expected.shape and found.dtype == np.uint8
    assert np.abs(found.astype(int) - expected.astype(int)).max() <= tolerance


@pytest.mark.parametrize("format", ["PNG", "BMP", "TIFF", "PPM"])
def test_rgb_comes_out_as_it_went_in(format):
    close(read_picture(encoded(COLOURS, format), RGB), COLOURS.transpose(2, 0, 1))


def test_webp_is_read():
    close(read_picture(encoded(COLOURS, "WEBP", lossless=True), RGB), COLOURS.transpose(2, 0, 1))


def test_grey_to_three_channels_and_back():
    close(read_picture(encoded(GREYS), GREY), GREYS[None])
    close(read_picture(encoded(GREYS), RGB), np.stack([GREYS] * 3))
    luma = COLOURS @ np.array([0.299, 0.587, 0.114])  # ITU-R BT.601
    close(read_picture(encoded(COLOURS), GREY), luma[None].round(), tolerance=1)


def test_transparency_is_composited_on_white():
    alpha = SOURCE.integers(0, 256, (12, 10, 1), dtype=np.uint8)
    share = alpha / 255
    expected = (COLOURS * share + 255 * (1 - share)).round()
    close(read_picture(encoded(np.concatenate([COLOURS, alpha], 2)), RGB), expected.transpose(2, 0, 1), tolerance=1)
    grey = Image.merge("LA", [Image.fromarray(GREYS), Image.fromarray(alpha[..., 0])])
    expected = (GREYS * share[..., 0] + 255 * (1 - share[..., 0])).round()
    close(read_picture(encoded(grey), GREY), expected[None], tolerance=1)


def palette_picture() -> Image.Image:
    image = Image.fromarray((np.arange(120) % 4).astype(np.uint8).reshape(12, 10), "P")
    image.putpalette([255, 0, 0, 0, 255, 0, 0, 0, 255, 10, 20, 30])
    return image


def test_palettes_are_looked_up():
    found = read_picture(encoded(palette_picture()), RGB)
    assert found[:, 0, :4].T.tolist() == [[255, 0, 0], [0, 255, 0], [0, 0, 255], [10, 20, 30]]


def test_a_transparent_palette_entry_is_white():
    found = read_picture(encoded(palette_picture(), transparency=1), RGB)
    assert found[:, 0, :4].T.tolist() == [[255, 0, 0], [255, 255, 255], [0, 0, 255], [10, 20, 30]]


def test_a_transparent_grey_or_colour_is_white():
    greys, colours = GREYS.copy(), COLOURS.copy()
    greys[0, 0], colours[0, 0] = 7, (1, 2, 3)
    assert read_picture(encoded(greys, transparency=7), GREY)[0, 0, 0] == 255
    assert read_picture(encoded(colours, transparency=(1, 2, 3)), RGB)[:, 0, 0].tolist() == [255] * 3


@pytest.mark.parametrize("format", ["PNG", "TIFF"])
def test_sixteen_bit_is_scaled(format):
    deep = SOURCE.integers(0, 65_536, (12, 10)).astype(np.uint16)
    deep[0, :3] = 0, 65_535, 257
    found = read_picture(encoded(deep, format), GREY)
    close(found, (deep / 257).round()[None])
    assert found[0, 0, :3].tolist() == [0, 255, 1]


def test_sixteen_bit_held_in_integers():
    close(read_picture(encoded((GREYS * np.int32(257)), "TIFF"), GREY), GREYS[None])


@pytest.mark.parametrize(
    ("pixels", "reason"),
    [(np.full((9, 9), 1 << 17, np.int32), "16 bit"), (np.zeros((9, 9), np.float32), "floating-point")],
)
def test_deeper_pixels_are_refused(pixels, reason):
    with pytest.raises(Unusable, match=reason):
        read_picture(encoded(pixels, "TIFF"), GREY)


def test_one_bit_is_black_and_white():
    bits = Image.fromarray(GREYS).point(lambda value: 255 * (value > 127)).convert("1")
    close(read_picture(encoded(bits), GREY), (255 * (GREYS > 127))[None])


def test_cmyk_becomes_rgb():
    red = Image.new("RGB", (16, 16), (255, 0, 0)).convert("CMYK")
    expected = np.broadcast_to(np.array([255, 0, 0])[:, None, None], (3, 16, 16))
    close(read_picture(encoded(red, "JPEG", quality=95), RGB), expected, tolerance=6)


def test_of_an_animation_the_first_picture_counts():
    frames = [Image.new("RGB", (9, 9), colour) for colour in ("blue", "red")]
    found = read_picture(encoded(frames[0], "GIF", save_all=True, append_images=frames[1:]), RGB)
    assert found[:, 4, 4].tolist() == [0, 0, 255]


@pytest.mark.parametrize(
    ("orientation", "turn"),
    [
        (2, lambda a: a[:, ::-1]),
        (3, lambda a: np.rot90(a, 2)),
        (6, lambda a: np.rot90(a, -1)),
        (8, np.rot90),
    ],
)
def test_pictures_are_turned_upright(orientation, turn):
    exif = Image.Exif()
    exif[0x0112] = orientation
    close(read_picture(encoded(GREYS, exif=exif), GREY), turn(GREYS)[None])


def test_invalid_exif_is_ignored():
    close(read_picture(encoded(GREYS, exif=b"Exif\0\0what is this"), GREY), GREYS[None])


@pytest.mark.parametrize("size", [4, 8, 20])
@pytest.mark.parametrize("upright", [False, True])
def test_the_centred_square_is_kept(size, upright):
    bands = np.zeros((8, 16, 3), np.uint8)
    bands[:, :4, 0], bands[:, 4:12, 1], bands[:, 12:, 2] = 255, 200, 255  # red, green, blue
    found = read_picture(encoded(bands.transpose(1, 0, 2) if upright else bands), PixelRule(3, size))
    expected = np.broadcast_to(np.array([0, 200, 0])[:, None, None], (3, size, size))
    close(found, expected)


def test_an_odd_remainder_is_left_at_the_right():
    columns = np.tile(np.arange(11, dtype=np.uint8), (8, 1))
    close(read_picture(encoded(columns), PixelRule(1, 8)), columns[None, :, 1:9])


def test_a_crop_of_its_own_size_comes_before_the_resize():
    found = read_picture(encoded(GREYS), PixelRule(1, crop=8))
    close(found, GREYS[None, 2:10, 1:9])
    assert read_picture(encoded(GREYS), PixelRule(1, size=16, crop=8)).shape == (1, 16, 16)


def test_a_crop_beyond_the_picture_is_refused():
    with pytest.raises(Unusable, match="10 x 12 pixels, less than the crop of 11"):
        read_picture(encoded(GREYS), PixelRule(1, crop=11))


def test_resizing_is_antialiased():
    board = np.kron(np.ones((32, 32)), [[0, 1], [1, 0]]).astype(np.uint8) * 255
    inner = read_picture(encoded(board), PixelRule(1, 16))[0, 2:-2, 2:-2].astype(int)
    assert np.abs(inner - 127.5).max() < 3


def test_greyness_is_read_from_the_header():
    assert is_grey(encoded(GREYS)) and is_grey(encoded(GREYS.astype(np.uint16)))
    assert not is_grey(encoded(COLOURS)) and not is_grey(encoded(palette_picture()))


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def header(width, height) -> bytes:
    """A PNG that promises so many pixels, and has a few."""
    size = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", size) + chunk(b"IDAT", zlib.compress(bytes(100)))


BAD = {
    "rubbish": (b"not an image", "no image"),
    "script": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "no image"),
    "header only": (header(20, 20), "truncated or corrupt"),
    "cut png": (encoded(SOURCE.integers(0, 256, (40, 40, 3), dtype=np.uint8))[:-900], "truncated or corrupt"),
    "cut jpeg": (encoded(SOURCE.integers(0, 256, (40, 40, 3), dtype=np.uint8), "JPEG")[:-300], "truncated or corrupt"),
    "tiny": (encoded(COLOURS[:7]), "10 x 7 pixels, less than 8"),
    "large": (header(10_000, 10_000), "10000 x 10000 pixels, more than 33,554,432"),
    "bomb": (header(60_000, 60_000), "more than 33,554,432"),
}


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize("name", BAD)
def test_files_that_give_no_picture_say_why(name):
    content, reason = BAD[name]
    with pytest.raises(Unusable, match=reason):
        read_picture(content, RGB)


def test_alpha_is_kept_where_four_channels_are_asked_for() -> None:
    pixels = np.full((16, 16, 4), (200, 100, 50, 255), np.uint8)
    pixels[:, 8:, 3] = 0
    found = read_picture(encoded(pixels), PixelRule(4))
    assert found[:, 0, 0].tolist() == [200, 100, 50, 255]
    assert found[:, 0, 15].tolist() == [0, 0, 0, 0]
    assert read_picture(encoded(pixels[..., :3]), PixelRule(4))[3].min() == 255


def test_resizing_mixes_no_colour_that_nobody_sees_into_those_that_are_seen() -> None:
    pixels = np.full((32, 32, 4), (200, 200, 200, 255), np.uint8)
    pixels[:, 16:] = (255, 0, 0, 0)
    red, green, _, alpha = read_picture(encoded(pixels), PixelRule(4, 8)).astype(int)
    seen = alpha > 20
    assert seen[:, :4].all()
    assert abs(red[seen] - 200).max() < 12  # what 8 bit leave of a colour that was divided by a small alpha
    assert abs(red[seen] - green[seen]).max() < 3


def test_a_large_photo_is_decoded_at_half_its_sides():
    buffer = io.BytesIO()
    Image.linear_gradient("L").resize((6_200, 6_000)).save(buffer, "JPEG")
    photo = buffer.getvalue()
    expected = np.asarray(
        Image.linear_gradient("L").resize((6_200, 6_000)).crop((100, 0, 6_100, 6_000)).resize((16, 16))
    )
    assert abs(read_picture(photo, PixelRule(1, 16))[0].astype(int) - expected).max() <= 2
    for rule in (PixelRule(1, 3_001), PixelRule(1), PixelRule(1, 16, crop=6_000)):
        with pytest.raises(Unusable, match="6200 x 6000 pixels, more than 33,554,432"):
            read_picture(photo, rule)

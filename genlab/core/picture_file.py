"""Opens picture files, whoever made them: of a list of formats, and of bounded bytes and pixels. Imports Pillow."""

import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from PIL import Image

Image.init()  # or Pillow knows no formats by name
FORMATS: list[str] = [  # alone: other readers may start programs, as that of EPS starts Ghostscript
    name for name in ("PNG", "JPEG", "BMP", "GIF", "WEBP", "TIFF", "PPM", "AVIF") if name in Image.OPEN
]
MAX_BYTES = 2**27  # of a file
MAX_PIXELS = 2**25  # of a picture that becomes data: decoding takes up to 12 bytes for each
MAX_HALVED = 2**26  # of a photo, decoded at half its sides: 6 bytes for each where it is progressive


class Unusable(Exception):
    """A file cannot be used as a picture, for the reason in the message."""


class Unidentified(Unusable):
    """A file is no picture in a format of the list."""


def open_picture(encoded: bytes, most: int = MAX_PIXELS, size: int | None = None) -> Image.Image:
    """Open a file by its header; nothing is decoded. Raises Unusable for other formats, and beyond `most` pixels.

    A larger photo is halved if it is going to be resized to `size` pixels a side.
    """
    try:
        image = Image.open(io.BytesIO(encoded), formats=FORMATS)
    except Image.UnidentifiedImageError as error:
        raise Unidentified("no image in a format that is read here, or a damaged one") from error
    except Image.DecompressionBombError as error:
        raise Unusable(f"more than {most:,} pixels: {error}") from error
    width, height = image.size
    if width * height > most and not (size and halve(image, size)):
        raise Unusable(f"{width} x {height} pixels, more than {most:,} in all")
    return image


def halve(image: Image.Image, size: int) -> bool:
    """Let a JPEG be decoded at half its sides; return False if it is none, too large, or half is less than `size`."""
    width, height = image.size
    photo = image.format == "JPEG" and image.mode in ("L", "RGB") and width * height <= MAX_HALVED
    return photo and min(width, height) >= 2 * size and image.draft(image.mode, (width // 2, height // 2)) is not None


class Budget:
    """Lets threads take amounts whose sum stays within a limit; others wait. One that takes more is alone."""

    def __init__(self, limit: int) -> None:
        self.limit = self.left = limit
        self.changed = threading.Condition()

    @contextmanager
    def take(self, amount: int) -> Iterator[None]:
        amount = min(amount, self.limit)
        with self.changed:
            self.changed.wait_for(lambda: self.left >= amount)
            self.left -= amount
        try:
            yield
        finally:
            with self.changed:
                self.left += amount
                self.changed.notify_all()


BYTES, PIXELS = Budget(MAX_BYTES), Budget(MAX_PIXELS)  # of the pictures that are decoded at the same time

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


class Unusable(Exception):
    """A file cannot be used as a picture, for the reason in the message."""


class Unidentified(Unusable):
    """A file is no picture in a format of the list."""


def open_picture(encoded: bytes, most: int = MAX_PIXELS) -> Image.Image:
    """Open a file by its header; nothing is decoded. Raises Unusable for other formats, and beyond `most` pixels."""
    try:
        image = Image.open(io.BytesIO(encoded), formats=FORMATS)
    except Image.UnidentifiedImageError as error:
        raise Unidentified("no image in a format that is read here, or a damaged one") from error
    except Image.DecompressionBombError as error:
        raise Unusable(f"more than {most:,} pixels: {error}") from error
    width, height = image.size
    if width * height > most:
        raise Unusable(f"{width} x {height} pixels, more than {most:,} in all")
    return image


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

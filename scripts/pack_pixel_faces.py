"""Pack pixel faces and their attributes into the one file that `data=pixel_faces` reads.

python scripts/pack_pixel_faces.py PICTURES.zip ATTRIBUTES.csv

The zip holds train/NUMBER.png and test/NUMBER.png; the table has a row NAME,0,1,... for each, in the order of
`genlab.data.sets.pixel_faces.ATTRIBUTES`. The SHA-256 that it prints is the one that every load checks.
"""

import csv
import hashlib
import io
import lzma
import sys
import zipfile

import numpy as np
from PIL import Image

from genlab.data.sets.pixel_faces import ATTRIBUTES, BUNDLED, TEST_IMAGES, TRAINING_IMAGES


def main(pictures: str, attributes: str) -> None:
    rows = read_table(attributes)
    if len(rows) != TRAINING_IMAGES + TEST_IMAGES:
        sys.exit(f"{attributes}: {len(rows)} rows; expected {TRAINING_IMAGES} of train/ and {TEST_IMAGES} of test/.")
    names = sorted(rows, key=lambda name: (name.startswith("test/"), name))
    with zipfile.ZipFile(pictures) as archive:
        pixels = np.stack([read_picture(archive.read(name)) for name in names])
    content = pixels.tobytes() + np.array([rows[name] for name in names], np.uint8).tobytes()
    BUNDLED.write_bytes(lzma.compress(content, preset=9 | lzma.PRESET_EXTREME))
    print(f"wrote {BUNDLED}: {BUNDLED.stat().st_size:,} bytes; SHA-256 of the content {sha256(content)}")
    print(f"SHA-256 of the file {sha256(BUNDLED.read_bytes())}")


def read_table(path: str) -> dict[str, list[int]]:
    """Return the attributes of every picture by its name. Exits for a table of others."""
    with open(path, newline="") as file:
        heading, *rows = csv.reader(file)
    if tuple(heading[1:]) != ATTRIBUTES:
        sys.exit(f"{path}: the columns are {heading[1:]}; expected {list(ATTRIBUTES)}.")
    return {name: [*map(int, values)] for name, *values in rows}


def read_picture(content: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


if __name__ == "__main__":
    main(*sys.argv[1:])

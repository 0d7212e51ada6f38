"""Pixel faces: drawn faces in colour with seven attributes, bundled as one file of bytes."""

import hashlib
import lzma
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from genlab.core.condition import Attributes
from genlab.core.errors import ConfigError
from genlab.core.foreign_files import open_regular
from genlab.core.types import Count, Side, Whole
from genlab.core.words import Words, encode_texts
from genlab.data.sizes import fit_size
from genlab.data.storage.cache import Table
from genlab.data.storage.cached_set import CachedSet
from genlab.data.tasks import TaskChoice

BUNDLED = Path(__file__).parents[1] / "files" / "pixel_faces" / "pixel_faces.xz"
SHA256 = "059c00d01266a88d181444c05079de6074e18bbdd3261aad7a93bcfb4f2043d6"  # of the unpacked file
SIDE = 32
TRAINING_IMAGES, TEST_IMAGES = 10_000, 2_000
ATTRIBUTES = ("glasses", "dark_glasses", "hat", "long_hair", "beard", "earrings", "smile")
CONDITION = Attributes(len(ATTRIBUTES), ATTRIBUTES, implies=(("dark_glasses", "glasses"),))
PLAIN = "plain"  # the word for a face without any attribute
VOCABULARY = tuple(sorted({*" ".join(ATTRIBUTES).replace("_", " ").split(), PLAIN}))
MAX_WORDS = 8  # of one image: dark glasses, hat, long hair, beard, earrings, smile


class PixelFaces(CachedSet):
    """10,000 training and 2,000 test faces, uint8 [N, 3, size, size]; attributes float32 [N, 7] in {0, 1}.

    Drawn at random from the parts of a set of pixel art (its README says which). Dark glasses are glasses too. A
    `size` other than 32 is a resize with antialiased bilinear filtering, rounded back to 8 bit.

    Raises ConfigError if the file is damaged, or if `limit` or `holdout` leave too few images.
    """

    def __init__(
        self,
        *,
        size: Side | None = None,  # pixels a side; null: 32
        limit: Count | None = None,  # train on the first N images only
        holdout: Whole = 0,  # keep the last N training images from training
        flip: bool = False,  # mirror half of the training images
        task: TaskChoice | None = None,  # makes a source of every image
        words: bool = False,  # condition on the attributes' words instead of numbers
    ) -> None:
        table = read_table(size)
        if words:
            table = table._replace(labels=captions(table.labels))
        options = {"condition": Words(VOCABULARY, MAX_WORDS) if words else CONDITION, "flip": flip, "task": task}
        super().__init__(table, name="pixel_faces", limit=limit, holdout=holdout, **options)


class TwoKindsOfPixelFaces(CachedSet):
    """Pixel faces with an attribute, to be made from those without it, which are `other`: no face is in both.

    The attributes remain as labels, which only scores use. Raises ConfigError as `PixelFaces` does, `limit` and
    `holdout` being those of either kind, and for an unknown attribute.
    """

    def __init__(
        self,
        attribute: str = "glasses",
        *,
        direction: Literal["add", "remove"] = "add",  # remove: faces without the attribute are made from those with it
        size: Side | None = None,  # pixels a side; null: 32
        limit: Count | None = None,  # train on the first N images of either kind only
        holdout: Whole = 0,  # keep the last N training images of either kind from training
        flip: bool = False,  # mirror half of the training images
    ) -> None:
        if attribute not in ATTRIBUTES:
            raise ConfigError(f"data.attribute={attribute}: expected one of {', '.join(ATTRIBUTES)}.")
        table, options = read_table(size), {"limit": limit, "holdout": holdout, "flip": flip, "condition": CONDITION}
        has = table.labels[:, ATTRIBUTES.index(attribute)] == (direction == "add")
        names = [f"pixel_faces_{how}_{attribute}" for how in ("with", "without")][:: 1 if direction == "add" else -1]
        other = CachedSet(select_rows(table, ~has), name=names[1], **options)
        super().__init__(select_rows(table, has), name=names[0], other=other, aligned=False, **options)


def select_rows(table: Table, chosen: Tensor) -> Table:
    """Return the rows where `chosen` [N] is true."""
    training = int(chosen[: table.facts["splits"]["train"]].sum())
    key = hashlib.sha256(table.key.encode())
    key.update(chosen.numpy())
    return Table(
        key=key.hexdigest(),
        images=table.images[chosen],
        labels=table.labels[chosen],
        facts={"splits": {"train": training, "test": int(chosen.sum()) - training}},
    )


def read_table(size: int | None = None) -> Table:
    """Return all faces, those to train on first, with their attributes."""
    content = np.frombuffer(read_content(), np.uint8)
    count = TRAINING_IMAGES + TEST_IMAGES
    pixels, attributes = np.split(content, [count * SIDE * SIDE * 3])
    images = torch.from_numpy(pixels.reshape(count, SIDE, SIDE, 3).transpose(0, 3, 1, 2).copy())
    return Table(
        key=hashlib.sha256(f"{SHA256} {size or SIDE}".encode()).hexdigest(),
        images=fit_size(images, size),
        labels=torch.from_numpy(attributes.reshape(count, len(ATTRIBUTES)).astype(np.float32)),
        facts={"splits": {"train": TRAINING_IMAGES, "test": TEST_IMAGES}},
    )


def read_content() -> bytes:
    """Return the verified bytes of all pictures, [N, 32, 32, 3], and then of their attributes, [N, 7]."""
    expected = (TRAINING_IMAGES + TEST_IMAGES) * (SIDE * SIDE * 3 + len(ATTRIBUTES))
    try:
        with open_regular(BUNDLED) as packed, lzma.open(packed) as file:
            content = file.read(expected)
    except (OSError, EOFError, lzma.LZMAError) as error:
        raise damage_error(f"it cannot be unpacked ({error})") from error
    if hashlib.sha256(content).hexdigest() != SHA256:
        raise damage_error("its content is not that of the pixel faces (SHA-256 differs)")
    return content


def damage_error(reason: str) -> ConfigError:
    return ConfigError(f"{BUNDLED}: {reason}. It comes with genlab: install genlab again.")


def captions(attributes: Tensor) -> Tensor:
    """Return words int64 [N, 8] of attributes [N, 7], such as `dark glasses long hair`; `plain` for none."""
    return encode_texts([caption(row) for row in attributes.tolist()], VOCABULARY, MAX_WORDS)


def caption(row: list[float]) -> str:
    named = [name for name, value in zip(ATTRIBUTES, row, strict=True) if value]
    said = named[1:] if ATTRIBUTES[1] in named else named  # dark glasses say that they are glasses
    return " ".join(said).replace("_", " ") or PLAIN

"""Films of a training, from the grids of fixed noise that it saved."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, NamedTuple

import numpy as np
import torch

from genlab.core.errors import ConfigError
from genlab.core.foreign_files import read_bytes
from genlab.core.types import Seconds
from genlab.pictures.sheet import as_pil, caption_columns
from genlab.sampling.loaded_run import Loaded
from genlab.sampling.mode import Mode, Request
from genlab.sampling.video import write_gif, write_mp4

if TYPE_CHECKING:
    from PIL import Image

MP4_RATE = 20  # frames a second, of which a grid takes several: players stumble over fewer


class SavedGrid(NamedTuple):
    images: int  # shown in training when it was drawn
    path: Path


class Progress(Mode):
    """Film the training as a GIF or MP4: the grids in the run's samples/, in order, with the images shown so far.

    Smaller grids, as of networks that grow, are enlarged to the largest by repeating pixels.
    Raises ConfigError for fewer than two grids.
    """

    suffixes: ClassVar[tuple[str, ...]] = (".gif", ".mp4")
    points: ClassVar[bool] = True
    takes: ClassVar[frozenset[str]] = frozenset()
    uses_model: ClassVar[bool] = False

    def __init__(self, *, seconds: Seconds = 0.5) -> None:  # that a grid is shown for
        self.seconds = seconds

    def check(self, loaded: Loaded, request: Request) -> None:
        super().check(loaded, request)
        folder = loaded.run.run_dir / "samples"
        grids = find_grids(folder)
        if len(grids) < 2:
            there = f"one grid alone, of {grids[0].images:,} images" if grids else "no grids of samples"
            raise ConfigError(
                f"{folder}: holds {there}, and a film needs two or more. Training saves one every "
                "callbacks.grid.every images: train on, or train another run with a smaller one."
            )

    def write(self, loaded: Loaded, request: Request, path: Path) -> None:
        frames = draw_frames(find_grids(loaded.run.run_dir / "samples"))
        if path.suffix.lower() == ".gif":
            return write_gif(frames, path, rate=1 / self.seconds)
        repeats = max(1, round(self.seconds * MP4_RATE))
        write_mp4((frame for frame in frames for _ in range(repeats)), path, rate=MP4_RATE)


def find_grids(folder: Path) -> list[SavedGrid]:
    """Return the grids that training saved as IMAGES.png or IMAGES_WORDS.png, in the order of training."""
    named = ((re.fullmatch(r"(\d{1,18})(_.*)?\.png", path.name), path) for path in folder.glob("*.png"))
    return sorted(SavedGrid(int(match.group(1)), path) for match, path in named if match)


def draw_frames(grids: list[SavedGrid]) -> "Iterator[Image.Image]":
    """Yield a captioned RGB frame for each grid, all of the largest one's size."""
    from PIL import Image

    sizes = [open_grid(grid.path).size for grid in grids]
    size = max(width for width, _ in sizes), max(height for _, height in sizes)
    for grid in grids:
        frame = open_grid(grid.path).convert("RGB").resize(size, Image.Resampling.NEAREST)
        picture = torch.from_numpy(np.array(frame)).permute(2, 0, 1)
        yield as_pil(caption_columns(picture, [f"{grid.images:,} images"]))


def open_grid(path: Path) -> "Image.Image":
    """Open a picture. Raises ConfigError for a file that is none."""
    from genlab.core.picture_file import open_picture  # Pillow takes a moment to load

    try:
        image = open_picture(read_bytes(path))
        image.load()
    except Exception as error:  # Pillow raises many kinds for damaged files
        raise ConfigError(f"{path}: cannot be read as a picture ({error}). Remove it, and film the others.") from error
    return image

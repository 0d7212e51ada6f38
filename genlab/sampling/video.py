"""Films as GIF and MP4 files."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from genlab.core.errors import ConfigError

if TYPE_CHECKING:
    from PIL import Image


def write_gif(frames: Iterable[Image.Image], path: Path, *, rate: float) -> None:
    """Write an endless GIF at `rate` frames a second; a frame lasts whole hundredths of a second, at least two."""
    first, *others = frames
    pause = max(2, round(100 / rate)) * 10
    first.save(path, format="gif", save_all=True, append_images=others, duration=pause, loop=0)


def write_mp4(frames: Iterable[Image.Image], path: Path, *, rate: int) -> None:
    """Write H.264. Raises ConfigError without imageio-ffmpeg, which contains ffmpeg."""
    try:
        import imageio_ffmpeg
    except ImportError as error:
        raise ConfigError(
            f'to={path.name}: an MP4 needs imageio-ffmpeg: pip install "genlab[video]". Or write a GIF: to=FILE.gif.'
        ) from error
    writer = None
    for frame in frames:
        picture = pad_to_even(frame)
        if writer is None:
            writer = imageio_ffmpeg.write_frames(str(path), picture.size, fps=rate, macro_block_size=2)
            writer.send(None)
        writer.send(picture.tobytes())
    writer.close()


def pad_to_even(frame: Image.Image) -> Image.Image:
    """Return an RGB frame with even sides, as H.264 needs; a black row or column is added where one is missing."""
    from PIL import ImageOps

    width, height = frame.size
    return ImageOps.expand(frame.convert("RGB"), (0, 0, width % 2, height % 2))

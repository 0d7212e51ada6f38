"""Moving pictures."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from genlab.core.errors import ConfigError

if TYPE_CHECKING:
    from PIL import Image


def write_gif(frames: Iterable[Image.Image], path: Path, *, rate: int) -> None:
    """For ever from the start again. `rate`: frames a second; a GIF counts in hundredths of a second, from 2 on."""
    first, *others = frames
    pause = max(2, round(100 / rate)) * 10
    first.save(path, format="gif", save_all=True, append_images=others, duration=pause, loop=0)


def write_mp4(frames: Iterable[Image.Image], path: Path, *, rate: int) -> None:
    """H.264. Raises ConfigError without imageio-ffmpeg, which brings its own ffmpeg."""
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
    """RGB; with a black row or column more where H.264 would not take it."""
    from PIL import ImageOps

    width, height = frame.size
    return ImageOps.expand(frame.convert("RGB"), (0, 0, width % 2, height % 2))

"""What every mode of `genlab.sample` shares."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from genlab.core.errors import ConfigError
from genlab.models.latent_contract import Interpolates
from genlab.pictures.sheet import as_pil, write_png
from genlab.sampling.conditions import key_of
from genlab.sampling.video import write_gif, write_mp4

if TYPE_CHECKING:
    from torch import Tensor

    from genlab.sampling.loaded_run import Loaded


@dataclass(frozen=True)
class Asked:
    """What the user said of the samples, whatever is made of them."""

    seed: int | None = None  # None: the run's own
    classes: int | Sequence[int] | str | Sequence[str] | Tensor | None = None  # or texts, in turn; None: all there are

    @property
    def options(self) -> dict:
        return {"seed": self.seed, "classes": self.classes}


class Mode:
    """One thing to do with a trained run; it says what it needs, and writes a file."""

    suffixes: ClassVar[tuple[str, ...]] = (".png",)  # of files that it can write, the usual one first; "": a folder
    real: ClassVar[bool | None] = False  # does it need the run's data? None: uses them if they are there
    points: ClassVar[bool] = False  # does it work for points too?
    takes: ClassVar[frozenset[str]] = frozenset({"seed", "classes"})  # empty: it draws no samples

    @property
    def name(self) -> str:
        return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", type(self).__name__).lower()

    def check(self, loaded: Loaded, asked: Asked) -> None:
        """Raises ConfigError for what would have no effect or no meaning."""
        if loaded.points and not self.points:
            raise ConfigError(
                f"mode={self.name}: is for images, and this run made points. "
                "Points take mode=grid, mode=reconstruct where there is an encoder, and mode=save to=FILE.npz."
            )
        for key in ("seed", "classes"):
            if getattr(asked, key) is not None and key not in self.takes:
                said = key_of(asked.classes) if key == "classes" else key
                raise ConfigError(f"{said}={getattr(asked, key)}: has no effect on mode={self.name}. Leave it out.")

    def write(self, loaded: Loaded, asked: Asked, path: Path) -> None:
        raise NotImplementedError


class Picture(Mode):
    """A PNG."""

    def draw(self, loaded: Loaded, asked: Asked) -> Tensor:
        """uint8 [1, 3 or 4, H, W]."""
        raise NotImplementedError

    def write(self, loaded: Loaded, asked: Asked, path: Path) -> None:
        write_png(self.draw(loaded, asked), path)


class Film(Mode):
    """A GIF or MP4, or the same paths as rows of a PNG. Raises ConfigError for latents that nothing lies between."""

    suffixes: ClassVar[tuple[str, ...]] = (".gif", ".mp4", ".png")

    def __init__(self, rate: int) -> None:
        self.rate = rate  # frames a second

    def check(self, loaded: Loaded, asked: Asked) -> None:
        super().check(loaded, asked)
        if not isinstance(loaded.run.model.latent, Interpolates):
            raise ConfigError(f"mode={self.name}: nothing lies between two of this model's latents.")

    def frames(self, loaded: Loaded, asked: Asked) -> Iterator[Tensor]:
        """uint8 [1, 3 or 4, H, W] each."""
        raise NotImplementedError

    def strips(self, loaded: Loaded, asked: Asked) -> Tensor:
        """uint8 [1, 3 or 4, H, W]."""
        raise NotImplementedError

    def write(self, loaded: Loaded, asked: Asked, path: Path) -> None:
        writer = {".gif": write_gif, ".mp4": write_mp4}.get(path.suffix.lower())
        if writer is None:
            write_png(self.strips(loaded, asked), path)
        else:
            writer(map(as_pil, self.frames(loaded, asked)), path, rate=self.rate)

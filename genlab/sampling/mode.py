"""The base classes of the modes of `genlab.sample`."""

import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from torch import Tensor

from genlab.core.errors import ConfigError
from genlab.models.latent_contract import Interpolates
from genlab.pictures.sheet import as_pil, write_png
from genlab.sampling.conditions import Classes, as_asked
from genlab.sampling.loaded_run import Loaded
from genlab.sampling.video import write_gif, write_mp4


@dataclass(frozen=True)
class Request:
    """The samples that a user asks for, in any mode."""

    seed: int | None = None  # None: the run's own
    classes: Classes = None  # numbers, names, texts, or labels as a tensor, in turn; None: all there are

    @property
    def options(self) -> dict:
        return {"seed": self.seed, "classes": self.classes}


class Mode:
    """A use of a trained run that writes a file."""

    suffixes: ClassVar[tuple[str, ...]] = (".png",)  # of the files it writes, the default first; "": a folder
    real: ClassVar[bool | None] = False  # whether it needs the run's data; None: uses them if available
    points: ClassVar[bool] = False  # whether it works for points too
    takes: ClassVar[frozenset[str]] = frozenset({"seed", "classes"})  # of the request; empty: it draws no samples
    uses_model: ClassVar[bool] = True  # False: it shows what training saved, whatever the checkpoint

    @property
    def name(self) -> str:
        return name_of(type(self))

    def ignored_arguments(self, suffix: str) -> tuple[str, ...]:
        """Return the names of arguments without effect on files with this suffix."""
        return ()

    def check(self, loaded: Loaded, request: Request) -> None:
        """Raise ConfigError if the run cannot serve this mode or part of the request has no effect on it."""
        if loaded.points and not self.points:
            raise ConfigError(
                f"mode={self.name}: is for images, and this run made points. "
                "Points take mode=grid, mode=reconstruct where there is an encoder, and mode=save to=FILE.npz."
            )
        said = {"seed": f"seed={request.seed}", "classes": str(as_asked(request.classes))}
        for key in ("seed", "classes"):
            if getattr(request, key) is not None and key not in self.takes:
                raise ConfigError(
                    f"{said[key]}: has no effect on mode={self.name}. Leave it out, or choose a mode that uses it: "
                    f"{modes_that_use(key)}."
                )

    def refuse_ignored(self, path: Path) -> None:
        """Raise ConfigError for an argument that was set and has no effect on such a file."""
        parameters = inspect.signature(type(self).__init__).parameters
        for name in self.ignored_arguments(path.suffix.lower()):
            value = getattr(self, name)
            if value != parameters[name].default:
                others = " or ".join(f"to=FILE{suffix}" for suffix in self.suffixes if suffix != path.suffix)
                raise ConfigError(f"mode.{name}={value}: has no effect on {path.suffix} files. Write {others} instead.")

    def write(self, loaded: Loaded, request: Request, path: Path) -> None:
        raise NotImplementedError


def name_of(mode: type[Mode]) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", mode.__name__).lower()


def modes_that_use(key: str, base: type[Mode] = Mode) -> str:
    """Return the modes, as they are typed, that use a part of the request or take an argument."""
    kinds = base.__subclasses__()
    if kinds:
        return ", ".join(filter(None, (modes_that_use(key, kind) for kind in kinds)))
    is_used = key in base.takes or key in inspect.signature(base.__init__).parameters
    return f"mode={name_of(base)}" if is_used else ""


class Picture(Mode):
    """A mode that draws one PNG."""

    def draw(self, loaded: Loaded, request: Request) -> Tensor:
        """Return the picture, uint8 [1, 3 or 4, H, W]."""
        raise NotImplementedError

    def write(self, loaded: Loaded, request: Request, path: Path) -> None:
        write_png(self.draw(loaded, request), path)


class Film(Mode):
    """A mode that films paths through the latents as a GIF or MP4, or draws them as rows of a PNG."""

    suffixes: ClassVar[tuple[str, ...]] = (".gif", ".mp4", ".png")

    def __init__(self, rate: int) -> None:
        self.rate = rate  # frames a second

    def check(self, loaded: Loaded, request: Request) -> None:
        super().check(loaded, request)
        if not isinstance(loaded.run.model.latent, Interpolates):
            raise ConfigError(f"mode={self.name}: nothing lies between two of this model's latents.")

    def frames(self, loaded: Loaded, request: Request) -> Iterator[Tensor]:
        """Yield the frames of the film, uint8 [1, 3 or 4, H, W] each."""
        raise NotImplementedError

    def strips(self, loaded: Loaded, request: Request) -> Tensor:
        """Return the picture with a path in each row, uint8 [1, 3 or 4, H, W]."""
        raise NotImplementedError

    def write(self, loaded: Loaded, request: Request, path: Path) -> None:
        writer = {".gif": write_gif, ".mp4": write_mp4}.get(path.suffix.lower())
        if writer is None:
            write_png(self.strips(loaded, request), path)
        else:
            writer(map(as_pil, self.frames(loaded, request)), path, rate=self.rate)

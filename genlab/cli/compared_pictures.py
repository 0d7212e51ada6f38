"""The two sides of `genlab.evaluate between=[A,B]`: pictures in files, and what they are compared with."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genlab.build import instantiate as build
from genlab.build.run_data import without_unset
from genlab.cli import menu
from genlab.core.errors import ConfigError

if TYPE_CHECKING:
    from torch import Tensor

    from genlab.core.spec import Spec
    from genlab.data import InMemory, Split

HOW = "between=[A,B]: a folder, zip or .npz file each; or between=[A] data=NAME: a data set of the menu"
COLOURS = {1: "grey", 3: "colour", 4: "colour with alpha"}
UNUSED = {  # keys of a run's evaluation
    "run": "is another thing to score",
    "checkpoint": "is of a run",
    "seed": "is of a run's samples",
}


@dataclass(frozen=True)
class Sides:
    """Pictures from files, which are measured as samples are, and the data set they are compared with."""

    measured: InMemory
    reference: InMemory
    split: str  # of the reference, as metrics know it
    names: tuple[str, str]  # as records and tables show them

    @property
    def pictures(self) -> Split:
        return self.measured.train

    def fingerprint(self, count: int) -> str:
        """Return the SHA-256 of the first pictures and their labels, by the rule of a reference's."""
        return self.pictures._replace(
            images=self.pictures.images[:count],
            labels=None if self.pictures.labels is None else self.pictures.labels[:count],
        ).fingerprint()

    def draw(self, start: int, count: int) -> Tensor:
        """Return pictures as a generator's samples: float [count, C, H, W] in [-1, 1], padded as the reference is."""
        from torch.nn.functional import pad

        from genlab.core.pixels import to_float

        return pad(to_float(self.pictures.images[start : start + count]), [self.reference.padding] * 4)

    def conditions(self, start: int, count: int) -> Tensor | None:
        """Return the classes of pictures, as of samples that were asked for; None unless both sides' are the same."""
        own, other = self.measured.spec.condition, self.reference.spec.condition
        if own is None or other is None or not own.agrees_with(other):
            return None
        return self.measured.conditions(self.pictures, start, min(count, len(self.pictures.images) - start))


def open_sides(config: dict[str, Any]) -> Sides:
    """Read both sides. Raises ConfigError for anything that is not two comparable sets of pictures."""
    paths = [config["between"]] if isinstance(config["between"], str) else list(config["between"])
    named = without_unset(config["data"])
    refuse_other_sides(config, paths, named)
    files = [read_files(path, config["files"]) for path in paths]
    names = tuple(str(Path(path).expanduser().absolute()) for path in paths)
    if len(files) == 2:
        sides = Sides(files[0], files[1], "train", (names[0], names[1]))
    else:
        split = config["split"] or config["metrics"].get("split", "test")
        reference = build.dataset(build.check_node(named, "data"))
        sides = Sides(files[0], reference, split, (names[0], f"{reference.name}/{split}"))
    refuse_unlike_pictures(sides, two_folders=len(files) == 2)
    return sides


def refuse_other_sides(config: dict[str, Any], paths: list[str], named: dict[str, Any]) -> None:
    """Raise ConfigError unless exactly two sides are named, and nothing beside them that would be ignored."""
    for key, reason in UNUSED.items():
        if config[key] is not None:
            raise ConfigError(f"{key}={config[key]}: {reason}, and between= compares pictures. Leave one of them out.")
    if not 1 <= len(paths) <= 2:
        raise ConfigError(f"between=[{','.join(paths)}]: {len(paths)} sides. Expected {HOW}.")
    if len(paths) == 1 and "_target_" not in named:
        raise ConfigError(f"between=[{paths[0]}]: with what is it to be compared? Expected {HOW}.")
    if len(paths) == 2 and named:
        raise ConfigError("data=...: is a third side beside the two of between=. Leave one of the three out.")
    if config["files"]["root"] is not None:
        raise ConfigError(f"files.root={config['files']['root']}: the sides are named by between=. Leave it out.")
    if len(paths) == 2 and config["split"] is not None:
        raise ConfigError(f"split={config['split']}: is of a data set, data=NAME. Folders are compared whole.")


def read_files(path: str, options: dict[str, Any]) -> InMemory:
    """Return all pictures of a folder, zip or .npz file. Raises ConfigError, also for a run and for a set with splits.

    `options`: of `data=folder`, under the key `files`.
    """
    place = Path(path).expanduser()
    refuse_other_places(path, place)
    with renamed_keys():
        data = build.dataset(build.check_node(without_unset(options | {"root": str(place)}), "data"))
    if data.test is not None or data.holdout is not None:
        raise ConfigError(
            f"between: {path}: its folders are splits, such as train and test, and a side is one set of pictures. "
            f"Name one of the folders: {place / 'test'} (of a zip: unpack it first)."
        )
    return data


def refuse_other_places(path: str, place: Path) -> None:
    """Raise ConfigError for a run's directory, and for the name of a data set."""
    if (place / "config.yaml").is_file() and (place / "checkpoints").is_dir():
        raise ConfigError(
            f"between: {path}: is a run. Score it with run={path}; or write its samples first: "
            f"python -m genlab.sample run={path} mode=save to=samples.npz"
        )
    if not place.exists() and path in menu.choices("data"):
        raise ConfigError(f"between: {path}: there is no such folder or file. Is the data set meant? data={path}")


@contextmanager
def renamed_keys() -> Iterator[None]:
    """Raise errors of `data=folder` with the keys that a side's files are read by."""
    try:
        yield
    except ConfigError as error:
        text = re.sub(r"\bdata\.root(=|: )", "between: ", str(error))
        raise ConfigError(re.sub(r"\bdata\.(?=[a-z])", "files.", text)) from error


def refuse_unlike_pictures(sides: Sides, *, two_folders: bool) -> None:
    """Raise ConfigError for sides of other sizes or colours, which no metric compares, with the keys that help."""
    shapes = [bare_shape(side.spec) for side in (sides.measured, sides.reference)]
    if shapes[0] == shapes[1]:
        return
    remedies = remedies_for(*shapes, two_folders=two_folders)
    what = f"Read {'both' if two_folders else 'the files'} so: {' '.join(remedies)}" if remedies else "Name others."
    raise ConfigError(
        f"between: {sides.names[0]} holds pictures of {describe_shape(shapes[0])}, {sides.names[1]} of "
        f"{describe_shape(shapes[1])}: compared are pictures of one kind. {what}"
    )


def remedies_for(files: tuple[int, ...], other: tuple[int, ...], *, two_folders: bool) -> list[str]:
    """Return the words that make pictures of files be like others, or two folders like each other; []: none can."""
    if len(other) == 1 or not (two_folders or other[1] == other[2]):  # files are made square alone
        return []
    side = min(files[1:] + other[1:]) if two_folders else other[1]
    channels = max(files[0], other[0]) if two_folders else other[0]
    wanted = {f"files.size={side}": files[1:] != other[1:], f"files.channels={channels}": files[0] != other[0]}
    return [word for word, needed in wanted.items() if needed]


def bare_shape(spec: Spec) -> tuple[int, ...]:
    """Return (channels, height, width) without padding; (D,) of points."""
    return spec.shape if spec.height is None else (spec.channels, *(side - 2 * spec.padding for side in spec.shape[1:]))


def describe_shape(shape: tuple[int, ...]) -> str:
    if len(shape) == 1:
        return f"{shape[0]} coordinates"
    channels, height, width = shape
    return f"{width} x {height} pixels in {COLOURS.get(channels, f'{channels} channels')}"

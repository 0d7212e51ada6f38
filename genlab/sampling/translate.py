"""Translation of a user's own pictures."""

import logging
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import torch

from genlab.core.errors import ConfigError
from genlab.core.pixels import to_uint8
from genlab.data.storage.archives import Directory, FileSource, Zip, is_zip, list_names
from genlab.data.storage.file_kinds import SUFFIXES, describe_left_out, sort_out, stem_of
from genlab.data.storage.findings import Findings
from genlab.data.storage.input_notes import SAVE_ANEW, warn_of_inputs
from genlab.pictures.sheet import write_png
from genlab.sampling.mode import Mode, Request

if TYPE_CHECKING:
    from genlab.core.spec import Spec
    from genlab.sampling.loaded_run import Loaded

log = logging.getLogger(__name__)
NamedPicture = tuple[str, np.ndarray]


class Translate(Mode):
    """Write a folder of PNGs, one for each picture of `input`, with its name and size.

    Pictures are turned upright (EXIF), laid on white where they are transparent, and converted to grey or colour as
    the model needs; label maps keep their numbers. For a network that needs other sizes, edge pixels are repeated and
    the output is cut to size. Every picture has noise of its own, which depends on `seed`.
    """

    suffixes: ClassVar[tuple[str, ...]] = ("",)
    takes: ClassVar[frozenset[str]] = frozenset({"seed"})

    def __init__(
        self,
        *,
        input: str | None = None,  # a picture, or a folder or zip of pictures
        back: bool = False,  # from images to source pictures, with a model that goes both ways
    ) -> None:
        self.input, self.back = input, back

    def check(self, loaded: "Loaded", request: Request) -> None:
        super().check(loaded, request)
        loaded.require_translator(self.back)
        if self.input is None:
            raise ConfigError("mode=translate: which pictures? input=FILE_OR_FOLDER.")
        channels = self.source_spec(loaded).require_source().channels
        if channels not in (1, 3):
            raise ConfigError(
                f"mode=translate: this model takes pictures of {channels} channels, and files have 1 or "
                "3. Use genlab.load(...).translate(images)."
            )
        self.source, self.names = open_pictures(Path(self.input).expanduser())

    def write(self, loaded: "Loaded", request: Request, path: Path) -> None:
        path.mkdir()
        written = 0
        for batch in batches_of_one_shape(self.read(loaded), loaded.batch_size):
            pictures = torch.from_numpy(np.stack([pixels for _, pixels in batch]))
            made = to_uint8(loaded.translate(pictures, seed=request.seed, start=written, back=self.back))
            for (name, _), image in zip(batch, made, strict=True):
                write_png(image, path / f"{self.names[name]}.png")
            written += len(batch)

    def source_spec(self, loaded: "Loaded") -> "Spec":
        return loaded.spec.source_spec if self.back else loaded.spec

    def read(self, loaded: "Loaded") -> Iterator[NamedPicture]:
        from genlab.data.storage.decoder import read_file  # Pillow takes a moment to load
        from genlab.data.storage.image_file import PixelRule, Unusable, read_picture

        spec = self.source_spec(loaded)
        source, limits = spec.require_source(), spec.source_range  # pictures are read as those of training were
        rule = PixelRule(source.channels, classes=source.classes, range=limits, if_unknown=SAVE_ANEW)
        findings = Findings(None if source.classes else limits)
        for name in self.names:
            try:
                yield name, read_picture(read_file(self.source, name), rule, findings)
            except Unusable as reason:
                raise ConfigError(f"input={self.input}: {name}: {reason}.") from reason
        warn_of_inputs(findings, f"input={self.input}")


class SingleFile(Directory):
    """One picture of a folder."""

    def __init__(self, path: Path) -> None:
        self.root = str(path.absolute().parent)
        self.names, self.left_out, self.label_files = sort_out([path.name], self.head)


def open_pictures(path: Path) -> tuple[FileSource, dict[str, str]]:
    """Return a source of pictures and the name of each output (`name_outputs`). Raises ConfigError."""
    if not path.exists():
        raise ConfigError(f"input={path}: there is no such file or folder.")
    kind = Directory if path.is_dir() else Zip if is_zip(path) else SingleFile
    source = kind(path)
    if source.left_out and source.names:
        log.info("input=%s: left out: %s", path, describe_left_out(source.left_out))
    if not source.names:
        raise ConfigError(f"input={path}: no picture; expected {', '.join(SUFFIXES)}, or a folder or zip of them.")
    return source, name_outputs(source.names)


def name_outputs(names: Sequence[str]) -> dict[str, str]:
    """Return the output of each picture: its name without suffix, or with it where that is the name of several.

    Raises ConfigError if two outputs would have one name.
    """
    stems = Counter(map(stem_of, names))
    outputs = {name: stem_of(name) if stems[stem_of(name)] == 1 else name for name in names}
    made = Counter(outputs.values())
    alike = [name for name in names if made[outputs[name]] > 1]
    if alike:
        raise ConfigError(f"input: {list_names(alike)} would have outputs of the same name. Rename one of them.")
    return outputs


def batches_of_one_shape(pictures: Iterator[NamedPicture], most: int) -> Iterator[list[NamedPicture]]:
    """Yield consecutive pictures of one shape, at most `most` together."""
    batch: list[NamedPicture] = []
    for name, pixels in pictures:
        if batch and (len(batch) == most or batch[0][1].shape != pixels.shape):
            yield batch
            batch = []
        batch.append((name, pixels))
    if batch:
        yield batch

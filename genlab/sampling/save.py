"""Samples by the thousand, in files that other tools read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from genlab.core.errors import ConfigError
from genlab.core.types import Count
from genlab.pictures.sheet import to_uint8
from genlab.sampling.mode import Mode, Request
from genlab.sampling.sample_archives import write_folder, write_npz, write_zip

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np

    from genlab.sampling.loaded_run import Loaded
    from genlab.sampling.sample_archives import Batch

PNG_CHANNELS = (1, 3, 4)  # channels of a PNG


class Save(Mode):
    """Save samples to FILE.npz, FILE.zip or a folder.

    FILE.npz holds `arr_0`, uint8 [N, H, W, C] or points float32 [N, D], and for conditional models `arr_1`, labels [N]
    or attributes [N, K]; ADM's evaluation reads it. FILE.zip holds PNGs and dataset.json, as NVIDIA's tools read them.
    A folder gets numbered PNGs, and dataset.json where there are labels. The same seed gives the same pixels.

    Raises ConfigError for samples that no PNG can hold.
    """

    suffixes: ClassVar[tuple[str, ...]] = (".npz", ".zip", "")
    points: ClassVar[bool] = True

    def __init__(
        self,
        *,
        count: Count = 50_000,  # images
    ) -> None:
        self.count = count

    def write(self, loaded: Loaded, request: Request, path: Path) -> None:
        writer = {".npz": write_npz, ".zip": write_zip}.get(path.suffix.lower(), write_folder)
        if writer is not write_npz and (loaded.points or loaded.spec.channels not in PNG_CHANNELS):
            kind = "points" if loaded.points else f"images of {loaded.spec.channels} channels"
            raise ConfigError(f"to={path.name}: no PNG holds {kind}. Save them with to=FILE.npz.")
        writer(path, batches(loaded, request, self.count), self.count)


def batches(loaded: Loaded, request: Request, count: int) -> Iterator[Batch]:
    """Yield images and labels as arrays in the format of the files."""
    for samples, labels in loaded.batches(count, **request.options):
        images = samples if loaded.points else to_uint8(samples).permute(0, 2, 3, 1)
        yield as_array(images), None if labels is None else as_array(labels)


def as_array(tensor) -> np.ndarray:
    return tensor.contiguous().numpy()

"""Samples by the thousand, in files that other tools read."""

import io
import json
import zipfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch

from genlab.core.base_condition import Condition
from genlab.core.errors import ConfigError
from genlab.core.pixels import to_uint8
from genlab.core.types import Count
from genlab.pictures.sheet import png_mark
from genlab.sampling.loaded_run import Loaded
from genlab.sampling.mode import Mode, Request

PNG_CHANNELS = (1, 3, 4)
Batch = tuple[np.ndarray, np.ndarray | None]  # uint8 [n, H, W, C] or points [n, D]; labels [n] or [n, K]
IMAGES_PER_FOLDER = 1_000  # of a zip, as in NVIDIA's dataset_tool


class Save(Mode):
    """Save samples to FILE.npz, FILE.zip or a folder.

    FILE.npz holds `arr_0`, uint8 [N, H, W, C] or points float32 [N, D], and for conditional models `arr_1`, labels [N]
    or attributes [N, K], and their names; ADM's evaluation reads it. FILE.zip holds PNGs and dataset.json, as NVIDIA's
    tools read them. A folder gets numbered PNGs, and dataset.json where there are labels, with the names of classes or
    attributes. Of a model that is told words, captions.json takes its place. `data=folder` reads all of them but
    points, with data.words=caption for captions. The same seed gives the same pixels.

    Raises ConfigError for samples that no PNG can hold.
    """

    suffixes: ClassVar[tuple[str, ...]] = (".npz", ".zip", "")
    points: ClassVar[bool] = True

    def __init__(self, *, count: Count = 50_000) -> None:  # images
        self.count = count

    def write(self, loaded: Loaded, request: Request, path: Path) -> None:
        writer = {".npz": write_npz, ".zip": write_zip}.get(path.suffix.lower(), write_folder)
        if writer is not write_npz and (loaded.points or loaded.spec.channels not in PNG_CHANNELS):
            kind = "points" if loaded.points else f"images of {loaded.spec.channels} channels"
            raise ConfigError(f"to={path.name}: no PNG holds {kind}. Save them with to=FILE.npz.")
        writer(path, batches(loaded, request, self.count), self.count, loaded.spec.condition)


def batches(loaded: Loaded, request: Request, count: int) -> Iterator[Batch]:
    """Yield images and labels as arrays in the format of the files."""
    for samples, labels in loaded.batches(count, **request.options):
        images = samples if loaded.points else to_uint8(samples).permute(0, 2, 3, 1)
        yield images.contiguous().numpy(), None if labels is None else labels.contiguous().numpy()


def write_npz(path: Path, batches: Iterable[Batch], count: int, condition: Condition | None) -> None:
    """Write the file that `np.savez(path, images, labels, class_names=names)` would."""
    all_labels = []
    with zipfile.ZipFile(path, "w") as archive, archive.open("arr_0.npy", "w", force_zip64=True) as file:
        for number, (images, labels) in enumerate(batches):
            if number == 0:
                header = np.lib.format.header_data_from_array_1_0(images)
                np.lib.format.write_array_header_1_0(file, header | {"shape": (count, *images.shape[1:])})
            file.write(images.tobytes())
            all_labels += [] if labels is None else [labels]
    if all_labels:
        names = {} if condition is None else condition.names_in_files
        append_arrays(
            path, {"arr_1": np.concatenate(all_labels)} | {key: np.array(found) for key, found in names.items()}
        )


def append_arrays(path: Path, arrays: dict[str, np.ndarray]) -> None:
    with zipfile.ZipFile(path, "a") as archive:
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w") as file:
                np.lib.format.write_array(file, array)


def write_zip(path: Path, batches: Iterable[Batch], count: int, condition: Condition | None) -> None:
    """Write 00000/img00000000.png, ... and `label_file`."""
    with zipfile.ZipFile(path, "w") as archive:  # stored: PNGs are compressed already
        labels = write_pictures(archive.writestr, batches, lambda n: f"{n // IMAGES_PER_FOLDER:05d}/img{n:08d}.png")
        archive.writestr(*label_file(labels, condition))


def write_folder(path: Path, batches: Iterable[Batch], count: int, condition: Condition | None) -> None:
    """Write 00000000.png, ... and dataset.json or captions.json where there are labels."""
    path.mkdir()
    labels = write_pictures(lambda name, data: (path / name).write_bytes(data), batches, lambda n: f"{n:08d}.png")
    if labels:
        name, content = label_file(labels, condition)
        (path / name).write_text(content, encoding="utf-8")


def label_file(labels: list[list], condition: Condition | None) -> tuple[str, str]:
    """Return the name and the content of the file that holds the labels [name, label] of pictures.

    dataset.json is {"labels": [[name, label], ...] or null}, with "class_names" or "attribute_names" where they have
    names: NVIDIA's tools read the labels alone. captions.json is {name: caption}.
    """
    if condition is None or not condition.saved_as_captions:
        names = condition.names_in_files if condition and labels else {}
        return "dataset.json", json.dumps({"labels": labels or None} | names)
    return "captions.json", json.dumps({name: condition.caption(torch.tensor(label)) for name, label in labels})


def write_pictures(
    write: Callable[[str, bytes], object], batches: Iterable[Batch], name: Callable[[int], str]
) -> list[list]:
    """Write every image; returns [name, label] for each that has a label."""
    labels = []
    for number, (image, label) in enumerate(with_labels(batches)):
        write(name(number), encode_png(image))
        labels += [] if label is None else [[name(number), label]]
    return labels


def with_labels(batches: Iterable[Batch]) -> Iterator[tuple[np.ndarray, object]]:
    for images, labels in batches:
        yield from zip(images, [None] * len(images) if labels is None else labels.tolist(), strict=True)


def encode_png(image: np.ndarray) -> bytes:
    """Encode an image uint8 [H, W, 1, 3 or 4]."""
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image).save(file, "png", pnginfo=png_mark())
    return file.getvalue()

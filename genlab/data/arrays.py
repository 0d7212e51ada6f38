"""Arrays and tensors from Python, read as images, points and labels of a data set."""

import logging
from collections.abc import Iterable
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from genlab.core.base_condition import Condition
from genlab.core.errors import ConfigError

log = logging.getLogger(__name__)

Layout = Literal["NCHW", "NHWC"]

USUAL_CHANNELS = (1, 3, 4)  # grey, RGB, RGBA
EXPECTED = "expected torch.uint8 [N, C, H, W] with N > 0, or points, torch.float32 [N, D]"
SHOWN_ROWS = 3  # of faulty points, in a message


def read_images(given: Any, part: str, layout: Layout | None = None) -> Tensor:
    """Return images uint8 [N, C, H, W] or points float32 [N, D]; `part` names the split in messages.

    Images whose last side can only be their channels, [N, H, W, C], are turned, and it is said. Raises ConfigError for
    other types, for shapes that could be either, and for points that are not finite.
    """
    images = to_tensor(given, f"{part}: images")
    found = images.ndim, images.dtype
    if found not in ((4, torch.uint8), (2, torch.float32)) or not images.numel():
        raise ConfigError(f"{part}: images are {describe(images)}: {EXPECTED}.{remedy_for(images)}")
    if images.ndim == 4:
        return to_channels_first(images, part, layout)
    refuse_not_finite(images, f"{part}: points")
    return images


def read_labels(given: Any, part: str, layout: Layout | None = None) -> Tensor:
    """Return labels as a tensor, class numbers [N] as int64, pictures with their channels first."""
    labels = to_tensor(given, f"{part}: labels")
    if labels.ndim == 4 and labels.dtype == torch.uint8 and labels.numel():
        return to_channels_first(labels, f"{part}: labels", layout)
    if labels.is_floating_point():
        refuse_not_finite(labels, f"{part}: labels")
    whole = not labels.is_floating_point() and labels.dtype not in (torch.bool, torch.int64)
    return labels.long() if labels.ndim == 1 and whole else labels


def read_names(given: Any, labels: Tensor | None, condition: Condition | None = None) -> list[str]:
    """Return the names of classes 0, 1, ..., by default the condition's.

    Raises ConfigError for what are no names, and for names without labels.
    """
    names: list[Any] = list(given) if isinstance(given, Iterable) and not isinstance(given, str) else [None]
    if not all(isinstance(name, str) and name.strip() for name in names) or len(set(names)) < len(names):
        raise ConfigError(
            f"class_names={given!r}: expected a list of texts, none of them empty and all different, for classes "
            "0, 1, ..."
        )
    if names and labels is None:
        raise ConfigError(f"class_names={names}: the images have no labels. Give both: Split(images, labels).")
    return names or list(condition.class_names if condition is not None and labels is not None else ())


def to_tensor(given: Any, what: str) -> Tensor:
    """Return a tensor on the CPU, without a copy where there is none to make. Raises ConfigError for anything else."""
    if isinstance(given, Tensor):
        return given.detach().cpu() if given.requires_grad or given.device.type != "cpu" else given
    if isinstance(given, np.ndarray) and given.dtype.kind in "biuf":
        array = np.ascontiguousarray(given, given.dtype.newbyteorder("="))
        return torch.from_numpy(array if array.flags.writeable else array.copy())
    kind = f"an array of {given.dtype}" if isinstance(given, np.ndarray) else f"of type {type(given).__name__}"
    raise ConfigError(
        f"{what} are {kind}: expected one tensor, or one NumPy array of numbers. Put images of one size together with "
        "torch.stack or np.stack; the data=folder set reads files."
    )


def describe(tensor: Tensor) -> str:
    return f"{tensor.dtype} of shape {list(tensor.shape)}"


def remedy_for(images: Tensor) -> str:
    """Return how to turn images of an unfit type or shape into fit ones, as a sentence; "" if nothing is known."""
    if not images.numel():
        return ""
    if images.ndim == 2 and images.dtype == torch.uint8:
        return " Rows of pixels become images by images.view(N, C, H, W)."
    if images.ndim == 2:
        return " Points in another type become fit by points.float()."
    if images.ndim == 3:
        return " Grey images [N, H, W] become fit by images[:, None], and a single image by images[None]."
    return f" {remedy_for_values(images)}" if images.ndim == 4 else ""


def remedy_for_values(images: Tensor) -> str:
    """Return how to turn the values of images [N, C, H, W] into 8 bit."""
    if images.dtype == torch.bool:
        return "True becomes white by images.to(torch.uint8) * 255."
    low, high = (value.item() for value in images.double().aminmax())  # not every whole type has an order
    if not -np.inf < low <= high < np.inf:
        return "There are values that are not finite: remove those images first."
    spans = f"Values lie between {low:g} and {high:g}:"
    if images.is_floating_point() and low >= -1 and high <= 1:
        return f"{spans} ({'images * 255' if low >= 0 else '(images + 1) * 127.5'}).round().to(torch.uint8)."
    if low >= 0 and high <= 255:
        return f"{spans} images.round().to(torch.uint8)."
    return f"{spans} scale them to 0 ... 255, round, and convert with .to(torch.uint8)."


def to_channels_first(images: Tensor, part: str, layout: Layout | None = None) -> Tensor:
    """Return uint8 images as [N, C, H, W]. Raises ConfigError for shapes that do not tell where the channels are.

    Grey, RGB or RGBA images and square ones are likely; where both readings are as likely, `layout` must tell.
    """
    _, first, middle, last = images.shape
    as_first = (first in USUAL_CHANNELS) + (middle == last)
    as_last = (last in USUAL_CHANNELS) + (first == middle)
    if layout == "NCHW" or layout is None and (as_first > as_last or as_first == as_last == 0 and first < last):
        return images
    if layout is None and not (as_last > as_first and last in USUAL_CHANNELS):
        raise ConfigError(
            f"{part}: images of shape {list(images.shape)} are {first} channels of {last} x {middle} pixels as "
            f"[N, C, H, W], and {last} channels of {middle} x {first} pixels as [N, H, W, C]. Say which: "
            "InMemory(..., layout='NCHW') or 'NHWC'."
        )
    if layout is None:
        log.warning("%s: read as [N, H, W, C], %d x %d pixels with %d channels", part, middle, first, last)
    return images.permute(0, 3, 1, 2).contiguous()


def refuse_not_finite(rows: Tensor, what: str) -> None:
    """Raise ConfigError for rows [N, ...] that hold a NaN or an infinite number."""
    bad = (~rows.isfinite()).reshape(len(rows), -1).any(1).nonzero().flatten().tolist()
    if bad:
        raise ConfigError(
            f"{what}: {len(bad)} of {len(rows)} rows hold numbers that are not finite, the first of them row "
            f"{', '.join(map(str, bad[:SHOWN_ROWS]))}. Remove them: keep = data.isfinite().all(1)."
        )


def refuse_one_value(images: Tensor, what: str) -> None:
    """Raise ConfigError if every value of images is the same; the first picture spares most sets the rest."""
    if images.ndim != 4:
        return
    value = images[0, 0, 0, 0]
    if bool((images[0] == value).all()) and bool((images == value).all()):
        raise ConfigError(
            f"data=...: every value of every {what} picture is {int(value)}, from which nothing can be learnt. Look at "
            "how the images were made: values between 0 and 1 become 0 in uint8."
        )

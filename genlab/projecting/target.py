"""The target of a projection: the given image, and how far generated images are from it."""

from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from genlab.core.errors import ConfigError
from genlab.core.foreign_files import read_bytes
from genlab.core.picture_file import MAX_BYTES
from genlab.core.pixels import to_float
from genlab.core.spec import Spec
from genlab.data.storage.findings import Findings
from genlab.data.storage.image_file import PixelRule, Unusable, read_picture
from genlab.data.storage.input_notes import SAVE_ANEW, warn_of_inputs
from genlab.metrics.extractors.extractor import Extractor


def load_target(path: Path, spec: Spec) -> Tensor:
    """Load an image as [1, C, H, W] in [-1, 1], without the data's padding. Raises ConfigError if it cannot be one."""
    spec.require_images()
    if spec.channels not in (1, 3, 4) or spec.height != spec.width:
        raise ConfigError(f"run: images are {spec.shape}; an image file gives 1, 3 or 4 channels and a square.")
    try:
        size, findings = spec.shape[1] - 2 * spec.padding, Findings(spec.value_range)
        rule = PixelRule(spec.channels, size, range=spec.value_range, if_unknown=SAVE_ANEW)
        pixels = read_picture(read_bytes(path, MAX_BYTES), rule, findings)
    except (OSError, Unusable) as error:
        raise ConfigError(
            f"image={path}: cannot be read: {error}. Give a PNG, JPEG, BMP, GIF, WEBP or TIFF."
        ) from error
    warn_of_inputs(findings, f"image={path}")
    return to_float(torch.from_numpy(pixels.copy())[None])


def error_of(target: Tensor, extractor: Extractor | None, weight: float) -> Callable[[Tensor], Tensor]:
    """Return images [N, C, H, W] -> [N]: the mean squared error of pixels, plus `weight` times that of features."""
    if not weight or extractor is None:
        return lambda images: (images - target).square().flatten(1).mean(1)
    wanted = extractor.differentiable(target).detach()

    def error(images: Tensor) -> Tensor:
        pixels = (images - target).square().flatten(1).mean(1)
        return pixels + weight * (extractor.differentiable(images) - wanted).square().mean(1)

    return error


def distances(images: Tensor, target: Tensor, extractor: Extractor | None) -> dict[str, float | None]:
    """Return the Euclidean distances of clamped images: in pixels in [-1, 1], and in features."""
    images = images.clamp(-1, 1)
    features = None if extractor is None else float((extractor(images) - extractor(target)).norm())
    return {"pixels": float((images - target).norm()), "features": features}

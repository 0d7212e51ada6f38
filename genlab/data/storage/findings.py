"""Findings of decoding: facts of picture files that the stored pixels do not show."""

from collections import Counter
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np

from genlab.data.storage.depth import Range, is_deep, strips, values_of

if TYPE_CHECKING:  # Pillow takes a moment to load
    from PIL import Image

PAGED_FORMATS = ("GIF", "TIFF", "WEBP", "PNG", "AVIF")  # a JPEG's further pictures are previews and depth maps


class Findings:
    """Depths of values with their extremes, and files that hold several pictures; gathered by many threads."""

    def __init__(self, limits: Range | None = None) -> None:
        self.limits = limits  # data.range, beyond which values are counted
        self.values, self.clipped = 0, 0
        self.depths: dict[str, list[float]] = {}  # depth -> lowest and highest value; of 8 bit none
        self.several: Counter[str] = Counter()  # format -> files
        self._lock = Lock()

    def add(self, image: "Image.Image") -> None:
        """Note an open file."""
        depth = image.info["depth"]
        several = image.format in PAGED_FORMATS and getattr(image, "is_animated", False)
        seen = [self.look(strip) for strip in strips(image)] if is_deep(depth) or self.limits else []
        with self._lock:
            found = self.depths.get(depth, []) + [value for extremes, *_ in seen for value in extremes]
            self.depths[depth] = [min(found), max(found)] if found else []
            self.values += sum(values for _, values, _ in seen)
            self.clipped += sum(clipped for *_, clipped in seen)
            self.several.update([image.format] if several else [])

    def look(self, strip: "Image.Image") -> tuple[list[float], int, int]:
        """Return the extremes of deep values, how many values have limits, and how many lie beyond these."""
        deep = is_deep(strip.info["depth"])
        values = values_of(strip) if deep else np.empty(0)
        values = values[np.isfinite(values)]
        beyond = self.beyond_limits(values if deep else strip)
        extremes = [float(values.min()), float(values.max())] if len(values) else []
        return extremes, len(beyond), int(beyond.sum())

    def beyond_limits(self, found: "np.ndarray | Image.Image") -> np.ndarray:
        """Return which values lie beyond the limits, bool [N]; none without limits, nor of palettes and alpha."""
        if self.limits is None or not isinstance(found, np.ndarray) and found.mode not in ("L", "RGB"):
            return np.empty(0, bool)
        values = np.asarray(found).ravel()
        return (values < self.limits[0]) | (values > self.limits[1])

    def facts(self) -> dict[str, Any]:
        clipped = {"clipped": self.clipped / self.values} if self.values else {}
        return {"depths": self.depths, "several": dict(self.several), **clipped}


def merge_findings(one: Findings, other: Findings) -> dict[str, Any]:
    """Return the depths of both with their extremes, and all files with several pictures."""
    found = {depth: one.depths.get(depth, []) + other.depths.get(depth, []) for depth in one.depths | other.depths}
    depths = {depth: [min(values), max(values)] if values else [] for depth, values in found.items()}
    return {"depths": depths, "several": dict(one.several + other.several)}

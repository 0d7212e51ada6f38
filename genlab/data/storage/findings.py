"""What decoding finds in files and pixels no longer show."""

from collections import Counter
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np

from genlab.data.storage.depth import is_deep, values_of

if TYPE_CHECKING:  # Pillow takes a moment to load
    from PIL import Image

PAGED_FORMATS = ("GIF", "TIFF", "WEBP", "PNG", "AVIF")  # a JPEG's further pictures are previews and depth maps


class Findings:
    """Depths of values with their extremes, and files that hold several pictures; gathered by many threads."""

    def __init__(self) -> None:
        self.depths: dict[str, list[float]] = {}  # depth -> lowest and highest value; of 8 bit none
        self.several: Counter[str] = Counter()  # format -> files
        self._lock = Lock()

    def add(self, image: "Image.Image") -> None:
        """Note an open file."""
        depth = image.info["depth"]
        several = image.format in PAGED_FORMATS and getattr(image, "is_animated", False)
        values = values_of(image) if is_deep(depth) else np.empty(0)
        values = values[np.isfinite(values)]
        extremes = [values.min(), values.max()] if len(values) else []
        with self._lock:
            found = self.depths.get(depth, []) + [float(value) for value in extremes]
            self.depths[depth] = [min(found), max(found)] if found else []
            self.several.update([image.format] if several else [])

    def facts(self) -> dict[str, Any]:
        return {"depths": self.depths, "several": dict(self.several)}

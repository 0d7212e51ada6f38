"""Time the Frechet distance at Inception's 2,048 dimensions, beside scipy's matrix root, in processor time.

python scripts/frechet.py            2,048 dimensions, 10,000 images, and few images
python scripts/frechet.py 256        quicker
OMP_NUM_THREADS=1 in front: one thread
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import numpy as np
import torch

from genlab.metrics import Moments, frechet_distance


def random_moments(seed: int, images: int, dimensions: int) -> Moments:
    """Return the moments of correlated random features."""
    source = np.random.default_rng(seed)
    found = Moments()
    mixed = source.standard_normal((dimensions, dimensions)) / dimensions**0.5
    found.update(torch.from_numpy(source.standard_normal((images, dimensions)) @ mixed))
    return found


def sqrtm_distance(a: Moments, b: Moments) -> float:
    from scipy.linalg import sqrtm

    cross = np.trace(sqrtm(a.covariance.numpy() @ b.covariance.numpy()).real)
    shift = (a.mean - b.mean).numpy()
    return float(shift @ shift + a.covariance.trace() + b.covariance.trace() - 2 * cross)


def measure_time(call: Callable[..., float], *moments: Moments) -> tuple[float, float]:
    """Return (value, seconds of all processors), without the time of other processes."""
    began = time.process_time()
    return call(*moments), time.process_time() - began


def main(dimensions: int) -> None:
    frechet_distance(random_moments(0, 20, 8), random_moments(1, 20, 8))  # imports
    for images in (5 * dimensions, dimensions // 2):
        pair = random_moments(1, images, dimensions), random_moments(2, images, dimensions)
        (ours, quick), (theirs, slow) = measure_time(frechet_distance, *pair), measure_time(sqrtm_distance, *pair)
        print(
            f"{dimensions:,} dimensions, {images:,} images: {quick:.2f} s, scipy sqrtm {slow:.2f} s, "
            f"{quick / slow:.3f} of its time; {ours:.8g} and {theirs:.8g}",
            flush=True,
        )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 2_048)

"""What holds an encoder to its codebook."""

from __future__ import annotations

from torch import Tensor


def commitment(latents: Tensor, codes: Tensor) -> Tensor:
    """|z - sg[e]|^2, [N, D, ...] -> [N], summed: van den Oord et al. 2017, equation 3, third term without beta."""
    return (latents - codes.detach()).square().flatten(1).sum(1)

"""Distances between two sets of features, a few rows at a time: the whole matrix would not fit."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

ROWS = 500  # of a matrix of distances at a time: 10,000 x 10,000 would take 400 MB


def by_row(a: Tensor, b: Tensor, reduce: Callable[[Tensor], Tensor]) -> Tensor:
    """[N, ...]: what `reduce` makes of each few rows of the distances [N, M] from `a` [N, D] to `b` [M, D]."""
    return torch.cat([reduce(torch.cdist(rows, b)) for rows in a.split(ROWS)])


def nearest(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """For each row of `a` [N, D] the nearest of `b` [M, D]: distance [N], exactly 0 for a copy, and index [N]."""
    index = by_row(a, b, lambda far: far.argmin(1))  # by products, which are quick and lose digits near 0
    return (a - b[index]).norm(dim=1), index


def radii(features: Tensor, neighbours: list[int]) -> Tensor:
    """[len(neighbours), N]: distances to the k-th neighbour, for each k; the first found is the point itself."""
    nearest = by_row(features, features, lambda far: far.topk(max(neighbours) + 1, largest=False).values)
    return nearest[:, neighbours].T

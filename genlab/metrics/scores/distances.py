"""Distances between two sets of features, a few rows at a time: the whole matrix would not fit into memory."""

from collections.abc import Callable

import torch
from torch import Tensor

MAX_ROWS = 500  # of a matrix of distances, whose 10,000 x 10,000 would take 400 MB


def map_rows(a: Tensor, b: Tensor, reduce: Callable[[Tensor], Tensor]) -> Tensor:
    """Apply `reduce` to the distances [N, M] from `a` [N, D] to `b` [M, D], some rows at a time; [N, ...]."""
    return torch.cat([reduce(torch.cdist(rows, b)) for rows in a.split(MAX_ROWS)])


def nearest_neighbours(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """Return distance [N] (exactly 0 for a copy) and index [N] of the nearest of `b` [M, D] to each of `a` [N, D]."""
    index = map_rows(a, b, lambda far: far.argmin(1))  # by products: quick, but inexact near 0
    return (a - b[index]).norm(dim=1), index


def neighbour_distances(features: Tensor, neighbours: list[int]) -> Tensor:
    """Return distances [len(neighbours), N] to the k-th neighbour for each k, not counting the point itself."""
    nearest = map_rows(features, features, lambda far: far.topk(max(neighbours) + 1, largest=False).values)
    return nearest[:, neighbours].T

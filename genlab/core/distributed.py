"""Communication between ranks. Without torchrun each function is the identity.

torch is imported late: `--help` asks for the rank and must answer at once.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor, nn


@cache  # called several times a turn
def is_launched() -> bool:
    """Return whether torchrun started this process."""
    return "RANK" in os.environ and "WORLD_SIZE" in os.environ


@cache
def rank() -> int:
    return int(os.environ["RANK"]) if is_launched() else 0


def local_rank() -> int:
    return int(os.environ.get("LOCAL_RANK", 0)) if is_launched() else 0


@cache
def world_size() -> int:
    return int(os.environ["WORLD_SIZE"]) if is_launched() else 1


def is_main() -> bool:
    return rank() == 0


def start() -> None:
    """Join the other ranks, with NCCL where every rank has a GPU, else gloo."""
    if not is_launched():
        return
    import torch
    from torch import distributed

    if distributed.is_initialized():
        return
    has_gpu = torch.cuda.device_count() > local_rank()
    if has_gpu:
        torch.cuda.set_device(local_rank())
    distributed.init_process_group("cpu:gloo,cuda:nccl" if has_gpu else "gloo")


def stop() -> None:
    if not is_launched():
        return
    from torch import distributed

    if distributed.is_initialized():
        distributed.destroy_process_group()


@contextmanager
def joined_ranks() -> Iterator[None]:
    """Join the other ranks for a while, if torchrun started this process."""
    start()
    try:
        yield
    finally:
        stop()


def from_main(value: Any) -> Any:
    """Return rank 0's value, any picklable object, on every rank."""
    if world_size() == 1:
        return value
    from torch import distributed

    box = [value]
    distributed.broadcast_object_list(box)
    return box[0]


def mean(tensor: Tensor) -> Tensor:
    if world_size() == 1:
        return tensor
    from torch import distributed

    distributed.all_reduce(tensor)
    return tensor / world_size()


def shared_mean(tensor: Tensor) -> Tensor:
    """Return the mean over ranks, differentiable to any order; a gradient is the mean of those on all ranks."""
    return tensor if world_size() == 1 else _averaging()(tensor)


@cache
def _averaging() -> Callable[[Tensor], Tensor]:
    import torch

    class Averaging(torch.autograd.Function):
        @staticmethod
        def forward(context: Any, tensor: Tensor) -> Tensor:
            return mean(tensor.clone())

        @staticmethod
        def backward(context: Any, gradient: Tensor) -> Tensor:
            return Averaging.apply(gradient)

    return Averaging.apply


def largest(number: int) -> int:
    """Return the largest of the ranks' numbers, such as a request to stop that one rank received."""
    if world_size() == 1:
        return number
    import torch
    from torch import distributed

    tensor = torch.tensor(number)
    distributed.all_reduce(tensor, op=distributed.ReduceOp.MAX)
    return int(tensor)


def gather(tensor: Tensor) -> Tensor:
    """Return the rows of all ranks, in the order of ranks, without gradients. Shapes must be equal on every rank."""
    if world_size() == 1:
        return tensor
    import torch
    from torch import distributed

    rows = [torch.empty_like(tensor, memory_format=torch.contiguous_format) for _ in range(world_size())]
    distributed.all_gather(rows, tensor.contiguous())
    return torch.cat(rows)


def gather_rows(tensor: Tensor, counts: list[int]) -> list[Tensor]:
    """Return each rank's rows, without gradients. Rank i has `counts[i]` rows, otherwise shapes are equal."""
    if world_size() == 1:
        return [tensor]
    room = tensor.new_zeros(max(counts), *tensor.shape[1:])
    room[: len(tensor)] = tensor
    return [rows[:count] for rows, count in zip(gather(room).split(len(room)), counts, strict=True)]


def average_gradients(parameters: list[nn.Parameter]) -> None:
    """Average gradients over ranks by one flat all-reduce.

    It works with double backward and idle parameters, where DDP's wrapper does not.
    """
    if world_size() == 1:
        return
    import torch

    grads = [torch.zeros_like(param) if param.grad is None else param.grad for param in parameters]
    flat = mean(torch.cat([grad.flatten() for grad in grads]))
    for param, grad, piece in zip(parameters, grads, flat.split([grad.numel() for grad in grads]), strict=True):
        # In place: fused optimizers need the gradient to lie in memory as the parameter does.
        param.grad = grad.copy_(piece.view(grad.shape))

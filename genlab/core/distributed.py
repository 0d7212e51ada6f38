"""Everything that knows about ranks. Without torchrun each function is the identity.

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


@cache  # asked several times a turn
def launched() -> bool:
    """Whether torchrun started this process."""
    return "RANK" in os.environ and "WORLD_SIZE" in os.environ


@cache
def rank() -> int:
    return int(os.environ["RANK"]) if launched() else 0


def local_rank() -> int:
    return int(os.environ.get("LOCAL_RANK", 0)) if launched() else 0


@cache
def world_size() -> int:
    return int(os.environ["WORLD_SIZE"]) if launched() else 1


def is_main() -> bool:
    return rank() == 0


def start() -> None:
    """Join the other ranks: NCCL where every rank has a GPU, else gloo."""
    import torch
    from torch import distributed

    if not launched() or distributed.is_initialized():
        return
    has_gpu = torch.cuda.device_count() > local_rank()
    if has_gpu:
        torch.cuda.set_device(local_rank())
    distributed.init_process_group("cpu:gloo,cuda:nccl" if has_gpu else "gloo")


def stop() -> None:
    from torch import distributed

    if launched() and distributed.is_initialized():
        distributed.destroy_process_group()


@contextmanager
def joined() -> Iterator[None]:
    """Among the other ranks, where torchrun started this process."""
    if not launched():
        yield
        return
    start()
    try:
        yield
    finally:
        stop()


def from_main(value: Any) -> Any:
    """Rank 0's value, on every rank. Any picklable object."""
    if world_size() == 1:
        return value
    from torch import distributed

    box = [value]
    distributed.broadcast_object_list(box)
    return box[0]


def mean(tensor: Tensor) -> Tensor:
    """The mean over ranks."""
    if world_size() == 1:
        return tensor
    from torch import distributed

    distributed.all_reduce(tensor)
    return tensor / world_size()


def shared_mean(tensor: Tensor) -> Tensor:
    """The mean over ranks, with gradients of any order: a rank's gradient is the mean of what all ranks' losses ask."""
    return tensor if world_size() == 1 else _averaging()(tensor)


@cache
def _averaging() -> Callable[[Tensor], Tensor]:
    """An operation that is its own derivative."""
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
    """The largest of the ranks' numbers: how all learn that one was asked to stop."""
    if world_size() == 1:
        return number
    import torch
    from torch import distributed

    tensor = torch.tensor(number)
    distributed.all_reduce(tensor, op=distributed.ReduceOp.MAX)
    return int(tensor)


def gather(tensor: Tensor) -> Tensor:
    """The ranks' rows, one after another in the order of ranks; of the same shape on every rank. Without gradients."""
    if world_size() == 1:
        return tensor
    import torch
    from torch import distributed

    rows = [torch.empty_like(tensor, memory_format=torch.contiguous_format) for _ in range(world_size())]
    distributed.all_gather(rows, tensor.contiguous())
    return torch.cat(rows)


def gather_rows(tensor: Tensor, counts: list[int]) -> list[Tensor]:
    """Each rank's rows; it has as many as `counts` says, otherwise alike on every rank. Without gradients."""
    if world_size() == 1:
        return [tensor]
    room = tensor.new_zeros(max(counts), *tensor.shape[1:])
    room[: len(tensor)] = tensor
    return [rows[:count] for rows, count in zip(gather(room).split(len(room)), counts, strict=True)]


def average_gradients(parameters: list[nn.Parameter]) -> None:
    """One flat all-reduce: works with double backward and idle parameters, where DDP's wrapper does not."""
    if world_size() == 1:
        return
    import torch

    grads = [torch.zeros_like(param) if param.grad is None else param.grad for param in parameters]
    flat = mean(torch.cat([grad.flatten() for grad in grads]))
    for param, grad, piece in zip(parameters, grads, flat.split([grad.numel() for grad in grads]), strict=True):
        # In place: fused optimizers need the gradient to lie in memory as the parameter does.
        param.grad = grad.copy_(piece.view(grad.shape))

"""Communication between ranks. Without torchrun each function is the identity.

torch is imported late: `--help` asks for the rank and must answer at once.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

from genlab.core.errors import ConfigError, GenlabError, RunError
from genlab.core.rank_watch import BEAT, RankWatch

if TYPE_CHECKING:
    from torch import Tensor, nn

SECONDS_TO_MEET = 300
MAX_SHOWN = 5  # differences in a message
LOST_CONNECTION = ("Connection closed by peer", "Connection reset", "Broken pipe", "gloo", "NCCL", "TCPStore")
watches: list[RankWatch] = []  # of this process; the last one is in force


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
    """Join the other ranks, with NCCL where every rank has a GPU, else gloo, and watch over them from then on.

    Raises RunError if they do not come, ConfigError if the environment does not say where they meet.
    """
    if not is_launched():
        return
    os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")  # read by torch: else a rank that is gone shows stack traces
    import torch
    from torch import distributed

    if distributed.is_initialized():
        return
    has_gpu = torch.cuda.device_count() > local_rank()
    if has_gpu:
        torch.cuda.set_device(local_rank())
    backend = "cpu:gloo,cuda:nccl" if has_gpu else "gloo"
    try:
        store, *_ = next(distributed.rendezvous("env://", timeout=timedelta(seconds=SECONDS_TO_MEET)))
        distributed.init_process_group(backend, store=store, rank=rank(), world_size=world_size())
    except ValueError as error:
        raise ConfigError(f"ranks that are started by hand need MASTER_ADDR and MASTER_PORT: {error}.") from error
    except RuntimeError as error:
        where = f"{os.environ['MASTER_ADDR']}:{os.environ['MASTER_PORT']}"
        raise RunError(
            f"the {world_size()} ranks did not meet at {where} within {SECONDS_TO_MEET} seconds. Start all of them, "
            "each with its own RANK and the same WORLD_SIZE, or use torchrun."
        ) from error
    watches.append(RankWatch(own_store(), rank(), world_size()))


def own_store() -> Any:
    """Return a second connection to the ranks' store: a collective that is set up may block the first."""
    from torch import distributed

    host, port = os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"])
    name = f"genlab {len(watches)} {os.environ.get('TORCHELASTIC_RESTART_COUNT', '')}"
    return distributed.PrefixStore(name, distributed.TCPStore(host, port, is_master=False))


def stop() -> None:
    if not is_launched():
        return
    from torch import distributed

    if distributed.is_initialized():
        watches[-1].leave()
        distributed.destroy_process_group()


@contextmanager
def joined_ranks() -> Iterator[None]:
    """Join the other ranks for a while, if torchrun started this process. Of errors of several ranks one is shown."""
    start()
    try:
        with explained_loss_of_ranks():
            yield
    except GenlabError as error:
        share_failure(error)
        raise
    finally:
        stop()


@contextmanager
def explained_loss_of_ranks() -> Iterator[None]:
    """Raise RunError where a collective fails because another rank is gone."""
    try:
        yield
    except RuntimeError as error:
        if not is_launched() or not any(word in str(error) for word in LOST_CONNECTION):
            raise
        time.sleep(BEAT * 2)  # that rank may still say why
        raise RunError(f"another rank has ended, so this one ends too. {watches[-1].how_to_resume}".rstrip()) from error


def share_failure(error: GenlabError) -> None:
    """Let the other ranks know that a job failed here, and show its error unless another rank shows one."""
    if is_launched():
        error.shown_elsewhere = not watches[-1].fail()


def tell_how_to_resume(words: str) -> None:
    """Set the words that end the message of a run whose ranks are gone."""
    if is_launched():
        watches[-1].how_to_resume = words


def require_same(facts: dict[str, Any], remedy: str) -> None:
    """Raise RunError on every rank if the ranks' facts differ, with the first that do."""
    if world_size() == 1:
        return
    from torch import distributed

    found: list[Any] = [None] * world_size()
    distributed.all_gather_object(found, facts)
    for other, theirs in enumerate(found):
        keys = [key for key in sorted(found[0].keys() | theirs.keys()) if found[0].get(key) != theirs.get(key)]
        if keys:
            lines = [f"  {key}: {found[0].get(key)!r} on rank 0, {theirs.get(key)!r} on rank {other}" for key in keys]
            raise RunError("\n".join(["the ranks differ, and would train apart:", *lines[:MAX_SHOWN], remedy]))


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

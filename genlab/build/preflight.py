"""Before the first step: what is about to happen, what looks unwise, and what one step costs."""

from __future__ import annotations

import inspect
import sys
import time
from dataclasses import is_dataclass
from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import torch

from genlab.build.advice import advice
from genlab.callbacks.environment import device_name
from genlab.core import distributed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from genlab.trainers.trainer import Trainer

__all__ = ["advice", "describe", "dry_run", "show"]

MIB = 2**20
Rows = list[tuple[str, str]]


def show(trainer: Trainer) -> None:
    """Prints the table and the checklist."""
    print_rows(describe(trainer) + [("advice", line) for line in advice(trainer)])


def dry_run(trainer: Trainer) -> Rows:
    """Takes two steps, the first to warm up, and prints what the second one cost. Every rank takes them.

    Where steps cost more as training goes on, two of each cost.
    """
    starts = [start for start in trainer.turning_points if start < trainer.total_images]
    steps = [_measured_step(trainer, start) for start in starts]
    stretches = zip(pairwise([*starts, trainer.total_images]), steps, strict=True)
    whole = sum((end - start) * seconds / images for (start, end), (seconds, images) in stretches)
    total = timedelta(seconds=int(whole))
    rows = [
        *[(_step_name(start), _step_cost(*step)) for start, step in zip(starts, steps, strict=True)],
        ("peak memory", _peak_memory(trainer.device)),
        ("whole run", f"{total} for {trainer.total_images:,} images, scores and lazy penalties not counted"),
    ]
    if distributed.is_main():
        print_rows(rows)
    return rows


def describe(trainer: Trainer) -> Rows:
    """The facts as they were resolved, (name, value) each."""
    return [
        ("data", _data(trainer)),
        ("networks", _networks(trainer)),
        ("loss", _signature(trainer.loss)),
        ("penalties", "; ".join(map(_signature, trainer.penalties.values())) or "none"),
        ("augmentations", "; ".join(map(_signature, trainer.augmentations.values())) or "none"),
        *[(f"{name}'s optimizer", _optimizer(player.optimizer)) for name, player in trainer.players.items()],
        ("duration", _duration(trainer)),
        ("device", _device(trainer)),
        ("memory", _memory(trainer)),
        ("seed", str(trainer.seed)),
        ("run directory", str(trainer.run_dir)),
    ]


def print_rows(rows: Rows) -> None:
    if not sys.stdout.isatty():
        width = max(len(name) for name, _ in rows)
        print("\n".join(f"{name:<{width}}  {value}" for name, value in rows), flush=True)
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 2))
    for name, value in rows:
        table.add_row(Text(name, style="bold"), Text(value))  # Text: brackets in a value are no markup
    Console().print(table)


def _data(trainer: Trainer) -> str:
    spec = trainer.spec
    shape = " x ".join(map(str, spec.shape))
    extras = [] if spec.condition is None else [spec.condition.description]
    extras += [f"{spec.padding} px of padding"] if spec.padding else []
    return ", ".join([f"{trainer.data.name}: {spec.images:,} images of {shape}", *extras])


def _networks(trainer: Trainer) -> str:
    counts = {name: sum(p.numel() for p in player.module.parameters()) for name, player in trainer.players.items()}
    return ", ".join(f"{name} {count:,} parameters" for name, count in counts.items()) or "none trained by gradients"


def _signature(thing: Any) -> str:
    """With its values where it has any."""
    return repr(thing) if is_dataclass(thing) else type(thing).__name__


def _optimizer(optimizer: torch.optim.Optimizer) -> str:
    group = optimizer.param_groups[0]
    kept = [name for name in ("lr", "betas", "momentum", "weight_decay") if name in group]
    values = {name: group[name] for name in kept}
    values["lr"] = float(group["lr"])  # a tensor under CUDA graphs
    return f"{type(optimizer).__name__}({', '.join(f'{name}={value}' for name, value in values.items())})"


def _duration(trainer: Trainer) -> str:
    images, batch = trainer.total_images, trainer.batch_size
    if not trainer.iterates:
        return f"{images:,} images, {batch} at a time"
    steps = [f"{-(-images // trainer.images_a_step):,} steps"] if trainer.images_a_step else []
    epochs = f"{images / trainer.spec.images:.1f} epochs"
    return " = ".join([f"{images:,} images", *steps, epochs]) + f", batches of {batch}"


def _device(trainer: Trainer) -> str:
    precision = str(trainer.engine.autocast or trainer.engine.dtype).removeprefix("torch.")
    threads = f", {torch.get_num_threads()} threads" if trainer.device.type == "cpu" else ""
    return f"{trainer.device} ({device_name(trainer.device)}), {precision}{threads}"


def _memory(trainer: Trainer) -> str:
    players = trainer.players.values()
    parameters = [size(player.module.parameters()) for player in players]
    slots = [state_per_parameter(player.optimizer) for player in players]
    parts = {
        "parameters": sum(parameters),
        "gradients": sum(parameters),
        "optimizers": sum(bytes_ * slot for bytes_, slot in zip(parameters, slots, strict=True)),
        "EMA": size(trainer.model.generator.parameters()) if trainer.ema else 0,
        "data": size(filter(torch.is_tensor, trainer.data.pool)),
    }
    listed = ", ".join(f"{name} {amount / MIB:,.1f}" for name, amount in parts.items())
    return f"{sum(parts.values()) / MIB:,.0f} MiB and activations: {listed}"


def size(tensors: Iterable[torch.Tensor]) -> int:
    """Bytes."""
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors)


def state_per_parameter(optimizer: torch.optim.Optimizer) -> int:
    """Numbers kept for each parameter, learnt from a step on a toy: there is no state before the first one."""
    toy = torch.nn.Parameter(torch.zeros(8, device=optimizer.param_groups[0]["params"][0].device))
    toy.grad = torch.ones_like(toy)
    known = inspect.signature(type(optimizer)).parameters
    twin = type(optimizer)([toy], **{name: value for name, value in optimizer.defaults.items() if name in known})
    twin.step()
    return sum(torch.is_tensor(value) and value.numel() == toy.numel() for value in twin.state[toy].values())


def _measured_step(trainer: Trainer, start: int) -> tuple[float, int]:
    """Seconds, images."""
    trainer.move_to(start)
    trainer.take_step()
    before = trainer.images
    return _timed_step(trainer), trainer.images - before


def _step_name(start: int) -> str:
    return f"step from {start:,}" if start else "step"


def _step_cost(seconds: float, images: int) -> str:
    return f"{seconds:.4g} s for {images:,} images: {images / seconds:,.0f} images/s"


def _timed_step(trainer: Trainer) -> float:
    """Seconds."""
    _synchronize(trainer.device)
    began = time.perf_counter()
    trainer.take_step()
    _synchronize(trainer.device)
    return time.perf_counter() - began


def _synchronize(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()


def _peak_memory(device: torch.device) -> str:
    if device.type == "cuda":
        return f"{torch.cuda.max_memory_allocated(device) / MIB:,.0f} MiB on the device"
    try:
        import resource
    except ImportError:  # Windows
        return "unknown on this system"
    unit = 1 if sys.platform == "darwin" else 1024  # macOS counts bytes, Linux KiB
    return f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / MIB:,.0f} MiB, the whole process"

"""Before the first step: a table of the resolved run, advice, and the cost of a step."""

import sys
import time
from dataclasses import is_dataclass
from datetime import timedelta
from itertools import pairwise
from typing import Any

import torch

from genlab.build.advice import advice
from genlab.build.memory import count_bytes, state_per_parameter
from genlab.callbacks.early_stop import EarlyStop
from genlab.callbacks.environment import device_name, differences_from_start
from genlab.callbacks.scores import Scores
from genlab.core import distributed
from genlab.core.changes import describe as describe_change
from genlab.core.changes import entries_of
from genlab.core.printable import printable
from genlab.data import preview
from genlab.trainers.callback import callbacks_of
from genlab.trainers.trainer import Trainer

MIB = 2**20  # bytes
PREVIEW_FILE = "preview.png"
Rows = list[tuple[str, str]]  # (name, value)


def show(trainer: Trainer) -> None:
    """Print the table of the run, with advice on its choices before it begins, and warnings when it is resumed."""
    lines = [] if trainer.images else advice(trainer)
    warnings = [("warning", line) for line in differences_from_start(trainer)]
    print_rows(describe(trainer) + warnings + [("advice", line) for line in lines])


def require_ready_scores(trainer: Trainer) -> None:
    """Raise ConfigError for scores that a run refuses at its start, as for a split or weights that are not there."""
    for kind in (Scores, EarlyStop):
        for callback in callbacks_of(trainer, kind):
            callback.start(trainer)


def dry_run(trainer: Trainer) -> Rows:
    """Take two steps on every rank, the first to warm up, and print the cost of the second.

    If steps cost more as training goes on, two are taken at each cost. The training images as networks see them are
    drawn into the directory of a run that has not begun.
    """
    starts = [start for start in trainer.turning_points if start < trainer.total_images]
    steps = [_measure_step(trainer, start) for start in starts]
    stretches = zip(pairwise([*starts, trainer.total_images]), steps, strict=True)
    run_seconds = sum((end - start) * seconds / images for (start, end), (seconds, images) in stretches)
    total = timedelta(seconds=int(run_seconds))
    rows = [
        *[_step_row(start, *step) for start, step in zip(starts, steps, strict=True)],
        ("peak memory", _peak_memory(trainer.device)),
        ("whole run", f"{total} for {trainer.total_images:,} images, scores and lazy penalties not counted"),
    ]
    if distributed.is_main():
        print_rows(rows + draw_preview(trainer))
    return rows


def draw_preview(trainer: Trainer) -> Rows:
    """Draw training images into the directory of a run that has not begun, and return the row that says where."""
    if trainer.spec.height is None or trainer.resumed_from:
        return []
    path = trainer.run_dir / PREVIEW_FILE
    shown = [augmentation.as_shown() for augmentation in trainer.augmentations.values()]
    preview(trainer.data, shown, seed=trainer.seed, to=path)
    return [("training images", f"{path}{', below them as the discriminator sees them' if shown else ''}")]


def describe(trainer: Trainer) -> Rows:
    """Return the table of the run as its config was resolved."""
    return [
        ("data", f"{trainer.data.name}: {trainer.spec.description}"),
        *trainer.data.notes.rows,
        ("networks", _describe_networks(trainer)),
        ("loss", _signature(trainer.loss)),
        ("penalties", "; ".join(map(_signature, trainer.penalties.values())) or "none"),
        ("augmentations", "; ".join(map(_signature, trainer.augmentations.values())) or "none"),
        *[(f"{name}'s optimizer", _describe_optimizer(player.optimizer)) for name, player in trainer.players.items()],
        ("duration", _describe_duration(trainer)),
        ("device", _describe_device(trainer)),
        ("memory", _describe_memory(trainer)),
        ("seed", str(trainer.seed)),
        *[("changed", describe_change(entry)) for entry in entries_of(trainer.config)],
        ("run directory", str(trainer.run_dir)),
    ]


def print_rows(rows: Rows) -> None:
    rows = [(name, printable(value)) for name, value in rows]
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


def _describe_networks(trainer: Trainer) -> str:
    counts = {name: sum(p.numel() for p in player.module.parameters()) for name, player in trainer.players.items()}
    return ", ".join(f"{name} {count:,} parameters" for name, count in counts.items()) or "none trained by gradients"


def _signature(part: Any) -> str:
    """Return the class name of a part, with its values if it is a dataclass."""
    return repr(part) if is_dataclass(part) else type(part).__name__


def _describe_optimizer(optimizer: torch.optim.Optimizer) -> str:
    group = optimizer.param_groups[0]
    values = {name: group[name] for name in ("lr", "betas", "momentum", "weight_decay") if name in group}
    values["lr"] = float(group["lr"])  # a tensor under CUDA graphs
    return f"{type(optimizer).__name__}({', '.join(f'{name}={value}' for name, value in values.items())})"


def _describe_duration(trainer: Trainer) -> str:
    images, batch = trainer.total_images, trainer.batch_size
    if not trainer.iterates:
        return f"{images:,} images, {batch} at a time"
    steps = [f"{-(-images // trainer.images_a_step):,} steps"] if trainer.images_a_step else []
    epochs = f"{images / trainer.spec.images:.1f} epochs"
    return " = ".join([f"{images:,} images", *steps, epochs]) + f", batches of {batch}"


def _describe_device(trainer: Trainer) -> str:
    precision = str(trainer.engine.autocast or trainer.engine.dtype).removeprefix("torch.")
    threads = f", {torch.get_num_threads()} threads" if trainer.device.type == "cpu" else ""
    return f"{trainer.device} ({device_name(trainer.device)}), {precision}{threads}"


def _describe_memory(trainer: Trainer) -> str:
    players = trainer.players.values()
    parameters = [count_bytes(player.module.parameters()) for player in players]
    slots = [state_per_parameter(player.optimizer) for player in players]
    parts = {
        "parameters": sum(parameters),
        "gradients": sum(parameters),
        "optimizers": sum(bytes_ * slot for bytes_, slot in zip(parameters, slots, strict=True)),
        "EMA": count_bytes(trainer.model.generator.parameters()) if trainer.ema else 0,
        "data": count_bytes(filter(torch.is_tensor, trainer.data.pool)),
    }
    listed = ", ".join(f"{name} {amount / MIB:,.1f}" for name, amount in parts.items())
    return f"{sum(parts.values()) / MIB:,.0f} MiB and activations: {listed}"


def _measure_step(trainer: Trainer, start: int) -> tuple[float, int]:
    """Return the seconds and the images of the second step from a position on."""
    trainer.move_to(start)
    trainer.take_step()
    before = trainer.images
    return _time_step(trainer), trainer.images - before


def _time_step(trainer: Trainer) -> float:
    """Take a step and return its seconds."""
    _synchronize(trainer.device)
    began = time.perf_counter()
    trainer.take_step()
    _synchronize(trainer.device)
    return time.perf_counter() - began


def _step_row(start: int, seconds: float, images: int) -> tuple[str, str]:
    name = f"step from {start:,}" if start else "step"
    return name, f"{seconds:.4g} s for {images:,} images: {images / seconds:,.0f} images/s"


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

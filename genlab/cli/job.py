"""Run one job: train as a composed config says, in a run directory."""

from __future__ import annotations

import logging
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

import torch
from filelock import FileLock, Timeout
from omegaconf import DictConfig, OmegaConf

from genlab.build import instantiate as build
from genlab.build import preflight, runs
from genlab.build.paths import with_absolute_paths
from genlab.build.run_data import refuse_other_names
from genlab.callbacks.scores import best_record
from genlab.core import checkpoint, distributed
from genlab.core.device import keep_freed_memory
from genlab.core.errors import ConfigError, Interrupted, RunError
from genlab.core.renamed_paths import rename_targets
from genlab.core.trust import trust_word

if TYPE_CHECKING:
    from genlab.data import InMemory
    from genlab.trainers import Trainer

log = logging.getLogger(__name__)


def run(config: DictConfig, run_dir: Path, *, data: InMemory | None = None, fixed_dir: bool = False) -> float | None:
    """Train as a config says, in `run_dir`; return the best score, None without scores. Raises GenlabError."""
    keep_freed_memory()
    settings = with_absolute_paths(rename_targets(OmegaConf.to_container(config, resolve=True)))
    settings.pop("trust", None)  # of this command, never of a file
    if data is not None:
        settings["data"] = {"from_python": data.name}
    with lock_run_dir(run_dir), explain_resource_errors():
        require_valid_start(settings, run_dir, fixed_dir)
        trainer = build_trainer(settings, run_dir, data)
        restore_state(trainer)
        if distributed.is_main():
            preflight.show(trainer)
        if settings["dry_run"]:
            preflight.dry_run(trainer)
            return None
        write_config(settings, run_dir)
        fit(trainer)
    return best_score(trainer)


def build_trainer(settings: dict[str, Any], run_dir: Path, data: InMemory | None) -> Trainer:
    """Build the trainer. Of a resumed run whose files are gone, the ConfigError says how to name their new place."""
    try:
        return build.trainer(settings, run_dir, data)
    except ConfigError as error:
        root = settings["data"].get("root")
        if settings["resume"] is None or not isinstance(root, str) or Path(root).exists():
            raise
        raise ConfigError(f"{error} If the run's data were moved, say where they are: data.root=PATH.") from error


def require_valid_start(settings: dict[str, Any], run_dir: Path, fixed_dir: bool) -> None:
    resume, written = settings["resume"], run_dir / "config.yaml"
    if resume == "auto" and not fixed_dir:
        raise ConfigError(
            "resume=auto: which run? It needs a directory that stays the same: hydra.run.dir=outputs/my_run."
        )
    if resume is None and (run_dir / "checkpoints").exists():
        raise ConfigError(
            f"{run_dir} holds a run already. Continue it with resume={run_dir}{trust_word(settings)}, or choose "
            "another hydra.run.dir."
        )
    if resume is not None and written.exists():
        before = with_absolute_paths(runs.read_config(run_dir))
        checkpoint.refuse_differences(checkpoint.differences(before, settings))
    if not isinstance(settings["seed"], int) or settings["seed"] < 0:
        raise ConfigError(f"seed={settings['seed']}: expected a whole number, 0 or more.")


@contextmanager
def lock_run_dir(run_dir: Path) -> Iterator[None]:
    """Lock the run directory against other runs; the system frees the lock of a killed process."""
    if not distributed.is_main():
        yield
        return
    run_dir.mkdir(parents=True, exist_ok=True)
    lock = FileLock(run_dir / ".lock")
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise ConfigError(
            f"{run_dir} is being written to by another run. Wait for it, or choose another hydra.run.dir."
        ) from error
    try:
        yield
    finally:
        lock.release()
        remove_empty_directories(run_dir)


def remove_empty_directories(run_dir: Path) -> None:
    """Remove the directories that a mistaken command or a dry run leaves empty."""
    (run_dir / ".lock").unlink(missing_ok=True)
    for folder in (run_dir, run_dir.parent):
        if any(folder.iterdir()):
            return
        folder.rmdir()


@contextmanager
def explain_resource_errors() -> Iterator[None]:
    """Raise RunError with one message if memory or disk runs out."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not ran_out_of_memory(error):
            raise
        raise RunError(
            f"out of memory: {str(error).partition('. ')[0]}. Lower trainer.batch_size, or raise trainer.accumulate "
            "(same batch, in more and smaller pieces)."
        ) from error
    except OSError as error:
        raise RunError(
            f"cannot write: {checkpoint.reason_of(error)}. Checkpoints so far are kept; make room and resume."
        ) from error


def ran_out_of_memory(error: Exception) -> bool:
    """Tell by the message too: on a CPU and on MPS torch raises a plain RuntimeError."""
    words = ("out of memory", "can't allocate memory", "not enough memory")
    return isinstance(error, (MemoryError, torch.OutOfMemoryError)) or any(word in str(error) for word in words)


def restore_state(trainer: Trainer) -> None:
    """Restore a resumed run's whole state, or take over the weights of `init_from`."""
    settings = trainer.config
    found = checkpoint.newest_good(trainer.run_dir / "checkpoints") if settings["resume"] else None
    if found:
        path, state = found
        checkpoint.refuse_older(state, trainer.run_dir)
        checkpoint.restore(trainer.parts, state, config=settings, fingerprint=trainer.data.fingerprint)
        refuse_other_names(trainer.spec, state)
        log.info("resumed from %s", path)
    elif settings["init_from"]:
        networks = {f"network/{name}": player.module for name, player in trainer.players.items()}
        checkpoint.load_weights(networks, settings["init_from"], settings["model"])
        trainer.restart_average()


def write_config(settings: dict[str, Any], run_dir: Path) -> None:
    if distributed.is_main():
        text = OmegaConf.to_yaml(OmegaConf.create(settings))
        checkpoint.write_atomically(run_dir / "config.yaml", text.encode())


def fit(trainer: Trainer) -> None:
    with Signals() as signals:
        trainer.fit(lambda: signals.received is not None)
    if signals.received is not None:
        name = signal.Signals(signals.received).name
        raise Interrupted(
            f"{name}: saved at {trainer.images:,} images. Continue with resume={trainer.run_dir}"
            f"{trust_word(trainer.config)}",
            signals.received,
        )


class Signals:
    """Records SIGINT and SIGTERM the first time; the second time they act as usual."""

    def __init__(self) -> None:
        self.received: int | None = None
        self.before: dict[int, Any] = {}

    def __enter__(self) -> Signals:
        try:
            self.before = {number: signal.signal(number, self.record) for number in (signal.SIGINT, signal.SIGTERM)}
        except ValueError:  # not in the main thread: whoever owns it handles signals
            self.before = {}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self.before.items():
            signal.signal(number, handler)

    def record(self, number: int, _: FrameType | None) -> None:
        self.received = number
        for other in self.before:
            signal.signal(other, signal.SIG_DFL)


def best_score(trainer: Trainer) -> float | None:
    best = best_record(trainer)
    return best.value if best else None

"""The summary at the end of a run: its results, the paths of its files, the next command."""

import json
import shlex
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

from genlab.callbacks.health import health_warnings
from genlab.callbacks.scores import best_record
from genlab.core.command_words import path_word
from genlab.core.errors import GenlabError
from genlab.core.json_files import replace_non_finite
from genlab.core.trust import trust_word
from genlab.core.whole_files import write_atomically
from genlab.metrics.records import Record
from genlab.trainers.callback import Callback
from genlab.trainers.trainer import Trainer


class Summary(Callback):
    """Prints the summary, and writes it to `summary.json` in the run directory."""

    def __init__(self) -> None:
        self.records: list[dict[str, Any]] = []  # of the latest position that was scored
        self._records_at = -1
        self._began: float | None = None  # in this process
        self._before = 0.0  # seconds of earlier processes

    def start(self, trainer: Trainer) -> None:
        self._began = time.monotonic()

    def after_rollback(self, trainer: Trainer) -> None:
        self.records, self._records_at = [], -1

    def record(self, trainer: Trainer, record: dict[str, Any]) -> None:
        if trainer.images != self._records_at:
            self.records, self._records_at = [], trainer.images
        self.records.append(record)

    def finish(self, trainer: Trainer) -> None:
        facts = self.facts(trainer)
        text = json.dumps(replace_non_finite(facts), indent=2, allow_nan=False) + "\n"
        write_atomically(trainer.run_dir / "summary.json", text.encode())
        print("\n".join(f"{name:<12} {value}" for name, value in _rows(facts)), flush=True)

    def fail(self, trainer: Trainer, error: GenlabError) -> None:
        trainer.stop(str(error))
        self.finish(trainer)

    def state_dict(self) -> dict[str, Any]:
        return {"seconds": self._seconds()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self._before = max(state["seconds"], self._seconds())  # steps that a rollback discards took time, too
        self._began = None if self._began is None else time.monotonic()

    def facts(self, trainer: Trainer) -> dict[str, Any]:
        """Return the contents of summary.json."""
        run_dir, best = trainer.run_dir, best_record(trainer)
        return {
            "images": trainer.images,
            "total_images": trainer.total_images,
            "step": trainer.step,
            "complete": trainer.images >= trainer.total_images
            and not trainer.interrupted,  # else a score may be missing
            "stopped": trainer.stop_reason,
            "data": f"{trainer.data.name}: {trainer.spec.description}",
            "seconds": round(self._seconds(), 3),  # of training, over all restarts
            "best": None if best is None else self._best_facts(best),
            "records": self.records,
            "health": health_warnings(trainer),
            "run_dir": str(run_dir),
            "last_grid": max((str(path) for path in (run_dir / "samples").glob("[0-9]*.png")), default=None),
            "checkpoints": str(run_dir / "checkpoints") if (run_dir / "checkpoints").is_dir() else None,
            "look": f"tensorboard --logdir {shlex.quote(_log_root(run_dir))}",
            "resume": _resume_command(trainer),
        }

    def _best_facts(self, best: Record) -> dict[str, Any]:
        """Return the best score, with the real images' own where the metric gives it."""
        facts = {"metric": best.metric, "value": best.value, "images": best.position}
        real = [record["value"] for record in self.records if record["metric"] == f"{best.metric}_real"]
        return facts | ({"real": real[0]} if real else {})

    def _seconds(self) -> float:
        return self._before + (0.0 if self._began is None else time.monotonic() - self._began)


def _rows(facts: dict[str, Any]) -> list[tuple[str, str]]:
    best = facts["best"]
    real = f" (real images: {best['real']:.4g})" if best and "real" in best else ""
    rows = [
        ("best", best and f"{best['metric']} {best['value']:.4g} at {best['images']:,} images{real}"),
        ("images", f"{facts['images']:,} of {facts['total_images']:,} ({facts['step']:,} steps)"),
        ("stopped", facts["stopped"]),
        ("time", str(timedelta(seconds=int(facts["seconds"])))),
        *(("health", f"at {one['images']:,} images: {one['message']}") for one in facts["health"]),
        ("run", _relative(facts["run_dir"])),
        ("samples", _relative(facts["last_grid"])),
        ("checkpoints", _relative(facts["checkpoints"])),
        ("curves", facts["look"]),
        ("longer" if facts["complete"] else "continue", facts["resume"]),
    ]
    return [(name, value) for name, value in rows if value]


def _resume_command(trainer: Trainer) -> str | None:
    word = path_word("resume", _relative(str(trainer.run_dir)))
    command = f"python -m genlab.train {word}{trust_word(trainer.config)}"
    if trainer.images < trainer.total_images or trainer.interrupted:
        return command
    return f"{command} trainer.images={2 * trainer.total_images}" if trainer.iterates else None


def _log_root(run_dir: Path) -> str:
    """Return the `outputs` folder that holds all runs, or the run's own directory elsewhere."""
    roots = [parent for parent in run_dir.parents if parent.name == "outputs"]
    return _relative(str(roots[0] if roots else run_dir))


def _relative(path: str | None) -> str | None:
    """Return a path relative to the working directory if it lies below it."""
    if path is None or not Path(path).resolve().is_relative_to(Path.cwd()):
        return path
    return str(Path(path).resolve().relative_to(Path.cwd()))

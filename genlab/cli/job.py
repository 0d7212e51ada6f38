"""Run one job: train as a composed config says, in a run directory."""

from __future__ import annotations

import hashlib
import logging
import math
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from traceback import extract_tb
from typing import TYPE_CHECKING, Any, NoReturn

import torch
from filelock import FileLock, Timeout
from omegaconf import DictConfig, OmegaConf

from genlab.build import instantiate as build
from genlab.build import preflight, runs
from genlab.build.arguments import place_in_own_code
from genlab.build.imported_run import is_foreign_file, load_foreign_weights
from genlab.build.paths import with_absolute_paths
from genlab.build.run_data import refuse_other_names
from genlab.callbacks.jsonl import read_rows
from genlab.callbacks.scores import best_record, last_records
from genlab.cli.changes import apply_changes
from genlab.cli.keys import check_keys
from genlab.cli.out_of_memory import describe_remedy, ran_out_of_memory
from genlab.cli.result import Result
from genlab.core import checkpoint, distributed
from genlab.core.changes import first_config, walk_keys
from genlab.core.command_words import path_word
from genlab.core.config_differences import differences, refuse_differences
from genlab.core.device import keep_freed_memory
from genlab.core.errors import ConfigError, Interrupted, RunError, describe_error
from genlab.core.interruption import Signals
from genlab.core.network_limit import Limit, limit_of_checkpoint
from genlab.core.os_errors import go_on_after, reason_of
from genlab.core.renamed_paths import rename_targets
from genlab.core.run_links import refuse_foreign_checkpoints, refuse_links
from genlab.core.trust import find_targets, trust_word, untrusted_packages
from genlab.core.whole_files import drop_link, write_atomically
from genlab.trainers.system import keep_changed_options

if TYPE_CHECKING:
    from genlab.data import InMemory
    from genlab.trainers import Trainer

FAULTS_OF_CODE = (ArithmeticError, AttributeError, LookupError, NameError, RuntimeError, TypeError, ValueError)
log = logging.getLogger(__name__)


def run(config: DictConfig, run_dir: Path, *, data: InMemory | None = None, fixed_dir: bool = False) -> Result | None:
    """Train as a config says, in `run_dir`; return the result, of a dry run None. Raises GenlabError."""
    keep_freed_memory()
    settings = with_absolute_paths(rename_targets(check_keys(config, "train")))
    settings.pop("trust", None)  # of this command, never of a file
    changes = settings.pop("change", None)
    if data is not None:
        settings["data"] = {"from_python": data.name}
    require_same_ranks(settings, run_dir)
    with lock_run_dir(run_dir), explain_resource_errors(settings, run_dir):
        require_valid_start(settings, run_dir, fixed_dir)
        found = checkpoint.newest_good(run_dir / "checkpoints") if settings["resume"] else None
        if found is None:
            refuse_foreign_checkpoints(run_dir)
        settings = apply_changes(settings, changes, run_dir, found and found[1])
        limit = limit_of_checkpoint(found[1]["parts"], found[0]) if found else None
        trainer = build_trainer(settings, run_dir, data, limit)
        distributed.require_same({"data": trainer.data.fingerprint}, "Give every rank the same files.")
        restore_state(trainer, found)
        if distributed.is_main():
            preflight.show(trainer)
        if settings["dry_run"]:
            preflight.require_ready_scores(trainer)
            preflight.dry_run(trainer)
            return None
        write_config(settings, run_dir)
        fit(trainer)
    return result_of(trainer)


def require_same_ranks(settings: dict[str, Any], run_dir: Path) -> None:
    """Raise RunError if ranks were started with other words, code or versions, which would train apart or hang."""
    if distributed.world_size() == 1:
        return
    distributed.tell_how_to_resume(
        f"Once it has saved a checkpoint, resume with {path_word('resume', run_dir)}{trust_word(settings)}."
    )
    versions = {"genlab's code": hash_of_code(), "torch": torch.__version__}
    facts = dict(walk_keys(settings, "")) | {"run directory": str(run_dir)} | versions
    leaves = {key: value for key, value in facts.items() if not isinstance(value, dict)}
    distributed.require_same(leaves, "Start every rank with the same command and the same installation.")


def hash_of_code() -> str:
    """Return a hash of genlab's source files."""
    digest, folder = hashlib.sha256(), Path(__file__).parents[1]
    for path in sorted(folder.rglob("*.py")):
        digest.update(str(path.relative_to(folder)).encode() + path.read_bytes())
    return digest.hexdigest()


def build_trainer(
    settings: dict[str, Any], run_dir: Path, data: InMemory | None, limit: Limit | None = None
) -> Trainer:
    """Build the trainer. Of a resumed run whose files are gone, the ConfigError says how to name their new place."""
    try:
        return build.trainer(settings, run_dir, data, limit=limit)
    except ConfigError as error:
        root = settings["data"].get("root")
        if settings["resume"] is None or not isinstance(root, str) or Path(root).exists():
            raise
        raise ConfigError(f"{error} If the run's data were moved, say where they are: data.root=PATH.") from error


def require_valid_start(settings: dict[str, Any], run_dir: Path, fixed_dir: bool) -> None:
    resume, written = settings["resume"], run_dir / "config.yaml"
    refuse_links(run_dir)
    if resume == "auto" and not fixed_dir:
        raise ConfigError(
            "resume=auto: which run? It needs a directory that stays the same: hydra.run.dir=outputs/my_run."
        )
    if resume is None and (run_dir / "checkpoints").exists():
        raise ConfigError(
            f"{run_dir} holds a run already. Continue it with {path_word('resume', run_dir)}{trust_word(settings)}, or "
            "choose another hydra.run.dir."
        )
    if resume is not None and written.exists():
        before = with_absolute_paths(runs.read_config(run_dir))
        before = before if "changes" in settings else first_config(before)  # `resume=auto` composes the first one
        refuse_differences(differences(before, settings), run_dir)


@contextmanager
def lock_run_dir(run_dir: Path) -> Iterator[None]:
    """Lock the run directory against other runs; the system frees the lock of a killed process."""
    if not distributed.is_main():
        yield
        return
    lock = FileLock(drop_link(run_dir / ".lock"))
    try:
        run_dir.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=0)
    except Timeout as error:
        raise ConfigError(
            f"{run_dir} is being written to by another run. Wait for it, or choose another hydra.run.dir."
        ) from error
    except (OSError, NotImplementedError) as error:
        raise ConfigError(
            f"hydra.run.dir={run_dir}: cannot be made or written to ({error}). Name another directory."
        ) from error
    try:
        yield
    finally:
        lock.release()
        (run_dir / ".lock").unlink(missing_ok=True)


@contextmanager
def explain_resource_errors(settings: dict[str, Any], run_dir: Path) -> Iterator[None]:
    """Raise RunError with one message if memory runs out, a file cannot be read or written, or code calls sys.exit."""
    try:
        yield
    except SystemExit as error:
        raise RunError(f"code of the run called sys.exit({error.code!r}). Checkpoints so far are kept.") from error
    except (MemoryError, *FAULTS_OF_CODE) as error:
        if not ran_out_of_memory(error):
            raise_own_fault(error, settings)
        raise RunError(
            f"out of memory: {str(error).partition('. ')[0]}. {describe_remedy(settings, run_dir)}"
        ) from error
    except OSError as error:
        file = f"{error.filename}: " if error.filename else ""
        raise RunError(f"{file}{reason_of(error)}. Checkpoints so far are kept; {go_on_after(error)}.") from error


def raise_own_fault(error: Exception, settings: dict[str, Any]) -> NoReturn:
    """Raise RunError for an error in a run that is made of a user's own classes; any other error as it is."""
    packages = untrusted_packages(settings)
    if not packages:
        raise error
    last = extract_tb(error.__traceback__)[-1]
    place = place_in_own_code(error) or f" ({last.filename}, line {last.lineno})"
    raise RunError(
        f"{describe_error(error)}{place}. This run is made of classes of {' and '.join(packages)}: compare what they "
        "take and give with genlab/ARCHITECTURE.md, Contracts. Checkpoints so far are kept."
    ) from error


def restore_state(trainer: Trainer, found: tuple[Path, dict] | None) -> None:
    """Restore a resumed run's whole state from a checkpoint, or take over the weights of `init_from`."""
    settings = trainer.config
    if found:
        path, state = found
        checkpoint.refuse_older(state, trainer.run_dir)
        facts: dict[str, Any] = {"config": settings, "fingerprint": trainer.data.fingerprint}
        checkpoint.restore(trainer.parts, state, run_dir=trainer.run_dir, **facts)
        keep_changed_options(trainer.players, settings)
        refuse_other_names(trainer.spec, state)
        log.info("resumed from %s", path)
    elif settings["init_from"] and is_foreign_file(settings["init_from"]):
        load_foreign_weights(trainer, Path(settings["init_from"]), settings["model"])
    elif settings["init_from"]:
        networks = {f"network/{name}": player.module for name, player in trainer.players.items()}
        checkpoint.load_weights(networks, settings["init_from"], settings["model"])
        trainer.restart_average()


def write_config(settings: dict[str, Any], run_dir: Path) -> None:
    if distributed.is_main():
        write_atomically(run_dir / "config.yaml", to_yaml(settings).encode())


def to_yaml(settings: dict[str, Any]) -> str:
    """Return a run's config as YAML. The seed comes last: a file in which it is complete is whole."""
    others = {key: value for key, value in settings.items() if key != "seed"}
    return OmegaConf.to_yaml(OmegaConf.create(others | {"seed": settings["seed"]}))


def fit(trainer: Trainer) -> None:
    with Signals() as signals:
        trainer.fit(lambda: signals.received is not None)
    if signals.received is not None:
        name = signal.Signals(signals.received).name
        raise Interrupted(
            f"{name}: saved at {trainer.images:,} images. Continue with {path_word('resume', trainer.run_dir)}"
            f"{trust_word(trainer.config)}",
            signals.received,
        )


def result_of(trainer: Trainer) -> Result:
    best, newest = best_record(trainer), [record.as_dict() for record in last_records(trainer)]
    if not newest:  # resumed where it had been scored already
        newest = [row["record"] for row in read_rows(trainer.run_dir / "metrics.jsonl") if "record" in row]
    scores = {record["metric"]: math.nan if record["value"] is None else record["value"] for record in newest}
    own = sorted({node["_target_"] for _, node in find_targets(trainer.config, "")})
    return Result(best.value if best else None, run_dir=trainer.run_dir, scores=scores, trust=own)

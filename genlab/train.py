"""The entry point: `python -m genlab.train model=wgan_gp data=mnist`. See `--help`.

torch is imported only when a job starts, so that `--help` and mistakes in the command answer at once.
"""

from __future__ import annotations

import logging
import math
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genlab.cli import made_directories, menu, own_pictures, sweep
from genlab.cli.change_words import quote_changes
from genlab.cli.command import exit_code_of, start
from genlab.cli.composition import CONFIGS, explained_errors, replace_mappings, set_outer_hydra_aside
from genlab.cli.imported_words import with_model_of_file
from genlab.cli.own_files import check_own_files
from genlab.cli.path_words import quote_paths, without_quotes
from genlab.cli.resumed_words import refuse_choices
from genlab.cli.words import check_words, own_folder, split_flags
from genlab.core import distributed
from genlab.core.command_words import as_override
from genlab.core.errors import ConfigError, GenlabError, Interrupted
from genlab.core.trust import NAMED, refuse_unasked_trackers, require_trusted, targets_in

if TYPE_CHECKING:
    from omegaconf import DictConfig

    from genlab.cli.result import Result
    from genlab.data import InMemory

RESUMED = "resumed_run"  # the name under which Hydra finds the config of a run that is resumed
MANY = {"-m", "--multirun"}
log = logging.getLogger("genlab")


def cli() -> None:
    start(main)


def main(arguments: list[str]) -> int:
    """Run a command line and return the exit code. A user's mistake is one message, never a traceback."""
    if {"--help", "-h"} & set(arguments):
        print(menu.menu_text())
        return 0
    return exit_code_of(lambda: run(arguments))


def run(arguments: list[str], *, data: InMemory | None = None) -> Result | None:
    """Compose, build and train; return the result of the last job, None if none trained. Raises GenlabError."""
    if data is not None:
        from genlab.build.run_data import require_data_set

        require_data_set(data, "data=...")
    results: list[Result | GenlabError | None] = []

    def job(config: DictConfig) -> float:
        result = attempt(config, data)
        results.append(result)
        return float(result) if isinstance(result, float) and not math.isnan(result) else worst_score()

    run_dir = [f"hydra.run.dir=outputs/${{hydra:runtime.choices.model}}-{data.name}/${{started:}}"] if data else []
    run_dir = [] if any(word.startswith("hydra.run.dir=") for word in arguments) else run_dir
    with distributed.joined_ranks(), sweep.write_table_at_end():
        compose_and_call(job, [*run_dir, *arguments], own_files=data is None)
    sweep.raise_failures()
    last = results[-1] if results else None
    if isinstance(last, GenlabError):
        raise last
    return last


def worst_score() -> float:
    """Return the score that an optimising sweeper gets for a job without one; nan would stop it."""
    from hydra.core.hydra_config import HydraConfig

    return -math.inf if HydraConfig.get().sweeper.get("direction") == "maximize" else math.inf


def attempt(config: DictConfig, data: InMemory | None) -> Result | GenlabError | None:
    """Run one job. An error is returned, not raised, so that the other jobs of a sweep go on."""
    from hydra.core.hydra_config import HydraConfig
    from hydra.types import RunMode

    from genlab.cli import job

    hydra = HydraConfig.get()
    folder = Path(hydra.runtime.output_dir)
    many = hydra.mode == RunMode.MULTIRUN
    is_recorded = many and not config.get("dry_run")
    record_state = partial(sweep.write_job, folder, hydra.overrides.task) if is_recorded else lambda state: None
    record_state("interrupted")
    try:
        with distributed.explained_loss_of_ranks():
            config = own_pictures.completed_config(config, list(hydra.overrides.task)) if many else config
            result = job.run(config, folder, data=data, fixed_dir=has_fixed_dir(hydra))
        (folder / sweep.ERROR_FILE).unlink(missing_ok=True)  # from an earlier attempt
        record_state("done")
        return result
    except Interrupted as error:
        if many:  # Ctrl-C ends the sweep, not this job alone
            print(f"\n{error}", file=sys.stderr)
            sys.exit(error.exit_code)
        distributed.share_failure(error)
        return error
    except GenlabError as error:
        distributed.share_failure(error)
        experiment = hydra.runtime.choices.get("experiment")
        if experiment and isinstance(error, ConfigError):
            error.args = (f"{error} (experiment={experiment})",)
        if many:
            log.error("%s: %s", type(error).__name__, error)
            sweep.write_error(folder, error)
            record_state("failed")
        return error
    finally:
        if distributed.is_main():
            made_directories.remove_empty(folder)


def has_fixed_dir(hydra: Any) -> bool:
    key = "hydra.sweep.dir=" if hydra.mode is not None and hydra.mode.name == "MULTIRUN" else "hydra.run.dir="
    chosen = [override for override in hydra.overrides.hydra if override.startswith(key)]
    return any("${started:" not in override and "${now:" not in override for override in chosen)


def compose_and_call(job: Any, arguments: list[str], *, own_files: bool = True) -> None:
    """Compose the config with Hydra and call the job with it. Hydra's errors become ConfigError.

    `own_files`: the data are files that the command names, which may choose the rest.
    """
    import hydra
    from omegaconf import OmegaConf

    started = distributed.from_main(datetime.now().strftime("%Y-%m-%d_%H-%M-%S"))
    OmegaConf.register_new_resolver("started", lambda: started, replace=True)
    flags, words = split_flags(quote_changes(arguments))
    words = quote_paths(words, sweeps=bool(MANY & set(flags)))
    check_words(words, "train", own_folder(flags))
    refuse_choices(words)
    check_own_files(words, own_folder(flags))
    words = with_model_of_file(words)
    words = own_pictures.with_experiment(words) if own_files else words
    arguments = [*flags, *words]
    where, extra = config_source(arguments)
    arguments = replace_mappings(arguments, where)
    if own_files and not MANY & set(flags):  # the jobs of a sweep choose for themselves
        arguments = own_pictures.completed_arguments(arguments, where)
    if MANY & set(flags) and any(sweeps_over_group(word) for word in words):
        arguments = [allow_in_some_jobs(word) for word in arguments]
    explained = explained_folder_errors(), explained_errors(arguments, where)
    with set_outer_hydra_aside(), replaced_argv([*arguments, *extra]), explained[0], explained[1]:
        hydra.main(version_base="1.3", **where)(job)()


def sweeps_over_group(word: str) -> bool:
    """Return whether a word names several choices of one group, so that jobs differ in their keys."""
    key, _, value = word.partition("=")
    return key in menu.GROUPS and ("," in value or "(" in value)


def allow_in_some_jobs(word: str) -> str:
    """Return a sweep's word such that a job whose config lacks the key is refused alone: the job checks its keys."""
    sets_inner_key = re.match(r"(?!hydra\.)[a-z]\w*(\.\w+)+=", word)
    return f"++{word}" if sets_inner_key else word


@contextmanager
def explained_folder_errors() -> Iterator[None]:
    """Raise ConfigError where the directory of a run or sweep cannot be made; errors in it are the job's own."""
    try:
        yield
    except OSError as error:
        raise ConfigError(
            f"hydra.run.dir: {error.filename or error} cannot be made or written to ({error.strerror}). Name another "
            "directory: hydra.run.dir=outputs/my_run."
        ) from error


def config_source(arguments: list[str]) -> tuple[dict[str, Any], list[str]]:
    """Return the config's location, the menu or a resumed run's, and overrides that go with it.

    Hydra is not shown the run's directory: its search path would let files in there configure Hydra itself.
    """
    resume = value_of("resume", arguments) or "null"
    if resume in ("null", "auto"):
        return {"config_path": CONFIGS, "config_name": "train"}, []
    resume = without_quotes(resume)
    folder = Path(resume).resolve()
    if not (folder / "config.yaml").is_file():
        raise ConfigError(
            f"resume={resume}: not a run directory (it has no config.yaml). "
            "Give one like outputs/wgan_gp-mnist/DATE_TIME."
        )
    store_resumed_config(folder, arguments)
    keep = [
        f"hydra.run.dir={as_override(folder)}",
        "hydra.output_subdir=null",
        "hydra/job_logging=none",
        "hydra/hydra_logging=none",
    ]
    return {"config_path": None, "config_name": RESUMED}, keep


def value_of(key: str, arguments: list[str]) -> str | None:
    """Return the last value that a command line gives a key."""
    return next((word.partition("=")[2] for word in reversed(arguments) if word.startswith(f"{key}=")), None)


def store_resumed_config(folder: Path, arguments: list[str]) -> None:
    """Hand a run's config to Hydra. Raises ConfigError if it names what the user neither typed nor trusts."""
    from hydra.core.config_store import ConfigStore

    from genlab.build.runs import read_config

    config, own = read_config(folder), own_folder(arguments)
    typed = [name for word in arguments for name in NAMED.findall(word)]
    trust = yaml_list(value_of("trust", arguments))
    trusted = [*trust, *typed, *(targets_in(own) if own else ())]
    require_trusted(config, folder / "config.yaml", trusted)
    refuse_unasked_trackers(config, folder / "config.yaml", trusted, arguments)
    trainer = config.get("trainer")
    may_change = {"trainer": {"epochs": None} | trainer} if isinstance(trainer, dict) else {}
    ConfigStore.instance().store(name=RESUMED, node=config | may_change | {"trust": [], "change": []})


def yaml_list(value: str | None) -> list[str]:
    """Return the names in a value such as `[a,b]` or `a`."""
    return [name.strip("'\" ") for name in (value or "").strip("[]").split(",") if name.strip("'\" ")]


@contextmanager
def replaced_argv(arguments: list[str]) -> Iterator[None]:
    """Set sys.argv, which Hydra reads, and make it raise exceptions instead of printing them."""
    before, full = sys.argv, os.environ.get("HYDRA_FULL_ERROR")
    sys.argv, os.environ["HYDRA_FULL_ERROR"] = [before[0], *arguments], "1"
    try:
        yield
    finally:
        sys.argv = before
        os.environ.pop("HYDRA_FULL_ERROR")
        os.environ.update({"HYDRA_FULL_ERROR": full} if full else {})


if __name__ == "__main__":
    cli()

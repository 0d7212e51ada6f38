"""Trained runs, opened from their directories."""

import logging
import re
from collections.abc import Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from genlab.build import instantiate as build
from genlab.build.imported_run import folder_of_file, state_of_file
from genlab.build.run_data import data_for_run, refuse_other_condition
from genlab.core import checkpoint as files
from genlab.core.errors import ConfigError
from genlab.core.network_limit import limit_of_checkpoint
from genlab.core.renamed_paths import rename_targets
from genlab.core.run_links import refuse_links
from genlab.core.spec import Spec
from genlab.core.trust import require_trusted_run
from genlab.core.yaml_file import read_harmless
from genlab.data import InMemory
from genlab.data.blank_dataset import Blank
from genlab.trainers.sample_stream import TrainedRun

log = logging.getLogger(__name__)


def open_run(
    run: str | Path,
    *,
    checkpoint: str | int = "newest",  # or best, or a number of images
    device: str = "auto",
    real: bool = False,  # with the run's own data instead of blank images
    data: InMemory | None = None,  # with these data
    named: dict[str, Any] | None = None,  # with data of these values: {"root": PATH}, or those of a whole data set
    trust: Sequence[str] = (),  # packages that the run's config may name
) -> TrainedRun:
    """Return a run from a checkpoint, to sample and to measure, without what only training needs.

    Data are compared with those of training: others must be given or named, and are said to be others. Raises
    ConfigError if there is no such run or checkpoint, for other data, and for a config that names what is not trusted
    (`core.trust`); RunError if all checkpoints are damaged.
    """
    run_dir = Path(run).expanduser()
    refuse_links(run_dir)
    path, state = find_checkpoint(run_dir, checkpoint)
    require_trusted_run(state, path, trust)
    config, parts = deepcopy(state["config"]), state["parts"]
    config["trainer"]["device"] = device
    found = data_for_run(state, real=real, given=data, named=named or {})
    position = {name: parts["position"][name] for name in ("images", "step")}
    known = found.data if found.own else Blank(found.spec)
    stream = build.sample_stream(config, known, seen=position["images"], limit=limit_of_checkpoint(parts, path))
    saved = {name: parts[name] for name in stream.parts if name in parts}
    files.load(stream.parts, saved, skip_outdated=True)
    stream.model.eval()
    expected = Spec.of(state["spec"]) if state.get("spec") else found.spec
    if stream.model.conditional:  # even of equal pixels, as classes may be called otherwise
        refuse_other_condition(found.data.spec, expected)
    facts = vars(stream) | {"data": found.data, "own_data": found.own}
    folder = folder_of_file(run_dir) if run_dir.is_file() else run_dir
    return TrainedRun(**facts, **position, run_dir=folder, config=config)


def read_config(run_dir: Path) -> dict[str, Any]:
    """Return the config of a run directory, with today's class paths. Raises ConfigError for what no run writes.

    In place of half a file, which a bad copy leaves, it is the config that the newest checkpoint holds.
    """
    path = run_dir / "config.yaml"
    refuse_links(run_dir)
    config: Any = {}
    try:
        text, problem = read_harmless(path), ""
        config = to_lists(OmegaConf.create(text))
    except (OSError, ValueError, YAMLError, OmegaConfBaseException) as error:
        if not (isinstance(error.__cause__, YAMLError) and re.match(r"\w+:", path.read_text(encoding="utf-8"))):
            raise ConfigError(f"{path}: {error}. Give a directory that genlab.train wrote.") from error
        text, problem = "", str(error)
    strange = sorted({"hydra", "defaults"} & set(config)) if isinstance(config, dict) else ["no keys"]
    if strange or "${" in str(config):
        raise ConfigError(
            f"{path}: holds {strange[0] if strange else '${...}'}, which no run writes: use another copy of the run."
        )
    whole = text.endswith("\n") and config.keys() >= {"seed", *build.GROUPS}
    return rename_targets(config if whole else make_up(path, config, problem))


def make_up(path: Path, part: dict[str, Any], problem: str) -> dict[str, Any]:
    """Return the config of the newest checkpoint beside a damaged file, with a warning; without any, what was read.

    A run of an older version has fewer keys, and its checkpoint as few. Raises ConfigError if nothing could be read and
    there is no checkpoint.
    """
    found = files.newest_good(path.parent / "checkpoints")
    if found is None and problem:
        raise ConfigError(f"{path}: {problem}. Give a directory that genlab.train wrote.")
    if found is None:
        return part
    file, config = found[0], to_lists(found[1]["config"])
    if config == part or (config.keys() == part.keys() and path.read_bytes().endswith(b"\n")):
        return part
    log.warning("%s is damaged: the config in %s is taken.", path, file.name)
    return config


def to_lists(config: Any) -> Any:
    """Return a config as YAML gives it, with lists where a checked one has tuples."""
    return OmegaConf.to_container(OmegaConf.create(config))


def best_unless(asked: str | int | None, run: str | Path) -> str | int:
    """Return the checkpoint that is asked for; by default the best, of a run without scores the newest. Says which."""
    folder = Path(run).expanduser() / "checkpoints"
    is_file = folder.parent.is_file()
    if asked is not None and is_file:
        raise ConfigError(f"checkpoint={asked}: {run} is one file of weights, and has no others. Leave it out.")
    if asked is not None:
        return asked
    is_scored = (folder / "best.pt").is_file()
    if is_file or not (is_scored or files.newest_first(folder)):
        return "best"  # opening it raises the error that says what is missing
    which = "best" if is_scored else "newest"
    reason = "of the best score; checkpoint=newest is the last one" if is_scored else "as no scores were measured"
    log.info("checkpoint=%s is taken, %s", which, reason)
    return which


def find_checkpoint(run_dir: Path, which: str | int) -> tuple[Path, dict]:
    """Return a checkpoint's file and its state. Raises ConfigError if there is none."""
    folder = run_dir / "checkpoints"
    if run_dir.is_file():
        return run_dir, state_of_file(run_dir)
    if not folder.is_dir():
        raise ConfigError(
            f"run={run_dir}: not a run directory (it has no checkpoints). "
            "Give one like outputs/wgan_gp-mnist/DATE_TIME."
        )
    if which == "newest":
        newest = files.newest_good(folder)
        if newest is None:
            raise ConfigError(f"{folder}: holds no checkpoint of its own. Resume the run, or try checkpoint=best.")
        return newest
    path = folder / ("best.pt" if which == "best" else f"{int(which):010d}.pt" if str(which).isdigit() else str(which))
    try:
        return path, files.read(path)
    except ValueError as error:
        there = " or ".join(f"checkpoint={name}" for name in checkpoint_names(folder))
        raise ConfigError(f"checkpoint={which}: {path} {error}. Set {there}.") from error


def checkpoint_names(folder: Path) -> list[str]:
    """Return the valid values of `checkpoint=`."""
    numbered = [str(int(path.stem)) for path in files.newest_first(folder)]
    return ["newest"] * bool(numbered) + ["best"] * (folder / "best.pt").is_file() + numbered

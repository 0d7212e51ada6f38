"""Checkpoints: all state in one file, written so that a crash loses no older checkpoint."""

import hashlib
import io
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import torch

from genlab.core.changes import first_config
from genlab.core.checkpoint_structure import require_structure
from genlab.core.command_words import path_word
from genlab.core.config_differences import describe_other_model, differences, refuse_differences
from genlab.core.errors import ConfigError, Outdated, RunError
from genlab.core.foreign_files import is_regular, open_regular, read_text
from genlab.core.os_errors import go_on_after, reason_of
from genlab.core.renamed_paths import rename_targets
from genlab.core.spec import Spec
from genlab.core.tensor_file import load_tensors
from genlab.core.weights import load_state
from genlab.core.whole_files import write_atomically

FORMAT = 2  # raised when a saved run would train on otherwise: 1 is resumed no more, but still read
READABLE = (1, 2)
MAX_CHECKSUM_BYTES = 10_000
log = logging.getLogger(__name__)


@runtime_checkable
class Stateful(Protocol):
    """A part of a run whose state outlives a restart."""

    def state_dict(self) -> dict[str, Any]: ...

    def load_state_dict(self, state: dict[str, Any]) -> Any: ...


def stateful(parts: Mapping[str, Any]) -> dict[str, Stateful]:
    return {name: part for name, part in parts.items() if isinstance(part, Stateful)}


def save(
    path: Path,
    parts: dict[str, Any],
    *,
    config: dict,
    fingerprint: str,  # of the training data
    splits: Mapping[str, str] | None = None,  # fingerprints of other splits, by name
    spec: Spec | None = None,  # opens the file without its data
) -> None:
    """Write the state of every part to `path`, with its SHA-256 beside it.

    Raises RunError if it cannot be written; an older file stays.
    """
    state = {
        "format": FORMAT,
        "config": config,
        "fingerprint": fingerprint,
        "splits": dict(splits or {}),
        "spec": None if spec is None else spec.facts(),
        "parts": {name: part.state_dict() for name, part in parts.items()},
    }
    buffer = io.BytesIO()
    torch.save(state, buffer)
    data = buffer.getbuffer()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_with_checksum(path, data)
    except OSError as error:
        raise RunError(
            f"cannot write {path}: {reason_of(error)}. Earlier checkpoints are kept; {go_on_after(error)}."
        ) from error


def write_with_checksum(path: Path, data: Any) -> None:
    """Write a file and its SHA-256. If the process is killed in between, an older file at `path` can still be read."""
    beside, checksum = checksum_path(path), f"{hashlib.sha256(data).hexdigest()}  {path.name}\n"
    older = read_text(beside, MAX_CHECKSUM_BYTES, errors="replace") if path.exists() and is_regular(beside) else ""
    write_atomically(beside, (checksum + older).encode())  # first: a file without a checksum is never read
    write_atomically(path, data)
    if older:
        write_atomically(beside, checksum.encode())


def checksum_path(path: Path) -> Path:
    return path.with_name(path.name + ".sha256")


def remove(path: Path) -> None:
    path.unlink(missing_ok=True)
    checksum_path(path).unlink(missing_ok=True)


def newest_first(folder: Path) -> list[Path]:
    """Return the numbered checkpoints in a folder."""
    return sorted((path for path in folder.glob("[0-9]*.pt") if path.stem.isdecimal()), reverse=True)


def remove_beyond(folder: Path, images: int) -> None:
    """Remove the checkpoints after a position, which a run has not reached or has gone back from."""
    for path in newest_first(folder):
        if int(path.stem) > images:
            remove(path)


def read(path: Path) -> dict:
    """Return the state in a file. Raises ValueError with the reason if it is damaged or holds code."""
    try:
        with open_regular(path) as file:
            data = file.read()
        lines = read_text(checksum_path(path), MAX_CHECKSUM_BYTES, errors="replace").splitlines()
    except OSError as error:
        raise ValueError(f"cannot be read ({error})") from error
    if hashlib.sha256(data).hexdigest() not in [line.partition(" ")[0] for line in lines]:
        raise ValueError("its checksum does not match: it is cut or damaged")
    state = load_tensors(io.BytesIO(data))
    if not isinstance(state, dict) or state.get("format") not in READABLE:
        raise ValueError(f"its format is not among {READABLE}, those that this version reads")
    require_structure(state)
    return state | {"config": rename_targets(state["config"])}


def newest_good(folder: Path) -> tuple[Path, dict] | None:
    """Return the newest readable checkpoint and its state, with a warning for damaged ones; None: there is none.

    Raises RunError if all are damaged.
    """
    found = newest_first(folder)
    for path in found:
        try:
            return path, read(path)
        except ValueError as error:
            log.warning("%s is skipped: %s. Falling back to the one before it.", path, error)
    if found:
        raise RunError(f"{folder}: none of its {len(found)} checkpoints can be read. Start again in a new directory.")
    return None


def restore(
    parts: dict[str, Any],
    state: dict,
    *,
    config: dict,
    fingerprint: str,
    run_dir: Path | str = "RUN",  # for messages
) -> None:
    """Load a state into the parts. Raises ConfigError if it was made with another config or other data."""
    found = differences(first_config(state["config"]), first_config(config))
    refuse_differences(found, run_dir, data_differ=state["fingerprint"] != fingerprint)
    load(parts, state["parts"])


def refuse_older(state: dict, run_dir: Path) -> None:
    """Raise ConfigError for a state that would train on otherwise than it did."""
    if state["format"] != FORMAT:
        raise ConfigError(
            f"{run_dir} was saved by an older version (format {state['format']}; this one writes {FORMAT}), which "
            "trained a little otherwise, so it cannot be resumed. It is sampled, evaluated and exported as before. "
            f"To train it further, start a new run that takes over its weights: {path_word('init_from', run_dir)}."
        )


def load(parts: dict[str, Any], saved: dict[str, Any], *, skip_outdated: bool = False) -> None:
    """Load saved states. Raises ConfigError unless both have the same parts; callbacks may differ.

    With `skip_outdated` a warning tells of a part that cannot be converted, which is left as it is.
    """
    wanted, kept = (sorted(name for name in names if not name.startswith("callback/")) for names in (parts, saved))
    if wanted != kept:
        raise ConfigError(f"the checkpoint holds {kept}, but this run has {wanted}. Start a new run directory.")
    for name in parts.keys() & saved.keys():
        try:
            load_state(parts[name], saved[name], name)
        except Outdated as error:
            if not skip_outdated:
                raise
            log.warning("%s is not loaded: %s", name, error)
        except ValueError as error:
            raise ConfigError(f"the checkpoint's {error}.") from error


def load_weights(networks: dict[str, Any], source: str, model: dict[str, Any] | None = None) -> None:
    """Load networks' weights from a checkpoint file or a run directory (its best, else its newest).

    Raises ConfigError if there is none or its shapes differ, with what differs from the config `model`.
    """
    path, made_with = weights_file(Path(source)), None
    try:
        state = read(path)
        made_with = state["config"].get("model")
        for name, network in networks.items():
            load_state(network, state["parts"].get(name), name)
    except (ValueError, Outdated) as error:
        raise ConfigError(f"init_from={source}: {path} {describe_other_model(made_with, model, error)}") from error


def weights_file(source: Path) -> Path:
    folder = source / "checkpoints"
    found = [source] if source.is_file() else [*folder.glob("best.pt"), *newest_first(folder)]
    if not found:
        raise ConfigError(f"init_from={source}: neither a checkpoint file nor a run directory with checkpoints.")
    return found[0]

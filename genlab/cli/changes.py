"""`change=[KEY=VALUE]`: other values for a run that is resumed, and the record of them."""

from difflib import get_close_matches
from pathlib import Path
from typing import Any

from genlab.build import runs
from genlab.build.arguments import accepted_arguments, locate
from genlab.core import changes
from genlab.core.command_words import typed_word
from genlab.core.config_differences import new_run
from genlab.core.errors import ConfigError

USAGE = "expected change=[KEY=VALUE], such as change=[optimizer.generator.lr=1e-4]."


def typed_values(typed: Any) -> dict[str, Any]:
    """Return the value of each key that `change` gives another one. Raises ConfigError for what it cannot read."""
    if typed is None:
        return {}
    if not isinstance(typed, list):
        raise ConfigError(f"change={typed}: {USAGE}")
    entries = list(map(read_entry, typed))
    for place, (key, _) in enumerate(entries):
        if key in dict(entries[:place]):
            raise ConfigError(f"change=[{','.join(map(str, typed))}]: {key} is given twice. Give it once.")
    return dict(entries)


def read_entry(text: Any) -> tuple[str, Any]:
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.errors import HydraException

    try:
        override = OverridesParser.create().parse_override(text)
    except (HydraException, TypeError, AttributeError) as error:
        raise ConfigError(f"change=[{text}]: {USAGE}") from error
    if "=" not in text or override.is_sweep_override() or override.is_add() or override.is_delete():
        raise ConfigError(f"change=[{text}]: {USAGE}")
    return override.key_or_group, override.value()


def apply_changes(
    settings: dict[str, Any],
    typed: Any,  # of `change`
    run_dir: Path,
    state: dict[str, Any] | None,  # of the checkpoint that is resumed from
) -> dict[str, Any]:
    """Return the settings with a run's changes: those of its record, and those typed, from the checkpoint on.

    Raises ConfigError for keys that may not change.
    """
    values = typed_values(typed)
    if settings["resume"] is None:
        refuse_changes_of_new_run(values)
        return settings
    position = state["parts"]["position"]["images"] if state else 0
    recorded = record_of(settings, run_dir)
    entries = [entry | {"images": min(entry["images"], position)} for entry in recorded]
    for key, value in values.items():
        now = changes.with_entries(settings, entries)
        require_changeable(key, now, run_dir)
        old = changes.value_of(now, key)
        if changes.as_lists(old) != changes.as_lists(value):
            entries.append({"images": position, "key": key, "old": old, "new": value})
    if len(entries) > len(recorded):
        refuse_changes_at_end(settings, position)
    require_entries_of(state, entries, run_dir)
    return changes.with_entries(settings, entries)


def record_of(settings: dict[str, Any], run_dir: Path) -> list[changes.Entry]:
    """Return the entries in the run directory; the settings of `resume=RUN` come from there and hold them too."""
    if "changes" in settings or not (run_dir / "config.yaml").exists():
        return changes.entries_of(settings)
    return changes.entries_of(runs.read_config(run_dir))


def refuse_changes_of_new_run(values: dict[str, Any]) -> None:
    if values:
        words = " ".join(typed_word(key, value) for key, value in values.items())
        raise ConfigError(f"change=...: is for a run that is resumed, with resume=RUN. A new run takes {words}.")


def refuse_changes_at_end(settings: dict[str, Any], position: int) -> None:
    images = settings["trainer"].get("images")
    if isinstance(images, int | float) and position >= images:
        raise ConfigError(
            f"change=...: the run is complete, {position:,} images of trainer.images={images:,}. Let it go on as well: "
            f"trainer.images={2 * position}."
        )


def require_changeable(key: str, settings: dict[str, Any], run_dir: Path) -> None:
    """Raise ConfigError for a key that may not change, or that this run does not have."""
    node, name = changes.node_of(settings, key), key.rpartition(".")[2]
    known = node is not None and (name in node or ("_target_" in node and accepts(node["_target_"], name, key)))
    if not known:
        close = get_close_matches(key, changes.changeable_keys(settings), n=1)
        guess = f" Did you mean {close[0]}?" if close else ""
        raise ConfigError(
            f"change=[{key}=...]: this run has no such key.{guess} {changes.describe_keys(settings)} What it has not, "
            f"such as another penalty, is for a new run: {new_run(run_dir)}"
        )
    if not changes.is_changeable(key):
        raise ConfigError(
            f"change=[{key}=...]: {key} stays as it is in a run. {changes.describe_keys(settings)} To have "
            f"another {key}, {new_run(run_dir)}"
        )


def accepts(target: str, name: str, key: str) -> bool:
    return name in accepted_arguments(locate(target, key))


def require_entries_of(state: dict[str, Any] | None, entries: list[changes.Entry], run_dir: Path) -> None:
    """Raise ConfigError if the checkpoint holds a change that the run's record lacks: one of the two is another's."""
    saved = changes.entries_of(state["config"]) if state else []
    pairs, known = ([(one["key"], changes.as_lists(one["new"])) for one in part] for part in (saved, entries))
    lost = [pair for place, pair in enumerate(pairs) if known[place : place + 1] != [pair]]
    if lost:
        raise ConfigError(
            f"{run_dir / 'config.yaml'}: lacks a change that the run's checkpoint holds. Name it again: "
            f"{changes.change_word(dict(lost))}."
        )

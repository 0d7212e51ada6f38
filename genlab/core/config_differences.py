"""What differs between a run's config and the one it is to be resumed with."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from genlab.core.changes import as_lists, change_word, is_changeable
from genlab.core.command_words import path_word, typed_word
from genlab.core.errors import ConfigError

MAX_LISTED = 8  # differences in a message; of another model its classes say enough
CHANGEABLE_ON_RESUME = (  # config keys
    "trainer.images",
    "trainer.epochs",
    "trainer.max_time",
    "trainer.device",
    "callbacks",
    "metrics",
    "data.root",
    "changes",  # entries, whose keys are compared without them
    "resume",
    "init_from",
    "dry_run",
)


class Difference(NamedTuple):
    """A key of two configs that must not differ, but does."""

    key: str
    before: Any
    now: Any

    @property
    def line(self) -> str:
        return f"  {self.key}: {self.before!r} before, {self.now!r} now"

    @property
    def changes(self) -> dict[str, Any]:
        """Return the key and its new value if a resumed run may take that."""
        return {self.key: self.now} if is_changeable(self.key) else {}


def differences(before: Any, now: Any, key: str = "") -> Iterator[Difference]:
    """Yield each key that must not differ but does. A new key with an empty list is no difference."""
    if key in CHANGEABLE_ON_RESUME or (before is None and now == []):
        return
    if isinstance(before, dict) and isinstance(now, dict) and not is_changeable(key):
        for name in sorted(before.keys() | now.keys(), key=str):
            yield from differences(before.get(name), now.get(name), f"{key}.{name}" if key else str(name))
    elif as_lists(before) != as_lists(now):
        yield Difference(key, before, now)


def refuse_differences(found: Iterable[Difference], run_dir: Path | str, *, data_differ: bool = False) -> None:
    """Raise ConfigError for differences, with what to type for those that a run may have, and for the others."""
    listed = list(found)
    if not (listed or data_differ):
        return
    kinds = [one for one in listed if one.key.startswith("model.") and one.key.endswith("_target_")]
    shown = kinds or listed[:MAX_LISTED]
    lines = [one.line for one in shown]
    lines += [f"  and {len(listed) - len(shown)} more keys"] * (len(shown) < len(listed))
    lines += ["  the images or labels themselves differ (their SHA-256 does)"] if data_differ else []
    allowed = {} if kinds else {key: value for one in listed for key, value in one.changes.items()}
    resumed = f"{path_word('resume', run_dir)} {change_word(allowed)}"
    ways = [f"Let it train on with other values: {resumed}."] if allowed else []
    if data_differ or len(listed) > len(allowed):
        ways.append(f"Resume it with what it was trained with{' else' if allowed else ''}, or {new_run(run_dir)}")
    raise ConfigError("\n".join(["this run cannot be resumed with another config or other data:", *lines, *ways]))


def new_run(run_dir: Path | str) -> str:
    """Return the end of a sentence on what works where a run cannot change."""
    return (
        f"start a new run, in another directory, with all its words and {path_word('init_from', run_dir)}: it takes "
        "over weights, of networks that have the same shape."
    )


def describe_other_model(before: Any, now: Any, error: Exception) -> str:
    """Return why a file's weights do not fit a model, and what to do; `before`: the model that they were trained as."""
    if not (isinstance(before, dict) and isinstance(now, dict)):
        return f"{error}. Give a run directory, or a checkpoint from one."
    kinds = [", ".join(classes_in(model)) for model in (before, now)]
    if kinds[0] != kinds[1]:
        return (
            f"holds another model, of {kinds[0]}; this run is one of {kinds[1]}. Choose the model that it was trained "
            "as, or leave init_from out."
        )
    other = {one.key: one.before for one in differences(before, now, "model") if one.before is not None}
    words = " ".join(typed_word(key, value) for key, value in other.items())
    return f"does not fit this model: {error}." + f" It was trained with {words}: set these." * bool(words)


def classes_in(node: Any) -> list[str]:
    """Return the names of all classes that a config names, each with its module's."""
    if not isinstance(node, dict):
        return []
    own = [".".join(str(node["_target_"]).split(".")[-2:])] if "_target_" in node else []
    return [*own, *(name for child in node.values() for name in classes_in(child))]

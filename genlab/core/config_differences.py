"""What differs between a run's config and the one it is to be resumed with."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from genlab.core.changes import as_lists, change_word, is_changeable
from genlab.core.command_words import path_word
from genlab.core.errors import ConfigError

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
    lines = [one.line for one in listed]
    lines += ["  the images or labels themselves differ (their SHA-256 does)"] if data_differ else []
    if not lines:
        return
    allowed = {key: value for one in listed for key, value in one.changes.items()}
    resumed = f"{path_word('resume', run_dir)} {change_word(allowed)}"
    ways = [f"Let it train on with other values: {resumed}."] if allowed else []
    if len(lines) > len(allowed):
        ways.append(f"Resume it with what it was trained with{' else' if allowed else ''}, or {new_run(run_dir)}")
    raise ConfigError("\n".join(["this run cannot be resumed with another config or other data:", *lines, *ways]))


def new_run(run_dir: Path | str) -> str:
    """Return the end of a sentence on what works where a run cannot change."""
    return (
        f"start a new run, in another directory, with all its words and {path_word('init_from', run_dir)}: it takes "
        "over weights, of networks that have the same shape."
    )

"""The words of a run that is resumed: its config is there already, and takes single values but no other choices."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from genlab.cli import menu
from genlab.cli.path_words import without_quotes
from genlab.core.config_differences import CHANGEABLE_ON_RESUME, new_run
from genlab.core.errors import ConfigError


def resumed_run(words: Iterable[str]) -> str | None:
    """Return the run directory of `resume=RUN`; None where a config is composed, as with `resume=auto`."""
    named = next((word.partition("=")[2] for word in words if word.startswith("resume=")), None)
    return None if named in (None, "null", "auto") else without_quotes(named)


def refuse_choices(words: Sequence[str]) -> None:
    """Raise ConfigError for a word that chooses a group, such as `loss=hinge`, beside `resume=RUN`."""
    run_dir, groups = resumed_run(words), menu.folder_of("")
    if run_dir is None or not Path(run_dir).expanduser().is_dir():  # which is told later
        return
    for word in words:
        group = word.partition("=")[0].lstrip("+~").partition("@")[0]
        if not (groups / group).is_dir():
            continue
        is_free = group.partition("/")[0] in CHANGEABLE_ON_RESUME
        other = f"{group}.KEY=VALUE changes one value." if is_free else f"to have another, {new_run(run_dir)}"
        raise ConfigError(f"{word}: a resumed run keeps its choice of {group}. Leave it out; {other}")

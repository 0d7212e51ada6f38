"""The recipes of the contributors' page work as written, outside of the repository."""

import re
import shlex
from pathlib import Path

import pytest

from tests.commands import run_command

PAGE = (Path(__file__).parents[1] / ".github" / "CONTRIBUTING.md").read_text()
FILES = re.findall(r"^`(\S+)`:\n\n```\w+\n(.*?)```", PAGE, re.DOTALL | re.MULTILINE)
COMMANDS = re.findall(r"^python -m genlab\.train (--config-dir .*)$", PAGE, re.MULTILINE)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with all that the page tells its reader to write."""
    root = tmp_path_factory.mktemp("newcomer")
    for name, text in FILES:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


def test_the_page_has_a_command_for_each_recipe():
    assert len(COMMANDS) == 6 and len(FILES) == 12  # a penalty beside the five


@pytest.mark.parametrize("command", COMMANDS)
def test_a_recipe_trains(command, folder):
    small = ["trainer.images=256", "trainer.device=cpu", "callbacks.grid.every=null"]
    small += [] if "metrics=" in command else ["metrics=none"]
    words = shlex.split(command.replace("trainer.images=2000", ""))
    done = run_command(*words, *small, cwd=folder)
    assert done.returncode == 0, done.stderr

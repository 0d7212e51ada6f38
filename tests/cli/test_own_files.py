"""Mistakes in a user's own YAML files are told with the file, the line and what to write."""

import pytest
from yaml import safe_load

from genlab.cli import menu
from genlab.cli.composition import explained_errors
from genlab.cli.explanations import explain_error
from genlab.cli.job import explain_resource_errors
from genlab.cli.own_files import check_own_files
from genlab.core.errors import ConfigError, RunError

HEADER = "# @package _global_\n"
MISTAKES = [  # (group, text, words of the message)
    ("model", HEADER + "model:\n\t_target_: x\n", "line 3: cannot be read as YAML.*indents by spaces, never by tabs"),
    ("model", HEADER + "model: {_target_: x\n", "line 3: cannot be read as YAML: expected"),
    ("model", HEADER + "a: 1\na: 2\n", "line 3: .*duplicate key a"),
    ("model", "", "expected keys with values"),
    ("model", "- a\n- b\n", "expected keys with values"),
    ("model", "words alone\n", "its first line must be"),
    ("model", "model: {_target_: x}\n", "its first line must be `# @package _global_`"),
    ("experiment", f"# mine\n{HEADER}trainer: {{images: 3}}\n", "its first line must be `# @package _global_`"),
    ("model", HEADER + "defaults: hinge\n", "`defaults` must be a list"),
    ("model", HEADER + "defaults:\n  - loss: hinge\n", "needs a slash before the group: `/loss`"),
    ("experiment", HEADER + "defaults:\n  - override model: gan\n", "the group: `override /model`"),
]


@pytest.mark.parametrize(("group", "text", "message"), MISTAKES)
def test_a_mistake_in_an_own_file_is_one_message(tmp_path, group, text, message):
    (tmp_path / group).mkdir()
    (tmp_path / group / "mine.yaml").write_text(text)
    with pytest.raises(ConfigError, match=message) as caught:
        check_own_files([f"{group}=mine", "data=mnist"], tmp_path)
    assert "mine.yaml" in str(caught.value) and "\n" not in str(caught.value)


def test_a_file_that_is_no_text_is_refused(tmp_path):
    (tmp_path / "loss").mkdir()
    (tmp_path / "loss" / "mine.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="mine.yaml: cannot be read as YAML in UTF-8"):
        check_own_files(["loss=mine"], tmp_path)


def test_a_mistake_in_a_file_that_another_names_is_told_too():
    with pytest.raises(ConfigError, match="line 1: cannot be read as YAML"), explained_errors([], {}):
        safe_load("{a")


def test_the_menu_s_own_files_pass():
    groups = ("model", "experiment", "penalty")
    check_own_files([f"{group}=[{','.join(menu.choices(group))}]" for group in groups], menu.folder_of(""))


def test_an_error_in_own_code_ends_the_run_in_one_message(tmp_path):
    own, listed = ({"loss": {"_target_": target}} for target in ("mine.Loss", "genlab.losses.Hinge"))
    words = r"TypeError: no number \(.*line \d+\)\. This run is made of classes of mine"
    with pytest.raises(RunError, match=words), explain_resource_errors(own, tmp_path):
        raise TypeError("no number.")
    with pytest.raises(TypeError), explain_resource_errors(listed, tmp_path):
        raise TypeError("no number.")


def test_a_group_chosen_twice_is_told_with_what_to_write():
    hydras = Exception("Multiple values for model. To override a value use 'override model: dcgan'")
    said = explain_error(hydras, [], {}, None)
    assert said.endswith("Write `- override /model: dcgan` there.")

"""A refused command and a dry run leave no directory behind, and remove none that was there."""

import pytest

from genlab.cli import made_directories
from genlab.train import main

REFUSED = ("model=gan", "metrics=none", "seed=-1")


@pytest.mark.parametrize(
    ("there", "run", "left"),
    [
        ("mine", "mine", {"mine"}),
        ("mine", "mine/a/b", {"mine"}),
        ("", "a/b/c", set()),
        ("mine/a", "mine/a", {"mine", "mine/a"}),
    ],
)
def test_a_refused_command_leaves_what_was_there(tmp_path, there, run, left):
    (tmp_path / there).mkdir(parents=True, exist_ok=True)
    assert main([*REFUSED, f"hydra.run.dir={tmp_path / run}"]) == 2
    assert {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*")} == left


def test_so_does_a_job_of_a_sweep(tmp_path):
    sweep, job = tmp_path / "sweep", tmp_path / "sweep" / "0-gan"
    for there in (False, True):
        made_directories.note_present(sweep)
        job.mkdir(parents=True, exist_ok=True)
        made_directories.remove_empty(job)
        made_directories.forget(sweep)
        assert job.exists() == sweep.exists() == there
        job.mkdir(parents=True, exist_ok=True)


def test_what_holds_something_stays(tmp_path):
    made_directories.note_present(tmp_path / "a" / "b")
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "mine.txt").write_text("")
    made_directories.remove_empty(tmp_path / "a" / "b")
    made_directories.forget(tmp_path / "a" / "b")
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["mine.txt"]

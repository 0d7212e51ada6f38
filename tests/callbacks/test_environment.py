import json
import subprocess
import sys

import torch

from genlab.callbacks import Environment
from genlab.callbacks.environment import git_revision


def git(folder, *words):
    identity = ["-c", "user.name=n", "-c", "user.email=e@example.com"]
    subprocess.run(["git", *identity, *words], cwd=folder, check=True, capture_output=True)


def test_what_a_run_ran_on(trainer):
    Environment().start(trainer)
    found = json.loads((trainer.run_dir / "environment.json").read_text())
    assert found["versions"]["torch"] == torch.__version__
    assert found["device"] == "cpu" and found["device_name"]
    assert found["command"] == sys.argv and found["threads"] == torch.get_num_threads()


def test_a_resumed_run_keeps_the_first_record(trainer):
    trainer.resumed_from = 500
    Environment().start(trainer)
    assert [path.name for path in trainer.run_dir.iterdir()] == ["environment_000000500.json"]


def test_the_revision_of_the_checkout_that_tracks_the_file(tmp_path):
    file = tmp_path / "code.py"
    file.write_text("1")
    assert git_revision(file) is None  # no checkout
    git(tmp_path, "init")
    assert git_revision(file) is None  # not tracked: somebody else's checkout
    git(tmp_path, "add", "code.py")
    git(tmp_path, "commit", "-m", "first")
    clean = git_revision(file)
    assert len(clean["revision"]) == 40 and clean["dirty"] is False
    file.write_text("2")
    assert git_revision(file) == clean | {"dirty": True}


def test_no_git_no_revision(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert git_revision(tmp_path / "code.py") is None

import json
import subprocess
import sys

import pytest
import torch

from genlab.callbacks import Environment
from genlab.callbacks.environment import differences_from_start, git_revision


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


def test_a_resumed_run_is_told_of_other_threads_and_versions(trainer):
    assert differences_from_start(trainer) == []  # a new run
    Environment().start(trainer)
    trainer.resumed_from = 500
    assert differences_from_start(trainer) == []
    path = trainer.run_dir / "environment.json"
    record = json.loads(path.read_text())
    record |= {"threads": 64, "versions": {"torch": "1.0"}, "platform": "another"}
    path.write_text(json.dumps(record))
    torch_line, threads_line = sorted(differences_from_start(trainer), reverse=True)
    assert torch_line.startswith(f"versions.torch: {torch.__version__}, and 1.0 when the run began.")
    assert "OMP_NUM_THREADS=64" in threads_line


@pytest.mark.parametrize("text", [None, "{", "[]", '{"versions": 3}'])
def test_a_resumed_run_without_a_whole_record_is_told_nothing(trainer, text):
    trainer.resumed_from = 500
    if text is not None:
        (trainer.run_dir / "environment.json").write_text(text)
    assert differences_from_start(trainer) == []


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

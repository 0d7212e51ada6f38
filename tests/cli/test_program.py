"""The command `genlab`: what its first word names, where it finds modules, and readers that go away."""

import subprocess
import sys

import pytest

import genlab
from genlab.__main__ import PROGRAMS, main


def test_help_and_version(capsys):
    assert main(["--version"]) == 0 and capsys.readouterr().out == f"genlab {genlab.__version__}\n"
    assert main(["--help"]) == 0 and all(name in capsys.readouterr().out for name in ["train"])
    assert main([]) == 2


@pytest.mark.parametrize("name", PROGRAMS)
def test_every_program_answers_by_its_name(name, capsys, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["genlab"])
    assert main([name, "--help"]) == 0
    assert capsys.readouterr().out
    assert sys.argv == [f"genlab {name}", "--help"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ["trian", "model=gan"],
            "genlab trian: there is no such program. Did you mean genlab train? Valid here: train,",
        ),
        (["nonsense"], "genlab nonsense: there is no such program. Valid here: train, evaluate"),
        (["model=gan", "a b=1"], "model=gan: a program comes first. Did you mean genlab train model=gan 'a b=1'?"),
        (["-m", "model=gan,vae"], "Did you mean genlab train -m model=gan,vae?"),
        (["train", "modle"], "modle: expected KEY=VALUE"),
        (["evaluate", "metrics=fid"], "run=...: is needed"),
    ],
)
def test_a_mistake_is_one_message(words, message, capsys, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["genlab"])
    assert main(words) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("module", [("genlab", "train"), ("genlab.sample",)])
def test_a_reader_that_goes_away_makes_no_error(module):
    name, *words = module
    process = subprocess.Popen(
        [sys.executable, "-m", name, *words, "--help"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    process.stdout.close()
    assert process.stderr.read() == ""
    assert process.wait() == 0


def test_modules_of_the_working_directory_are_found(tmp_path):
    """As with `python -m`: a script has its own folder on the path instead."""
    (tmp_path / "mine.py").write_text("VALUE = 3\n")
    (tmp_path / "bin").mkdir()
    text = "from genlab.cli.command import start\nstart(lambda words: __import__('mine').VALUE)\n"
    (tmp_path / "bin/program").write_text(text)
    assert subprocess.run([sys.executable, "bin/program"], cwd=tmp_path).returncode == 3

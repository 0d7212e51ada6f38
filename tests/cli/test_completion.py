"""What the Tab key offers: programs, choices, keys, values and files, in each shell."""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Literal, get_args, get_origin

import pytest

from genlab.build.targets import accepted_arguments, locate
from genlab.cli import completion
from genlab.cli.annotated_words import annotated_words
from genlab.cli.completion import bash_candidates, candidates
from genlab.cli.menu_tree import MenuTree
from genlab.core.validation import alternatives
from tests.conftest import composed


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("tr", ["train"]),
        ("train|model=wgan", ["model=wgan", "model=wgan_gp"]),
        ("train|model=wgan_gp,vqv", ["model=wgan_gp,vqvae"]),
        ("train|penalty=[r1,lec", ["penalty=[r1,lecam"]),
        ("train|trainer.ema.", ["trainer.ema.halflife=", "trainer.ema.warmup="]),
        ("train|model=vae|optimizer.a", ["optimizer.autoencoder."]),
        ("train|model=stylegan2|penalty.p", ["penalty.path_length."]),
        ("train|experiment=sngan_paper|metrics/e", ["metrics/extractor="]),
        ("train|trainer.precision=", [f"trainer.precision={name}" for name in ("float32", "bfloat16", "float64")]),
        ("train|callbacks.health.action=r", ["callbacks.health.action=rollback"]),
        ("train|dry_run=", ["dry_run=true", "dry_run=false"]),
        ("train|trainer.device=c", ["trainer.device=cpu", "trainer.device=cuda"]),
        ("train|hydra.run.", ["hydra.run.dir="]),
        ("train|--cfg|j", ["job"]),
        ("train|--config-d", ["--config-dir"]),
        ("sample|mode=walk|mode.sp", ["mode.space="]),
        ("evaluate|checkpoint=", ["checkpoint=best", "checkpoint=newest"]),
        ("completion|f", ["fish"]),
        ("nothing|", []),
        ("train|nothing.no", []),
        ("train|model=nothing|see", ["seed="]),
    ],
)
def test_words_are_completed(line, expected):
    assert candidates(line.split("|")) == expected


def test_files_are_completed_where_a_key_takes_one(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "my photos").mkdir()
    (tmp_path / "my.zip").touch()
    (tmp_path / "own/data").mkdir(parents=True)
    (tmp_path / "own/data/few.yaml").write_text("kind: 1\n")
    found = [f"data.root={tmp_path}/{name}" for name in ("my photos/", "my.zip")]
    assert candidates(["train", f"data.root={tmp_path}/my"]) == found
    assert candidates(["train", "data.root=[a,~/my."]) == ["data.root=[a,~/my.zip"]
    assert candidates(["evaluate", "run=~/my"]) == ["run=~/my photos/"]
    assert bash_candidates("genlab train resume=~/my\\ p") == ["~/my\\ photos/"]
    assert bash_candidates("genlab train 'resume=~/my p") == ["~/my\\ photos/"]
    own = ["train", "--config-dir", str(tmp_path / "own")]
    assert candidates([*own, "data=fe"]) == ["data=few"] and candidates([*own, "data=few", "data.k"]) == ["data.kind="]


def test_keys_are_those_of_the_composed_config():
    for words in ([], ["model=stylegan2", "data=mnist_32"], ["model=vqvae"], ["experiment=biggan_paper"]):
        typed = completion.choices_in(words)
        offered, config = MenuTree("train", typed), composed(*words)
        for group in ("model", "optimizer", "trainer", "penalty", "loss", "data", "metrics", "callbacks", "augment"):
            assert set(offered.node(group) or ()) == set(config[group] or ()), (words, group)


def test_words_of_annotations_are_those_that_are_checked():
    checked = 0
    for target in TARGETS:
        for argument, hint in accepted_arguments(locate(target, "key")).items():
            words = [word for one in alternatives(hint) if get_origin(one) is Literal for word in get_args(one)]
            texts = [word for word in words if isinstance(word, str)]
            checked += bool(texts)
            assert annotated_words(target, argument)[: len(texts)] == texts, (target, argument)
    assert checked > 5


TARGETS = (
    "genlab.trainers.alternating.Alternating",
    "genlab.trainers.Alternating",
    "genlab.data.sets.folder.Folder",
    "genlab.models.adversarial.dcgan.Generator",
    "genlab.models.adversarial.resnet.Discriminator",
    "genlab.losses.penalties.R1",
)
SHELLS = {
    "bash": 'eval "$(genlab completion bash)"; COMP_LINE="genlab train model=wgan_"; COMP_POINT=${#COMP_LINE}\n'
    '_genlab genlab; printf "%s\\n" "${COMPREPLY[@]}"',
    "zsh": "compdef() { }; compadd() { print -rl -- ${@:#(-*|)} }\n"
    'eval "$(genlab completion zsh)"; words=(genlab train model=wgan_) CURRENT=3 PREFIX=model=wgan_; _genlab',
    "fish": 'genlab completion fish | source; complete -C "genlab train model=wgan_"',
}


@pytest.mark.parametrize("shell", SHELLS)
def test_a_shell_completes(shell, tmp_path):
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    program = tmp_path / "genlab"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m genlab "$@"\n')
    program.chmod(0o755)
    path = f"{tmp_path}:/usr/bin:/bin:{Path(shutil.which(shell)).parent}"
    done = subprocess.run(
        [shell, "-c", SHELLS[shell]],
        env={"PATH": path, "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    assert done.stdout.split() == ["wgan_gp" if shell == "bash" else "model=wgan_gp"], done.stderr

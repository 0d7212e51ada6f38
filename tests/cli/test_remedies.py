"""Remedies: what a message says to type works when it is typed at that moment."""

import json
import re
import shlex

import pytest
import torch

from genlab.build import instantiate as build
from genlab.build.advice import advice
from genlab.callbacks.health_remedies import words_against
from genlab.callbacks.health_rules import Finding, Reading, Settings, find_problems
from genlab.cli.out_of_memory import more_pieces
from genlab.train import main
from genlab.trainers.trainer import Trainer
from tests.conftest import NARROW_MLP, composed, narrow, tiny_data

SHORT = (
    "data=ring8", "trainer.batch_size=8", "trainer.images=160", "metrics=none", "trainer.device=cpu",
    "callbacks.checkpoint.every=40", "callbacks.log.every=40",
)  # fmt: skip
GAN, VAE = ("model=gan", *NARROW_MLP, *SHORT), ("model=vae", *narrow("vae"), "loss=gaussian", *SHORT)
COMMAND = re.compile(r"resume=[^\s:]+ (?:'[^']*'|callbacks\S+ callbacks\S+)(?: trainer.images=\d+)?")


def commands(message):
    """Return the words of each command that a message names."""
    found = [shlex.split(text.rstrip(".,")) for text in COMMAND.findall(message)]
    assert found, message
    return found


def follow(message):
    for words in commands(message):
        assert main([*words, "dry_run=true"]) == 0, words
    assert main(commands(message)[0]) == 0


def break_once(monkeypatch, fault, at):
    """Let a fault happen after each turn from so many images on."""
    genuine = Trainer.take_turn

    def take_turn(self, phase):
        genuine(self, phase)
        if self.images >= at:
            fault(self)

    monkeypatch.setattr(Trainer, "take_turn", take_turn)


def turn_to_nan(trainer):
    for parameter in trainer.model.parameters():
        parameter.data.fill_(torch.nan)


def run_out(trainer):
    raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")


SICK = [  # system, and images from which its weights are not finite: before the first checkpoint or after it
    pytest.param(GAN, 88, id="gan"),
    *(pytest.param(*case, marks=pytest.mark.slow) for case in ((GAN, 0), (VAE, 0), (VAE, 88))),
]


@pytest.mark.parametrize(("system", "at"), SICK)
def test_after_divergence(tmp_path, monkeypatch, capsys, system, at):
    """With a checkpoint or without."""
    with monkeypatch.context() as patch:
        break_once(patch, turn_to_nan, at)
        assert main([*system, f"hydra.run.dir={tmp_path / 'run'}"]) == 3
    message = capsys.readouterr().err
    assert "the run diverged" in message and len(commands(message)) == 2 and "penalty" not in message
    assert ("No checkpoint was due yet" in message) == (at == 0)
    follow(message)


def test_out_of_memory_in_a_run(tmp_path, monkeypatch, capsys):
    with monkeypatch.context() as patch:
        break_once(patch, run_out, 88)
        assert main([*GAN, f"hydra.run.dir={tmp_path / 'run'}"]) == 3
    message = capsys.readouterr().err
    assert "change=[trainer.accumulate=2]" in message
    follow(message)


@pytest.mark.slow
def test_out_of_memory_before_a_run(tmp_path, monkeypatch, capsys):
    with monkeypatch.context() as patch:
        break_once(patch, run_out, 0)
        assert main([*GAN, f"hydra.run.dir={tmp_path / 'run'}", "dry_run=true"]) == 3
    words = re.findall(r"trainer\.accumulate=\d+", capsys.readouterr().err)
    assert main([*GAN, *words, f"hydra.run.dir={tmp_path / 'run'}", "dry_run=true"]) == 0 and words


@pytest.mark.parametrize(
    ("trainer", "pieces"),
    [
        ({"batch_size": 64, "accumulate": 1}, 2),
        ({"batch_size": 9, "accumulate": 1}, 3),
        ({"batch_size": 64, "accumulate": 2, "batch_sizes": {16: 12}}, None),
        ({"batch_size": 7, "accumulate": 1}, None),
        ({"batch_size": 64}, None),
    ],
)
def test_pieces_are_even_and_hold_two_images(trainer, pieces):
    assert more_pieces(trainer) == pieces


FINE = {"diversity": 1.0}
FINDINGS = {
    "diverged": Reading({"generator/gradient_norm": 1e9}, FINE),
    "samples": Reading({}, {"diversity": float("nan")}),
    "saturated": Reading({}, FINE | {"saturated": 1.0, "real_saturated": 0.1}),
    "collapsed": Reading({}, {"diversity": 0.0}),
    "stalled": Reading({"generator/gradient_norm": 0.0}, FINE),
    "window": Reading({"generator/gradient_norm": 0.0}, FINE, settings=Settings(clip_weights=1e-4)),
}
VAE_FINDINGS = {
    "posterior": Reading({}, FINE | {"latent_nats": 0.0}),
    "decoder": Reading({}, {"diversity": 0.0}, settings=Settings(adversarial=False)),
}


@pytest.mark.slow
@pytest.mark.parametrize("system", [GAN, VAE], ids=["gan", "vae"])
def test_health_warnings(tmp_path, system):
    run_dir = tmp_path / "run"
    clip = ["trainer.clip_weights=1e-4"] if system is GAN else []
    assert main([*system, *clip, f"hydra.run.dir={run_dir}"]) == 0
    trainer = build.trainer(composed(*system, *clip), run_dir)
    trainer.images = 160
    readings = FINDINGS if system is GAN else VAE_FINDINGS
    for name, reading in readings.items():
        (finding,) = find_problems(reading)
        words = words_against(trainer, finding)
        assert main([*commands(words)[0], "dry_run=true"]) == 0, name
    curve = "generator/adversarial" if system is GAN else "autoencoder/reconstruction"
    worse = words_against(trainer, Finding("worsening", "", metric=curve))
    assert main([*commands(worse)[0], "dry_run=true"]) == 0


@pytest.mark.slow
def test_a_warning_in_a_run_says_what_to_type(tmp_path, monkeypatch):
    words = ("optimizer.generator.lr=10", "optimizer.discriminator.lr=10", "callbacks.health.every=80")
    assert main([*GAN, *words, "callbacks.health.after=80", f"hydra.run.dir={tmp_path / 'run'}"]) == 0
    (found, *_) = json.loads((tmp_path / "run" / "summary.json").read_text())["health"]
    follow(found["message"])


ADVICE = {  # words that bring about an advice -> words that it names
    ("model=gan", "loss=wasserstein"): r"trainer\.clip_weights=0\.01",
    ("model=wgan_gp", "penalty=[]"): r"penalty=\[gradient_penalty\]",
    ("model=dcgan", "loss=wasserstein"): r"add trainer\.clip_weights=0\.01",  # its critic refuses the penalty
    ("model=gan", "trainer.ema=null"): r"'trainer\.ema=[^']*'",
    ("model=wgan", "penalty=[r2]"): r"trainer\.clip_weights=null",
    ("model=gan", "loss=minimax", "optimizer.discriminator.lr=2e-4"): r"loss=non_saturating",
}


@pytest.mark.slow
@pytest.mark.parametrize("words", ADVICE)
def test_advice_before_a_run(make_trainer, words):

    words = [*words, *narrow(words[0].partition("=")[2])]
    pattern = next(value for key, value in ADVICE.items() if list(key) == words[: len(key)])
    lines = [line for line in advice(make_trainer(*words, data=tiny_data(size=16))) if re.search(pattern, line)]
    assert lines
    word = shlex.split(re.search(pattern, lines[0])[0].removeprefix("add "))
    assert lines[0] not in advice(make_trainer(*words, *word, data=tiny_data(size=16)))

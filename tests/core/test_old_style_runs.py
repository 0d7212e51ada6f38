"""StyleGAN2 runs that were trained before biases were equalised as published give the same pictures.

Their biases were stored as they are added, times the rectifier's gain; classes had no bias in their embedding, and the
discriminator's logit of a class was the sum of an unconditional one and a projection.
"""

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

import genlab
from genlab import evaluate, export
from genlab.build.runs import open_run
from genlab.cli import command
from genlab.cli.job import restore_state
from genlab.core.errors import ConfigError
from genlab.exporting import load

OLD_RUNS = Path(__file__).with_name("old_style_runs")  # of 8 x 8 digits; arrays and exports are those of that day
SAME = {"rtol": 1e-6, "atol": 1e-6}


@pytest.fixture(params=["plain", "conditional"])
def run(tmp_path, request):
    return shutil.copytree(OLD_RUNS / request.param, tmp_path / request.param)


@pytest.fixture
def plain(tmp_path):
    return shutil.copytree(OLD_RUNS / "plain", tmp_path / "plain")


def test_samples_are_the_same(run):
    images = genlab.load(run, device="cpu").sample(4)
    torch.testing.assert_close(images, torch.from_numpy(np.load(run / "samples.npy")), **SAME)


def test_logits_are_the_same(plain):
    images = torch.from_numpy(np.load(plain / "samples.npy"))
    with torch.no_grad():
        logits = open_run(plain, device="cpu").model.discriminator(images)
    torch.testing.assert_close(logits, torch.from_numpy(np.load(plain / "logits.npy")), **SAME)


def test_older_exports_and_new_ones_give_the_same_pictures(run):
    assert command.main("export", export.USAGE, export.job, [f"run={run}", "checkpoint=newest"]) == 0
    files = run / "generator.safetensors", run / "export" / "safetensors" / "generator.safetensors"
    before, now = (load(file) for file in files)
    loaded = genlab.load(run, device="cpu")
    given, samples = (loaded.latent(4), loaded.conditions_of(range(4))), torch.from_numpy(np.load(run / "samples.npy"))
    torch.testing.assert_close(before(*given), samples, **SAME)
    torch.testing.assert_close(now(*given), samples, **SAME)


def test_scores_are_the_same(plain):
    words = [f"run={plain}", "checkpoint=newest", "device=cpu"]
    assert command.main("evaluate", evaluate.USAGE, evaluate.job, words) == 0
    assert '"value": 7.40580' in (plain / "evaluations.jsonl").read_text()


def new_run(make_trainer, source, *words):
    sizes = ("latent.size=4", "generator.width=2", "generator.most=4", "generator.style_size=4")
    sizes = (*sizes, "generator.mapping_rate=1.0", "discriminator.width=2", "discriminator.most=4")
    trainer = make_trainer("model=stylegan2", *(f"model.{size}" for size in sizes), f"init_from={source}", *words)
    restore_state(trainer, None)
    return trainer


@torch.no_grad()
def test_a_new_run_starts_from_the_same_networks(plain, make_trainer):
    trainer = new_run(make_trainer, plain)
    images = trainer.ema.network(torch.linspace(-2, 2, 16).view(4, 4))
    torch.testing.assert_close(images, torch.from_numpy(np.load(plain / "generator.npy")), **SAME)
    shown = torch.from_numpy(np.load(plain / "samples.npy"))
    logits = trainer.model.discriminator.eval()(shown)
    torch.testing.assert_close(logits, torch.from_numpy(np.load(plain / "logits.npy")), **SAME)


def test_a_new_run_is_refused_the_discriminator_of_an_older_conditional_one(make_trainer):
    with pytest.raises(
        ConfigError, match="init_from=.* the conditional discriminators of StyleGAN2, StyleGAN3 and R3GAN ended"
    ):
        new_run(make_trainer, OLD_RUNS / "conditional", "model.conditional=true")


def test_an_older_run_is_not_resumed(plain):
    with pytest.raises(ConfigError, match=f"older version .*init_from={plain}"):
        genlab.run([f"resume={plain}", "trainer.images=528"])
    assert [path.stem for path in (plain / "checkpoints").glob("*.pt")] == ["0000000512"]

"""Two gloo ranks with half the batch each follow one rank with the whole batch, and score alike."""

import json
import subprocess
import sys

import pytest
import torch

from genlab.build.runs import open_run
from genlab.core import checkpoint, distributed
from genlab.core.errors import ConfigError
from tests.conftest import NARROW, read

SYSTEM = (
    "model=wgan_gp", *NARROW, "model.generator.norm=none", "model.discriminator.norm=none",
    "optimizer=sgd", "penalty=[gradient_penalty,r1]",
    "penalty.r1.every=2", "trainer.precision=float64", "trainer.n_critic=2", "trainer.batch_size=8",
    "trainer.images=160", "trainer.accumulate=2", "data.limit=100", "callbacks.log.every=80",
    "metrics=[fid,kid]", "metrics/extractor=pixels", "metrics.images=90", "metrics.every=80", "metrics.split=train",
    "trainer.device=cpu",
)  # fmt: skip
SILLY = (  # rates from 80 images on, until they are lowered as much
    "model=gan", "data=ring8", "model.generator.norm=none", "model.generator.widths=[8]",
    "model.discriminator.widths=[8]", "optimizer=sgd", "trainer.precision=float64", "trainer.batch_size=8",
    "trainer.images=160", "metrics=none", "trainer.device=cpu", "callbacks.log.every=1_000",
    "optimizer.schedule._target_=genlab.trainers.schedules.Linear", "+optimizer.schedule.begin=80",
    "+optimizer.schedule.end=88", "+optimizer.schedule.final=1e12", "callbacks.health.rollback_factor=1e-12",
    "callbacks.health.action=rollback", "callbacks.health.every=40", "callbacks.health.after=40",
)  # fmt: skip
HALF = tuple("trainer.images=80" if word == "trainer.images=160" else word for word in SYSTEM)
TORCHRUN = ("torch.distributed.run", "--standalone", "--nproc_per_node=2", "-m")


def command(*words, cwd):
    done = subprocess.run([sys.executable, "-m", *words], cwd=cwd, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout


def train(launcher, run_dir, words=SYSTEM):
    command(*launcher, "genlab.train", *words, f"hydra.run.dir={run_dir}", cwd=run_dir.parent)
    return run_dir


def state(run_dir):
    return checkpoint.newest_good(run_dir / "checkpoints")[1]["parts"]


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Return the run directories of one process and of two ranks."""
    folder = tmp_path_factory.mktemp("runs")
    return train([], folder / "one"), train(TORCHRUN, folder / "two")


def records(run_dir):
    lines = [json.loads(line) for line in (run_dir / "metrics.jsonl").read_text().splitlines()]
    return [line["record"] for line in lines if "record" in line]


def test_two_ranks_follow_one(runs):
    assert_alike(*map(state, runs))
    names = {path.name for path in runs[0].parent.iterdir() if path.is_dir()}
    assert names - {"outputs"} == {"one", "two"}
    lines = [(run_dir / "metrics.jsonl").read_text().splitlines() for run_dir in runs]
    assert len(lines[0]) == len(lines[1])  # rank 0 alone writes


def test_training_on_two_ranks_scores_as_on_one(runs):
    one, two = map(records, runs)
    assert [record["metric"] for record in one] == ["fid", "kid", "kid_deviation"] * 2
    for record, other in zip(one, two, strict=True):
        assert record.pop("value") == pytest.approx(other.pop("value"), rel=1e-5)
        assert record == other


def test_two_ranks_go_back_together(tmp_path):
    """Rank 0 alone looks at samples, and has the state to go back to."""
    runs = train([], tmp_path / "one", SILLY), train(TORCHRUN, tmp_path / "two", SILLY)
    one, two = map(state, runs)
    assert_alike(one, two)
    health = [json.loads((run_dir / "summary.json").read_text())["health"] for run_dir in runs]
    assert health[0] == health[1] and "Rolled back to 80 images" in health[0][0]["message"]
    assert one["position"]["rollbacks"] == 1 and one["position"]["images"] == 160
    (group,) = one["optimizer/generator"]["param_groups"]
    assert group["lr"] == pytest.approx(read("optimizer", "sgd")["generator"]["lr"])


def assert_alike(one, two):
    for network in {"network/generator", "network/discriminator", "ema"} & one.keys():
        for name, tensor in one[network].items():
            torch.testing.assert_close(two[network][name], tensor, rtol=1e-6, atol=1e-9)
    assert one["position"] == two["position"]


def test_evaluating_on_two_ranks_gives_the_records_of_one(runs):
    """130 samples in three chunks: the last is smaller, and one rank has none of it. Written once, by rank 0."""
    run_dir, words = runs[0], ("images=130", "metrics.batch_size=50", "metrics=[fid,prdc,ms_ssim,swd]")
    for launcher in ((), TORCHRUN):
        told = command(
            *launcher, "genlab.evaluate", f"run={run_dir}", *words, "metrics/extractor=pixels", "split=train",
            "metrics.metrics.swd.directions=32", "device=cpu", cwd=run_dir.parent,
        )  # fmt: skip
        assert told.count("precision ") == 1
    lines = [json.loads(line) for line in (run_dir / "evaluations.jsonl").read_text().splitlines()]
    half = len(lines) // 2
    assert lines[:half] == lines[half:] and len({line["metric"] for line in lines}) == half >= 8


def test_a_run_is_opened_by_as_many_ranks_as_there_are(plain, monkeypatch):
    """Three share no batch of 8, and nothing is trained."""
    monkeypatch.setattr(distributed, "world_size", lambda: 3)
    assert open_run(plain).draw_samples(0, 3).shape == (3, 1, 8, 8)


def test_a_batch_that_ranks_cannot_share_is_refused(make_trainer):
    with pytest.raises(ConfigError, match="multiple of trainer.accumulate x ranks = 3; use 6"):
        make_trainer("model=gan", "trainer.accumulate=3")


@pytest.mark.slow
def test_a_run_is_resumed_on_another_number_of_ranks(tmp_path):
    """The same draws and order of images; a number that does not divide the batch is refused in one sentence."""
    one = train([], tmp_path / "one")
    for name, launchers in {"fewer": (TORCHRUN, []), "more": ([], TORCHRUN)}.items():
        train(launchers[0], tmp_path / name, HALF)
        command(*launchers[1], "genlab.train", f"resume={tmp_path / name}", "trainer.images=160", cwd=tmp_path)
        assert_alike(state(one), state(tmp_path / name))

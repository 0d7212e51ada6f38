"""Two gloo ranks with half the batch each follow one rank with the whole batch."""

import json
import subprocess
import sys

import pytest
import torch

from genlab import checkpoint
from tests.conftest import NARROW, read

SYSTEM = (
    "model=wgan_gp", *NARROW, "model.generator.norm=none", "model.discriminator.norm=none",
    "optimizer=sgd", "penalty=[gradient_penalty,r1]",
    "penalty.r1.every=2", "trainer.precision=float64", "trainer.n_critic=2", "trainer.batch_size=8",
    "trainer.images=160", "trainer.accumulate=2", "data.limit=100", "metrics=none", "callbacks.log.every=80",
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
TORCHRUN = ["torch.distributed.run", "--standalone", "--nproc_per_node=2", "-m"]


def train(launcher, run_dir, words=SYSTEM):
    command = [sys.executable, "-m", *launcher, "genlab.train", *words, f"hydra.run.dir={run_dir}"]
    done = subprocess.run(command, cwd=run_dir.parent, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return checkpoint.newest_good(run_dir / "checkpoints")[1]["parts"]


def test_two_ranks_follow_one(tmp_path):
    one, two = train([], tmp_path / "one"), train(TORCHRUN, tmp_path / "two")
    assert_alike(one, two)
    assert [path.name for path in tmp_path.iterdir() if path.is_dir()].sort() == ["one", "two"].sort()
    lines = [(tmp_path / name / "metrics.jsonl").read_text().splitlines() for name in ("one", "two")]
    assert len(lines[0]) == len(lines[1])  # rank 0 alone writes


def test_two_ranks_go_back_together(tmp_path):
    """Rank 0 alone looks at samples, and has the state to go back to."""
    one, two = train([], tmp_path / "one", SILLY), train(TORCHRUN, tmp_path / "two", SILLY)
    assert_alike(one, two)
    health = [json.loads((tmp_path / name / "summary.json").read_text())["health"] for name in ("one", "two")]
    assert health[0] == health[1] and "Rolled back to 80 images" in health[0][0]["message"]
    assert one["position"]["rollbacks"] == 1 and one["position"]["images"] == 160
    (group,) = one["optimizer/generator"]["param_groups"]
    assert group["lr"] == pytest.approx(read("optimizer", "sgd")["generator"]["lr"])


def assert_alike(one, two):
    for network in {"network/generator", "network/discriminator", "ema"} & one.keys():
        for name, tensor in one[network].items():
            torch.testing.assert_close(two[network][name], tensor, rtol=1e-6, atol=1e-9)
    assert one["position"] == two["position"]


def test_a_batch_that_ranks_cannot_share_is_refused(make_trainer):
    from genlab.errors import ConfigError

    with pytest.raises(ConfigError, match="multiple of trainer.accumulate x ranks = 3; use 6"):
        make_trainer("model=gan", "trainer.accumulate=3")

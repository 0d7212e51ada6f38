"""Two gloo ranks with half the batch each follow one rank with the whole batch."""

import subprocess
import sys

import pytest
import torch

from genlab import checkpoint
from tests.conftest import NARROW

SYSTEM = (
    "model=wgan_gp", *NARROW, "model.generator.norm=none", "model.discriminator.norm=none",
    "optimizer=sgd", "penalty=[gradient_penalty,r1]",
    "penalty.r1.every=2", "trainer.precision=float64", "trainer.n_critic=2", "trainer.batch_size=8",
    "trainer.images=160", "trainer.accumulate=2", "data.limit=100", "metrics=none", "callbacks.log.every=80",
    "trainer.device=cpu",
)  # fmt: skip


def train(launcher, run_dir):
    command = [sys.executable, "-m", *launcher, "genlab.train", *SYSTEM, f"hydra.run.dir={run_dir}"]
    done = subprocess.run(command, cwd=run_dir.parent, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return checkpoint.newest_good(run_dir / "checkpoints")[1]["parts"]


def test_two_ranks_follow_one(tmp_path):
    torchrun = ["torch.distributed.run", "--standalone", "--nproc_per_node=2", "-m"]
    one, two = train([], tmp_path / "one"), train(torchrun, tmp_path / "two")
    for network in ("network/generator", "network/discriminator", "ema"):
        for name, tensor in one[network].items():
            torch.testing.assert_close(two[network][name], tensor, rtol=1e-6, atol=1e-9)
    assert one["position"] == two["position"]
    assert [path.name for path in tmp_path.iterdir() if path.is_dir()].sort() == ["one", "two"].sort()
    lines = [(tmp_path / name / "metrics.jsonl").read_text().splitlines() for name in ("one", "two")]
    assert len(lines[0]) == len(lines[1])  # rank 0 alone writes


def test_a_batch_that_ranks_cannot_share_is_refused(make_trainer):
    from genlab.errors import ConfigError

    with pytest.raises(ConfigError, match="multiple of trainer.accumulate x ranks = 3; use 6"):
        make_trainer("model=gan", "trainer.accumulate=3")

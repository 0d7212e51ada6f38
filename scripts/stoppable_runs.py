"""Runs of twenty tiny systems as child processes that can be killed, and the comparison of their checkpoints.

Children are forked from a process that has imported everything, so that a command costs about a second. They run on
the CPU with one thread, on data that come with the package.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch._dynamo  # optimizers import it late, for seconds
import torch.utils.tensorboard  # as does a callback this
from file_faults import Fault, FileLayer

import genlab.cli.job  # noqa: F401 (what a command imports late)
from genlab import train
from genlab.core import checkpoint

os.environ["OMP_NUM_THREADS"] = "1"  # of other processes: with other threads, sums have other bits
torch.set_num_threads(1)  # a process that forks must have no others
EVERY_RUN = (
    "trainer.images=128 trainer.batch_size=8 trainer.device=cpu callbacks.log.every=32 callbacks.grid.every=64 "
    "callbacks.checkpoint.every=8 resume=auto"
)
CNNS = "model.generator.width=4 model.discriminator.width=4"
PYRAMIDS = f"{CNNS} model.generator.most=8 model.discriminator.most=8 model.discriminator.group=2"
SCORED = "metrics=classifier_score metrics.images=32 metrics.every=32"  # these write best.pt as well
SYSTEMS = {  # name, of configs/model too -> words of its command; data.limit=200 and metrics=none unless they say else
    "gan": "data=ring8 model.generator.widths=[8,8,8] model.discriminator.widths=[8,8,8] "
    "metrics=points metrics.images=100 metrics.batch_size=100 metrics.every=32",
    "unrolled_gan": "data=grid25 model.generator.widths=[8,8,8] model.discriminator.widths=[8,8] metrics=none",
    "cgan": f"model.generator.widths=[8,8,8,8] model.discriminator.widths=[8,8,8] {SCORED}",
    "dcgan": f"{CNNS} {SCORED} augment=[diffaugment,ada] augment.ada.every=4 augment.ada.images=128",
    "lsgan": f"{CNNS} trainer.replay=16",
    "wgan": CNNS,
    "wgan_gp": f"{CNNS} penalty=[gradient_penalty,r1] penalty.r1.every=3 {SCORED}",
    "sngan": CNNS,
    "dragan": f"{CNNS} penalty=[dragan,historical_averaging,lecam]",
    "acgan": CNNS,
    "infogan": f"{CNNS} model.width=4",
    "began": "model.generator.width=4 model.discriminator.code_size=8 model.discriminator.encoder.width=4 "
    "model.discriminator.decoder.width=4",
    "r3gan": f"{PYRAMIDS} model.generator.group=2",
    "progan": f"{PYRAMIDS} trainer.stage_images=40",
    "stylegan2": f"{PYRAMIDS} model.generator.style_size=8",
    "pix2pix": CNNS,
    "cyclegan": f"{CNNS} data=mnist_unpaired data.of.limit=200",
    "vae": "model.encoder.widths=[8,8] model.decoder.widths=[8,8]",
    "vqvae": "model.encoder.width=4 model.decoder.width=4 model.number=8",
    "vae_gan": f"{CNNS} model.encoder.width=4",
}


def words_of(system: str) -> list[str]:
    words = f"model={system} {SYSTEMS[system]} {EVERY_RUN}".split()
    defaults = {"data=": "data.limit=200", "metrics=": "metrics=none"}
    return words + [word for key, word in defaults.items() if not any(typed.startswith(key) for typed in words)]


@dataclass(frozen=True)
class Run:
    """A run directory, with what its commands print and a ledger of its files beside it."""

    system: str
    folder: Path

    def start(self, *words: str, fault: Fault | None = None) -> int:
        """Start a command of the run in a child, and return its process id."""
        if child := os.fork():
            return child
        code = 1
        try:
            printed = os.open(self.beside("printed"), os.O_WRONLY | os.O_CREAT | os.O_APPEND)
            os.dup2(printed, 1)
            os.dup2(printed, 2)
            FileLayer(self.folder, self.beside("ledger"), fault).install()
            code = train.main(self.words(*words))
        except BaseException:
            traceback.print_exc()
        sys.stdout.flush()
        os._exit(code)

    def words(self, *others: str) -> list[str]:
        """Return the words of a command; others take the place of those with the same key."""
        keys = {word.partition("=")[0] for word in others}
        own = (word for word in words_of(self.system) if word.partition("=")[0] not in keys)
        return [*own, f"hydra.run.dir={self.folder}", *others]

    def run_under(self, tool: list[str]) -> int:
        """Run the command in a process of its own, under a tool such as strace. Return its exit code."""
        with self.beside("printed").open("a") as printed:
            words = [*tool, sys.executable, "-m", "genlab.train", *self.words()]
            return subprocess.run(words, stdout=printed, stderr=printed).returncode

    def beside(self, name: str) -> Path:
        return self.folder.with_suffix(f".{name}")

    def lines(self, name: str, pattern: str) -> list[str]:
        """Return what a pattern finds in `printed` or `ledger`."""
        path = self.beside(name)
        return re.findall(pattern, path.read_text(errors="replace"), re.MULTILINE) if path.exists() else []

    def state(self, checkpoint_name: str) -> dict[str, Any]:
        """Return the leaves of a checkpoint by their paths, without callbacks' notes; none if it cannot be read."""
        try:
            parts = checkpoint.read(self.folder / "checkpoints" / checkpoint_name)["parts"]
        except ValueError:
            return {}
        return dict(leaves({name: part for name, part in parts.items() if not name.startswith("callback/")}))

    def newest_and_best(self) -> list[str]:
        """Return the names of the checkpoints that were put in place completely and must be there now."""
        placed = sorted(set(self.lines("ledger", r"^placed (\w+\.pt)$")))  # numbers, then best.pt
        numbered = [name for name in placed if name != "best.pt"]
        return [*numbered[-1:], *(["best.pt"] if "best.pt" in placed else [])]

    def present(self) -> list[str]:
        """Return the names of the checkpoints that are there; `sick` ones are none."""
        folder = self.folder / "checkpoints"
        return [path.name for path in (*folder.glob("[0-9]*.pt"), *folder.glob("best.pt"))]


def end_of(child: int) -> int:
    """Wait for a child, and return its exit code; of one that was killed, the negative number of the signal."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def kill_about(run: Run, call: int, seconds: float) -> int:
    """Start a command, and kill it that long after a call that changes a file, whatever it does then."""
    child, over = run.start(), None
    while len(run.lines("ledger", "^call")) < call and not over:
        time.sleep(0.01)
        over = os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    time.sleep(seconds)
    os.kill(child, signal.SIGKILL)
    return end_of(child)


def train_whole(system: str, folder: Path) -> Run:
    run = Run(system, folder)
    if end_of(run.start()):
        raise RuntimeError(run.beside("printed").read_text())
    return run


def leaves(tree: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    children = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, (list, tuple)) else None
    if children is None:
        yield path, tree
        return
    for key, child in children:
        yield from leaves(child, f"{path}/{key}")


def differing_bits(one: Any, other: Any) -> int:
    """Return how many bits of two leaves differ: of what is no tensor, or of other types or shapes, one."""
    if not (torch.is_tensor(one) and torch.is_tensor(other)) or (one.shape, one.dtype) != (other.shape, other.dtype):
        return int(torch.is_tensor(one) or torch.is_tensor(other) or repr(one) != repr(other))
    left, right = (np.frombuffer(leaf.numpy().tobytes(), np.uint8) for leaf in (one, other))
    return int(np.unpackbits(left ^ right).sum())


def usage_of(process: int) -> tuple[float, int]:
    """Return a process's resident memory in MB, and how many files it has open."""
    pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20, len(os.listdir(f"/proc/{process}/fd"))

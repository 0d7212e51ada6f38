"""The benchmark compares the same work: its bare loop and genlab's trainer arrive at the same weights."""

from __future__ import annotations

import importlib
from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest
import torch
from torch import Tensor

from genlab.core.random import Draws
from genlab.data import MNIST

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"
MLP = "model.generator.widths=[16] model.discriminator.widths=[16] trainer.batch_size=8 data.limit=64"
CONVOLUTIONS = "trainer.batch_size=8 data.limit=64"


@pytest.fixture
def loops(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(SCRIPTS))
    return importlib.import_module("loops")


@pytest.fixture
def benchmark(loops: ModuleType) -> ModuleType:
    return importlib.import_module("benchmark")


def small(benchmark: ModuleType, name: str) -> object:
    """A workload of the benchmark with small networks."""
    workload = benchmark.WORKLOADS[name]
    is_mlp = "model=gan" in workload.overrides
    return replace(workload, overrides=f"{workload.overrides} {MLP if is_mlp else CONVOLUTIONS}")


@pytest.mark.parametrize("loop", ["genlab", "bare", "tutorial"])
@pytest.mark.parametrize(("name", "n_critic"), [("gan", 1), ("wgan_gp_mlp", 5)])
def test_every_loop_counts_the_images_of_a_step(
    benchmark: ModuleType, loops: ModuleType, loop: str, name: str, n_critic: int
) -> None:
    assert loops.LOOPS[loop](small(benchmark, name), "cpu").run(1) == 8 * n_critic


@pytest.mark.parametrize("name", ["gan", "gan_reuse", "dcgan", "wgan_gp_mlp", "wgan_gp"])
def test_the_bare_loop_trains_what_genlab_trains(
    benchmark: ModuleType, loops: ModuleType, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    genlab, bare = (loops.LOOPS[loop](small(benchmark, name), "cpu") for loop in ("genlab", "bare"))
    bare.model.load_state_dict(genlab.trainer.model.state_dict())
    before = [weight.clone() for weight in bare.model.parameters()]
    replay(bare, recorded(genlab, monkeypatch))
    genlab.run(2)
    bare.run(2)
    after = list(genlab.trainer.model.parameters())
    moved = sum(not torch.equal(*pair) for pair in zip(before, after, strict=True))
    assert moved >= len(before) - 1  # a Wasserstein critic's last bias has no gradient
    torch.testing.assert_close(list(bare.model.parameters()), after, rtol=1e-4, atol=1e-6)


def recorded(genlab: object, monkeypatch: pytest.MonkeyPatch) -> dict[str, list[Tensor]]:
    """Kind -> what genlab's trainer will have drawn, in order."""
    drawn: dict[str, list[Tensor]] = defaultdict(list)

    def recording(kind: str, draw: Callable[..., Tensor]) -> Callable[..., Tensor]:
        def call(*args: object) -> Tensor:
            drawn[kind].append(draw(*args))
            return drawn[kind][-1].clone()

        return call

    stream = genlab.trainer.stream
    monkeypatch.setattr(stream, "batch", recording("batch", stream.batch))
    monkeypatch.setattr(Draws, "normal", recording("noise", Draws.normal))
    monkeypatch.setattr(Draws, "uniform", recording("uniform", Draws.uniform))
    return drawn


def replay(bare: object, drawn: dict[str, list[Tensor]]) -> None:
    bare.batch = lambda: drawn["batch"].pop(0)
    bare.noise = lambda: drawn["noise"].pop(0)
    bare.uniform = lambda count: drawn["uniform"].pop(0)


def test_the_tutorial_loop_trains_the_same_networks(benchmark: ModuleType, loops: ModuleType) -> None:
    tutorial, bare = (loops.LOOPS[loop](small(benchmark, "dcgan"), "cpu") for loop in ("tutorial", "bare"))
    for mine, theirs in ((tutorial.generator, bare.generator), (tutorial.discriminator, bare.discriminator)):
        for weight, other in zip(mine.parameters(), theirs.parameters(), strict=True):
            weight.data.copy_(other)
    noise = tutorial.noise()
    torch.testing.assert_close(tutorial.generator(noise), bare.generator(noise), rtol=1e-4, atol=1e-5)


def test_the_tutorial_data_are_genlabs_images(benchmark: ModuleType, loops: ModuleType, tmp_path: Path) -> None:
    images, spec = loops.torchvision_mnist(tmp_path, None)
    first = MNIST().train.images[0]
    torch.testing.assert_close(images[0][0], first / 127.5 - 1)
    assert spec.shape == (1, 28, 28)


@pytest.mark.parametrize(("count", "low", "high"), [(11, 2, 10), (6, 1, 6), (3, 1, 3), (20, 6, 15)])
def test_the_interval_is_that_of_order_statistics(benchmark: ModuleType, count: int, low: int, high: int) -> None:
    assert benchmark.median_interval([float(rank) for rank in range(count, 0, -1)]) == (low, high)


def test_a_disturbed_row_says_so(benchmark: ModuleType) -> None:
    quiet, busy = (benchmark.Slice(64, 1.0, foreign) for foreign in (0.02, 0.5))
    assert benchmark.disturbance({"genlab": [quiet] * 11}) == "0 of 11 slices"
    assert "SPOILED" in benchmark.disturbance({"genlab": [quiet] * 5, "bare": [busy] * 5})
    assert benchmark.disturbance({"genlab": [benchmark.Slice(64, 1.0, None)]}) == "unknown"


def test_a_config_that_no_hand_written_loop_trains_is_refused(benchmark: ModuleType, loops: ModuleType) -> None:
    with pytest.raises(ValueError, match="no hand-written loop"):
        loops.Bare(loops.Workload("model=gan loss=hinge", target=1.0), "cpu")

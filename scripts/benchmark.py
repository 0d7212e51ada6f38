"""Images a second of genlab's training, beside a bare hand-written loop and the loop that tutorials teach.

python scripts/benchmark.py [--workloads NAME ...] [--rounds N] [--seconds S] [--device D] [--json FILE]

The loops take turns (genlab, bare, tutorial, genlab, ...), and every number is a median over the rounds, ratios with
their 95 % interval. The tutorial loop runs in a process of its own, for genlab's allocator and cuDNN settings
hold for a whole process (glibc's own tuning of its thresholds, once switched off, cannot be switched on again);
it sleeps while the others run. A slice during which other processes kept the machine busy counts as disturbed.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import platform
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from math import comb
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median
from typing import Any

import torch
from loops import LOOPS, Workload

CONVOLUTIONAL = (
    "model=dcgan data.size=32 "
    "model.generator._target_=tutorial_networks.Generator ~model.generator.width ~model.generator.upsampling "
    "~model.generator.norm model.discriminator._target_=tutorial_networks.Discriminator ~model.discriminator.width "
    "~model.discriminator.minibatch ~model.discriminator.condition"
)
WGAN_GP = "loss=wasserstein penalty=[gradient_penalty] optimizer=adam_wgan_gp trainer=alternating_5"
WORKLOADS = {
    "gan": Workload("model=gan", target=1.8),
    "gan_reuse": Workload("model=gan trainer.reuse_fakes=true", target=2.2),
    "dcgan": Workload(CONVOLUTIONAL, target=1.7),
    "dcgan_reuse": Workload(f"{CONVOLUTIONAL} trainer.reuse_fakes=true", target=2.6),
    "wgan_gp_mlp": Workload(f"model=gan {WGAN_GP}", target=2.0),
    "wgan_gp": Workload(f"{CONVOLUTIONAL} model.discriminator.norm=none {WGAN_GP}", target=4.0),
    "dcgan64": Workload("model=dcgan trainer.batch_size=128", target=1.2, random_size=64),
    "dcgan64_reuse": Workload(
        "model=dcgan trainer.batch_size=128 trainer.reuse_fakes=true", target=1.2, random_size=64
    ),
}
BARE_TARGET = 0.95  # genlab's images/s as a share of the bare loop's
MAX_FOREIGN_SHARE = 0.1  # of processor time during an undisturbed slice
MAX_DISTURBED_SHARE = 0.25  # of slices, or a row is spoiled


def main() -> None:
    options = parse_arguments()
    print(f"{describe_machine()}; {options.rounds} rounds of {options.seconds:g} s a loop\n")
    print("\n".join(HEADER), flush=True)
    results = {}
    for name in options.workloads:
        results[name] = measure_workload(name, options)
        print(table_row(name, results[name]), flush=True)
    if options.json:
        facts = {"machine": describe_machine(), "options": vars(options) | {"json": None}}
        text = facts | {"workloads": results_json(results)}
        options.json.write_text(json.dumps(text, indent=2) + "\n", encoding="utf-8")


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    names = list(WORKLOADS)
    parser.add_argument("--workloads", nargs="+", choices=names, default=names, metavar="NAME", help=", ".join(names))
    parser.add_argument("--rounds", type=int, default=33, help="at least 6 for a 95 %% interval")
    parser.add_argument("--seconds", type=float, default=0.6, help="of one loop in one round, about")
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--json", type=Path, help="write every slice here")
    return parser.parse_args()


def describe_machine() -> str:
    gpu = f", {torch.cuda.get_device_name()}" if torch.cuda.is_available() else ""
    return f"torch {torch.__version__}, {torch.get_num_threads()} threads, {platform.machine()}{gpu}"


@dataclass(frozen=True)
class Slice:
    """Turn of one loop in one round."""

    images: int
    seconds: float
    foreign: float | None  # share of processor time that other processes used; None: unknown

    @property
    def speed(self) -> float:
        return self.images / self.seconds


def measure_workload(name: str, options: argparse.Namespace) -> dict[str, list[Slice]]:
    """Return each loop's slices, one for every round."""
    with tutorial_process(name, options.device) as tutorial:
        here = {loop: Runner(name, loop, options.device) for loop in ("genlab", "bare")}
        loops: dict[str, Callable[[int], Slice]] = here | {"tutorial": tutorial}
        steps = {loop: calibrate(run, options.seconds) for loop, run in loops.items()}
        rounds = [{loop: run(steps[loop]) for loop, run in loops.items()} for _ in range(options.rounds)]
    return {loop: [found[loop] for found in rounds] for loop in loops}


class Runner:
    """Runs and times slices of a loop."""

    def __init__(self, workload: str, loop: str, device: str) -> None:
        self.loop, self.device = LOOPS[loop](WORKLOADS[workload], device), device

    def __call__(self, steps: int) -> Slice:
        self.synchronise()
        clock, others = time.perf_counter(), foreign_seconds()
        images = self.loop.run(steps)
        self.synchronise()
        seconds, after = time.perf_counter() - clock, foreign_seconds()
        share = None if after is None else max(0.0, after - others) / seconds / os.cpu_count()
        return Slice(images, seconds, share)

    def synchronise(self) -> None:
        if self.device == "cuda":
            torch.cuda.synchronize()


def foreign_seconds() -> float | None:
    """Return the processor seconds of all other processes; None without /proc/stat."""
    path = Path("/proc/stat")
    if not path.exists():
        return None
    user, nice, system, _, _, irq, softirq, steal = map(int, path.read_text().split()[1:9])
    busy = (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")
    return busy - time.process_time()


@contextmanager
def tutorial_process(workload: str, device: str) -> Iterator[Callable[[int], Slice]]:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=serve, args=(theirs, workload, device), daemon=True)
    process.start()
    theirs.close()  # so that its death is an EOFError here, not a wait without end

    def run(steps: int) -> Slice:
        ours.send(steps)
        return ours.recv()

    try:
        run(1)
        yield run
    finally:
        ours.close()
        process.join()


def serve(pipe: Connection, workload: str, device: str) -> None:
    """Run as many steps as the pipe asks for, until it closes."""
    run = Runner(workload, "tutorial", device)
    while True:
        try:
            steps = pipe.recv()
        except EOFError:
            return
        pipe.send(run(steps))


def calibrate(run: Callable[[int], Slice], seconds: float) -> int:
    """Return the number of steps that take about so many seconds, after warming up."""
    run(2)
    steps, taken = 1, run(1).seconds
    while taken < seconds / 10:
        steps *= 4
        taken = run(steps).seconds
    return max(1, round(steps * seconds / taken))


def median_interval(values: list[float]) -> tuple[float, float]:
    """Return a 95 % interval of the median, from order statistics; the range for fewer than 6 values."""
    ordered, count, tail, cut = sorted(values), len(values), 0.0, 0
    while (tail := tail + comb(count, cut) / 2**count) <= 0.025:
        cut += 1
    cut = max(cut, 1)
    return ordered[cut - 1], ordered[-cut]


HEADER = [
    "| workload | genlab | bare | tutorial | genlab / bare | target | genlab / tutorial | target | disturbed |",
    "|---|---|---|---|---|---|---|---|---|",
]


def table_row(name: str, slices: dict[str, list[Slice]]) -> str:
    speeds = [f"{median(one.speed for one in found):,.0f}" for found in slices.values()]
    bare = format_ratio(ratios(slices, "bare"), BARE_TARGET)
    tutorial = format_ratio(ratios(slices, "tutorial"), WORKLOADS[name].target)
    return f"| {' | '.join([name, *speeds, *bare, *tutorial, disturbance(slices)])} |"


def ratios(slices: dict[str, list[Slice]], other: str) -> list[float]:
    """Return genlab's speed over the other loop's, round by round."""
    return [ours.speed / theirs.speed for ours, theirs in zip(slices["genlab"], slices[other], strict=True)]


def format_ratio(found: list[float], target: float) -> tuple[str, str]:
    low, high = median_interval(found)
    verdict = "reached" if median(found) >= target else "missed"
    return f"{median(found):.2f} ({low:.2f}-{high:.2f})", f"{target:g} {verdict}"


def disturbance(slices: dict[str, list[Slice]]) -> str:
    """Return how many slices other processes disturbed, and whether the row is spoiled."""
    shares = [one.foreign for found in slices.values() for one in found]
    if None in shares:
        return "unknown"
    count = sum(share > MAX_FOREIGN_SHARE for share in shares)
    spoiled = " SPOILED: measure again" if count > MAX_DISTURBED_SHARE * len(shares) else ""
    return f"{count} of {len(shares)} slices{spoiled}"


def results_json(results: dict[str, dict[str, list[Slice]]]) -> dict[str, Any]:
    return {
        name: {
            "overrides": WORKLOADS[name].overrides,
            "slices": {loop: [asdict(one) for one in found] for loop, found in slices.items()},
            "genlab_by_bare": ratios(slices, "bare"),
            "genlab_by_tutorial": ratios(slices, "tutorial"),
        }
        for name, slices in results.items()
    }


if __name__ == "__main__":
    main()

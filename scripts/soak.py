"""Kills runs at random instants and makes their files fail, resumes them, and compares them with runs never stopped.

python scripts/soak.py --write                    # 200 kills and faults over 20 systems: half an hour on one core
python scripts/soak.py --systems gan vae --trials 4

Each system is trained once without being stopped. Then commands of another such run are ended again and again: by
SIGKILL at a random instant, or at a random call that changes a file: by a full disk, an error of the device, or a kill
in the middle of a write. The next command resumes. Where a run reaches its end, the tensors of its checkpoints are
compared, bit by bit, with those of the run that was never stopped, and another run begins. A checkpoint counts as lost
if it was put in its place completely, nothing newer took the place, and it cannot be read.

`--write` puts the tables into .github/SECURITY.md. strace and a small tmpfs are used where they are there.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
import torch
from file_faults import KINDS, Fault
from stoppable_runs import SYSTEMS, Run, differing_bits, end_of, kill_about, train_whole, usage_of

from genlab.core import checkpoint

PAGE = Path(__file__).parent.parent / ".github" / "SECURITY.md"


@dataclass
class Row:
    """What became of the runs of one system; a row of the table."""

    name: str
    kills: int = 0
    faults: int = 0
    resumed: int = 0  # commands that went on from a checkpoint
    compared: int = 0  # runs that reached their end
    tensors: int = 0  # that were compared
    bits: int = 0  # that differ
    lost: int = 0  # checkpoints
    errors: int = 0  # commands that ended otherwise than done, killed or with one message
    notes: list[str] = field(default_factory=list)  # of bits, lost and errors

    @property
    def trials(self) -> int:
        return self.kills + self.faults

    @property
    def failed(self) -> bool:
        return bool(self.bits or self.lost or self.errors)

    def numbers(self) -> list[int]:
        return [getattr(self, name) for name in COLUMNS]

    def __str__(self) -> str:
        return f"| {self.name} | {' | '.join(f'{number:,}' for number in self.numbers())} |"


COLUMNS = ("kills", "faults", "resumed", "compared", "tensors", "bits", "lost", "errors")


# ---- kills and faults


def try_system(system: str, trials: int, folder: Path, seed: int) -> Row:
    """End commands of a system's runs `trials` times, half of them by SIGKILL and half by a fault in a file."""
    row, source = Row(system), random.Random(f"{system} {seed}")
    whole = train_whole(system, folder / f"{system}-whole")
    while row.trials < trials and row.errors < trials:
        run, left, code = Run(system, folder / f"{system}-{row.compared}"), True, 1
        while left and code:
            left = row.trials < trials and row.errors < trials
            code = end_somehow(run, whole, row, source) if left else end_of(run.start())
            look(run, row, code)
        compare(run, whole, row)
    return row


def end_somehow(run: Run, whole: Run, row: Row, source: random.Random) -> int:
    """Start the run's next command, and kill it or plant a fault. Return its exit code."""
    done, all_calls = (len(which.lines("ledger", "^call")) for which in (run, whole))
    call = source.randint(1, max(all_calls - done, 20))
    if row.kills <= row.faults:
        code = kill_about(run, done + call, source.uniform(0, 0.5))
        row.kills += code == -signal.SIGKILL
        return code
    planted = len(run.lines("ledger", "^fault"))
    code = end_of(run.start(fault=Fault(source.choice(KINDS), call)))
    row.faults += len(run.lines("ledger", "^fault")) > planted
    return code


def look(run: Run, row: Row, code: int) -> None:
    """Note checkpoints that a command lost, and an end that is an error."""
    lost = [name for name in {*run.newest_and_best(), *run.present()} if not run.state(name)]
    row.lost += len(lost)
    row.notes += [f"{name} is lost after {run.lines('ledger', '^fault.*')[-1:]}" for name in lost]
    if code not in (0, 3, -signal.SIGKILL):  # done, one message, killed
        row.errors += 1
        row.notes.append(f"exit code {code}: {run.beside('printed').read_text()[-300:]}")


def compare(run: Run, whole: Run, row: Row) -> None:
    """Compare the last and the best checkpoint of a finished run with those of the run that was never stopped."""
    row.compared += 1
    row.resumed += len(run.lines("printed", "^resumed from"))
    row.errors += len(run.lines("printed", "^Traceback"))
    for name in whole.newest_and_best():
        found, expected = run.state(name), whole.state(name)
        row.tensors += sum(map(torch.is_tensor, expected.values()))
        for key in found.keys() | expected.keys():
            bits = differing_bits(found.get(key), expected.get(key))
            row.bits += bits
            row.notes += [f"{name}{key}: {bits} bits"] if bits else []
    if not row.failed:
        shutil.rmtree(run.folder, ignore_errors=True)  # a mounted folder stays


# ---- the same by tools of the system


def fail_by_strace(folder: Path) -> Row:
    """Let the kernel fail an fsync of each of two commands."""
    run = Run("gan", folder / "strace")
    strace = "strace -f -qq -o /dev/null -e trace=fsync -e inject=fsync:error=EIO:when="
    commands = [partial(run.run_under, f"{strace}{call}".split()) for call in (9, 5)]
    return fail_by_tools("gan, EIO by strace", run, commands, folder)


def fill_tmpfs(folder: Path) -> Row:
    """Train on a file system that is too small for two checkpoints, then make room."""
    run = Run("gan", folder / "tmpfs")
    run.folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=128k", "tmpfs", run.folder], check=True)

    def make_room() -> int:
        code = run.run_under([])
        subprocess.run(["mount", "-o", "remount,size=64m", run.folder], check=True)
        return code

    try:
        return fail_by_tools("gan, full tmpfs", run, [make_room], folder)
    finally:
        subprocess.run(["umount", run.folder], check=True)


def fail_by_tools(name: str, run: Run, commands: list[Callable[[], int]], folder: Path) -> Row:
    row, whole = Row(name), train_whole("gan", folder / f"{run.folder.name}-whole")
    for command in commands:
        look(run, row, code := command())
        row.faults += code != 0
    look(run, row, end_of(run.start()))
    compare(run, whole, row)
    return row


# ---- memory and open files


def soak(system: str, seconds: float, folder: Path) -> str:
    """Train for that long. Return a table's row: memory and open files after a quarter of the time and at the end."""
    run = Run(system, folder / f"{system}-soak")
    child = run.start("trainer.images=1e9", f"trainer.max_time={seconds}", "callbacks.checkpoint.every=64")
    seen = []
    while os.waitpid(child, os.WNOHANG)[0] == 0:
        seen += [usage_of(child)] if run.present() else []
        time.sleep(0.05)
    early, late = (np.median(part, axis=0) for part in (seen[len(seen) // 4 :][:20], seen[-30:-10]))
    images = int(checkpoint.newest_first(run.folder / "checkpoints")[0].stem)
    shutil.rmtree(run.folder)
    return f"| {system} | {images:,} | {early[0]:.0f} | {late[0]:.0f} | {early[1]:.0f} | {late[1]:.0f} |"


# ---- the tables

TABLES = """\
| system | kills | faults | resumed | runs compared | tensors compared | bits that differ | checkpoints lost | errors |
|---|---:|---:|---:|---:|---:|---:|---:|---:|
{rows}

| system | images | MB, early | MB, at the end | open files, early | at the end |
|---|---:|---:|---:|---:|---:|
{soaks}
"""


def write_tables(text: str) -> None:
    before, _, rest = PAGE.read_text(encoding="utf-8").partition("<!-- soak -->\n")
    after = rest.partition("<!-- end: soak -->")[2]
    PAGE.write_text(f"{before}<!-- soak -->\n{text}<!-- end: soak -->{after}", encoding="utf-8")


def results(options: argparse.Namespace, folder: Path) -> Iterator[Row | str]:
    """Yield the rows of the first table, then the lines of the second one."""
    with multiprocessing.get_context("fork").Pool(options.jobs) as pool:
        if shutil.which("strace"):
            yield pool.apply(fail_by_strace, [folder])
        if sys.platform == "linux" and os.geteuid() == 0:
            yield pool.apply(fill_tmpfs, [folder])
        attempt = partial(try_system, trials=options.trials, folder=folder, seed=options.seed)
        yield from pool.imap(attempt, options.systems)
        yield from pool.imap(partial(soak, seconds=options.seconds, folder=folder), options.systems[::5])


def main() -> int:
    options, found = parse_arguments(), []
    with tempfile.TemporaryDirectory(prefix="soak-") as name:
        os.environ["GENLAB_CACHE"] = f"{name}/cache"
        for result in results(options, Path(name)):
            print(result, *getattr(result, "notes", [])[:5], sep="\n", flush=True)
            found.append(result)
    rows, soaks = ([result for result in found if isinstance(result, kind)] for kind in (Row, str))
    rows.append(Row("**all**", *map(sum, zip(*(row.numbers() for row in rows), strict=True))))
    text = TABLES.format(rows="\n".join(map(str, rows)), soaks="\n".join(soaks))
    print(text)
    if options.write:
        write_tables(text)
    return int(rows[-1].failed)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--systems", nargs="+", default=list(SYSTEMS), choices=SYSTEMS, metavar="SYSTEM")
    parser.add_argument("--trials", type=int, default=10, help="kills and faults a system")
    parser.add_argument("--seconds", type=float, default=20, help="of a soak; every fifth system is soaked")
    parser.add_argument("--jobs", type=int, default=1, help="systems at a time")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--write", action="store_true", help="put the tables into the page")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())

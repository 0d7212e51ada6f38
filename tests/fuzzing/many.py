"""Tries many command lines, and prints a table of how they ended.

python -m tests.fuzzing.many --write       # 3,000 lines over all models and programs: half an hour on one core

`--write` puts the table into .github/SECURITY.md. The exit code is 1 if a line is faulty; each is printed.
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from hypothesis import HealthCheck, Phase, given, seed, settings

from tests.conftest import choices
from tests.fuzzing.lines import PROGRAMS, Line, lines
from tests.fuzzing.trial import end_of, fast_loading, make_run
from tests.fuzzing.verdict import End, faults

PAGE = Path(__file__).parents[2] / ".github" / "SECURITY.md"
HEADING = (
    "| program | command lines | refused in one message | accepted | faulty | slowest |\n|---|---:|---:|---:|---:|---:|"
)


class Trial(NamedTuple):
    line: Line
    end: End
    faults: list[str]


def trials(count: int, models: tuple[str, ...], try_line: Callable[[Line], End], chosen: int = 0) -> list[Trial]:
    """Try so many command lines, which the number `chosen` chooses."""
    found: list[Trial] = []
    quiet = {"deadline": None, "database": None, "phases": [Phase.generate], "suppress_health_check": list(HealthCheck)}

    @seed(chosen)
    @settings(max_examples=count, **quiet)
    @given(lines(models))
    def judge(line: Line) -> None:
        end = try_line(line)
        wrong = faults(line, end)
        found.append(Trial(line, end, [] if wrong and is_refused_without_word(line, end, try_line) else wrong))

    judge()
    return found


def is_refused_without_word(line: Line, end: End, try_line: Callable[[Line], End]) -> bool:
    """Tell whether another mistake of the line, such as a mode that does not fit the run, is told before its word."""
    others = try_line(Line(line.program, line.base[:-1], line.base[-1]))
    return others.code == end.code == 2 and others.message == end.message


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--lines", type=int, default=3_000)
    parser.add_argument("--seed", type=int, default=0, help="another one chooses other lines")
    parser.add_argument("--write", action="store_true", help="put the table into the page")
    options = parser.parse_args()
    os.environ["GENLAB_TRUST"] = ""
    with tempfile.TemporaryDirectory() as folder, fast_loading():
        run = make_run(Path(folder) / "run")
        work = Path(folder) / "work"
        work.mkdir()
        found = trials(options.lines, tuple(choices("model")), lambda line: end_of(line, run, work), options.seed)
    text = table(found)
    print(text)
    faulty = [one for one in found if one.faults]
    print("\n".join(f"{one.line}\n    {'; '.join(one.faults)}" for one in faulty), file=sys.stderr)
    if options.write:
        write_table(text)
    return 1 if faulty else 0


def table(found: list[Trial]) -> str:
    names = [name for name in ("train", *PROGRAMS) if any(one.line.program == name for one in found)]
    rows = [row(name, [one for one in found if one.line.program == name]) for name in names]
    return "\n".join([HEADING, *rows, row("**all**", found)])


def row(name: str, found: list[Trial]) -> str:
    refused, accepted = (sum(one.end.code == code for one in found) for code in (2, 0))
    wrong, slowest = sum(bool(one.faults) for one in found), max(one.end.seconds for one in found)
    return f"| {name} | {len(found):,} | {refused:,} | {accepted:,} | {wrong} | {slowest:.0f} s |"


def write_table(text: str) -> None:
    before, _, rest = PAGE.read_text(encoding="utf-8").partition("<!-- fuzzing -->\n")
    after = rest.partition("<!-- end: fuzzing -->")[2]
    PAGE.write_text(f"{before}<!-- fuzzing -->\n{text}\n<!-- end: fuzzing -->{after}", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())

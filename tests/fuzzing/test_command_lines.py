"""Command lines of every kind of mistake end in one message; `-m slow` tries thousands."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings

from tests.conftest import choices
from tests.fuzzing.found_faults import FOUND
from tests.fuzzing.lines import PROGRAMS, QUICK_MODELS, Line, lines, system
from tests.fuzzing.trial import end_of, fast_loading, make_run
from tests.fuzzing.verdict import faults

QUICK_LINES, MANY_LINES = 25, 3_000


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Path:
    return make_run(tmp_path_factory.mktemp("trained"))


@pytest.fixture(scope="module")
def try_line(run, tmp_path_factory):
    """A function from a line to its end."""
    os.environ["GENLAB_TRUST"] = ""
    with fast_loading():
        yield lambda line: end_of(line, run, tmp_path_factory.mktemp("work"))
    os.environ["GENLAB_TRUST"] = "tests"


@pytest.mark.parametrize(("program", "word", "message"), FOUND, ids=[f"{row[0]} {row[1]}" for row in FOUND])
def test_a_found_fault_is_one_message(try_line, program, word, message):
    base = system("gan") if program == "train" else PROGRAMS[program][1]
    line = Line(program, base, word)
    end = try_line(line)
    assert end.code == 2 and message in end.message, end.message
    assert not faults(line, end)


def faults_among(count: int, models: tuple[str, ...], try_line) -> dict[str, list[str]]:
    """Return what is wrong with each of so many lines."""
    found: dict[str, list[str]] = {}
    quiet = {"deadline": None, "database": None, "phases": [Phase.generate], "suppress_health_check": list(HealthCheck)}

    @seed(0)
    @settings(max_examples=count, **quiet)
    @given(lines(models))
    def judge(line: Line) -> None:
        if wrong := faults(line, try_line(line)):
            found[str(line)] = wrong

    judge()
    return found


def test_no_line_of_a_few_is_faulty(try_line):
    assert not faults_among(QUICK_LINES, QUICK_MODELS, try_line)


@pytest.mark.slow
def test_no_line_of_thousands_is_faulty(try_line):
    assert not faults_among(MANY_LINES, tuple(choices("model")), try_line)

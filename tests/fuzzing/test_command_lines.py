"""Command lines of every kind of mistake end in one message; `-m slow` tries thousands."""

import os
from pathlib import Path

import pytest

from tests.conftest import choices
from tests.fuzzing.found_faults import FOUND
from tests.fuzzing.lines import PROGRAMS, QUICK_MODELS, Line, system
from tests.fuzzing.many import trials
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


def test_no_line_of_a_few_is_faulty(try_line):
    assert not found_among(QUICK_LINES, QUICK_MODELS, try_line)


@pytest.mark.slow
def test_no_line_of_thousands_is_faulty(try_line):
    assert not found_among(MANY_LINES, tuple(choices("model")), try_line)


def found_among(count: int, models: tuple[str, ...], try_line) -> dict[str, list[str]]:
    return {str(one.line): one.faults for one in trials(count, models, try_line) if one.faults}

"""Curves of a report: the numbers that runs published, thinned to what a screen can show."""

from typing import Any, NamedTuple

from genlab.reports.run import Run
from genlab.reports.run_files import finite_number

CLOCK_KEYS = ("images", "step", "time")  # say where a row stands; all its other keys are curves
HIDDEN_AT_FIRST = ("speed/", "/lr", "gradient_norm")  # words in names of curves that a crowded page hides
MAX_CURVES_SHOWN = 12  # a page with more hides some at first
MAX_POINTS_ON_LINE = 600  # about two a pixel of a chart
MAX_POINTS_ON_PAGE = 150_000
SIGNIFICANT_DIGITS = 6


class Line(NamedTuple):
    run: int  # index in the list of runs
    x: list[float]  # images
    y: list[float | None]  # None: not a finite number


def curve_names(runs: list[Run]) -> list[str]:
    """Return the names of all numeric curves: scores first, then in order of appearance."""
    keys = dict.fromkeys(key for run in runs for row in run.rows for key in row if key not in CLOCK_KEYS)
    numeric = [key for key in keys if any(finite_number(row.get(key)) is not None for run in runs for row in run.rows)]
    return sorted(numeric, key=lambda name: not name.startswith("score/"))


def initially_shown(all_names: list[str]) -> set[str]:
    """Return the curves that a page shows at first: all, or, of many, those without a word of HIDDEN_AT_FIRST."""
    if len(all_names) <= MAX_CURVES_SHOWN:
        return set(all_names)
    return {name for name in all_names if not any(word in name for word in HIDDEN_AT_FIRST)} or set(all_names)


def curve_data(runs: list[Run]) -> dict[str, Any]:
    """Return the JSON that the page's script draws: the clock of each run, and the lines of each curve."""
    all_names = curve_names(runs)
    max_points = max(50, min(MAX_POINTS_ON_LINE, MAX_POINTS_ON_PAGE // max(1, len(all_names) * len(runs))))
    visible, lines = initially_shown(all_names), {name: curve_lines(name, runs, max_points) for name in all_names}
    return {
        "clocks": [run_clock(run, max_points) for run in runs],
        "curves": [{"name": name, "shown": name in visible, "lines": lines[name]} for name in all_names],
        "points": max_points,
        "thinned": any(len(run.rows) > max_points for run in runs),
    }


def curve_lines(name: str, runs: list[Run], max_points: int) -> list[Line]:
    found = [run_line(name, run, index, max_points) for index, run in enumerate(runs)]
    return [line for line in found if line.x]


def run_line(name: str, run: Run, index: int, max_points: int) -> Line:
    points = [(row["images"], finite_number(row[name])) for row in run.rows if name in row]
    kept = thinned_indices([y for _, y in points], max_points)
    return Line(index, [points[at][0] for at in kept], [_round(points[at][1]) for at in kept])


def run_clock(run: Run, max_points: int) -> list[list[float]]:
    """Return the run's clock, thinned: [images shown, seconds since the start], two lists of one length."""
    rows = [row for row in run.rows if finite_number(row.get("time")) is not None]
    step = -(-len(rows) // max_points) or 1
    kept = rows[::step] + rows[-1:]
    return [[row["images"] for row in kept], [row["time"] for row in kept]]


def thinned_indices(values: list[float | None], max_points: int) -> list[int]:
    """Return about `max_points` indices: the ends, and each stretch's lowest, highest and gap: no peak is lost."""
    if len(values) <= max_points:
        return list(range(len(values)))
    stretches = max(1, max_points // 2)
    bounds = [len(values) * step // stretches for step in range(stretches + 1)]
    kept = {0, len(values) - 1}
    for start, end in zip(bounds, bounds[1:], strict=False):
        kept |= _extreme_indices(values, range(start, end))
    return sorted(kept)


def _extreme_indices(values: list[float | None], stretch: range) -> set[int]:
    finite = [at for at in stretch if values[at] is not None]
    gap = next(({at} for at in stretch if values[at] is None), set())
    return gap | ({min(finite, key=values.__getitem__), max(finite, key=values.__getitem__)} if finite else set())


def _round(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.{SIGNIFICANT_DIGITS}g}")

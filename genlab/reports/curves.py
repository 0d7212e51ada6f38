"""Published numbers as lines, thinned to what a screen can show."""

from __future__ import annotations

from typing import Any, NamedTuple

from genlab.reports.run import Run
from genlab.reports.run_files import number

CLOCK = ("images", "step", "time")
AFTER = ("speed/", "/lr", "gradient_norm")  # curves shown on request where there are many
MANY = 12
POINTS = 600  # a line: about what a chart has pixels, twice
ALL_POINTS = 150_000  # of a page
DIGITS = 6


class Line(NamedTuple):
    run: int  # place in the list of runs
    x: list[float]  # images
    y: list[float | None]  # None: not a finite number


def names(runs: list[Run]) -> list[str]:
    """Scores first, then in order of appearance."""
    seen = dict.fromkeys(key for run in runs for row in run.rows for key in row if key not in CLOCK)
    numeric = [key for key in seen if any(number(row.get(key)) is not None for run in runs for row in run.rows)]
    return sorted(numeric, key=lambda name: not name.startswith("score/"))


def shown(all_names: list[str]) -> set[str]:
    """Those that a page shows at first: all, or the telling ones of many."""
    if len(all_names) <= MANY:
        return set(all_names)
    return {name for name in all_names if not any(word in name for word in AFTER)} or set(all_names)


def data_of(runs: list[Run]) -> dict[str, Any]:
    """What the page's script draws: clocks of the runs, and the lines of each curve."""
    all_names = names(runs)
    most = points_of(len(all_names) * len(runs))
    visible = shown(all_names)
    return {
        "clocks": [clock(run, most) for run in runs],
        "curves": [{"name": name, "shown": name in visible, "lines": lines(name, runs, most)} for name in all_names],
        "points": most,
        "thinned": any(len(run.rows) > most for run in runs),
    }


def points_of(number_of_lines: int) -> int:
    """How many a line may have."""
    return max(50, min(POINTS, ALL_POINTS // max(1, number_of_lines)))


def lines(name: str, runs: list[Run], most: int) -> list[Line]:
    found = [line(name, run, place, most) for place, run in enumerate(runs)]
    return [one for one in found if one.x]


def line(name: str, run: Run, place: int, most: int) -> Line:
    points = [(row["images"], number(row[name])) for row in run.rows if name in row]
    kept = thin([y for _, y in points], most)
    return Line(place, [points[at][0] for at in kept], [_rounded(points[at][1]) for at in kept])


def clock(run: Run, most: int) -> list[list[float]]:
    """[images], [seconds]."""
    rows = [row for row in run.rows if number(row.get("time")) is not None]
    step = -(-len(rows) // most) or 1
    kept = rows[::step] + rows[-1:]
    return [[row["images"] for row in kept], [row["time"] for row in kept]]


def thin(values: list[float | None], most: int) -> list[int]:
    """Places of at most about `most` values: the ends, and of each stretch its lowest, its highest and a gap.

    So no peak, fall or nan is lost, however short.
    """
    if len(values) <= most:
        return list(range(len(values)))
    stretches = max(1, most // 2)
    bounds = [len(values) * step // stretches for step in range(stretches + 1)]
    kept = {0, len(values) - 1}
    for start, end in zip(bounds, bounds[1:], strict=False):
        kept |= _extremes(values, range(start, end))
    return sorted(kept)


def _extremes(values: list[float | None], places: range) -> set[int]:
    finite = [at for at in places if values[at] is not None]
    gap = next(({at} for at in places if values[at] is None), set())
    return gap | ({min(finite, key=values.__getitem__), max(finite, key=values.__getitem__)} if finite else set())


def _rounded(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.{DIGITS}g}")

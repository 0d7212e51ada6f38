"""Scores of many runs in one table: a row a group of seeds, a column a metric measured in one way."""

from __future__ import annotations

import math
import string
from collections import Counter
from dataclasses import dataclass
from statistics import fmean, stdev
from typing import Any

from genlab.reports import score_records as scores
from genlab.reports.run import Run
from genlab.reports.seed_groups import Group

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Column:
    metric: str
    way: tuple  # how it was measured
    mark: str  # a letter where the metric was measured in several ways, else empty
    unlike: str  # in which fields, and how there
    how: str
    higher_is_better: bool

    @property
    def title(self) -> str:
        return f"{self.metric} ({self.mark})" if self.mark else self.metric


@dataclass(frozen=True)
class Cell:
    """The scores of a group's runs, each the latest of its run."""

    values: list[float]
    lost: int = 0  # runs whose score is not a finite number

    @property
    def mean(self) -> float | None:
        return fmean(self.values) if self.values else None

    @property
    def margin(self) -> float | None:
        return margin(self.values)

    @property
    def text(self) -> str:
        if self.mean is None:
            return "not finite" if self.lost else ""
        return f"{self.mean:.4g}" + (f" ± {self.margin:.2g}" if self.margin is not None else "")


@dataclass(frozen=True)
class Row:
    group: Group
    cells: list[Cell]


@dataclass(frozen=True)
class Leaderboard:
    columns: list[Column]
    rows: list[Row]
    primary: Column | None  # the one that rows are sorted by


def margin(values: list[float]) -> float | None:
    """Half the 95 % interval of the mean by Student's t with n - 1 degrees of freedom; None for fewer than two."""
    if len(values) < 2:
        return None
    from scipy.special import stdtrit  # late: it takes longer to load than a page to write

    quantile = float(stdtrit(len(values) - 1, (1 + CONFIDENCE) / 2))
    return quantile * stdev(values) / math.sqrt(len(values))


def leaderboard(groups: list[Group]) -> Leaderboard:
    """Sorted by the metric that most runs call their best."""
    found = {id(run): scores.latest(run.records) for group in groups for run in group.runs}
    columns = columns_of(list(found.values()))
    rows = [Row(group, [_cell(group.runs, column, found) for column in columns]) for group in groups]
    primary = _primary(columns, [run for group in groups for run in group.runs], found)
    return Leaderboard(columns, _sorted(rows, columns, primary), primary)


def columns_of(found: list[dict[tuple, scores.Record]]) -> list[Column]:
    """In the order of first appearance; records of unlike measurements never share a column."""
    first = {way: record for records in reversed(found) for way, record in records.items()}
    order = dict.fromkeys(way for records in found for way in records)
    by_metric: dict[str, list[tuple]] = {}
    for way in order:
        by_metric.setdefault(first[way]["metric"], []).append(way)
    return [column for metric, ways in by_metric.items() for column in _columns(metric, ways, first)]


def _columns(metric: str, ways: list[tuple], first: dict[tuple, scores.Record]) -> list[Column]:
    unlike = scores.differing(ways)
    return [
        Column(
            metric,
            way,
            mark=letter(place) if len(ways) > 1 else "",
            unlike=unlike[place],
            how=scores.how(first[way]),
            higher_is_better=scores.higher_is_better(first[way]),
        )
        for place, way in enumerate(ways)
    ]


def letter(place: int) -> str:
    """a ... z, then 27, 28, ..."""
    return string.ascii_lowercase[place] if place < 26 else str(place + 1)


def footnotes(columns: list[Column]) -> dict[tuple[str, str], list[str]]:
    """(letter, what is unlike) -> the metrics of which that is true."""
    found: dict[tuple[str, str], list[str]] = {}
    for column in columns:
        if column.mark:
            found.setdefault((column.mark, column.unlike), []).append(column.metric)
    return found


def _cell(runs: list[Run], column: Column, found: dict[int, dict[tuple, Any]]) -> Cell:
    records = [found[id(run)][column.way] for run in runs if column.way in found[id(run)]]
    values = [scores.value_of(record) for record in records]
    finite = [value for value in values if value is not None]
    return Cell(finite, len(values) - len(finite))


def _primary(columns: list[Column], runs: list[Run], found: dict[int, dict[tuple, Any]]) -> Column | None:
    """Of that metric the column which most runs have; the first column where no run has a best."""
    named = Counter(run.best["metric"] for run in runs if run.best).most_common(1)
    wanted = [column for column in columns if named and column.metric == named[0][0]] or columns[:1]
    return max(wanted, key=lambda column: sum(column.way in records for records in found.values()), default=None)


def _sorted(rows: list[Row], columns: list[Column], primary: Column | None) -> list[Row]:
    """Best first; behind them those whose metric was measured in other ways, way by way; those without it last."""
    if primary is None:
        return rows
    places = [place for place, column in enumerate(columns) if column.metric == primary.metric]
    places.sort(key=lambda place: columns[place] is not primary)
    sign = -1 if primary.higher_is_better else 1

    def rank(row: Row) -> tuple[int, float]:
        scored = ((turn, row.cells[place].mean) for turn, place in enumerate(places))
        return next(((turn, sign * mean) for turn, mean in scored if mean is not None), (len(places), math.inf))

    return sorted(rows, key=rank)

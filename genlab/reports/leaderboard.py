"""The leaderboard: a row for each group of seeds, a column for each metric measured in one way."""

import math
import string
from collections import Counter
from collections.abc import Sequence
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
    protocol: tuple  # `score_records.protocol`: how it was measured
    mark: str  # a letter where the metric was measured in several ways, else empty
    difference: str  # its values of the fields in which it differs from the metric's other columns
    how: str  # the measurement in words
    higher_is_better: bool | None  # None: it judges no model, as the real images' own number

    @property
    def better(self) -> str:
        """Return which way is better, in words."""
        return scores.BETTER[self.higher_is_better]

    @property
    def arrow(self) -> str:
        return {True: "↑", False: "↓", None: ""}[self.higher_is_better]

    @property
    def title(self) -> str:
        return f"{self.metric} ({self.mark})" if self.mark else self.metric


@dataclass(frozen=True)
class Cell:
    """The scores of a group's runs, the latest of each run."""

    values: list[float]
    not_finite: int = 0  # runs whose score is not a finite number

    @property
    def mean(self) -> float | None:
        return fmean(self.values) if self.values else None

    @property
    def margin(self) -> float | None:
        return confidence_margin(self.values)

    @property
    def text(self) -> str:
        if self.mean is None:
            return "not finite" if self.not_finite else ""
        return f"{self.mean:.4g}" + (f" ± {self.margin:.2g}" if self.margin is not None else "")


@dataclass(frozen=True)
class Row:
    group: Group
    cells: list[Cell]


@dataclass(frozen=True)
class Leaderboard:
    columns: list[Column]
    rows: list[Row]
    primary: Column | None  # rows are sorted by it

    @property
    def best(self) -> list[float | None]:
        """Return the best mean of each column; None where none is better than another."""
        columns = zip(self.columns, zip(*(row.cells for row in self.rows), strict=True), strict=True)
        return [_best_mean(column, cells) for column, cells in columns]


def _best_mean(column: Column, cells: Sequence[Cell]) -> float | None:
    means = [cell.mean for cell in cells if cell.mean is not None]
    if column.higher_is_better is None or not means:
        return None
    return max(means) if column.higher_is_better else min(means)


def confidence_margin(values: list[float]) -> float | None:
    """Return half the 95 % interval of the mean, by Student's t with n - 1 degrees of freedom; None below 2."""
    if len(values) < 2:
        return None
    from scipy.special import stdtrit  # late: it takes longer to load than a page to write

    quantile = float(stdtrit(len(values) - 1, (1 + CONFIDENCE) / 2))
    return quantile * stdev(values) / math.sqrt(len(values))


def build_leaderboard(groups: list[Group]) -> Leaderboard:
    """Return the table, sorted by the metric that most runs name in their best record."""
    found = {id(run): scores.latest_records(run.records) for group in groups for run in group.runs}
    columns = score_columns(list(found.values()))
    rows = [Row(group, [_group_cell(group.runs, column, found) for column in columns]) for group in groups]
    primary = _primary_column(columns, [run for group in groups for run in group.runs], found)
    return Leaderboard(columns, _sort_rows(rows, columns, primary), primary)


def score_columns(found: list[dict[tuple, scores.Record]]) -> list[Column]:
    """Return the columns in order of first appearance. Records of unlike measurements never share a column."""
    first = {protocol: record for records in reversed(found) for protocol, record in records.items()}
    order = dict.fromkeys(protocol for records in found for protocol in records)
    by_metric: dict[str, list[tuple]] = {}
    for protocol in order:
        by_metric.setdefault(first[protocol]["metric"], []).append(protocol)
    return [column for metric, protocols in by_metric.items() for column in _metric_columns(metric, protocols, first)]


def _metric_columns(metric: str, protocols: list[tuple], first: dict[tuple, scores.Record]) -> list[Column]:
    marks = [column_letter(index) if len(protocols) > 1 else "" for index in range(len(protocols))]
    differences = scores.describe_differences(protocols)
    records = [first[protocol] for protocol in protocols]
    words, rising = map(scores.describe_measurement, records), map(scores.higher_is_better, records)
    return [Column(metric, *column) for column in zip(protocols, marks, differences, words, rising, strict=True)]


def column_letter(index: int) -> str:
    """Return the mark of a metric's column: a ... z, then 27, 28, ..."""
    return string.ascii_lowercase[index] if index < 26 else str(index + 1)


def footnotes(columns: list[Column]) -> dict[tuple[str, str], list[str]]:
    """Return the metrics that share each footnote, by (letter, difference)."""
    found: dict[tuple[str, str], list[str]] = {}
    for column in columns:
        if column.mark:
            found.setdefault((column.mark, column.difference), []).append(column.metric)
    return found


def _group_cell(runs: list[Run], column: Column, found: dict[int, dict[tuple, Any]]) -> Cell:
    records = [found[id(run)][column.protocol] for run in runs if column.protocol in found[id(run)]]
    values = [scores.score_value(record) for record in records]
    finite = [value for value in values if value is not None]
    return Cell(finite, len(values) - len(finite))


def _primary_column(columns: list[Column], runs: list[Run], found: dict[int, dict[tuple, Any]]) -> Column | None:
    """Return the column with the most runs of the metric that is best most often; the first if no run has a best."""
    named = Counter(run.best["metric"] for run in runs if run.best).most_common(1)
    wanted = [column for column in columns if named and column.metric == named[0][0]] or columns[:1]
    return max(wanted, key=lambda column: sum(column.protocol in records for records in found.values()), default=None)


def _sort_rows(rows: list[Row], columns: list[Column], primary: Column | None) -> list[Row]:
    """Sort by the primary column, best first; then by the metric's other columns in turn; rows without it come last."""
    if primary is None:
        return rows
    order = [index for index, column in enumerate(columns) if column.metric == primary.metric]
    order.sort(key=lambda index: columns[index] is not primary)
    sign = -1 if primary.higher_is_better else 1

    def rank(row: Row) -> tuple[int, float]:
        scored = ((turn, row.cells[index].mean) for turn, index in enumerate(order))
        return next(((turn, sign * mean) for turn, mean in scored if mean is not None), (len(order), math.inf))

    return sorted(rows, key=rank)

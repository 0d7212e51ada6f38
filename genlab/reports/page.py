"""The page: all that it shows is put together here, and rendered by the template."""

from __future__ import annotations

import os
from collections import Counter
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from genlab.reports import curves, tables
from genlab.reports.leaderboard import Leaderboard, footnotes, leaderboard
from genlab.reports.picture_strips import pictures_of
from genlab.reports.run import Run
from genlab.reports.seed_groups import Group, differences, flatten, grouped
from genlab.reports.template_values import View

TEMPLATE = Path(__file__).with_name("template")
GRIDS = 24  # frames of a kind
OVERLAID = 8  # groups drawn at first: as many as there are colours
PLACE = ("device", "device_name", "git.revision", "versions", "cuda", "cpus", "threads", "platform")


def render(runs: list[Run], *, title: str, grids: int = GRIDS) -> str:
    """One HTML file that asks for nothing else."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    loader = FileSystemLoader(TEMPLATE)
    template = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    ).get_template("page.html")
    return template.render(**context(runs, title, grids), **assets())


def assets() -> dict[str, Any]:
    from markupsafe import Markup

    return {name: Markup((TEMPLATE / f"page.{name}").read_text(encoding="utf-8")) for name in ("css", "js")}


def context(runs: list[Run], title: str, grids: int) -> dict[str, Any]:
    board = leaderboard(grouped(runs))
    ordered = [(run, row.group) for row in board.rows for run in row.group.runs]
    pictures = pictures_of([run for run, _ in ordered], grids)
    views = [View(run, f"run-{place}", group.label, pictures[place]) for place, (run, group) in enumerate(ordered)]
    return {
        "title": title,
        "written": datetime.now().strftime("%Y-%m-%d %H:%M"),
        "version": version("genlab"),
        "views": views,
        "many": len(views) > 1,
        "board": board,
        "statuses": Counter(view.run.status.kind for view in views),
        "primary_sort": "descending" if board.primary and board.primary.higher_is_better else "ascending",
        "primary_place": board.columns.index(board.primary) if board.primary else -1,
        "footnotes": footnotes(board.columns),
        "measured": [(column.title, column.how) for column in board.columns],
        "positions": {row.group.label: span([run.images for run in row.group.runs]) for row in board.rows},
        "seeds": {row.group.label: tables.seeds(row.group) for row in board.rows},
        "differ": differing_settings(board),
        "places": differing_places(views),
        "ticks": sorted({one.images for view in views if view.samples for one in view.samples.pictures}),
        "data": chart_data(views, [row.group for row in board.rows]),
        "overlaid": OVERLAID,
        "downloads": downloads([run for run, _ in ordered], board),
    }


def chart_data(views: list[View], groups: list[Group]) -> dict[str, Any]:
    """JSON for the page's script. Runs and groups are in the leaderboard's order."""
    places = {group.label: place for place, group in enumerate(groups)}
    return curves.data_of([view.run for view in views]) | {
        "runs": [{"label": named(view), "group": places[view.label]} for view in views],
        "groups": [{"label": group.label, "shown": place < OVERLAID} for place, group in enumerate(groups)],
    }


def named(view: View) -> str:
    return view.label if view.run.seed is None else f"{view.label}, seed {view.run.seed}"


def differing_settings(board: Leaderboard) -> dict[str, list[str]]:
    """Of the groups that have a config."""
    return differences(row.group.settings for row in board.rows if row.group.settings)


def differing_places(views: list[View]) -> dict[str, list[str]]:
    """In what the machines and versions differ: times, and scores to a lesser degree, do not compare then."""
    first = [flatten(next(iter(view.run.environments.values()), {})) for view in views]
    known = [facts for facts in first if facts]
    shared = differences({key: facts[key] for key in facts if key.startswith(PLACE)} for facts in known)
    return {key: list(dict.fromkeys(values)) for key, values in shared.items()}


def span(images: list[int]) -> str:
    low, high = min(images), max(images)
    return f"{low:,}" if low == high else f"{low:,} – {high:,}"


def downloads(runs: list[Run], board: Leaderboard) -> dict[str, tables.Download | None]:
    return {
        "curves": tables.curves_csv(runs),
        "scores": tables.records_csv(runs),
        "results": tables.results_csv(board),
    }


def title_of(runs: list[Run]) -> str:
    """The one run's, or the directory that holds them all."""
    return runs[0].title if len(runs) == 1 else common_folder(runs).name


def common_folder(runs: list[Run]) -> Path:
    """Of one run its own directory."""
    return Path(os.path.commonpath([run.path.resolve() for run in runs]))

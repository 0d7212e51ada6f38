"""The report as one HTML page: collects the template's variables and renders it."""

import os
from collections import Counter
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from genlab.core.printable import printable
from genlab.reports import curves, tables
from genlab.reports.leaderboard import Leaderboard, build_leaderboard, footnotes
from genlab.reports.picture_strips import select_pictures
from genlab.reports.run import Run
from genlab.reports.seed_groups import Group, differing_values, flatten_keys, group_by_config
from genlab.reports.template_values import View

TEMPLATE = Path(__file__).with_name("template")
MAX_FRAMES = 24  # pictures of one kind that a page shows of a run
MAX_GROUPS_DRAWN = 8  # curves at first: as many as there are colours
MACHINE_KEYS = ("device", "device_name", "git.revision", "versions", "cuda", "cpus", "threads", "platform")


def render(runs: list[Run], *, title: str, grids: int = MAX_FRAMES) -> str:
    """Return the page as HTML that loads nothing from elsewhere."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    loader = FileSystemLoader(TEMPLATE)
    template = Environment(
        loader=loader,
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: printable(value) if type(value) is str else value,  # not the page's own style and script
    ).get_template("page.html")
    return template.render(**template_variables(runs, title, grids), **read_assets())


def read_assets() -> dict[str, Any]:
    from markupsafe import Markup

    return {name: Markup((TEMPLATE / f"page.{name}").read_text(encoding="utf-8")) for name in ("css", "js")}


def template_variables(runs: list[Run], title: str, grids: int) -> dict[str, Any]:
    board = build_leaderboard(group_by_config(runs))
    ordered = [(run, row.group) for row in board.rows for run in row.group.runs]
    pictures = select_pictures([run for run, _ in ordered], grids)
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
        "best": board.best,
        "footnotes": footnotes(board.columns),
        "measured": [(column.title, column.better, column.how) for column in board.columns],
        "positions": {row.group.label: image_range([run.images for run in row.group.runs]) for row in board.rows},
        "seeds": {row.group.label: tables.format_seeds(row.group) for row in board.rows},
        "differ": differing_values(row.group.settings for row in board.rows if row.group.settings),
        "places": differing_machines(views),
        "ticks": sorted({one.images for view in views if view.samples for one in view.samples.pictures}),
        "data": chart_data(views, [row.group for row in board.rows]),
        "overlaid": MAX_GROUPS_DRAWN,
        "downloads": csv_downloads([run for run, _ in ordered], board),
    }


def chart_data(views: list[View], groups: list[Group]) -> dict[str, Any]:
    """Return the JSON for the page's script, with runs and groups in the leaderboard's order."""
    places = {group.label: place for place, group in enumerate(groups)}
    return curves.curve_data([view.run for view in views]) | {
        "runs": [{"label": run_label(view), "group": places[view.label]} for view in views],
        "groups": [{"label": group.label, "shown": place < MAX_GROUPS_DRAWN} for place, group in enumerate(groups)],
    }


def run_label(view: View) -> str:
    return view.label if view.run.seed is None else f"{view.label}, seed {view.run.seed}"


def differing_machines(views: list[View]) -> dict[str, list[str]]:
    """Return the facts in which machines and versions differ: then times do not compare, nor quite do scores."""
    first = [flatten_keys(next(iter(view.run.environments.values()), {})) for view in views]
    known = [facts for facts in first if facts]
    shared = differing_values({key: facts[key] for key in facts if key.startswith(MACHINE_KEYS)} for facts in known)
    return {key: list(dict.fromkeys(values)) for key, values in shared.items()}


def image_range(images: list[int]) -> str:
    low, high = min(images), max(images)
    return f"{low:,}" if low == high else f"{low:,} – {high:,}"


def csv_downloads(runs: list[Run], board: Leaderboard) -> dict[str, tables.Download | None]:
    return {"curves": tables.curves_csv(runs), "scores": tables.records_csv(runs), "results": tables.results_csv(board)}


def page_title(runs: list[Run]) -> str:
    """Return the title of the only run, or the name of the directory that holds all runs."""
    return runs[0].title if len(runs) == 1 else common_folder(runs).name


def common_folder(runs: list[Run]) -> Path:
    """Return the deepest directory that holds all runs; of one run its own."""
    return Path(os.path.commonpath([run.path.resolve() for run in runs]))

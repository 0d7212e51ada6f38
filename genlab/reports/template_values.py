"""A run as the page's template shows it: texts and rows."""

import shlex
from dataclasses import dataclass
from typing import Any

from genlab.core.changes import describe, entries_of
from genlab.core.errors import ConfigError
from genlab.reports import score_records as scores
from genlab.reports.picture_strips import Pictures, Strip
from genlab.reports.run import Run
from genlab.reports.run_files import finite_number, to_count
from genlab.reports.seed_groups import flatten_keys

GROUP_ORDER = ("model", "loss", "penalty", "augment", "data", "optimizer", "trainer", "metrics", "callbacks")


@dataclass(frozen=True)
class View:
    run: Run
    anchor: str
    label: str  # of its group
    pictures: Pictures

    @property
    def problems(self) -> list[str]:
        broken = self.pictures.broken
        problem = f"{', '.join(broken[:3])}{' and others' if len(broken) > 3 else ''}: no readable picture."
        return [*self.run.problems, *([problem] if broken else [])]

    @property
    def samples(self) -> Strip | None:
        """Return the strip to show beside other runs: the first kind of samples with a readable picture."""
        return next((strip for strip in self.pictures.samples if strip.pictures), None)

    @property
    def command(self) -> str:
        return "python -m genlab.train " + shlex.join(self.run.command) if self.run.command else ""

    @property
    def facts(self) -> list[tuple[str, str]]:
        """Return the numbers below the headline: (name, text)."""
        run, best = self.run, self.run.best
        rows = [
            (f"best {best['metric']}", f"{best['value']:.4g}") if best else ("", ""),
            ("data", str(run.summary.get("data", ""))),
            ("real images'", f"{best['real']:.4g}") if best and finite_number(best.get("real")) else ("", ""),
            ("images", format_progress(run)) if run.images else ("", ""),
            ("time", format_duration(run.seconds)) if run.seconds else ("", ""),
            ("seed", str(run.seed)) if run.seed is not None else ("", ""),
            ("changed", format_changes(run.config)),
        ]
        return [row for row in rows if row[1]]

    @property
    def settings(self) -> list[tuple[str, str, list[tuple[str, str]]]]:
        """Return (group, its class, rows) of the config. Keys outside of groups come first."""
        config = self.run.config
        groups = [name for name in GROUP_ORDER if name in config]
        groups += [name for name in config if name not in groups and isinstance(config[name], dict)]
        alone = {name: value for name, value in config.items() if name not in groups}
        return [("run", "", list(flatten_keys(alone).items()))] * bool(alone) + [
            (name, _target(config[name]), list(flatten_keys(config[name], name).items())) for name in groups
        ]

    @property
    def environments(self) -> list[tuple[str, list[tuple[str, str]]]]:
        return [
            (name, [row for row in flatten_keys(facts).items() if row[0] != "command"])
            for name, facts in self.run.environments.items()
            if facts
        ]

    @property
    def scores(self) -> list[dict[str, Any]]:
        """Return the latest record of each protocol as texts."""
        found = [(record, scores.score_value(record)) for record in scores.latest_records(self.run.records).values()]
        return [
            {
                "metric": record["metric"],
                "value": "not finite" if value is None else f"{value:.6g}",
                "position": f"{to_count(record.get('position')):,}",
                "seed": str(record.get("seed", "?")),
                "better": scores.BETTER[scores.higher_is_better(record)],
                "how": scores.describe_measurement(record),
                "averaged": bool(record.get("ema")),
                "record": list(flatten_keys(record).items()),
            }
            for record, value in found
        ]

    @property
    def warnings(self) -> list[tuple[str, str, str]]:
        """Return (kind, message, position) of each warning of the health monitor."""
        return [
            (str(one.get("kind", "health")), str(one.get("message", "")), _format_position(one.get("images")))
            for one in self.run.health
        ]


def _target(node: Any) -> str:
    return str(node.get("_target_", "")) if isinstance(node, dict) else ""


def _format_position(images: Any) -> str:
    return "" if finite_number(images) is None else f"at {to_count(images):,} images"


def format_changes(config: dict[str, Any]) -> str:
    """Return the settings that the run was resumed with, from where on; "" for none or unreadable ones."""
    try:
        return "; ".join(map(describe, entries_of(config)))
    except ConfigError:
        return ""


def format_progress(run: Run) -> str:
    return f"{run.images:,} of {run.total:,}" if run.total > run.images else f"{run.images:,}"


def format_duration(seconds: float) -> str:
    """Return a duration in its two largest units."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    units = [(days, "d"), (hours, "h"), (minutes, "min"), (rest, "s")]
    first = next((at for at, (count, _) in enumerate(units) if count), 3)
    return " ".join(f"{count} {unit}" for count, unit in units[first : first + 2] if count or first == 3)

"""What the template is given about each run: texts and rows, ready to be shown."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import Any

from genlab.reports import score_records as scores
from genlab.reports.picture_strips import Pictures, Strip
from genlab.reports.run import Run
from genlab.reports.run_files import number, whole
from genlab.reports.seed_groups import flatten

FIRST = ("model", "loss", "penalty", "augment", "data", "optimizer", "trainer", "metrics", "callbacks")


@dataclass(frozen=True)
class View:
    run: Run
    anchor: str
    label: str  # its group
    pictures: Pictures

    @property
    def problems(self) -> list[str]:
        broken = self.pictures.broken
        told = [f"{', '.join(broken[:3])}{' and others' if len(broken) > 3 else ''}: no readable picture."]
        return [*self.run.problems, *(told if broken else [])]

    @property
    def samples(self) -> Strip | None:
        """Those shown beside other runs': the first kind of which there is a readable picture."""
        return next((strip for strip in self.pictures.samples if strip.pictures), None)

    @property
    def command(self) -> str:
        return "python -m genlab.train " + shlex.join(self.run.command) if self.run.command else ""

    @property
    def facts(self) -> list[tuple[str, str]]:
        """A headline's numbers."""
        run, best = self.run, self.run.best
        rows = [
            (f"best {best['metric']}", f"{best['value']:.4g}") if best else ("", ""),
            ("images", progress(run)) if run.images else ("", ""),
            ("time", duration(run.seconds)) if run.seconds else ("", ""),
            ("seed", str(run.seed)) if run.seed is not None else ("", ""),
        ]
        return [row for row in rows if row[1]]

    @property
    def settings(self) -> list[tuple[str, str, list[tuple[str, str]]]]:
        """(group, its class, rows) of the config; what is in no group comes first."""
        config = self.run.config
        groups = [name for name in FIRST if name in config]
        groups += [name for name in config if name not in groups and isinstance(config[name], dict)]
        alone = {name: value for name, value in config.items() if name not in groups}
        return [("run", "", list(flatten(alone).items()))] * bool(alone) + [
            (name, _class(config[name]), list(flatten(config[name], name).items())) for name in groups
        ]

    @property
    def environments(self) -> list[tuple[str, list[tuple[str, str]]]]:
        return [
            (name, [row for row in flatten(facts).items() if row[0] != "command"])
            for name, facts in self.run.environments.items()
            if facts
        ]

    @property
    def scores(self) -> list[dict[str, Any]]:
        """The latest record of each kind of measurement."""
        found = [(record, scores.value_of(record)) for record in scores.latest(self.run.records).values()]
        return [
            {
                "metric": record["metric"],
                "value": "not finite" if value is None else f"{value:.6g}",
                "position": f"{whole(record.get('position')):,}",
                "seed": str(record.get("seed", "?")),
                "how": scores.how(record),
                "record": list(flatten(record).items()),
            }
            for record, value in found
        ]

    @property
    def warnings(self) -> list[tuple[str, str, str]]:
        """(kind, message, where) of the health monitor."""
        return [
            (str(one.get("kind", "health")), str(one.get("message", "")), _where(one.get("images")))
            for one in self.run.health
        ]


def _class(node: Any) -> str:
    return str(node.get("_target_", "")) if isinstance(node, dict) else ""


def _where(images: Any) -> str:
    return "" if number(images) is None else f"at {whole(images):,} images"


def progress(run: Run) -> str:
    return f"{run.images:,} of {run.total:,}" if run.total > run.images else f"{run.images:,}"


def duration(seconds: float) -> str:
    """The two largest units."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    units = [(days, "d"), (hours, "h"), (minutes, "min"), (rest, "s")]
    first = next((at for at, (count, _) in enumerate(units) if count), 3)
    return " ".join(f"{count} {unit}" for count, unit in units[first : first + 2] if count or first == 3)

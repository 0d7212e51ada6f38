"""Score records: how each was measured, and which of them compare."""

from __future__ import annotations

from typing import Any

from genlab.reports.run_files import number, whole

Record = dict[str, Any]
# What was found, where, and what to make of it; all else is how it was found.
FOUND = ("value", "seed", "position", "checkpoint", "higher_is_better", "judges_run")
HIGHER = (  # beginnings of names in older records, which do not say whether higher is better; of others lower is
    *("accuracy", "precision", "recall", "density", "coverage", "modes", "high_quality", "inception_score"),
    *("classifier_score", "gan_t", "real_train", "real_plus", "elbo", "birthday_support", "novelty", "copying_z"),
    *("balanced_accuracy", "described"),
)


def way(record: Record) -> tuple[tuple[str, str], ...]:
    """How it was measured: two records with the same way compare, as `genlab.metrics.records.unlike` says."""
    return tuple(sorted((name, str(value)) for name, value in record.items() if name not in FOUND))


def latest(records: list[Record]) -> dict[tuple, Record]:
    """The record of each way that was measured furthest in training; of two at one position the later one."""
    found: dict[tuple, Record] = {}
    for record in records:
        before = found.get(way(record))
        if before is None or whole(record.get("position")) >= whole(before.get("position")):
            found[way(record)] = record
    return found


def how(record: Record) -> str:
    """In words, as `python -m genlab.evaluate` prints it, without the position."""
    averaged = " of the EMA" if record.get("ema") else ""
    words = [
        f"{_count(record.get('images'))} samples{averaged}" if "images" in record else "",
        f"against {_count(record.get('reference_images'))} of {record['reference']}" if "reference" in record else "",
        f"{record.get('extractor', '')} {str(record.get('extractor_hash', ''))[:8]}".strip(),
        f"resize {record['resize']}" if record.get("resize") not in (None, "", "none") else "",
        str(record.get("settings", "")),
    ]
    return "; ".join(word for word in words if word)


def differing(ways: list[tuple]) -> list[str]:
    """For each way, the fields in which they are not all alike."""
    tables = [dict(one) for one in ways]
    names = sorted({name for table in tables for name in table})
    unlike = [name for name in names if len({table.get(name) for table in tables}) > 1]
    return [", ".join(f"{name} {_short(table.get(name, 'not recorded'))}" for name in unlike) for table in tables]


def higher_is_better(record: Record) -> bool:
    said = record.get("higher_is_better")
    return str(record.get("metric")).startswith(HIGHER) if said is None else bool(said)


def value_of(record: Record | None) -> float | None:
    return None if record is None else number(record.get("value"))


def _count(value: Any) -> str:
    return f"{whole(value):,}" if number(value) is not None else "?"


def _short(value: Any) -> str:
    """A hash by its beginning."""
    text = str(value)
    return text[:8] if len(text) == 64 else text or "(none)"

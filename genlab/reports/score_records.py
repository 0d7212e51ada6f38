"""Score records: their protocols, which say how each was measured and which of them compare."""

from typing import Any

from genlab.reports.run_files import finite_number, to_count

Record = dict[str, Any]
# Fields of the result, the model and the judgement; all other fields say how the score was measured.
RESULT_FIELDS = ("value", "ema", "seed", "position", "checkpoint", "higher_is_better", "judges_run", "own_data")
# Older records do not say which way is better, so their names decide: those that end in NEUTRAL judge no model, those
# that begin with HIGHER_IS_BETTER are better when higher, all others when lower.
NEUTRAL = ("_deviation", "_real", "_mean", "_identity", "real_train")
BETTER = {True: "higher is better", False: "lower is better", None: ""}
HIGHER_IS_BETTER = (
    *("accuracy", "precision", "recall", "density", "coverage", "modes", "high_quality", "inception_score"),
    *("classifier_score", "gan_t", "real_train", "real_plus", "elbo", "birthday_support", "novelty", "copying_z"),
    *("balanced_accuracy", "test_accuracy", "described"),
)


def protocol(record: Record) -> tuple[tuple[str, str], ...]:
    """Return the fields that say how a score was measured.

    Records of one protocol compare, as `genlab.metrics.records.differing_fields` says.
    """
    return tuple(sorted((name, str(value)) for name, value in record.items() if name not in RESULT_FIELDS))


def latest_records(records: list[Record]) -> dict[tuple, Record]:
    """Return the record of each protocol furthest in training; of two at one position the later one."""
    found: dict[tuple, Record] = {}
    for record in records:
        before = found.get(protocol(record))
        if before is None or to_count(record.get("position")) >= to_count(before.get("position")):
            found[protocol(record)] = record
    return found


def describe_measurement(record: Record) -> str:
    """Return in words how a score was measured, as `python -m genlab.evaluate` prints it without the position."""
    words = [
        f"{_count(record.get('images'))} samples" if "images" in record else "",
        f"against {_count(record.get('reference_images'))} of {record['reference']}" if "reference" in record else "",
        "" if record.get("own_data", True) else "other data than the run's",
        f"{record.get('extractor', '')} {str(record.get('extractor_hash', ''))[:8]}".strip(),
        f"resize {record['resize']}" if record.get("resize") not in (None, "", "none") else "",
        str(record.get("settings", "")),
    ]
    return "; ".join(word for word in words if word)


def describe_differences(protocols: list[tuple]) -> list[str]:
    """Return, for each protocol, its values of the fields in which they are not all alike."""
    tables = [dict(fields) for fields in protocols]
    names = sorted({name for table in tables for name in table})
    differing = [name for name in names if len({table.get(name) for table in tables}) > 1]
    return [", ".join(f"{name} {_to_text(table.get(name, 'not recorded'))}" for name in differing) for table in tables]


def higher_is_better(record: Record) -> bool | None:
    """Return whether more is better; None if the number judges no model."""
    name = str(record.get("metric"))
    if name.endswith(NEUTRAL):
        return None
    return record["higher_is_better"] if "higher_is_better" in record else name.startswith(HIGHER_IS_BETTER)


def score_value(record: Record | None) -> float | None:
    return None if record is None else finite_number(record.get("value"))


def _count(value: Any) -> str:
    return f"{to_count(value):,}" if finite_number(value) is not None else "?"


def _to_text(value: Any) -> str:
    """Return a value's text, of a SHA-256 the first 8 digits."""
    text = str(value)
    return text[:8] if len(text) == 64 else text or "(none)"

"""The metrics of one evaluation: one that fails loses its own numbers, and no other's."""

from collections.abc import Callable
from numbers import Real
from typing import Any, TypeVar

from torch import Tensor

from genlab.core.interruption import end_if_interrupted
from genlab.metrics.metric import Metric

Value = TypeVar("Value")


class WorkingMetrics:
    """The metrics that have not failed yet, by name, and the errors of those that have."""

    def __init__(self, metrics: dict[str, Metric]) -> None:
        self.metrics = dict(metrics)
        self.failures: dict[str, Exception] = {}

    def call_each(self, call: Callable[[Metric], Value]) -> dict[str, Value]:
        """Return what each metric returns. One that raises an error is called no more."""
        end_if_interrupted()  # between two batches, too
        found = {}
        for name, metric in list(self.metrics.items()):
            try:
                found[name] = call(metric)
            except Exception as error:
                end_if_interrupted()
                self.failures[name] = error
                del self.metrics[name]
        return found


def checked_numbers(found: Any) -> dict[str, float]:
    """Return what a metric computed. Raises TypeError for anything but numbers by name."""
    if not isinstance(found, dict):
        raise TypeError(f"compute returned {describe(found)}, expected numbers by name, such as {{'fid': 12.3}}")
    return {str(name): checked_number(name, value) for name, value in found.items()}


def checked_number(name: str, value: Any) -> float:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return value
    if isinstance(value, Tensor) and value.numel() == 1 and not value.is_complex():
        return float(value)
    if isinstance(value, Real) and not isinstance(value, bool):  # one of numpy's
        return float(value)
    raise TypeError(f"compute returned {describe(value)} as {name}, expected a number")


def describe(value: Any) -> str:
    return f"a tensor {list(value.shape)}" if isinstance(value, Tensor) else f"{value!r:.60} ({type(value).__name__})"

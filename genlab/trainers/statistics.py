"""Training statistics, which stay on the device until they are published."""

from collections import defaultdict

import torch
from torch import Tensor

from genlab.core import distributed
from genlab.core.errors import Diverged

MAX_UNFLUSHED_VALUES = 50_000  # held for a flush that may never come


class Statistics:
    """Collects values, and averages them over the turns since the last `flush`, which alone waits for the device.

    Averaging at once would cost a kernel launch for every value of every turn.
    """

    def __init__(self) -> None:
        self._names: list[tuple[str, int]] = []  # (name, step) of each value
        self._values: list[Tensor] = []

    def __len__(self) -> int:
        """Return the number of values that are still to be published."""
        return len(self._values)

    def add(self, name: str, values: Tensor, step: int) -> None:
        if len(self._values) == MAX_UNFLUSHED_VALUES:
            self.flush()  # nothing publishes them: check that they are finite, and drop them
        self._names.append((name, step))
        self._values.append(values.detach())

    def flush(self) -> dict[str, float]:
        """Return the mean of each name over turns and ranks.

        Raises Diverged if a value is not finite, with the first one and its step.
        """
        if not self._values:
            return {}
        values = distributed.mean(self._means()).tolist()  # the only CPU-GPU synchronisation
        sums: dict[str, list[float]] = defaultdict(list)
        for (name, step), value in zip(self._names, values, strict=True):
            _check_finite(name, step, value)
            sums[name].append(value)
        self._names, self._values = [], []
        return {name: sum(turns) / len(turns) for name, turns in sums.items()}

    def _means(self) -> Tensor:
        """Return the mean of each value [K]; those of one shape are averaged together."""
        by_shape = defaultdict(list)
        for index, value in enumerate(self._values):
            by_shape[value.shape, value.dtype].append(index)
        device = self._values[-1].device  # the training device; loaded values lie in main memory
        means = torch.empty(len(self._values), device=device)
        for indices in by_shape.values():
            rows = torch.stack([self._values[index].to(device) for index in indices]).float()
            means[indices] = rows.reshape(len(indices), -1).mean(1)
        return means

    def state_dict(self) -> dict:
        return {"names": list(self._names), "values": [value.cpu() for value in self._values]}

    def load_state_dict(self, state: dict) -> None:
        self._names = [tuple(name) for name in state["names"]]
        self._values = list(state["values"])

    def check_finite(self) -> None:
        """Raise Diverged if a value is not finite; keeps the values, and synchronises with the device."""
        if self._values:
            for (name, step), value in zip(self._names, self._means().tolist(), strict=True):
                _check_finite(name, step, value)


def _check_finite(name: str, step: int, value: float) -> None:
    if value - value == 0:
        return
    phase, _, what = name.rpartition("/")
    raise Diverged(f"the run diverged: {what} of the {phase} is {value} at step {step}.")

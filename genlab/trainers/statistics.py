"""Numbers of the training, kept on the device until somebody asks."""

from __future__ import annotations

from collections import defaultdict

import torch
from torch import Tensor

from genlab.core import distributed
from genlab.core.errors import Diverged

MOST = 50_000  # values kept for a flush that nobody asks for


class Statistics:
    """Means over the turns since the last `flush`, which alone waits for the device.

    What is added is kept as it is: averaging it at once would be a launch for every number of every turn.
    """

    def __init__(self) -> None:
        self._names: list[tuple[str, int]] = []  # (name, step) of each value
        self._values: list[Tensor] = []

    def add(self, name: str, values: Tensor, step: int) -> None:
        if len(self._values) == MOST:
            self.flush()  # nothing publishes them: see that they are finite, and forget them
        self._names.append((name, step))
        self._values.append(values.detach())

    def flush(self) -> dict[str, float]:
        """The mean of each name, over turns and ranks.

        Raises Diverged if a value is not finite: it names the first one and its step.
        """
        if not self._values:
            return {}
        values = distributed.mean(self._means()).tolist()  # the only CPU-GPU synchronisation
        sums: dict[str, list[float]] = defaultdict(list)
        for (name, step), value in zip(self._names, values, strict=True):
            _check_finite(name, step, value)
            sums[name].append(value)
        self._names, self._values = [], []
        return {name: sum(found) / len(found) for name, found in sums.items()}

    def _means(self) -> Tensor:
        """The mean of each value [K], those of one shape together."""
        alike = defaultdict(list)
        for index, value in enumerate(self._values):
            alike[value.shape, value.dtype].append(index)
        device = self._values[-1].device  # where training is: loaded ones come from main memory
        means = torch.empty(len(self._values), device=device)
        for indices in alike.values():
            rows = torch.stack([self._values[index].to(device) for index in indices]).float()
            means[indices] = rows.reshape(len(indices), -1).mean(1)
        return means

    def state_dict(self) -> dict:
        return {"names": list(self._names), "values": [value.cpu() for value in self._values]}

    def load_state_dict(self, state: dict) -> None:
        self._names = [tuple(name) for name in state["names"]]
        self._values = list(state["values"])

    def check(self) -> None:
        """Raises Diverged if a value that was added is not finite; synchronises, and keeps the values."""
        if self._values:
            for (name, step), value in zip(self._names, self._means().tolist(), strict=True):
                _check_finite(name, step, value)


def _check_finite(name: str, step: int, value: float) -> None:
    if value - value == 0:
        return
    phase, _, what = name.rpartition("/")
    raise Diverged(
        f"the run diverged: {what} of the {phase} is {value} at step {step}. The last good checkpoint is kept. "
        f"Lower optimizer.{phase.split('/')[0]}.lr, set trainer.clip_gradients, or add a penalty "
        "(penalty=[r1]); resume with resume=<run directory>."
    )

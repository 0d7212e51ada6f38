"""Numbers of the training, kept on the device until somebody asks."""

from __future__ import annotations

from collections import defaultdict

import torch
from torch import Tensor

from genlab import distributed
from genlab.errors import RunError


class Statistics:
    """Means over the turns since the last `flush`, which alone waits for the device."""

    def __init__(self) -> None:
        self._names: list[tuple[str, int]] = []  # (name, step) of each value
        self._values: list[Tensor] = []

    def add(self, name: str, values: Tensor, step: int) -> None:
        self._names.append((name, step))
        self._values.append(values.detach().float().mean())

    def flush(self) -> dict[str, float]:
        """The mean of each name, over turns and ranks.

        Raises RunError if a value is not finite: it names the first one and its step.
        """
        if not self._values:
            return {}
        values = distributed.mean(torch.stack(self._values)).tolist()  # the only CPU-GPU synchronisation
        sums: dict[str, list[float]] = defaultdict(list)
        for (name, step), value in zip(self._names, values, strict=True):
            _check_finite(name, step, value)
            sums[name].append(value)
        self._names, self._values = [], []
        return {name: sum(found) / len(found) for name, found in sums.items()}

    def state_dict(self) -> dict:
        values = torch.stack(self._values).cpu() if self._values else torch.empty(0)
        return {"names": list(self._names), "values": values}

    def load_state_dict(self, state: dict) -> None:
        self._names = [tuple(name) for name in state["names"]]
        self._values = list(state["values"])

    def check(self) -> None:
        """Raises RunError if a value that was added is not finite; synchronises, and keeps the values."""
        state = self.state_dict()
        for (name, step), value in zip(state["names"], state["values"].tolist(), strict=True):
            _check_finite(name, step, value)


def _check_finite(name: str, step: int, value: float) -> None:
    if value - value == 0:
        return
    phase, _, what = name.rpartition("/")
    raise RunError(
        f"the run diverged: {what} of the {phase} is {value} at step {step}. The last good checkpoint is kept. "
        f"Lower optimizer.{phase.split('/')[0]}.lr, set trainer.clip_gradients, or add a penalty "
        "(penalty=[r1]); resume with resume=<run directory>."
    )

"""Differentiable steps of optimizers, on all weights of a network as one vector."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from genlab.core.errors import ConfigError
from genlab.core.types import Positive

Step = Callable[[Tensor, Tensor], Tensor]  # (weights [P], gradient [P]) -> the next weights


@dataclass(frozen=True)
class GradientDescent:
    """Plain gradient descent: Metz et al. 2017, equation 8."""

    lr: Positive | None = None  # null: the real optimizer's current rate

    def begin(self, optimizer: torch.optim.Optimizer, parameters: list[nn.Parameter]) -> Step:
        rate = self.lr or optimizer.param_groups[0]["lr"]
        return lambda weights, gradient: weights - rate * gradient


@dataclass(frozen=True)
class Adam:
    """Kingma and Ba 2015, algorithm 1, continued from the real optimizer's moments, which stay as they are.

    As in Metz et al. 2017, section 2.2, and the authors' code. Weight decay is left out, and eps is squared and added
    under the root: outside of it, weights that never moved would have a gradient of 0 / 0.
    Raises ConfigError if the real optimizer has no betas.
    """

    lr: Positive | None = None  # null: the real optimizer's current rate

    def begin(self, optimizer: torch.optim.Optimizer, parameters: list[nn.Parameter]) -> Step:
        group = optimizer.param_groups[0]
        if "betas" not in group:
            raise ConfigError(
                f"trainer.inner: continues Adam, but the discriminator's optimizer is {type(optimizer).__name__}. Set "
                "trainer.inner._target_=genlab.trainers.differentiable_optimizers.GradientDescent, or optimizer=adam."
            )
        (beta1, beta2), eps, rate = group["betas"], group["eps"], self.lr or group["lr"]
        first, second, count = moments(optimizer, parameters)

        def step(weights: Tensor, gradient: Tensor) -> Tensor:
            nonlocal first, second, count
            count = count + 1
            first = torch.lerp(gradient, first, beta1)
            second = torch.lerp(gradient.square(), second, beta2)
            size = (second / (1 - beta2**count) + eps**2).sqrt()
            return weights - rate * first / (1 - beta1**count) / size

        return step


def moments(optimizer: torch.optim.Optimizer, parameters: list[nn.Parameter]) -> tuple[Tensor, Tensor, Tensor]:
    """Return first and second moments [P] of all parameters and the number of steps taken; zeros before the first."""
    states = [optimizer.state.get(parameter, {}) for parameter in parameters]
    first, second = (
        flat([state.get(name, torch.zeros_like(param)) for state, param in zip(states, parameters, strict=True)])
        for name in ("exp_avg", "exp_avg_sq")
    )
    counts = [state["step"] for state in states if "step" in state]
    return first, second, counts[0] if counts else first.new_zeros(())


def flat(tensors: Sequence[Tensor]) -> Tensor:
    return torch.cat([tensor.detach().flatten() for tensor in tensors])

"""f-GAN: the critic's variational bound on an f-divergence between data P and model Q (Nowozin et al. 2016).

D_f(P || Q) = E_Q f(p / q) >= E_P T - E_Q f*(T), with T = g_f(logit) in the domain of the conjugate f*.
"""

from dataclasses import dataclass
from math import log
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn.functional import softplus

from genlab.losses.adversarial import AdversarialLoss, entropy


@dataclass
class FDivergence(AdversarialLoss):
    """Nowozin et al. 2016, equation 6: the critic raises the bound.

    The generator maximises E_Q g_f(logit), the counterpart of the non-saturating loss (section 3.2). With `zero_sum` it
    lowers the bound itself, -E_Q f*(g_f(logit)).
    """

    zero_sum: bool = False

    divergence_share: ClassVar[float] = 1.0  # of the bound, that is the divergence's estimate
    conjugate_flattens: ClassVar[bool] = False  # its slope vanishes for low logits

    def __post_init__(self) -> None:
        self.saturates = self.zero_sum and self.conjugate_flattens

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        return self.conjugate(fake) - self.activation(real)

    def generator(self, fake: Tensor, real: Tensor | None = None) -> Tensor:
        return -self.conjugate(fake) if self.zero_sum else -self.activation(fake)

    def watch(self, real: Tensor, fake: Tensor) -> dict[str, Tensor]:
        """Publish the critic's estimate, from below, of the divergence that the loss is named for, in nats."""
        return {"divergence": self.divergence_share * (self.activation(real) - self.conjugate(fake))}

    def activation(self, logits: Tensor) -> Tensor:
        """Return g_f(logits): table 2. The identity serves where f* is finite everywhere."""
        return logits

    def conjugate(self, logits: Tensor) -> Tensor:
        """Return f*(g_f(logits)): table 2, simplified where that is finite for more logits."""
        raise NotImplementedError


class KL(FDivergence):
    """KL(P || Q), f(u) = u log u: covers all modes."""

    conjugate_flattens: ClassVar[bool] = True

    def conjugate(self, logits: Tensor) -> Tensor:
        return torch.exp(logits - 1)


@dataclass
class ReverseKL(FDivergence):
    """KL(Q || P), f(u) = -log u: seeks a mode.

    Its zero-sum game never saturates, -f* = 1 - logit; -g_f = exp(-logit) grows without bound (to 1e10 within
    minutes), and Adam's memory of such a gradient stops the generator.
    """

    zero_sum: bool = True

    def activation(self, logits: Tensor) -> Tensor:
        return -torch.exp(-logits)

    def conjugate(self, logits: Tensor) -> Tensor:
        """Return -1 - log(-t) at t = -exp(-logits)."""
        return logits - 1


class JensenShannon(FDivergence):
    """JS(P, Q) = (KL(P || M) + KL(Q || M)) / 2 with M = (P + Q) / 2: at most log 2.

    The players play for 2 JS, as in the paper: f(u) = u log u - (u + 1) log((u + 1) / 2). The published curve is JS.
    """

    divergence_share: ClassVar[float] = 0.5
    conjugate_flattens: ClassVar[bool] = True

    def lowest_loss(self, flipped: float = 0.0) -> float:
        return 2 * (entropy(flipped) - log(2))

    def activation(self, logits: Tensor) -> Tensor:
        return log(2) - softplus(-logits)

    def conjugate(self, logits: Tensor) -> Tensor:
        """Return -log(2 - exp(t)) at t = log(2 sigmoid(logits))."""
        return softplus(logits) - log(2)

    def certainty(self, real: Tensor, fake: Tensor) -> Tensor:
        return real


class Pearson(FDivergence):
    """Pearson's chi-squared: E_Q (p / q - 1)^2, f(u) = (u - 1)^2."""

    def conjugate(self, logits: Tensor) -> Tensor:
        return logits.square() / 4 + logits

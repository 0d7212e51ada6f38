"""Relativistic losses: the critic estimates how much more real an image is than images of the other kind."""

from collections.abc import Callable
from copy import copy
from dataclasses import dataclass, field
from typing import Literal

from torch import Tensor
from torch.nn.functional import relu, sigmoid, softplus

from genlab.losses.adversarial import AdversarialLoss, entropy, require_real

# Costs of margins x that should be negative.
MARGIN_COSTS: dict[str, Callable[[Tensor], Tensor]] = {
    "standard": softplus,  # -log(1 - sigmoid(x))
    "hinge": lambda margin: relu(1 + margin),
    "least_squares": lambda margin: (1 + margin).square(),
}


@dataclass
class RelativisticAverage(AdversarialLoss):
    """Jolicoeur-Martineau 2019, section 4.3 and algorithm 2: compares each logit with the mean of the other kind's.

    The means are over the micro-batch, and over the patches of an image by their weights. `standard` is RaSGAN, `hinge`
    RaHingeGAN, `least_squares` RaLSGAN.
    """

    base: Literal["standard", "hinge", "least_squares"] = "standard"  # what a margin costs
    uses_real = True
    patch_weights: Tensor | None = field(default=None, init=False, repr=False)

    def with_patch_weights(self, weights: Tensor | None) -> "RelativisticAverage":
        if weights is None:
            return self
        weighted = copy(self)
        weighted.patch_weights = weights
        return weighted

    def mean(self, logits: Tensor) -> Tensor:
        return logits.mean() if self.patch_weights is None else (logits.flatten(1) * self.patch_weights).mean()

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        cost = MARGIN_COSTS[self.base]
        return cost(self.mean(fake) - real) + cost(fake - self.mean(real))

    def generator(self, fake: Tensor, real: Tensor | None = None) -> Tensor:
        """Return the discriminator's cost with the roles exchanged."""
        return self.discriminator(fake, require_real(real))

    def watch(self, real: Tensor, fake: Tensor) -> dict[str, Tensor]:
        return {"margin": real - self.mean(fake)}

    def lowest_loss(self, flipped: float = 0.0) -> float | None:
        return None if flipped else 0.0  # flips move the means that logits are compared with


class RelativisticPairing(AdversarialLoss):
    """Compare each real image with one generated image: Jolicoeur-Martineau 2019, section 4.1.

    The published `real_wins` is the mean probability that the real image of a pair is the more real one.
    Without both R1 and R2 it need not converge (Huang et al. 2024 (R3GAN), section 2.2; their equation 2).
    """

    uses_real = True

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        return softplus(fake - real)

    def generator(self, fake: Tensor, real: Tensor | None = None) -> Tensor:
        return softplus(require_real(real) - fake)

    def watch(self, real: Tensor, fake: Tensor) -> dict[str, Tensor]:
        return {"margin": real - fake, "real_wins": sigmoid(real - fake)}

    def lowest_loss(self, flipped: float = 0.0) -> float:
        return entropy(flipped)

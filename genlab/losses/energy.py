"""Losses for discriminators that autoencode: logits are minus an energy, the error of a reconstruction."""

from dataclasses import dataclass, field
from typing import ClassVar, Literal

import torch
from torch import Tensor
from torch.nn.functional import normalize, relu

from genlab.core import distributed
from genlab.core.types import NonNegative, Positive, ProperShare
from genlab.losses.adversarial import CriticLoss
from genlab.losses.penalties import Penalty, Weight
from genlab.losses.turn import Turn
from genlab.models.contract import code_size_of


@dataclass
class EnergyMargin(CriticLoss):
    """Zhao et al. 2017, equations 1 and 2: D(x) + max(0, m - D(G(z))), with energies D = -logits."""

    margin: Positive = 1.0  # energy above which generated images no longer count: m

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        return relu(self.margin + fake) - real

    def lowest_loss(self, flipped: float = 0.0) -> float:
        return 2 * self.margin * min(flipped, 1 - flipped)

    def watch(self, real: Tensor, fake: Tensor) -> dict[str, Tensor]:
        return {"real_energy": -real, "fake_energy": -fake}


@dataclass
class BoundaryEquilibrium(CriticLoss):
    """Berthelot et al. 2017, section 3.4: L(x) - k L(G(z)), with energies L = -logits.

    Every turn moves k, in [0, 1], towards L(G(z)) = gamma L(x). A low gamma asks for likeness, a high one for variety.
    """

    gamma: ProperShare = 0.5  # the diversity ratio
    rate: NonNegative = 6.25e-5  # of k, an image: lambda_k = 0.001 for batches of 16 (section 4.1)
    k: Tensor | None = field(default=None, init=False, repr=False)  # moved every turn; None: 0

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        k = self.k_on(real.device)
        images = len(real) * distributed.world_size()
        self.k = (k + self.rate * images * distributed.mean(self.balance(real, fake))).clamp(0, 1)
        return k * fake - real

    def watch(self, real: Tensor, fake: Tensor) -> dict[str, Tensor]:
        """Publish the convergence measure of section 3.4.1 too: L(x) + |gamma L(x) - L(G(z))|."""
        convergence = self.balance(real, fake).abs() - real.detach().mean()
        return {"real_energy": -real, "fake_energy": -fake, "k": self.k_on(real.device), "convergence": convergence}

    def balance(self, real: Tensor, fake: Tensor) -> Tensor:
        """Return gamma L(x) - L(G(z)), the mean over the micro-batch."""
        return (fake - self.gamma * real).detach().float().mean()

    def k_on(self, device: torch.device) -> Tensor:
        return torch.zeros((), device=device) if self.k is None else self.k.to(device)

    def state_dict(self) -> dict[str, Tensor | None]:
        return {"k": self.k}

    def load_state_dict(self, state: dict[str, Tensor | None]) -> None:
        self.k = state["k"]


@dataclass
class PullingAway(Penalty):
    """Zhao et al. 2017, section 2.4: the mean squared cosine between the codes of two generated images.

    A discriminator that does not autoencode gives its features instead of codes.
    """

    weight: Weight = 0.1  # appendix C
    on: Literal["generator"] = "generator"

    needs_features: ClassVar[bool] = True

    def __call__(self, turn: Turn) -> Tensor:
        size = code_size_of(turn.network)  # after the code comes the energy
        codes = normalize(turn.fake_features[:, :size].flatten(1), dim=1)
        cosines = (codes @ codes.T).square()
        others = max(1, len(codes) - 1)
        return self.strength(turn) * (cosines.sum(1) - cosines.diagonal()) / others

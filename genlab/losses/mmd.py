"""Maximum mean discrepancy between real and generated images, with a kernel on a critic's outputs."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import Literal

import torch
from torch import Tensor

from genlab.core.system_facts import SystemFacts
from genlab.core.types import Positive
from genlab.losses.adversarial import AdversarialLoss, require_real
from genlab.losses.penalties import GradientPenalty, Weight
from genlab.losses.turn import Turn

KernelName = Literal["rational_quadratic", "gaussian"]


@dataclass(frozen=True)
class Kernels:
    """A form of kernel, as a function of the squared distance and a scale."""

    form: Callable[[Tensor, float], Tensor]
    scales: tuple[float, ...]  # published


KERNEL_FAMILIES: dict[str, Kernels] = {
    # Binkowski et al. 2018: alphas.
    "rational_quadratic": Kernels(lambda squared, alpha: (1 + squared / (2 * alpha)) ** -alpha, (0.2, 0.5, 1, 2, 5)),
    # Li et al. 2015 (generative moment matching networks): sigmas.
    "gaussian": Kernels(lambda squared, sigma: torch.exp(-squared / (2 * sigma**2)), (2, 5, 10, 20, 40, 80)),
}


@dataclass
class KernelMixture:
    """A sum of kernels of several scales."""

    kernel: KernelName = "rational_quadratic"
    scales: Sequence[Positive] | None = None  # alphas or sigmas; null: the published ones

    def similarity(self, one: Tensor, other: Tensor) -> Tensor:
        """Return the kernel [N, M] of outputs [N, K] and [M, K], or [N] and [M]."""
        family = KERNEL_FAMILIES[self.kernel]
        # Differences take N x M x K numbers, but stay exact where points are near, and differentiate twice.
        squared = (as_vectors(one)[:, None] - as_vectors(other)).square().sum(2)
        return reduce(add, [family.form(squared, scale) for scale in self.scales or family.scales])


def as_vectors(outputs: Tensor) -> Tensor:
    return outputs[:, None] if outputs.ndim == 1 else outputs.flatten(1)


@dataclass
class MMD(KernelMixture, AdversarialLoss):
    """Li et al. 2017 and Binkowski et al. 2018: the critic raises MMD^2 of its outputs [N, K], the generator lowers it.

    Each number [N] is a pair's share; their mean is MMD^2 (Gretton et al. 2012, equation 3, or 5 if biased).
    """

    unbiased: bool = True  # leave out each image's likeness to itself; needs two images a micro-batch
    needs_lipschitz = True
    uses_real = True

    def __post_init__(self) -> None:
        self.winning_margin = 0.2 * self.scale_count  # a tenth of what MMD^2 can reach; healthy runs stay below half

    @property
    def scale_count(self) -> int:
        return len(self.scales or KERNEL_FAMILIES[self.kernel].scales)

    def refuse(self, system: SystemFacts) -> None:
        super().refuse(system)
        if self.unbiased:
            system.require_pairs()

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        return -self.squared_mmd(real, fake)

    def generator(self, fake: Tensor, real: Tensor | None = None) -> Tensor:
        return self.squared_mmd(require_real(real), fake)

    def lowest_loss(self, flipped: float = 0.0) -> float | None:
        """Return -MMD^2 of two points infinitely far apart; each kernel is 1 at distance 0."""
        return None if flipped else -2.0 * self.scale_count

    def squared_mmd(self, real: Tensor, fake: Tensor) -> Tensor:
        across = self.similarity(real, fake)
        return self.mean_similarity(real) + self.mean_similarity(fake) - across.mean(0) - across.mean(1)

    def mean_similarity(self, outputs: Tensor) -> Tensor:
        """Return each output's mean similarity to the others of its kind, [N]."""
        similarity = self.similarity(outputs, outputs)
        if not self.unbiased:
            return similarity.mean(1)
        return (similarity.sum(1) - similarity.diagonal()) / (len(outputs) - 1)


@dataclass
class WitnessPenalty(KernelMixture, GradientPenalty):
    """Binkowski et al. 2018: the gradient penalty of Gulrajani et al. 2017, on MMD's witness function.

    The witness is E k(x, real) - E k(x, fake). Choose the loss's kernel.
    """

    weight: Weight = 1.0

    def critic_output(self, turn: Turn, points: Tensor) -> Tensor:
        outputs = turn.network(points, turn.condition)
        return self.similarity(outputs, turn.real_logits).mean(1) - self.similarity(outputs, turn.fake_logits).mean(1)

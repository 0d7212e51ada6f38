"""Adversarial losses: logits in, one number a sample out, [N] -> [N]."""

from copy import copy
from dataclasses import dataclass, field
from math import log
from typing import Literal

from torch import Tensor
from torch.nn.functional import relu, sigmoid, softplus

from genlab.core.errors import ConfigError, require
from genlab.core.random import Draws
from genlab.core.system_facts import SystemFacts
from genlab.core.types import Positive, Share


class AdversarialLoss:
    """A pair of formulas of logits, which the discriminator and the generator minimise.

    Logits are [N], or [N, M] for a discriminator of patches; the loop averages the patches of an image afterwards.
    """

    needs_lipschitz = False  # means nothing unless something bounds the critic's slope
    uses_real = False  # the generator's part needs real logits too
    is_likelihood = False  # only a `Reconstruction` can be one
    winning_margin = 0.02  # of the discriminator's loss above its lowest: it is right with 99 % certainty
    saturates = False  # the generator's gradient vanishes where the discriminator is sure
    watches_distances = False  # the watched numbers have the unit of images

    def refuse(self, system: SystemFacts) -> None:
        """Raise ConfigError for a system without a discriminator."""
        if "discriminator" not in system.players:
            raise ConfigError(
                "compares no decoder's output with an image, and this model has no discriminator. Choose "
                "loss=bernoulli, gaussian or squared_error."
            )

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        """Return what the discriminator minimises, in the shape of the logits."""
        raise NotImplementedError

    def generator(self, fake: Tensor, real: Tensor | None = None) -> Tensor:
        """Return what the generator minimises, in the shape of the logits; `real` is given with `uses_real` alone."""
        raise NotImplementedError

    def with_patch_weights(self, weights: Tensor | None) -> "AdversarialLoss":
        """Return the loss of logits [N, M] whose patches count by `weights` [M], 1 on average, in means of its own."""
        return self

    def with_draws(self, draws: Draws) -> "AdversarialLoss":
        """Return the loss of a discriminator's turn with these random numbers, where it needs some."""
        return self

    def watch(self, real: Tensor, fake: Tensor) -> dict[str, Tensor]:
        """Return numbers that are published and not minimised."""
        return {}

    def lowest_loss(self, flipped: float = 0.0) -> float | None:
        """Return the discriminator's loss where it is sure of every image; None if none is known, or it has no end.

        `flipped` is the share of pairs whose labels swap places: what is surest then is to expect these swaps.
        """
        return None

    def certainty(self, real: Tensor, fake: Tensor) -> Tensor:
        """Return numbers above 0 where a real image is taken for real: its logit is nearer to the real mean.

        Losses whose undecided logits are 0 return the logits of real images.
        """
        real_mean, fake_mean = real.mean(0), fake.mean(0)
        return (real - (real_mean + fake_mean) / 2) * (real_mean - fake_mean).sign()


def require_real(real: Tensor | None) -> Tensor:
    """Return the real logits that a loss with `uses_real` is given in the generator's turn."""
    return require(real, "this loss compares generated images with real ones: pass the real logits too.")


def cross_entropy(logits: Tensor, label: float) -> Tensor:
    """Return the binary cross-entropy of sigmoid(logits) against one label: -y log D - (1 - y) log(1 - D)."""
    if label in (0, 1):  # saves half of the work
        return softplus(-logits if label else logits)
    return label * softplus(-logits) + (1 - label) * softplus(logits)


def entropy(label: float) -> float:
    """Return the least cross-entropy against a label, in nats."""
    return -sum(share * log(share) for share in (label, 1 - label) if share)


@dataclass
class NonSaturating(AdversarialLoss):
    """Goodfellow et al. 2014, section 3: the generator maximises log D(G(z)).

    One-sided label smoothing (Salimans et al. 2016, section 3.4) is real_label=0.9.
    """

    real_label: Share = 1.0  # the discriminator's target on real images
    fake_label: Share = 0.0  # its target on generated images

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        return cross_entropy(real, self.real_label) + cross_entropy(fake, self.fake_label)

    def generator(self, fake: Tensor, real: Tensor | None = None) -> Tensor:
        return softplus(-fake)

    def watch(self, real: Tensor, fake: Tensor) -> dict[str, Tensor]:
        return {"real_probability": sigmoid(real), "fake_probability": sigmoid(fake)}

    def lowest_loss(self, flipped: float = 0.0) -> float:
        swap = flipped * (self.real_label - self.fake_label)
        return entropy(self.real_label - swap) + entropy(self.fake_label + swap)

    def certainty(self, real: Tensor, fake: Tensor) -> Tensor:
        return real


@dataclass
class Minimax(NonSaturating):
    """Goodfellow et al. 2014, equation 1: the generator minimises log(1 - D(G(z))), which saturates."""

    saturates = True

    def generator(self, fake: Tensor, real: Tensor | None = None) -> Tensor:
        return -softplus(fake)


@dataclass
class DiscriminatorOnly(NonSaturating):
    """Salimans et al. 2016, section 3.1: the discriminator's part alone; the generator learns from its penalties.

    With penalty=[feature_matching] the features are matched instead of, not beside, the loss.
    """

    def generator(self, fake: Tensor, real: Tensor | None = None) -> Tensor:
        return 0 * fake  # keeps the graph: a turn without a penalty is idle, not an error


@dataclass
class LeastSquares(AdversarialLoss):
    """Mao et al. 2017, equation 2 with a = fake_label, b = real_label; c = 1 (equation 9)."""

    real_label: Share = 1.0
    fake_label: Share = 0.0
    factor: Positive = 0.5  # on the generator's squares: the paper's

    winning_margin = 0.005  # logits within 0.07 of the labels; healthy runs come down to 0.02

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        return ((real - self.real_label).square() + (fake - self.fake_label).square()) / 2

    def generator(self, fake: Tensor, real: Tensor | None = None) -> Tensor:
        return self.factor * (fake - 1).square()

    def lowest_loss(self, flipped: float = 0.0) -> float:
        """Return the variance of a label that is flipped now and then."""
        return flipped * (1 - flipped) * (self.real_label - self.fake_label) ** 2


class CriticLoss(AdversarialLoss):
    """Base of losses whose generator raises the mean logit of its images."""

    def generator(self, fake: Tensor, real: Tensor | None = None) -> Tensor:
        return -fake


class Hinge(CriticLoss):
    """Miyato et al. 2018, equations 16 and 17."""

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        return relu(1 - real) + relu(1 + fake)

    def lowest_loss(self, flipped: float = 0.0) -> float:
        return 4 * min(flipped, 1 - flipped)

    def certainty(self, real: Tensor, fake: Tensor) -> Tensor:
        return real


@dataclass
class RandomMarginHinge(Hinge):
    """Hinge whose margin is drawn anew for each logit, uniformly from [least, 1]: the code of Liu et al. 2021.

    A label smoothing of the kind, against a discriminator that is too sure of few images.
    """

    least: Share = 0.8  # the code's
    draws: Draws | None = field(default=None, init=False, repr=False)

    def with_draws(self, draws: Draws) -> "RandomMarginHinge":
        drawn = copy(self)
        drawn.draws = draws
        return drawn

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        return relu(self.margins("real", real) - real) + relu(self.margins("fake", fake) + fake)

    def margins(self, which: Literal["real", "fake"], logits: Tensor) -> Tensor:
        draws = require(self.draws, "margins are random: call with_draws first.")
        return self.least + (1 - self.least) * draws.uniform(f"margin_{which}", *logits.shape[1:])

    def lowest_loss(self, flipped: float = 0.0) -> float | None:
        return None if flipped else 0.0


class Wasserstein(CriticLoss):
    """Arjovsky et al. 2017, equation 3.

    The published `wasserstein` is the critic's estimate of W1 between values in [-1, 1], times the critic's Lipschitz
    constant: 1 if a penalty holds it there, unknown under clipped weights.
    """

    needs_lipschitz = True
    watches_distances = True

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        return fake - real

    def watch(self, real: Tensor, fake: Tensor) -> dict[str, Tensor]:
        return {"wasserstein": real - fake}

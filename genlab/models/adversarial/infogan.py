"""InfoGAN: codes that images show, found again by the discriminator's second head (Chen et al. 2016)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, NamedTuple

from torch import Tensor, nn

from genlab.core.spec import Spec
from genlab.core.types import Count
from genlab.models.adversarial.auxiliary_classifier import Around
from genlab.models.adversarial.discriminator import Discriminator
from genlab.models.adversarial.gan import GAN
from genlab.models.latent import Coded
from genlab.models.layers.norm import norm1d


class Guess(NamedTuple):
    """What images show of their codes."""

    categorical: tuple[Tensor, ...]  # logits, [N, classes] a code
    mean: Tensor  # [N, continuous]
    log_deviation: Tensor  # [N, continuous]


class WithCodes(Around):
    """A second head Q guesses the codes: FC 128, batch norm, leaky ReLU, FC (Chen et al. 2016, appendix C.1)."""

    def __init__(
        self,
        inner: Discriminator,
        law: Coded,
        *,
        width: int = 128,
        norm: Literal["batch", "layer", "none"] = "batch",
        deviation: Literal["fixed", "predicted"] = "fixed",
    ) -> None:
        super().__init__(inner)
        self.law = law
        self.spread = law.continuous if deviation == "predicted" else 0
        hidden = [nn.Linear(inner.feature_size, width), *norm1d(norm, width), nn.LeakyReLU(0.1)]
        self.guesser = nn.Sequential(*hidden, nn.Linear(width, law.code_size + self.spread))

    def guess(self, features: Tensor) -> Guess:
        """Features [N, F] -> the distribution of each code."""
        categorical, continuous = list(self.law.categorical), self.law.continuous
        *logits, mean, spread = self.guesser(features).split([*categorical, continuous, self.spread], dim=1)
        return Guess(tuple(logits), mean, spread if self.spread else mean.new_zeros(mean.shape))


class InfoGAN(GAN):
    """Two players; the codes are drawn by `latent` and guessed by the discriminator."""

    def __init__(
        self,
        spec: Spec,
        *,
        latent: Coded,
        discriminator: Callable[[Spec], Discriminator],
        width: Count = 128,  # of Q's hidden layer
        norm: Literal["batch", "layer", "none"] = "batch",  # in it
        # Of the continuous codes: the paper predicts it (section 6), its code fixes it at 1 for MNIST.
        deviation: Literal["fixed", "predicted"] = "fixed",
        **shared: Any,
    ) -> None:
        options = {"width": width, "norm": norm, "deviation": deviation}
        super().__init__(
            spec,
            latent=latent,
            discriminator=lambda given: WithCodes(discriminator(given), latent, **options),
            conditional=False,
            **shared,
        )

"""InfoGAN: latent codes that a second head of the discriminator recognises in images (Chen et al. 2016)."""

from collections.abc import Callable
from typing import Any, Literal, NamedTuple

from torch import Tensor, nn

from genlab.core.spec import Spec
from genlab.core.types import Count
from genlab.models.adversarial.auxiliary_classifier import DiscriminatorWrapper
from genlab.models.adversarial.discriminator import Discriminator
from genlab.models.adversarial.gan import GAN
from genlab.models.latent import Coded
from genlab.models.layers.norm import norm1d


class Guess(NamedTuple):
    """Predicted distributions of the codes of N images."""

    categorical: tuple[Tensor, ...]  # logits, [N, classes] a code
    mean: Tensor  # [N, continuous]
    log_deviation: Tensor  # [N, continuous]


class DiscriminatorWithCodes(DiscriminatorWrapper):
    """A discriminator with a head Q that predicts codes, two linear layers: Chen et al. 2016, appendix C.1."""

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
        """Return the predicted distribution of each code from features [N, F]."""
        categorical, continuous = list(self.law.categorical), self.law.continuous
        *logits, mean, spread = self.guesser(features).split([*categorical, continuous, self.spread], dim=1)
        return Guess(tuple(logits), mean, spread if self.spread else mean.new_zeros(mean.shape))


class InfoGAN(GAN):
    """A GAN whose discriminator predicts the codes that `latent` draws."""

    def __init__(
        self,
        spec: Spec,
        *,
        latent: Coded,
        discriminator: Callable[[Spec], Discriminator],
        width: Count = 128,  # of Q's hidden layer
        norm: Literal["batch", "layer", "none"] = "batch",  # in Q's hidden layer
        # Standard deviation of continuous codes: the paper predicts it (section 6), its code fixes it at 1 for MNIST.
        deviation: Literal["fixed", "predicted"] = "fixed",
        **shared: Any,
    ) -> None:
        options = {"width": width, "norm": norm, "deviation": deviation}
        super().__init__(
            spec,
            latent=latent,
            discriminator=lambda given: DiscriminatorWithCodes(discriminator(given), latent, **options),
            conditional=False,
            **shared,
        )

"""Penalties of models that are told what to make: does an image fit it, and how sure is a description?"""

from dataclasses import dataclass
from typing import Literal

from torch import Tensor

from genlab.core.errors import ConfigError
from genlab.core.system import SystemFacts
from genlab.losses.kl_to_prior import kl_to_standard_normal
from genlab.losses.penalties import Penalty, Weight
from genlab.losses.turn import Turn
from genlab.models.contract import AugmentsConditions


@dataclass
class Mismatch(Penalty):
    """Reed et al. 2016, algorithm 1 (GAN-CLS): a real image with the words of another one counts as generated.

    weight * the discriminator's loss with real images as they are, as real, and with the condition of the batch's
    next one, as generated; pairs that are told the same cost nothing. With the loss itself and weight 1 that is twice
    theirs, log D(x, t) + (log(1 - D(x, t')) + log(1 - D(G(z, t), t))) / 2, whatever the loss. Any condition will do.
    """

    weight: Weight = 1.0
    on: Literal["discriminator"] = "discriminator"

    def refuse(self, system: SystemFacts) -> None:
        super().refuse(system)
        if "discriminator" not in system.conditioned:
            raise ConfigError(
                "asks the discriminator whether images are what they are said to be, and this one is told nothing. Set "
                "model.conditional=true, choose model=text_gan, or leave the penalty out."
            )

    def __call__(self, turn: Turn) -> Tensor:
        others = turn.condition.roll(1, 0)
        differ = (others != turn.condition).view(len(others), -1).any(1)
        logits = turn.network(turn.augment(turn.real, "mismatch"), others)
        return self.strength(turn) * differ * turn.per_image(turn.loss.discriminator(turn.real_logits, logits))


@dataclass
class ConditioningKL(Penalty):
    """Zhang et al. 2017 (StackGAN), equation 2: KL(N(mean, variance) || N(0, 1)) of the code that words become.

    The mean over the code's numbers, as in the authors' code, where equation 2 has their sum.
    """

    weight: Weight = 2.0  # the authors' code
    on: Literal["generator"] = "generator"

    def refuse(self, system: SystemFacts) -> None:
        super().refuse(system)
        system.require_network("generator", AugmentsConditions, "Choose model=text_gan, or leave the penalty out.")

    def __call__(self, turn: Turn) -> Tensor:
        moments = turn.generator.conditioning(turn.fake_condition)
        return self.strength(turn) * kl_to_standard_normal(*moments).mean(1)

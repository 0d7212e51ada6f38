"""Penalties for conditional models: on mismatched conditions, and on the code that a condition becomes."""

from dataclasses import dataclass
from typing import Literal

from torch import Tensor

from genlab.core.errors import ConfigError, require
from genlab.core.system_facts import SystemFacts
from genlab.losses.latent_terms import kl_to_standard_normal
from genlab.losses.penalties import Penalty, Weight
from genlab.losses.turn import Turn
from genlab.models.contract import AugmentsConditions


@dataclass
class Mismatch(Penalty):
    """Reed et al. 2016, algorithm 1 (GAN-CLS): a real image with the words of another one counts as generated.

    The term is weight times the discriminator's loss of real images (as real) and of real images with the next image's
    condition (as generated); pairs with equal conditions cost nothing. Added to the loss with weight 1 it gives twice
    theirs: log D(x, t) + (log(1 - D(x, t')) + log(1 - D(G(z, t), t))) / 2. Any kind of condition will do.
    """

    weight: Weight = 1.0
    on: Literal["discriminator"] = "discriminator"

    def refuse(self, system: SystemFacts) -> None:
        super().refuse(system)
        if "discriminator" not in system.conditioned:
            raise ConfigError(
                "asks the discriminator whether images fit their conditions, and this one takes none. Set "
                "model.conditional=true, choose model=text_gan, or leave the penalty out."
            )

    def __call__(self, turn: Turn) -> Tensor:
        own, loss = require(turn.condition, "needs a condition."), require(turn.loss, "needs the loss.")
        loss = loss.with_draws(turn.draws.of("mismatch")).with_patch_weights(turn.patch_weights)
        others = own.roll(1, 0)
        differ = others.ne(own).view(len(others), -1).any(1)
        logits = turn.network(turn.augment(turn.real, "mismatch"), others)
        return self.strength(turn) * differ * turn.per_image(loss.discriminator(turn.real_logits, logits))


@dataclass
class ConditioningKL(Penalty):
    """Zhang et al. 2017 (StackGAN), equation 2: KL(N(mean, variance) || N(0, 1)) of the code that words become.

    The term is the mean over the code's numbers, as in the authors' code; equation 2 has their sum.
    """

    weight: Weight = 2.0  # the authors' code
    on: Literal["generator"] = "generator"

    def refuse(self, system: SystemFacts) -> None:
        super().refuse(system)
        system.require_network("generator", AugmentsConditions, "Choose model=text_gan, or leave the penalty out.")

    def __call__(self, turn: Turn) -> Tensor:
        generator: AugmentsConditions = turn.generator
        moments = generator.conditioning(require(turn.fake_condition, "needs a condition."))
        return self.strength(turn) * kl_to_standard_normal(*moments).mean(1)

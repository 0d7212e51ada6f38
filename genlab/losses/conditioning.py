"""Penalties of models that are told what to make: does an image fit it, and how sure is a description?"""

from dataclasses import dataclass
from typing import ClassVar, Literal

from torch import Tensor

from genlab.losses.kl_to_prior import kl_to_standard_normal
from genlab.losses.penalties import Penalty, PlayerName, Weight, per_image
from genlab.losses.turn import Turn


@dataclass
class Mismatch(Penalty):
    """Reed et al. 2016, algorithm 1 (GAN-CLS): a real image with the words of another one counts as generated.

    weight * the discriminator's loss with real images as they are, as real, and with the condition of the batch's
    next one, as generated; pairs that are told the same cost nothing. With the loss itself and weight 1 that is twice
    theirs, log D(x, t) + (log(1 - D(x, t')) + log(1 - D(G(z, t), t))) / 2, whatever the loss. Any condition will do.
    """

    weight: Weight = 1.0
    on: Literal["discriminator"] = "discriminator"

    needs_condition: ClassVar[bool] = True

    def __call__(self, turn: Turn) -> Tensor:
        others = turn.condition.roll(1, 0)
        differ = (others != turn.condition).view(len(others), -1).any(1)
        logits = turn.network(turn.augment(turn.real, "mismatch"), others)
        return self.strength(turn) * differ * per_image(turn.loss.discriminator(turn.real_logits, logits))


@dataclass
class ConditioningKL(Penalty):
    """Zhang et al. 2017 (StackGAN), equation 2: KL(N(mean, variance) || N(0, 1)) of the code that words become.

    The mean over the code's numbers, as in the authors' code, where equation 2 has their sum.
    """

    weight: Weight = 2.0  # the authors' code
    on: Literal["generator"] = "generator"

    head: ClassVar[str | None] = "conditioning"
    head_of: ClassVar[PlayerName] = "generator"
    models: ClassVar[str] = "model=text_gan"

    def __call__(self, turn: Turn) -> Tensor:
        moments = turn.generator.conditioning(turn.fake_condition)
        return self.strength(turn) * kl_to_standard_normal(*moments).mean(1)

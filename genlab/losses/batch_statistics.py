"""Penalties on statistics of the discriminator over batches: means of features, running means of logits."""

from dataclasses import dataclass, field
from typing import ClassVar, Literal

import torch
from torch import Tensor
from torch.nn.functional import relu

from genlab.core import distributed
from genlab.core.types import ProperShare
from genlab.losses.penalties import Penalty, Weight, expand_to_batch
from genlab.losses.turn import Turn


@dataclass
class FeatureMatching(Penalty):
    """Salimans et al. 2016, section 3.1: |E f(real) - E f(fake)|^2 of the discriminator's features.

    The term is added to the loss, or replaces it with loss=discriminator_only. Means are over the micro-batch.
    """

    weight: Weight = 1.0
    on: Literal["generator"] = "generator"

    needs_features: ClassVar[bool] = True

    def __call__(self, turn: Turn) -> Tensor:
        distance = turn.real_features.detach().mean(0) - turn.fake_features.mean(0)
        return self.strength(turn) * expand_to_batch(distance.square().sum(), turn)


@dataclass
class LeCam(Penalty):
    """Tseng et al. 2021, R_LC: |D(real) - a_fake|^2 + |D(fake) - a_real|^2.

    The anchors a are running means of the logits of either kind; an image's patches count as in the loss. With
    `one_sided`, as in the authors' code, only logits on the right side of the other kind's anchor cost.
    """

    weight: Weight = 0.3  # the authors' for BigGAN on CIFAR-10
    on: Literal["discriminator"] = "discriminator"
    decay: ProperShare = 0.99  # of the anchors per call: the authors'
    one_sided: bool = True
    anchors: Tensor | None = field(init=False, default=None, repr=False)  # [2]: real, fake

    def __call__(self, turn: Turn) -> Tensor:
        real, fake = turn.real_logits, turn.fake_logits
        real_anchor, fake_anchor = self.update_anchors(*(turn.per_image(logits.detach()) for logits in (real, fake)))
        above, below = real - fake_anchor, real_anchor - fake
        if self.one_sided:
            above, below = relu(above), relu(below)
        return self.strength(turn) * turn.per_image(above.square() + below.square())

    def update_anchors(self, real: Tensor, fake: Tensor) -> Tensor:
        """Move the anchors [2] towards the means of these logits [N]; the first means are the anchors."""
        means = distributed.mean(torch.stack([real.mean(), fake.mean()]))
        means = means.to(torch.promote_types(means.dtype, torch.float32))  # bfloat16 would round small steps away
        anchors = means if self.anchors is None else self.anchors.to(means).lerp(means, 1 - self.decay)
        self.anchors = anchors
        return anchors

    def state_dict(self) -> dict[str, Tensor]:
        return {} if self.anchors is None else {"anchors": self.anchors}

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        self.anchors = state.get("anchors")

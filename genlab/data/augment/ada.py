"""Adaptive discriminator augmentation (ADA): its strength follows the discriminator's overfitting."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, ClassVar, Literal

import torch
from annotated_types import Ge, Lt
from torch import Tensor

from genlab.core import distributed
from genlab.core.random import Draws
from genlab.core.types import Count, Share
from genlab.data.augment.augmentation import Augmentation
from genlab.data.augment.bands import amplify_bands
from genlab.data.augment.blits import blit
from genlab.data.augment.colour import recolour
from genlab.data.augment.corruptions import add_noise, cut_hole
from genlab.data.augment.warp import blit_and_warp, warp

SHOWN_STRENGTH = 0.5
Group = Literal["blit", "geometry", "color", "filter", "noise", "cutout"]
Change = Callable[[Tensor, Draws, Tensor], Tensor]  # (images, draws, strength) -> images
GROUPS: dict[Group, Change] = {  # in the paper's order
    "blit": blit,
    "geometry": warp,
    "color": recolour,
    "filter": amplify_bands,
    "noise": add_noise,
    "cutout": cut_hole,
}


@dataclass
class AdaptiveAugment(Augmentation):
    """Apply every change to an image with the same probability, min(p, 1): Karras et al. 2020 (ADA). p is the strength.

    p follows the discriminator: r_t = E[sign(D(real))] is 0 where it cannot tell real images from generated ones,
    and 1 where it is sure of every real one (equation 1). Every few turns p rises by a fixed amount if r_t is above
    `target`, and falls if r_t is below. It has no upper bound, as in the authors' code: beyond 1 it takes as long to
    come down. Without a target p is constant.

    The generator does not learn the changes while p is below about 0.8 (section 2.2). For losses whose zero has no
    meaning, such as Wasserstein's, logits are measured from the middle between real and generated ones.
    """

    policy: Sequence[Group] = ("blit", "geometry", "color")  # the paper's bgc
    target: Annotated[float, Ge(-1), Lt(1)] | None = 0.6  # value of r_t to hold; null: fixed strength
    strength: Share = 0.0  # at the start, or fixed
    images: Count = 500_000  # images in which the strength goes from 0 to 1 at its fastest
    every: Count = 4  # turns between steps of the strength
    current: Tensor = field(init=False, repr=False)  # strength now, on the images' device
    sign_sum: Tensor = field(init=False, repr=False)  # sum of r_t over the turns since the last step
    turns: int = field(init=False, repr=False, default=0)
    turn_signs: list[Tensor] = field(init=False, repr=False, default_factory=list)  # r_t of this turn's micro-batches

    needs_images: ClassVar[bool] = True
    moves_images: ClassVar[bool] = True

    def as_shown(self) -> "AdaptiveAugment":
        """Return it at the strength at which half of all changes happen, or at its fixed one."""
        return self if self.target is None else replace(self, target=None, strength=SHOWN_STRENGTH)

    def __post_init__(self) -> None:
        self.current, self.sign_sum = torch.tensor(float(self.strength)), torch.zeros(())

    def __call__(self, images: Tensor, draws: Draws, progress: float) -> Tensor:
        if not self.policy:
            return images
        self.current = self.current.to(images.device)
        with torch.autocast(images.device.type, enabled=False):  # coordinates need all their digits
            changed = images.to(draws.dtype)
            for change in self.changes:
                changed = change(changed, draws, self.current)
        layout = torch.contiguous_format if images.is_contiguous() else torch.channels_last
        return changed.to(images.dtype).contiguous(memory_format=layout)

    @property
    def changes(self) -> list[Change]:
        """Return the policy's changes, in the paper's order. Blits and warps are one map, and one resampling."""
        names, groups = set(self.policy), dict(GROUPS)
        if {"blit", "geometry"} <= names:
            groups |= {"blit": blit_and_warp}
            names.remove("geometry")
        return [change for name, change in groups.items() if name in names]

    def observe(self, certainty: Tensor, weights: Tensor | None = None) -> None:
        signs = certainty.sign() if weights is None else certainty.sign() * weights
        self.turn_signs.append(signs.mean(dtype=torch.float32))

    def end_turn(self, images: int) -> dict[str, Tensor]:
        if not self.turn_signs:  # no real images were judged
            return {}
        sign = distributed.mean(torch.stack(self.turn_signs).mean())
        self.turn_signs, self.turns = [], self.turns + 1
        self.sign_sum = self.sign_sum.to(sign.device) + sign
        if self.turns % self.every == 0:
            self.adapt(images * self.every)
        return {"strength": self.current, "sign": sign}

    def adapt(self, images: int) -> None:
        """Move the strength one step towards the target; `images` were judged since the last step."""
        if self.target is not None:
            step = (self.sign_sum / self.every - self.target).sign() * (images / self.images)
            self.current = (self.current.to(step.device) + step).clamp(min=0)
        self.sign_sum = torch.zeros_like(self.sign_sum)

    def state_dict(self) -> dict[str, Any]:
        return {"strength": self.current, "told": self.sign_sum, "turns": self.turns}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.current, self.sign_sum, self.turns = state["strength"], state["told"], state["turns"]

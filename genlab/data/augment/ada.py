"""Augmentation as strong as the discriminator's overfitting asks for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Literal

import torch
from annotated_types import Ge, Lt
from torch import Tensor

from genlab.core import distributed
from genlab.core.random import Draws
from genlab.core.types import Count, Share
from genlab.data.augment.augmentation import Augmentation
from genlab.data.augment.bands import equalise
from genlab.data.augment.blits import blit
from genlab.data.augment.colour import recolour
from genlab.data.augment.corruptions import add_noise, cut_hole
from genlab.data.augment.warp import warp

Group = Literal["blit", "geometry", "color", "filter", "noise", "cutout"]
GROUPS: dict[Group, Callable[[Tensor, Draws, Tensor], Tensor]] = {  # in the paper's order
    "blit": blit,
    "geometry": warp,
    "color": recolour,
    "filter": equalise,
    "noise": add_noise,
    "cutout": cut_hole,
}


@dataclass
class AdaptiveAugment(Augmentation):
    """Karras et al. 2020 (ADA): each change happens to an image with probability p, the strength, the same for all.

    p follows the discriminator: r_t = E[sign(D(real))] is 0 where it does not tell real images from generated ones,
    1 where it is sure of every real one (equation 1). Every few turns p rises by a fixed amount if r_t is above
    `target`, and falls if it is below. Without a target it stays.

    The generator does not learn the changes while p is below about 0.8 (section 2.2). Losses whose zero means
    nothing, as Wasserstein's, count logits from the middle between those of real and of generated images.
    """

    policy: Sequence[Group] = ("blit", "geometry", "color")  # the paper's bgc
    target: Annotated[float, Ge(-1), Lt(1)] | None = 0.6  # of r_t; null: fixed strength
    strength: Share = 0.0  # at the start, or fixed
    images: Count = 500_000  # shown while the strength goes from 0 to 1, at the fastest
    every: Count = 4  # turns between its steps
    current: Tensor = field(init=False, repr=False)  # the strength, where the images are
    told: Tensor = field(init=False, repr=False)  # sum of r_t over the turns since the last step
    turns: int = field(init=False, repr=False, default=0)
    heard: list[Tensor] = field(init=False, repr=False, default_factory=list)  # r_t of this turn's micro-batches

    needs_images: ClassVar[bool] = True
    moves_images: ClassVar[bool] = True

    def __post_init__(self) -> None:
        self.current, self.told = torch.tensor(float(self.strength)), torch.zeros(())

    def __call__(self, images: Tensor, draws: Draws, progress: float) -> Tensor:
        if not self.policy:
            return images
        self.current = self.current.to(images.device)
        with torch.autocast(images.device.type, enabled=False):  # coordinates need all their digits
            changed = images.to(draws.dtype)
            for name, change in GROUPS.items():
                changed = change(changed, draws, self.current) if name in self.policy else changed
        layout = torch.contiguous_format if images.is_contiguous() else torch.channels_last
        return changed.to(images.dtype).contiguous(memory_format=layout)

    def observe(self, certainty: Tensor) -> None:
        self.heard.append(certainty.sign().mean(dtype=torch.float32))

    def end_turn(self, images: int) -> dict[str, Tensor]:
        if not self.heard:  # nobody judged real images
            return {}
        sign = distributed.mean(torch.stack(self.heard).mean())
        self.heard, self.turns = [], self.turns + 1
        self.told = self.told.to(sign.device) + sign
        if self.turns % self.every == 0:
            self.adapt(images * self.every)
        return {"strength": self.current, "sign": sign}

    def adapt(self, images: int) -> None:
        """A step of the strength, after so many images."""
        if self.target is not None:
            step = (self.told / self.every - self.target).sign() * (images / self.images)
            self.current = (self.current.to(step.device) + step).clamp(0, 1)
        self.told = torch.zeros_like(self.told)

    def state_dict(self) -> dict[str, Any]:
        return {"strength": self.current, "told": self.told, "turns": self.turns}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.current, self.told, self.turns = state["strength"], state["told"], state["turns"]

"""What a loss or a penalty sees of one player's turn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal, NamedTuple

import torch
from torch import Tensor

from genlab.core.random import Draws
from genlab.models.contract import per_image

if TYPE_CHECKING:
    from torch import nn

    from genlab.losses.adversarial import AdversarialLoss


class Generated(NamedTuple):
    """Images that a generator made, and what it made them from."""

    images: Tensor  # [N, C, H, W]
    latents: Tensor  # [N, L]
    condition: Tensor | None  # classes [N], attributes [N, K], words [N, L] or source pictures [N, C, H, W]


def each(change: Callable[..., Tensor], *generated: Generated) -> Generated:
    """What `change` makes of every field; None stays None."""
    return Generated(*(None if fields[0] is None else change(*fields) for fields in zip(*generated, strict=True)))


@dataclass(frozen=True)
class Turn:
    """One micro-batch of a turn. Everything is computed when first asked for, and once.

    A strategy says where images and noise come from when it begins the turn; nothing changes a turn afterwards.
    `dataclasses.replace` gives another one, of which nothing is computed yet.
    """

    player: Literal["discriminator", "generator"]  # whose turn it is
    network: nn.Module  # the discriminator: (images, condition) -> logits, with `features` and `head`
    generator: nn.Module  # (z [N, L], condition) -> images
    images: Callable[[Turn], Tensor]  # gives the real images [N, C, H, W] of this turn
    noise: Callable[[Turn], Tensor]  # gives the latents [N, L] of this turn
    draws: Draws  # this turn's random numbers
    # Classes [N], attributes [N, K], words [N, L] or source pictures [N, C, H, W], of the real images and of new
    # generated ones: of the same rows, so that an image made from a picture and the picture's partner compare.
    condition: Tensor | None = None
    slopes: frozenset[str] = frozenset()  # which of `real` and `fake` some penalty differentiates by
    joint: bool = False  # the network looks at each image alone: real and generated ones share a pass
    with_features: bool = False  # logits are made from features that a penalty asks for too
    augmentation: Callable[[Tensor, str], Tensor] | None = None  # (images, purpose) -> what the network is shown
    labelled: Callable[[], tuple[Tensor, Tensor]] | None = None  # gives images that have a class, and it
    loss: AdversarialLoss | None = None  # of the players' logits
    kept: Generated | None = None  # images of another turn, used instead of new ones
    recall: Callable[[Generated], Generated] | None = None  # puts earlier images in the place of some
    way_back: Callable[[Tensor], Tensor] | None = None  # images -> source pictures, by a generator that learns it too
    seen: int = 0  # images shown so far
    total: int = 1  # and in the whole run

    @property
    def trained(self) -> nn.Module:
        """The network whose parameters move."""
        return self.network if self.player == "discriminator" else self.generator

    @cached_property
    def real(self) -> Tensor:
        real = self.images(self)
        return real.requires_grad_() if "real" in self.slopes else real

    @cached_property
    def generated(self) -> Generated:
        """With the generator's graph in its own turn, without in the discriminator's."""
        new = self._new() if self.kept is None else self.kept
        return new if self.recall is None else self.recall(new)

    def _new(self) -> Generated:
        latents = self.noise(self)
        with torch.set_grad_enabled(self.player == "generator"):
            return Generated(self.generator(latents, self.condition), latents, self.condition)

    @property
    def latents(self) -> Tensor:
        """[N, L], of the generated images."""
        return self.generated.latents

    @cached_property
    def fake(self) -> Tensor:
        fake = self.generated.images
        return fake.requires_grad_() if "fake" in self.slopes else fake

    @property
    def fake_condition(self) -> Tensor | None:
        """Of the generated images: `condition`, unless they were kept or recalled from other turns."""
        return self.generated.condition

    @cached_property
    def real_logits(self) -> Tensor:
        return self._logits[0] if self.joint else self._judge("real")

    @cached_property
    def fake_logits(self) -> Tensor:
        return self._logits[1] if self.joint else self._judge("fake")

    @cached_property
    def real_features(self) -> Tensor:
        """[N, F]."""
        return self._features[0] if self.joint else self.network.features(self._shown("real"), self.condition)

    @cached_property
    def fake_features(self) -> Tensor:
        """[N, F]."""
        return self._features[1] if self.joint else self.network.features(self._shown("fake"), self.fake_condition)

    def per_image(self, values: Tensor) -> Tensor:
        """Average the numbers of an image's patches, weighted as the discriminator says: [N]."""
        return per_image(self.network, values)

    def augment(self, images: Tensor, purpose: str) -> Tensor:
        """Images as the discriminator is shown them; `purpose` tells apart the draws."""
        return images if self.augmentation is None else self.augmentation(images, purpose)

    def _shown(self, which: Literal["real", "fake"]) -> Tensor:
        return self.augment(getattr(self, which), which)

    def _judge(self, which: Literal["real", "fake"]) -> Tensor:
        condition = self.condition if which == "real" else self.fake_condition
        if self.with_features:
            return self.network.head(getattr(self, f"{which}_features"), condition)
        return self.network(self._shown(which), condition)

    @cached_property
    def _both(self) -> tuple[Tensor, Tensor | None]:
        """Real and generated images as shown, and their conditions."""
        condition = None if self.condition is None else torch.cat([self.condition, self.fake_condition])
        return torch.cat([self._shown("real"), self._shown("fake")]), condition

    @cached_property
    def _features(self) -> tuple[Tensor, ...]:
        return self.network.features(*self._both).chunk(2)

    @cached_property
    def _logits(self) -> tuple[Tensor, ...]:
        if self.with_features:
            return self.network.head(torch.cat(self._features), self._both[1]).chunk(2)
        return self.network(*self._both).chunk(2)

"""What a loss or a penalty sees of one player's turn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from genlab.random import Draws


@dataclass
class Turn:
    """One micro-batch of a turn. Everything is computed when first asked for, and once."""

    network: Callable[[Tensor, Tensor | None], Tensor]  # the discriminator: images -> logits
    images: Callable[[], Tensor]  # gives the real images [N, C, H, W]
    generate: Callable[[], Tensor]  # gives the generated ones
    draws: Draws  # this turn's random numbers
    slopes: frozenset[str] = frozenset()  # which of `real` and `fake` some penalty differentiates by
    condition: Tensor | None = None
    joint: bool = False  # the network looks at each image alone: real and generated ones share a pass

    @cached_property
    def real(self) -> Tensor:
        real = self.images()
        return real.requires_grad_() if "real" in self.slopes else real

    @cached_property
    def fake(self) -> Tensor:
        fake = self.generate()
        return fake.requires_grad_() if "fake" in self.slopes else fake

    @cached_property
    def real_logits(self) -> Tensor:
        return self.both[0] if self.joint else self.network(self.real, self.condition)

    @cached_property
    def fake_logits(self) -> Tensor:
        return self.both[1] if self.joint else self.network(self.fake, self.condition)

    @cached_property
    def both(self) -> tuple[Tensor, ...]:
        condition = None if self.condition is None else torch.cat([self.condition, self.condition])
        return self.network(torch.cat([self.real, self.fake]), condition).chunk(2)

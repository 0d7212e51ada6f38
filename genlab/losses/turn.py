"""A micro-batch of one player's turn, as losses and penalties read it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import torch
from torch import Tensor

from genlab.core.errors import require
from genlab.core.random import Draws
from genlab.models.contract import patch_weights_of, per_image, weigh_patches

if TYPE_CHECKING:
    from torch import nn

    from genlab.losses.adversarial import AdversarialLoss


class Generated(NamedTuple):
    """Generated images with their latents and conditions."""

    images: Tensor  # [N, C, H, W]
    latents: Tensor  # [N, L]
    condition: Tensor | None  # classes [N], attributes [N, K], words [N, L] or source pictures [N, C, H, W]


def map_fields(change: Callable[..., Tensor], *generated: Generated) -> Generated:
    """Apply `change` to every field; None stays None."""
    images, latents, conditions = zip(*generated, strict=True)
    return Generated(change(*images), change(*latents), None if conditions[0] is None else change(*conditions))


@dataclass(frozen=True)
class Turn:
    """One micro-batch of a turn. Everything is computed once, when first asked for.

    A strategy sets the sources of images and noise when it begins the turn; nothing changes a turn afterwards.
    `dataclasses.replace` returns another turn with nothing computed yet.
    """

    player: str  # whose turn it is: that of the `discriminator` or of the `generator`
    # Networks are of any class: a penalty has asked the system for the capabilities of the contract that it uses.
    network: Any  # the discriminator: (images, condition) -> logits, with `features` and `head`
    generator: Any  # (z [N, L], condition) -> images
    images: Callable[[Turn], Tensor]  # returns the real images [N, C, H, W] of this turn
    noise: Callable[[Turn], Tensor]  # returns the latents [N, L] of this turn
    draws: Draws  # this turn's random numbers
    # Classes [N], attributes [N, K], words [N, L] or source pictures [N, C, H, W] of real and of new generated images.
    # Both have the same rows: an image made from a picture is compared with that picture's target.
    condition: Tensor | None = None
    slopes: frozenset[str] = frozenset()  # inputs, `real` and `fake`, that a penalty differentiates by
    joint: bool = False  # real and generated images share a pass, as the network treats each image alone
    with_features: bool = False  # logits are made from the features, which a penalty reads too
    augmentation: Callable[[Tensor, str], Tensor] | None = None  # (images, purpose) -> images for the network
    draw_labelled: Callable[[], tuple[Tensor, Tensor]] | None = None  # returns labelled images and their classes
    loss: AdversarialLoss | None = None  # of the players' logits, for penalties that build on it
    ready_images: Generated | None = None  # of another turn, used instead of new ones
    mix_in_replay: Callable[[Generated], Generated] | None = None  # replaces some by images of earlier turns
    translate_back: Callable[[Tensor], Tensor] | None = None  # images -> source pictures, by the other generator
    images_seen: int = 0  # in the run so far
    total_images: int = 1  # of the whole run

    @property
    def trained_network(self) -> nn.Module:
        """Return the network whose parameters this turn moves."""
        return self.network if self.player == "discriminator" else self.generator

    @cached_property
    def real(self) -> Tensor:
        real = self.images(self)
        return real.requires_grad_() if "real" in self.slopes else real

    @cached_property
    def fake_batch(self) -> Generated:
        """Return generated images with their latents and conditions; they have a graph in the generator's turn only."""
        new = self._generate() if self.ready_images is None else self.ready_images
        return new if self.mix_in_replay is None else self.mix_in_replay(new)

    def _generate(self) -> Generated:
        latents = self.noise(self)
        with torch.set_grad_enabled(self.player == "generator"):
            return Generated(self.generator(latents, self.condition), latents, self.condition)

    @property
    def latents(self) -> Tensor:
        """Return the latents [N, L] of the generated images."""
        return self.fake_batch.latents

    @cached_property
    def fake(self) -> Tensor:
        fake = self.fake_batch.images
        return fake.requires_grad_() if "fake" in self.slopes else fake

    @property
    def fake_condition(self) -> Tensor | None:
        """Return the condition of the generated images: `condition`, unless some come from other turns."""
        return self.fake_batch.condition

    @cached_property
    def real_input(self) -> Tensor:
        """Return the real images as the network sees them: augmented."""
        return self.augment(self.real, "real")

    @cached_property
    def fake_input(self) -> Tensor:
        return self.augment(self.fake, "fake")

    @cached_property
    def real_logits(self) -> Tensor:
        return self._logits[0] if self.joint else self._logits_of("real")

    @cached_property
    def fake_logits(self) -> Tensor:
        return self._logits[1] if self.joint else self._logits_of("fake")

    @cached_property
    def real_features(self) -> Tensor:
        return self._features[0] if self.joint else self.network.features(self.real_input, self.condition)

    @cached_property
    def fake_features(self) -> Tensor:
        return self._features[1] if self.joint else self.network.features(self.fake_input, self.fake_condition)

    def per_image(self, values: Tensor) -> Tensor:
        """Average the numbers of an image's patches with the discriminator's weights: [N]."""
        return per_image(self.network, values)

    def weigh_patches(self, values: Tensor) -> Tensor:
        """Multiply the numbers of patches by their weights, so that their mean is that of `per_image`."""
        return values if self.patch_weights is None or values.ndim < 2 else weigh_patches(self.network, values)

    @property
    def patch_weights(self) -> Tensor | None:
        """Return the weights [M] of an image's patches, 1 on average; None: all count alike."""
        return patch_weights_of(self.network)

    def slope(self, logits: Tensor, images: Tensor) -> Tensor:
        """Return the gradient of each sample's logit by its own image, flattened to [N, D]; differentiable.

        An image's patches are summed, as in the code of Isola et al. 2017, each with its weight in the loss.
        """
        total = weigh_patches(self.network, logits).sum()
        (gradient,) = torch.autograd.grad(total, images, create_graph=True)
        return gradient.flatten(1)

    def augment(self, images: Tensor, purpose: str) -> Tensor:
        """Augment images for the discriminator; each `purpose` has draws of its own."""
        return images if self.augmentation is None else self.augmentation(images, purpose)

    def _logits_of(self, which: Literal["real", "fake"]) -> Tensor:
        condition = self.condition if which == "real" else self.fake_condition
        if self.with_features:
            return self.network.head(getattr(self, f"{which}_features"), condition)
        return self.network(getattr(self, f"{which}_input"), condition)

    @cached_property
    def _joint_input(self) -> tuple[Tensor, Tensor | None]:
        """Return real and generated images in one batch [2N, C, H, W], augmented, and their conditions."""
        condition = None
        if self.condition is not None:
            condition = torch.cat([self.condition, require(self.fake_condition, "generated images lack a condition.")])
        return torch.cat([self.real_input, self.fake_input]), condition

    @cached_property
    def _features(self) -> tuple[Tensor, ...]:
        return self.network.features(*self._joint_input).chunk(2)

    @cached_property
    def _logits(self) -> tuple[Tensor, ...]:
        if self.with_features:
            return self.network.head(torch.cat(self._features), self._joint_input[1]).chunk(2)
        return self.network(*self._joint_input).chunk(2)

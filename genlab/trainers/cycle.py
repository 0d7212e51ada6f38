"""The strategy of translators that learn from two kinds of pictures, either way."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any, ClassVar

import torch
from torch import Tensor

from genlab.core.checkpoint import stateful
from genlab.core.errors import ConfigError
from genlab.core.pixels import to_network_input
from genlab.core.random import Draws
from genlab.losses import Penalty, Turn
from genlab.trainers.alternating import Adversarial, Alternating
from genlab.trainers.trainer import Run, System, prefixed
from genlab.trainers.turns import Losses


class Cycle(Alternating):
    """Zhu et al. 2017, equation 3: either player's turn is the sum of two, there and back.

    There, images are made from the other kind's pictures; back, those from images. Each way has its generator, its
    discriminator, its history of generated images, and its own state of every penalty; its curves on the way back are
    called `back/...`. Both kinds come in orders of their own, in batches of one size.

    Raises ConfigError for data of one kind alone.
    """

    translates_both_ways: ClassVar[bool] = True

    def __init__(
        self,
        system: System,
        run: Run,
        **shared: Any,  # what `Alternating` takes
    ) -> None:
        if shared.get("freeze_discriminator"):
            raise ConfigError("trainer.freeze_discriminator: there are two discriminators here. Set it to 0.")
        super().__init__(system, run, **shared)
        images, sources = self.stream, self.stream_of(self.data.other)
        images.other, sources.other = sources, images
        generators, discriminators = self.model.generator, self.model.discriminator
        self.way = self.way._replace(generator=generators.there, discriminator=discriminators.there)
        self.back = self.way._replace(
            generator=generators.back, discriminator=discriminators.back, stream=sources, replay=deepcopy(self.replay)
        )
        self.penalties_back = deepcopy(self.penalties)

    @property
    def parts(self) -> dict[str, Any]:
        own = prefixed("penalty", self.penalties_back) | {"replay": self.back.replay}
        return super().parts | prefixed("back", stateful(own))

    def measure(
        self, begin: Callable[..., Turn], penalties: dict[str, Penalty], adversarial: Adversarial | None = None
    ) -> Losses:
        there = super().measure(begin, penalties, adversarial)
        of_its_own = {name: self.penalties_back[name] for name in penalties}
        back = super().measure(lambda: begin(back=True), of_its_own, adversarial)
        return Losses(there.terms | prefixed("back", back.terms), there.stats | prefixed("back", back.stats))

    def turn(self, phase: str, player: str, draws: Draws, *, back: bool = False, **demands: Any) -> Turn:
        way, other = (self.back, self.way) if back else (self.way, self.back)
        draws = draws.of("back") if back else draws
        turn = super().turn(phase, player, draws, way=way, **demands)
        turn.way_back = lambda pictures: other.generator(self.model.latent.draw(draws.of("way_back")), pictures)
        return turn

    def move_discriminator(self) -> None:
        super().move_discriminator()
        if self.back.replay:
            self.back.replay.end_turn()

    def translations(self, start: int, count: int) -> dict[str, Tensor]:
        """Pictures, images made of them, and pictures made of these; then images of the data, there and back likewise.

        Where rows are partners, each image is what the picture above it was to become.
        """
        there, split = super().translations(start, count), self.data.examples
        rows = torch.arange(start, start + count) % len(split.images)
        images = to_network_input(split.images[rows], torch.float32).to(self.device, self.engine.dtype)
        back = self.draw_samples(start, count, images, back=True)
        return {
            "input": there["input"],
            "output": there["output"],
            "cycle": self.draw_samples(start, count, there["output"], back=True),
            "image": images,
            "back": back,
            "back_cycle": self.draw_samples(start, count, back),
        }

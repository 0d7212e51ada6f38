"""The strategy for translators that learn both directions between two kinds of pictures."""

from copy import deepcopy
from dataclasses import replace
from typing import Any, ClassVar

from torch import Tensor

from genlab.core.checkpoint import stateful
from genlab.core.errors import ConfigError, require
from genlab.core.random import Draws
from genlab.data.stream import Stream
from genlab.losses import Turn
from genlab.trainers.alternating import Alternating
from genlab.trainers.phases import AdversarialPhase, Opponents
from genlab.trainers.system import Run, System
from genlab.trainers.trainer import add_prefix
from genlab.trainers.turns import Losses


class Cycle(Alternating):
    """Zhu et al. 2017, equation 3: each player's turn is the sum of one there and one back.

    There, pictures of the other kind are translated to images; back, images to pictures. Each direction has its own
    generator, discriminator, history of generated images and state of every penalty; curves of the way back are called
    `back/...`. Both kinds come in orders of their own, in batches of one size.

    Raises ConfigError for data of one kind alone.
    """

    translates_both_ways: ClassVar[bool] = True

    def __init__(self, system: System, run: Run, **shared: Any) -> None:
        if shared.get("freeze_discriminator"):
            raise ConfigError("trainer.freeze_discriminator: there are two discriminators here. Set it to 0.")
        super().__init__(system, run, **shared)
        other = require(self.data.other, "trainer: needs two kinds of pictures. Choose data=unpaired.")
        images, sources = self.stream, Stream.of(other, seed=self.seed, **self.placement)
        images.other, sources.other = sources, images
        generators, discriminators = self.model.players["generator"], self.model.players["discriminator"]
        there, back = ((generators.get_submodule(way), discriminators.get_submodule(way)) for way in ("there", "back"))
        self.opponents = Opponents(*there, images, self.replay)
        self.opponents_back = Opponents(*back, sources, deepcopy(self.replay))
        self.penalties_back = deepcopy(self.penalties)

    @property
    def parts(self) -> dict[str, Any]:
        own = add_prefix("penalty", self.penalties_back) | {"replay": self.opponents_back.replay}
        return super().parts | add_prefix("back", stateful(own))

    def compute_losses(self, phase: AdversarialPhase, draws: Draws) -> Losses:
        there = super().compute_losses(phase, draws)
        back = super().compute_losses(self.backward_phase(phase), draws.of("back"))
        return Losses(there.terms | add_prefix("back", back.terms), there.stats | add_prefix("back", back.stats))

    def backward_phase(self, phase: AdversarialPhase) -> AdversarialPhase:
        """Return the same phase for the networks that translate back."""
        penalties = {name: self.penalties_back[name] for name in phase.penalties}
        return replace(phase, opponents=self.opponents_back, penalties=penalties)

    def begin_turn(self, phase: AdversarialPhase, draws: Draws, player: str | None = None, **options: Any) -> Turn:
        other = self.opponents if phase.opponents is self.opponents_back else self.opponents_back

        def translate_back(pictures: Tensor) -> Tensor:
            return other.generator(self.model.latent.draw(draws.of("way_back")), pictures)

        return super().begin_turn(phase, draws, player, translate_back=translate_back, **options)

    def end_discriminator_turn(self) -> None:
        super().end_discriminator_turn()
        if self.opponents_back.replay:
            self.opponents_back.replay.end_turn()

"""The strategy that begins with small images and doubles their size while it trains."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import ceil
from typing import Any

from torch import Tensor, nn
from torch.nn.functional import interpolate

from genlab.core.errors import ConfigError
from genlab.core.random import Draws
from genlab.core.types import Count, Positive, ProperShare
from genlab.losses import Turn
from genlab.models.contract import Grows
from genlab.trainers.alternating import Alternating
from genlab.trainers.schedules import at
from genlab.trainers.trainer import Run, System, check_batch


@dataclass(frozen=True)
class Growth:
    """How often the smallest size has doubled, as a function of the images seen: Karras et al. 2018, appendix A.1.

    Every `stage` images one more doubling is complete; it is faded in over the last `fade` of them.
    """

    first: int  # doublings at the start
    last: int
    stage: int  # images
    fade: float  # share of a stage

    @property
    def end(self) -> int:
        """Images after which the last size is complete."""
        return (self.last - self.first) * self.stage

    @property
    def starts(self) -> list[int]:
        """Images from which on each size is seen, the smallest first."""
        alone = self.stage - round(self.fade * self.stage)
        return [0] + [stages * self.stage + alone + 1 for stages in range(self.last - self.first)]

    def __call__(self, images: int) -> float:
        stages, since = divmod(images, self.stage)
        fade = round(self.fade * self.stage)
        faded = max(0, since - (self.stage - fade))
        return float(min(self.first + stages + (faded / fade if faded else 0), self.last))


class Progressive(Alternating):
    """Both networks grow from images of `start_size` to the data's size; new layers are faded in, and so are images.

    All follows from the number of images seen, so a run resumes in the middle of a fade-in. Samples are enlarged to
    the data's size. Optimizers forget their moments when a fade-in begins and when it ends, as in the authors' code.
    Raises ConfigError for networks that cannot grow.
    """

    def __init__(
        self,
        system: System,
        run: Run,
        *,
        stage_images: Count,  # images from one size to the next
        fade: ProperShare = 0.5,  # share of them in which the next size is faded in
        start_size: Count = 4,  # pixels a side: 4 times a power of two
        batch_sizes: dict[Count, Count] | None = None,  # instead of `batch_size`, from these sizes on: {16: 32, 64: 16}
        rates: dict[Count, Positive] | None = None,  # factors on the learning rates, from these sizes on: {128: 1.5}
        **shared: Any,  # what `Alternating` takes
    ) -> None:
        if shared.get("replay"):
            raise ConfigError("trainer.replay: earlier images are smaller ones when networks grow. Set it to null.")
        super().__init__(system, run, **shared)
        require_growth(self.model.players)
        self.batch_sizes, self.rates = {0: self.batch_size} | (batch_sizes or {}), {0: 1.0} | (rates or {})
        for size in self.batch_sizes.values():
            check_batch(size, self.engine.accumulate, self.spec.images)
        last = self.model.generator.doublings
        self.growth = Growth(doublings(start_size, self.spec.height >> last, last), last, stage_images, fade)
        self.grow()

    def take_step(self) -> None:
        before = self.level
        super().take_step()
        self.grow()
        if (ceil(self.level), int(self.level)) != (ceil(before), int(before)):
            for player in self.players.values():
                player.optimizer.state.clear()

    def grow(self) -> None:
        """Everything to the size that the number of images says; weights stay as they are."""
        self.level = self.growth(self.images)
        for network in self.growing():
            network.grow(self.level)
        self.batch_size = at(self.batch_sizes, self.side)
        self.engine = replace(self.engine, batch_size=self.batch_size)

    @property
    def images_to_full_size(self) -> int:
        return self.growth.end

    @property
    def turning_points(self) -> list[int]:
        return self.growth.starts

    def move_to(self, images: int) -> None:
        super().move_to(images)
        self.grow()

    def growing(self) -> Iterator[nn.Module]:
        yield from self.model.players.values()
        if self.ema:
            yield self.ema.network

    @property
    def side(self) -> int:
        """Pixels of the images that networks see now."""
        return self.model.generator.side

    def rate(self) -> float:
        return super().rate() * at(self.rates, self.side)

    def load_state_dict(self, state: dict) -> None:
        super().load_state_dict(state)
        self.grow()

    def restart_average(self) -> None:
        self.grow()  # weights from elsewhere come at their own size
        super().restart_average()

    def turn(self, phase: str, player: str, draws: Draws, **demands: Any) -> Turn:
        """With real images of the size of the generated ones."""
        turn = super().turn(phase, player, draws, **demands)
        images, labelled, shrink = turn.images, turn.labelled, self.model.discriminator.shrink

        def small() -> tuple[Tensor, Tensor]:
            whole, labels = labelled()
            return shrink(whole), labels

        turn.images, turn.labelled = lambda: shrink(images()), small
        return turn

    def render(self, output: Tensor) -> Tensor:
        """As large as the data, pixels enlarged."""
        full = self.spec.shape[1:]
        return output if output.shape[2:] == full else interpolate(output, size=full, mode="nearest")

    @property
    def fair(self) -> bool:
        return super().fair and self.level == self.growth.last

    def learning_rates(self) -> dict[str, float]:
        """And how far the networks have grown."""
        return super().learning_rates() | {"growth/doublings": self.level}


def require_growth(players: dict[str, nn.Module]) -> None:
    fixed = [name for name, network in players.items() if not isinstance(network, Grows)]
    if fixed:
        raise ConfigError(
            f"trainer: Progressive grows networks, and this model's {' and '.join(fixed)} cannot grow. "
            "Choose model=progan or stylegan, or trainer=alternating."
        )


def doublings(size: int, smallest: int, last: int) -> int:
    """How often the smallest size has doubled in `size`. Raises ConfigError for one that networks do not go through."""
    sizes = [smallest << level for level in range(last + 1)]
    if size not in sizes:
        raise ConfigError(f"trainer.start_size={size}: expected a size of the networks, {', '.join(map(str, sizes))}.")
    return sizes.index(size)

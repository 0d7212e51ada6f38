"""The strategy that starts with small images and doubles their size during training."""

from dataclasses import dataclass, replace
from math import ceil
from typing import Any

from torch import Tensor

from genlab.core.errors import ConfigError, require
from genlab.core.random import Draws
from genlab.core.schedule import staircase
from genlab.core.spec import Spec
from genlab.core.types import Count, Positive, ProperShare
from genlab.data.stream import Stream
from genlab.losses import Turn
from genlab.models.contract import Grows
from genlab.trainers.alternating import Alternating
from genlab.trainers.sample_stream import SampleStream
from genlab.trainers.system import Run, System
from genlab.trainers.turns import check_batch


@dataclass(frozen=True)
class Growth:
    """The number of doublings of the smallest size after so many images: Karras et al. 2018, appendix A.1.

    Every `stage` images complete one doubling, which fades in over their last `fade`.
    """

    first: int  # doublings at the start
    last: int
    stage: int  # images
    fade: float  # share of a stage

    @property
    def end(self) -> int:
        """Return the images after which the last size is complete."""
        return (self.last - self.first) * self.stage

    @property
    def starts(self) -> list[int]:
        """Return the images from which on each size is seen, the smallest first."""
        alone = self.stage - round(self.fade * self.stage)
        return [0] + [stages * self.stage + alone + 1 for stages in range(self.last - self.first)]

    def __call__(self, images: int) -> float:
        stages, since = divmod(images, self.stage)
        fade = round(self.fade * self.stage)
        faded = max(0, since - (self.stage - fade))
        return float(min(self.first + stages + (faded / fade if faded else 0), self.last))


class Progressive(Alternating):
    """Both networks grow from images of `start_size` to the data's size; new layers are faded in, and so are images.

    The size follows from the number of images seen, so a run resumes in the middle of a fade-in. Samples are enlarged
    to the data's size. Optimizers lose their moments when a fade-in begins and when it ends, as in the authors' code.
    Raises ConfigError for networks that cannot grow.
    """

    def __init__(
        self,
        system: System,
        run: Run,
        *,
        stage_images: Count,  # from one size to the next
        fade: ProperShare = 0.5,  # share of them in which the next size is faded in
        start_size: Count = 4,  # pixels a side: 4 times a power of two
        batch_sizes: dict[Count, Count] | None = None,  # instead of `batch_size`, from these sizes on: {16: 32, 64: 16}
        rates: dict[Count, Positive] | None = None,  # factors on the learning rates, from these sizes on: {128: 1.5}
        **shared: Any,
    ) -> None:
        if shared.get("replay"):
            raise ConfigError("trainer.replay: earlier images are smaller ones when networks grow. Set it to null.")
        super().__init__(system, run, **shared)
        self.growing = growing_networks(self.samples)
        self.batch_sizes, self.rates = {0: self.batch_size} | (batch_sizes or {}), {0: 1.0} | (rates or {})
        for size in self.batch_sizes.values():
            check_batch(size, self.engine.accumulate, self.spec.images)
        self.growth = make_growth(
            self.growing["generator"], self.spec, stage_images=stage_images, fade=fade, start_size=start_size
        )
        self.turning_points, self.images_to_full_size = self.growth.starts, self.growth.end
        self.samples = replace(self.samples, growing=True)
        self.grow()

    @classmethod
    def sample_stream(cls, *args: Any, seen: int, **settings: Any) -> SampleStream:
        stream = super().sample_stream(*args, seen=seen, **settings)
        networks = growing_networks(stream)
        growth = make_growth(networks["generator"], stream.spec, **settings)
        grow(networks, growth(seen))
        return replace(stream, growing=True)

    def take_step(self) -> None:
        before = self.level
        super().take_step()
        self.grow()
        if (ceil(self.level), int(self.level)) != (ceil(before), int(before)):
            for player in self.players.values():
                player.optimizer.state.clear()

    def grow(self) -> None:
        """Bring networks and batch size to the size of the images seen so far; weights stay as they are."""
        self.level = self.growth(self.images)
        grow(self.growing, self.level)
        self.batch_size = staircase(self.batch_sizes, self.side)
        self.engine = replace(self.engine, batch_size=self.batch_size)

    def move_to(self, images: int) -> None:
        super().move_to(images)
        self.grow()

    @property
    def side(self) -> int:
        """Return the side, in pixels, of the images that networks see now."""
        return self.growing["generator"].side

    def rate_factor(self) -> float:
        return super().rate_factor() * staircase(self.rates, self.side)

    def load_state_dict(self, state: dict) -> None:
        super().load_state_dict(state)
        self.grow()

    def restart_average(self) -> None:
        self.grow()  # weights from elsewhere come at their own size
        super().restart_average()

    def real_images(self, stream: Stream, phase: str, turn: Turn) -> Tensor:
        """Return real images of the size of the generated ones."""
        return self.growing["discriminator"].shrink(super().real_images(stream, phase, turn))

    def labelled_images(self, stream: Stream, phase: str, draws: Draws) -> tuple[Tensor, Tensor]:
        images, classes = super().labelled_images(stream, phase, draws)
        return self.growing["discriminator"].shrink(images), classes

    @property
    def fair(self) -> bool:
        return super().fair and self.level == self.growth.last

    def learning_rates(self) -> dict[str, float]:
        return super().learning_rates() | {"growth/doublings": self.level}


def grow(networks: dict[str, Grows], level: float) -> None:
    """Bring networks to a number of doublings; weights stay as they are."""
    for network in networks.values():
        network.grow(level)


def make_growth(
    generator: Grows,
    spec: Spec,
    *,
    stage_images: int,
    fade: float = 0.5,
    start_size: int = 4,
    **_: Any,  # the trainer's other settings
) -> Growth:
    last, height = generator.doublings, require(spec.height, "trainer: Progressive grows images; the data are points.")
    sizes = [height >> last << level for level in range(last + 1)]
    if start_size not in sizes:
        expected = ", ".join(map(str, sizes))
        raise ConfigError(f"trainer.start_size={start_size}: expected a size of the networks, {expected}.")
    return Growth(sizes.index(start_size), last, stage_images, fade)


def growing_networks(samples: SampleStream) -> dict[str, Grows]:
    """Return the players and the averaged generator, by name. Raises ConfigError for players that cannot grow."""
    networks = samples.model.players | ({"ema": samples.ema.network} if samples.ema else {})
    growing: dict[str, Grows] = {name: net for name, net in networks.items() if isinstance(net, Grows)}
    fixed = [name for name in samples.model.players if name not in growing]
    if fixed:
        raise ConfigError(
            f"trainer: Progressive grows networks, and this model's {' and '.join(fixed)} cannot grow. "
            "Choose model=progan or stylegan, or trainer=alternating."
        )
    return growing

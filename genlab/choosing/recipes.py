"""Choices of how to train on a user's own pictures, from what they are and what the machine has.

The tables say which model, side and duration suit which count of pictures and which memory: change them there.
"""

import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from genlab.choosing.pictures import Pictures
from genlab.core.errors import ConfigError
from genlab.data.storage.file_notes import fitting_range, type_range

FEWEST = 20  # pictures: from fewer a model learns copies
SIDES = (32, 64, 128, 256, 512)  # pixels: powers of two, which every model of the table takes
INTERVALS = (  # key, how often in a run, and the fewest images between
    ("callbacks.grid.every", 20, 500),
    ("callbacks.checkpoint.every", 10, 2_000),
    ("callbacks.log.every", 200, 200),
    ("metrics.every", 4, 5_000),
)


class Machine(NamedTuple):
    device: str  # cpu, cuda or mps
    memory: float  # of the device, in GiB


class Choice(NamedTuple):
    word: str  # KEY=VALUE, as it is typed
    reason: str = ""  # empty: it follows from the one before

    @property
    def key(self) -> str:
        return self.word.partition("=")[0]


class Recipe(NamedTuple):
    """A model for up to so many pictures."""

    pictures: float
    words: tuple[str, ...]
    reason: str
    wide: Callable[[int], list[str]]  # side -> words for networks as wide as published, which a CPU does not train
    cpu_side: int  # pixels a side at most on a CPU
    cpu_images: int  # of a run on a CPU
    images: int  # of a run on a GPU


class Budget(NamedTuple):
    """The largest side that a GPU with at least this memory trains."""

    memory: float  # GiB
    side: int


def widen_fastgan(side: int) -> list[str]:
    return ["model.generator.width=64", "model.discriminator.width=64"]


def widen_stylegan2(side: int) -> list[str]:
    """Return the widths of the authors' `auto` configuration: 16,384 channels times pixels a side, 512 at most."""
    width = max(32, min(512, 16_384 // side))
    return [
        f"model.{part}.{word}" for part in ("generator", "discriminator") for word in (f"width={width}", "most=512")
    ]


RECIPES = (  # the first that takes as many pictures
    Recipe(
        5_000,
        ("model=fastgan",),
        "made for some hundreds (Liu et al. 2021)",
        wide=widen_fastgan,
        cpu_side=64,
        cpu_images=50_000,
        images=800_000,
    ),
    Recipe(
        math.inf,
        ("model=stylegan2", "augment=[ada]", "augment.ada.images=100_000"),
        "augments as strongly as they need (Karras et al. 2020)",
        wide=widen_stylegan2,
        cpu_side=32,
        cpu_images=100_000,
        images=2_000_000,
    ),
)
BUDGETS = (Budget(40, 512), Budget(16, 256), Budget(8, 128), Budget(0, 64))  # StyleGAN2's, batches of 16, float32


def choose(pictures: Pictures, machine: Machine, asked: Mapping[str, Any], *, has_model: bool) -> list[Choice]:
    """Return the choices in the order of their keys' weight.

    `asked`: values of data.size and trainer.images that the user typed; `has_model`: the user typed one, of which the
    table knows nothing. Raises ConfigError for too few pictures.
    """
    refuse_few(pictures)
    recipe = next(recipe for recipe in RECIPES if pictures.count <= recipe.pictures)
    side = asked.get("data.size") or side_for(pictures, machine, recipe)
    of_pictures = [*choose_reading(pictures), *choose_size(pictures, machine, side)]
    if has_model:
        return of_pictures
    on_cpu = machine.device == "cpu"
    images = asked.get("trainer.images") or (recipe.cpu_images if on_cpu else recipe.images)
    return [
        *choose_model(pictures, recipe, side, wide=not on_cpu),
        *of_pictures,
        *choose_duration(images, batch=16 if pictures.count >= 10 * 16 else 8, on_cpu=on_cpu),
    ]


def refuse_few(pictures: Pictures) -> None:
    different = pictures.count - pictures.copies
    if different < FEWEST:
        raise ConfigError(
            f"data.root={pictures.root}: {different} different pictures to train on, and from fewer than {FEWEST} a "
            "model learns to copy them. Add pictures of the same kind, some hundreds if you can; or name one to train "
            "all the same: model=dcgan data.size=32 trainer.batch_size=4."
        )


def side_for(pictures: Pictures, machine: Machine, recipe: Recipe) -> int:
    """Return the largest side that the pictures fill and the machine trains."""
    return max(side for side in SIDES if side <= max(SIDES[0], min(pictures.side, most_pixels(machine, recipe))))


def most_pixels(machine: Machine, recipe: Recipe) -> int:
    if machine.device == "cpu":
        return recipe.cpu_side
    return next(budget.side for budget in BUDGETS if machine.memory >= budget.memory)


def choose_model(pictures: Pictures, recipe: Recipe, side: int, *, wide: bool) -> list[Choice]:
    """Return the model with its parts; `wide`: with networks as wide as published."""
    first, *others = [*recipe.words, *(recipe.wide(side) if wide else [])]
    return [Choice(first, f"for {pictures.count:,} pictures: {recipe.reason}"), *map(Choice, others)]


def choose_reading(pictures: Pictures) -> list[Choice]:
    """Return how files become pictures where that is not plain."""
    chosen = []
    if pictures.loose:
        beside = f"{pictures.loose:,} of {pictures.count:,} pictures lie beside folders, which are then no classes"
        chosen.append(Choice("data.classes=none", beside))
    fitting = fitting_range(pictures.depths)
    if fitting and all(pictures.depths.values()):  # data.range would darken files of 8 bit beside them
        held = ", ".join(pictures.depths)
        chosen.append(Choice(type_range(fitting), f"what the {held} files hold becomes black to white"))
    return chosen


def choose_size(pictures: Pictures, machine: Machine, side: int) -> list[Choice]:
    limit = f"{machine.device} of {machine.memory:,.0f} GiB" if machine.device != "cpu" else "a CPU"
    left_out = 1 - 1 / pictures.aspect
    cut = f"; squares from the middle leave out {left_out:.0%} of a picture" if left_out > 0.02 else ""
    return [
        Choice(f"data.size={side}", f"for shorter sides of {pictures.side:,} pixels, and what {limit} can train{cut}"),
        Choice("data.flip=true", "mirrored pictures are shown, too; false where left and right differ, as in letters"),
    ]


def interval(key: str, images: int, every: int) -> Choice:
    times = images // every
    return Choice(f"{key}={every}", "once" if times == 1 else f"{times} times" if times else "at the end alone")


def choose_duration(images: int, *, batch: int, on_cpu: bool) -> list[Choice]:
    """Return batch, duration and intervals: some grids of samples, and a score now and then."""
    place = "on a CPU" if on_cpu else "on a GPU"
    return [
        Choice(f"trainer.batch_size={batch}", "small ones suit few pictures"),
        Choice(f"trainer.images={images}", f"a first result {place}; more goes on improving"),
        *(interval(key, images, max(least, images // times)) for key, times, least in INTERVALS),
    ]

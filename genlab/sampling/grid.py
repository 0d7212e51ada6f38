"""Samples, as they come; and every class of the same latents."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, ClassVar

from genlab.core.errors import ConfigError
from genlab.core.types import Count
from genlab.sampling.conditions import key_of, numbers, refuse, refuse_texts, some, texts
from genlab.sampling.loaded_run import POINTS
from genlab.sampling.mode import Asked, Picture
from genlab.sampling.noise import Noisy, noisy, require_noise

if TYPE_CHECKING:
    from torch import Tensor

    from genlab.sampling.loaded_run import Loaded

log = logging.getLogger(__name__)


class Grid(Picture):
    """Samples 0, 1, 2, ... row by row; of a model that is told classes, every column shows one where they fit.

    Raises ConfigError for noise where the generator adds none.
    """

    points: ClassVar[bool] = True

    def __init__(
        self,
        *,
        rows: Count = 8,
        columns: Count = 8,
        noise: Noisy = "fixed",  # of style-based generators: the same for all samples, new for each, or none
    ) -> None:
        self.rows, self.columns, self.noise = rows, columns, noise

    def check(self, loaded: Loaded, asked: Asked) -> None:
        super().check(loaded, asked)
        if self.noise != "fixed":
            require_noise(loaded, f"mode.noise={self.noise}")

    def draw(self, loaded: Loaded, asked: Asked) -> Tensor:
        columns = self.width(loaded, asked)
        count = POINTS if loaded.points else self.rows * columns
        if not loaded.points:
            log.info("samples 0 to %d, row by row in %d columns", count - 1, columns)
        with noisy(loaded, self.noise):
            return loaded.draw(loaded.sample(count, **asked.options), columns)

    def width(self, loaded: Loaded, asked: Asked) -> int:
        """As many columns as classes, or texts, if that is at most twice of what was asked for."""
        known = loaded.spec.classes if loaded.run.model.conditional else None
        if key_of(asked.classes) == "words":
            shown = len(texts(asked.classes))
        else:
            shown = known if asked.classes is None or known is None else len(numbers(known, asked.classes))
        return shown if shown and 1 < shown <= 2 * self.columns else self.columns


class Classes(Picture):
    """A column a class, or a text, a row a latent: what the class changes, and what it leaves."""

    def __init__(
        self,
        *,
        rows: Count = 8,
        most: Count = 20,  # columns: more classes are chosen with classes=[...]
    ) -> None:
        self.rows, self.most = rows, most

    def draw(self, loaded: Loaded, asked: Asked) -> Tensor:
        shown = self.shown(loaded, asked)
        log.info("columns show classes %s; a row has one latent", ", ".join(map(str, shown)))
        z = loaded.latent(self.rows, seed=asked.seed).repeat_interleave(len(shown), 0)
        return loaded.draw(loaded.generate(z, classes=shown), len(shown))

    def shown(self, loaded: Loaded, asked: Asked) -> list[int] | list[str]:
        """Raises ConfigError for a model that is told no class, and no words."""
        if loaded.run.model.conditional and loaded.spec.words:
            return self.texts(loaded.spec.words, asked)
        if not loaded.run.model.conditional or loaded.spec.classes is None:
            refuse(loaded.run, asked.classes)
            raise ConfigError(
                f"mode=classes: this model ({loaded.run.run_dir}) is told no class. Use mode=grid, or train a "
                "conditional one, such as model=cgan_conv."
            )
        refuse_texts(loaded.run, asked.classes)
        known = loaded.spec.classes
        return list(range(min(known, self.most))) if asked.classes is None else numbers(known, asked.classes)

    @staticmethod
    def texts(known: tuple[str, ...], asked: Asked) -> list[str]:
        if key_of(asked.classes) != "words":
            raise ConfigError(
                f"mode=classes: this model is told words. Which columns? words=[{known[0]},{known[-1]}]; it knows "
                f"{some(known)}."
            )
        return texts(asked.classes)

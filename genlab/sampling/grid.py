"""Grids of samples, of classes, of truncation thresholds and of reconstructions."""

import logging
from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import Tensor

from genlab.core.base_condition import in_turn
from genlab.core.errors import ConfigError, require
from genlab.core.types import Count, Side
from genlab.core.user_values import quote_commas
from genlab.pictures.reconstructions import draw_reconstructions, shown_count
from genlab.pictures.sheet import caption_columns
from genlab.sampling.conditions import as_asked, condition_of, labels_of
from genlab.sampling.loaded_run import SHOWN_POINTS, Loaded
from genlab.sampling.mode import Picture, Request
from genlab.sampling.styles import NoiseKind, require_noise, truncating, using_noise
from genlab.trainers.encoder import encodes, reconstruct

LATENT_THRESHOLDS = (2.0, 1.0, 0.5, 0.04)
STYLE_THRESHOLDS = (1.0, 0.7, 0.5, 0.0, -0.5)  # psi
MOST_CLASSES = 20  # columns of mode=classes unless some are asked for
log = logging.getLogger(__name__)


class Grid(Picture):
    """Draw samples 0, 1, 2, ... row by row; of a conditional model each column shows one class where they fit.

    Raises ConfigError for noise where the generator adds none.
    """

    points: ClassVar[bool] = True

    def __init__(
        self,
        *,
        rows: Side = 8,
        columns: Side = 8,
        noise: NoiseKind = "fixed",  # of style-based generators: the same for all samples, new for each, or none
    ) -> None:
        self.rows, self.columns, self.noise = rows, columns, noise

    def check(self, loaded: Loaded, request: Request) -> None:
        super().check(loaded, request)
        if self.noise != "fixed":
            require_noise(loaded, f"mode.noise={self.noise}")

    def draw(self, loaded: Loaded, request: Request) -> Tensor:
        labels = self.column_labels(loaded, request)
        columns = self.columns if labels is None or len(labels) == 1 else len(labels)
        count = SHOWN_POINTS if loaded.points else self.rows * columns
        if not loaded.points:
            log.info("samples 0 to %d, row by row in %d columns", count - 1, columns)
        with using_noise(loaded, self.noise):
            picture = loaded.draw(loaded.sample(count, **request.options), columns)
        return picture if labels is None or loaded.points else caption_classes(picture, loaded, labels)

    def column_labels(self, loaded: Loaded, request: Request) -> Tensor | None:
        """Return the label of each column, or of all; None if there are more than twice the configured columns."""
        condition = condition_of(loaded.run, request.classes)
        labels = None if condition is None else labels_of(condition, request.classes)
        return labels if labels is not None and len(labels) <= 2 * self.columns else None


def caption_classes(picture: Tensor, loaded: Loaded, labels: Tensor) -> Tensor:
    """Add the names of the classes or attributes that columns show, if they have names, and log them."""
    condition = require(loaded.spec.condition, "the model is told nothing.")
    captions = [condition.caption(label) for label in labels]
    log.info("columns show %s" if len(captions) > 1 else "all show %s", ", ".join(map(quote_commas, captions)))
    return caption_columns(picture, captions) if condition.label_names else picture


class Classes(Picture):
    """Draw a class or text a column and a latent a row, which shows what the condition changes."""

    def __init__(
        self,
        *,
        rows: Side = 8,
        most: Count = MOST_CLASSES,  # columns by default; classes=[...] may ask for more
    ) -> None:
        self.rows, self.most = rows, most

    def check(self, loaded: Loaded, request: Request) -> None:
        super().check(loaded, request)
        if request.classes is not None and self.most != MOST_CLASSES:
            asked = as_asked(request.classes)
            raise ConfigError(
                f"mode.most={self.most}: has no effect beside {asked}, which chooses the columns. "
                f"Leave mode.most or {asked.key} out."
            )

    def draw(self, loaded: Loaded, request: Request) -> Tensor:
        labels = self.column_labels(loaded, request)
        log.info("a row has one latent")
        z = loaded.latent(self.rows, seed=request.seed).repeat_interleave(len(labels), 0)
        return caption_classes(loaded.draw(loaded.generate(z, classes=labels), len(labels)), loaded, labels)

    def column_labels(self, loaded: Loaded, request: Request) -> Tensor:
        """Return the label of each column. Raises ConfigError if the model has none, or they cannot be listed."""
        condition = condition_of(loaded.run, request.classes)
        if condition is None or condition.has_source:
            raise ConfigError(
                f"mode=classes: this model ({loaded.run.run_dir}) is told no class. Use mode=grid, or train a "
                "conditional one, such as model=cgan_conv."
            )
        labels = labels_of(condition, request.classes)
        if labels is None:
            raise ConfigError(
                f"mode=classes: this model is told {condition.description}. Which columns? {condition.how_to_ask}."
            )
        return labels[: self.most] if request.classes is None else labels


class Truncation(Picture):
    """Draw the same samples at several thresholds, a row each.

    For style-based generators a threshold is psi, which scales styles about their mean, all or those of the first
    `layers`: at 0 all are the mean, below 0 they are mirrored at it (Karras et al. 2019, figure 8). Other models draw
    normal latents within +- the threshold (Brock et al. 2019, figure 2a); BigGAN's batch statistics are computed anew
    for each, others keep those of training.

    Raises ConfigError for latents that are not normal, and for generators that bring them to one length.
    """

    def __init__(
        self,
        thresholds: Sequence[float] | None = None,  # null: 1, 0.7, 0.5, 0, -0.5 of styles; 2, 1, 0.5, 0.04 of latents
        *,
        columns: Side = 8,
        layers: Count | None = None,  # first ones whose styles psi moves; null: the model's own choice, 8 in StyleGAN
    ) -> None:
        if thresholds is not None and not thresholds:
            raise ConfigError("mode.thresholds=[]: expected one or more, such as [2,1,0.5,0.04].")
        self.thresholds, self.columns, self.layers = thresholds, columns, layers

    def check(self, loaded: Loaded, request: Request) -> None:
        super().check(loaded, request)
        self.refuse_untruncated(loaded)
        if self.layers is not None:
            loaded.require_styles(f"mode.layers={self.layers}")
            layers = loaded.run.model.generator.layers
            if self.layers > layers:
                raise ConfigError(f"mode.layers={self.layers}: this generator has {layers} layers.")

    def refuse_untruncated(self, loaded: Loaded) -> None:
        try:
            for threshold in self.thresholds_for(loaded):
                loaded.truncated_law(threshold)
        except ConfigError as error:
            raise ConfigError(f"mode=truncation: {error} Use mode=grid.") from error

    def thresholds_for(self, loaded: Loaded) -> Sequence[float]:
        return self.thresholds or (STYLE_THRESHOLDS if loaded.has_styles else LATENT_THRESHOLDS)

    def draw(self, loaded: Loaded, request: Request) -> Tensor:
        thresholds = self.thresholds_for(loaded)
        log.info("rows from the top: truncated at %s", ", ".join(f"{threshold:g}" for threshold in thresholds))
        with truncating(loaded, self.layers):
            rows = [loaded.sample(self.columns, truncation=value, **request.options) for value in thresholds]
        picture, condition = loaded.draw(torch.cat(rows), self.columns), condition_of(loaded.run, request.classes)
        labels = None if condition is None else labels_of(condition, request.classes)
        return picture if labels is None else caption_classes(picture, loaded, in_turn(labels, 0, self.columns))


class Reconstruct(Picture):
    """Draw the first test images, else training images, each above its reconstruction."""

    real: ClassVar[bool | None] = True
    points: ClassVar[bool] = True
    takes: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, *, rows: Side = 4, columns: Side = 8) -> None:
        self.rows, self.columns = rows, columns

    def check(self, loaded: Loaded, request: Request) -> None:
        super().check(loaded, request)
        if not encodes(loaded.run):
            raise ConfigError(
                f"mode=reconstruct: this model ({loaded.run.run_dir}) has no encoder. "
                "Search for an image's latent with python -m genlab.project."
            )

    def draw(self, loaded: Loaded, request: Request) -> Tensor:
        spec = loaded.run.spec
        pairs = reconstruct(loaded.run, shown_count(spec, self.rows, self.columns))
        return draw_reconstructions(*pairs, spec, self.columns)

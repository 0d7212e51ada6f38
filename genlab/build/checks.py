"""Combinations that cannot work, refused before anything runs. Each part says itself what it cannot serve."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from torch import nn

from genlab.core.errors import ConfigError
from genlab.core.system import SystemFacts
from genlab.data.dataset import are_pictures
from genlab.trainers import System
from genlab.trainers.turns import has_batch_norm


def check(system: System, config: dict[str, Any]) -> None:
    """Ask every part, and raise ConfigError for the first combination that makes no sense."""
    facts = facts_of(system, config["trainer"].get("clip_weights"))
    with named(f"loss is {type(system.loss).__name__}, which"):
        system.loss.refuse(facts)
    for group, parts in {"penalty": system.penalties, "augment": system.augmentations}.items():
        for name, part in parts.items():
            with named(f"{group}={name}"):
                part.refuse(facts)
    refuse_missing_labels(system)
    refuse_missing_sources(system)
    refuse_freezing_at_random(config)


def facts_of(system: System, clip_weights: float | None = None) -> SystemFacts:
    """Collect what the parts of a system may ask."""
    model, spec = system.model, system.data.spec
    both_ways = getattr(model, "both_ways", False)
    one_way = model.conditional and spec.source is not None
    return SystemFacts(
        players={name: way_there(network) for name, network in model.players.items()},
        spec=spec,
        judges_codes=getattr(model, "discriminates_codes", False),
        conditioned=getattr(model, "told", frozenset()),
        latent_size=getattr(model.latent, "size", 0),
        translates="both ways" if both_ways else "pairs" if one_way else "no",
        batch_normalised=frozenset(name for name, network in model.players.items() if has_batch_norm(network)),
        clip_weights=clip_weights,
        moving_augmentations=[name for name, part in system.augmentations.items() if part.moves_images],
    )


def way_there(network: nn.Module) -> nn.Module:
    """Return the network of one direction, of those that have two."""
    return getattr(network, "there", network)


@contextmanager
def named(part: str) -> Iterator[None]:
    """Put the part's key in front of what it says."""
    try:
        yield
    except ConfigError as error:
        raise ConfigError(f"{part} {error}") from error


def refuse_missing_labels(system: System) -> None:
    labels = system.data.train.labels
    if not system.model.conditional or system.data.spec.classes is None:
        return
    if labels is not None and (labels < 0).any():
        raise ConfigError("data.labelled: a conditional model needs the label of every image. Set data.labelled=null.")


def refuse_missing_sources(system: System) -> None:
    """Raise ConfigError for a translator whose data have partners where it needs none, or none where it needs them."""
    data, model = system.data, system.model
    both_ways = getattr(model, "both_ways", False)
    if both_ways and data.other is None:
        raise ConfigError(
            "this model learns from two kinds of pictures without partners, and these data are pairs. Choose "
            "data=unpaired, data=mnist_unpaired, or model=pix2pix."
        )
    translates = model.conditional and data.spec.source is not None
    if translates and not both_ways and data.task is None and not are_pictures(data.train.labels):
        raise ConfigError(
            "this model learns from pairs, and the pictures of these data have no partners. Choose model=cyclegan, or "
            "data=pairs."
        )


def refuse_freezing_at_random(config: dict[str, Any]) -> None:
    count = config["trainer"].get("freeze_discriminator")
    if count and not (config["init_from"] or config["resume"]):
        raise ConfigError(
            f"trainer.freeze_discriminator={count}: the layers would stay as random as they start. "
            "Give the run whose weights to fine-tune: init_from=outputs/..."
        )

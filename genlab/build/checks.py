"""Checks that refuse combinations before anything runs. Each part says itself what it cannot serve."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Literal

from torch import nn

from genlab.core import distributed
from genlab.core.errors import ConfigError
from genlab.core.system_facts import SystemFacts
from genlab.models.contract import Model
from genlab.models.latent_contract import VectorLatent
from genlab.models.layer_contract import has_batch_norm
from genlab.trainers import System


def check(system: System, config: dict[str, Any]) -> None:
    """Raise ConfigError for the first combination that some part of the system cannot serve."""
    refuse_models_without_the_contract(system)
    facts = facts_of(system, config["trainer"])
    with prefixed_errors(f"loss is {type(system.loss).__name__}, which"):
        system.loss.refuse(facts)
    groups: dict[str, Mapping[str, Any]] = {"penalty": system.penalties, "augment": system.augmentations}
    for group, parts in groups.items():
        for name, part in parts.items():
            with prefixed_errors(f"{group}={name}"):
                part.refuse(facts)
    refuse_missing_labels(system)
    refuse_missing_sources(system)
    refuse_freezing_at_random(config)


def refuse_models_without_the_contract(system: System) -> None:
    if not isinstance(system.model, Model):
        raise ConfigError(
            f"model is {type(system.model).__name__}, which does not say what a model must. Derive it from "
            "genlab.models.contract.Model, whose attributes are the contract."
        )


def facts_of(system: System, trainer: Mapping[str, Any]) -> SystemFacts:
    model, spec = system.model, system.data.spec
    if "batch_size" not in trainer:
        raise ConfigError(
            "trainer.batch_size: is needed, and missing. A word such as ~trainer.batch_size takes it away."
        )
    pieces = distributed.world_size() * trainer.get("accumulate", 1)
    one_way: Literal["one way", "no"] = "one way" if model.conditional and spec.has_source else "no"
    return SystemFacts(
        players={name: forward_network(model, network) for name, network in model.players.items()},
        spec=spec,
        discriminates_codes=model.discriminates_codes,
        conditioned=model.conditioned_networks,
        latent_size=model.latent.size if isinstance(model.latent, VectorLatent) else 0,
        translates="both ways" if model.translates_both_ways else one_way,
        batch_normalised=frozenset(name for name, network in model.players.items() if has_batch_norm(network)),
        clip_weights=trainer.get("clip_weights"),
        micro_batch=trainer["batch_size"] // pieces,
        pieces=pieces,
        moving_augmentations=[name for name, part in system.augmentations.items() if part.moves_images],
    )


def forward_network(model: Model, network: nn.Module) -> nn.Module:
    """Return the network, of a model that translates both ways the one for the first direction."""
    return network.get_submodule("there") if model.translates_both_ways else network


@contextmanager
def prefixed_errors(part: str) -> Iterator[None]:
    """Put a part's key in front of the ConfigErrors raised meanwhile."""
    try:
        yield
    except ConfigError as error:
        raise ConfigError(f"{part} {error}") from error


def refuse_missing_labels(system: System) -> None:
    classes = system.data.spec.classes_of(system.data.train.labels)
    if system.model.conditional and classes is not None and (classes < 0).any():
        raise ConfigError(
            f"data.labelled: a conditional model needs the label of every image, and {int((classes < 0).sum())} of "
            f"{len(classes)} have none. Set data.labelled=null, or complete dataset.json if labels come from there."
        )


def refuse_missing_sources(system: System) -> None:
    """Raise ConfigError for a translator that needs pairs and has none, or the other way round."""
    data, model = system.data, system.model
    translates, both_ways = model.conditional and data.spec.has_source, model.translates_both_ways
    if both_ways and data.other is None:
        raise ConfigError(
            "this model learns from two kinds of pictures without partners, and these data are pairs. Choose "
            "data=unpaired, data=mnist_unpaired, or model=pix2pix."
        )
    if translates and not both_ways and not data.is_paired:
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

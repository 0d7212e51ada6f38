"""Combinations that cannot work, refused before anything runs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from genlab.core.errors import ConfigError
from genlab.losses.reconstruction import Reconstruction
from genlab.models.contract import Model
from genlab.models.layer_contract import has_batch_norm
from genlab.trainers import System


def check(system: System, config: dict[str, Any]) -> None:
    """Raises ConfigError for the first combination that makes no sense."""
    refuse_models_without_the_contract(system)
    refuse_what_has_no_player(system)
    refuse_unfit_reconstruction(system)
    refuse_pixels_of_points(system)
    refuse_missing_heads(system)
    refuse_missing_labels(system)
    refuse_missing_sources(system)
    refuse_missing_conditions(system)
    refuse_what_moves_images_alone(system)
    refuse_what_moves_partners_apart(system)
    refuse_batch_norm_under_gradient_penalty(system)
    refuse_clipping_under_gradient_penalty(system, config)
    refuse_freezing_at_random(config)


def refuse_models_without_the_contract(system: System) -> None:
    if not isinstance(system.model, Model):
        raise ConfigError(
            f"model is {type(system.model).__name__}, which does not say what a model must. Derive it from "
            "genlab.models.contract.Model, whose attributes are the contract."
        )


def refuse_what_has_no_player(system: System) -> None:
    players = system.model.players
    for name, penalty in system.penalties.items():
        missing = [player for player in penalty.players if player not in players]
        if missing:
            raise ConfigError(f"penalty={name} is on the {missing[0]}: {no_such(players)} Set penalty=[].")
    if system.augmentations and "discriminator" not in players:
        raise ConfigError(f"augment is for a discriminator: {no_such(players)} Set augment=[].")


def refuse_unfit_reconstruction(system: System) -> None:
    """Beside a discriminator, which needs another loss; of pixels where there are none."""
    if not isinstance(system.loss, Reconstruction):
        return
    name = type(system.loss).__name__
    if "discriminator" in system.model.players:
        raise ConfigError(
            f"loss is {name}, which is for autoencoders, and this model has a discriminator. "
            "Choose an adversarial one, such as loss=non_saturating."
        )
    if system.loss.needs_images and system.data.spec.height is None:
        raise ConfigError(f"loss is {name}, of pixels, and the data are points: loss=gaussian.")


def refuse_pixels_of_points(system: System) -> None:
    if system.data.spec.height is not None:
        return
    for group, terms in {"penalty": system.penalties, "augment": system.augmentations}.items():
        for name, term in terms.items():
            if term.needs_images:
                raise ConfigError(f"{group}={name} moves pixels, and the data are points. Leave it out: {group}=[].")


def refuse_missing_heads(system: System) -> None:
    for name, penalty in system.penalties.items():
        if penalty.head and not hasattr(getattr(system.model, penalty.head_of, None), penalty.head):
            raise ConfigError(
                f"penalty={name} needs a {penalty.head_of} that has `{penalty.head}`, and this one has not. "
                f"Choose {penalty.models}, or drop the penalty."
            )


def refuse_missing_labels(system: System) -> None:
    classes = system.data.spec.classes_of(system.data.train.labels)
    if system.model.conditional and classes is not None and (classes < 0).any():
        raise ConfigError("data.labelled: a conditional model needs the label of every image. Set data.labelled=null.")


def refuse_missing_sources(system: System) -> None:
    """Partners of every image, for models and penalties that compare the two."""
    data, model = system.data, system.model
    translates, both_ways = model.conditional and data.spec.has_source, model.translates_both_ways
    if both_ways and data.other is None:
        raise ConfigError(
            "this model learns from two kinds of pictures without partners, and these data are pairs. Choose "
            "data=unpaired, data=mnist_unpaired, or model=pix2pix."
        )
    if translates and not both_ways and not data.paired:
        raise ConfigError(
            "this model learns from pairs, and the pictures of these data have no partners. Choose model=cyclegan, or "
            "data=pairs."
        )
    for name, penalty in system.penalties.items():
        if penalty.needs_source and (both_ways or not translates):
            raise ConfigError(
                f"penalty={name} compares what is made of a picture with its partner, and this model is told no "
                "picture that has one. Choose model=pix2pix, or leave the penalty out."
            )
        if penalty.needs_way_back and not both_ways:
            raise ConfigError(
                f"penalty={name} needs a model that translates either way. Choose model=cyclegan, or leave it out."
            )


def refuse_missing_conditions(system: System) -> None:
    for name, penalty in system.penalties.items():
        if penalty.needs_condition and "discriminator" not in system.model.conditioned_networks:
            raise ConfigError(
                f"penalty={name} asks the discriminator whether images are what they are said to be, and this one is "
                "told nothing. Set model.conditional=true, choose model=text_gan, or leave the penalty out."
            )


def refuse_what_moves_images_alone(system: System) -> None:
    """Where the discriminator sees the source beside the image, as it was before."""
    if not system.data.spec.has_source or "discriminator" not in system.model.conditioned_networks:
        return
    for group, terms in {"penalty": system.penalties, "augment": system.augmentations}.items():
        for name, term in terms.items():
            if term.moves_images:
                raise ConfigError(
                    f"{group}={name} moves images, and not the source pictures that the discriminator sees beside "
                    f"them. Leave it out ({group}=[]); data.flip and data.crop move both."
                )


def refuse_what_moves_partners_apart(system: System) -> None:
    """Where the discriminator's maps of both are compared place by place."""
    comparing = [name for name, penalty in system.penalties.items() if penalty.compares_places]
    moving = [name for name, augmentation in system.augmentations.items() if augmentation.moves_images]
    if comparing and moving:
        raise ConfigError(
            f"penalty={comparing[0]} compares what the discriminator sees of an image and of its partner place by "
            f"place, and augment={moving[0]} moves each in its own way. Leave one of them out (augment=[]); data.flip "
            "and data.crop move both."
        )


def no_such(players: Iterable[str]) -> str:
    return f"this model has none ({', '.join(players) or 'nothing is trained by gradients'})."


def refuse_batch_norm_under_gradient_penalty(system: System) -> None:
    for name, penalty in system.penalties.items():
        if penalty.refuses_batch_norm and has_batch_norm(system.model.discriminator):
            raise ConfigError(
                f"penalty={name} with batch normalisation in the discriminator: the penalty bounds each image's own "
                "slope, which batch normalisation mixes (Gulrajani et al. 2017, section 4). "
                "Set model.discriminator.norm=layer (or instance, none)."
            )


def refuse_clipping_under_gradient_penalty(system: System, config: dict[str, Any]) -> None:
    clip = config["trainer"].get("clip_weights")
    names = [name for name, penalty in system.penalties.items() if penalty.refuses_batch_norm]
    if clip is not None and names:
        raise ConfigError(
            f"trainer.clip_weights={clip} with penalty={names}: both hold the critic Lipschitz, and clipped weights "
            "cannot reach the penalty's target. Set trainer.clip_weights=null or penalty=[]."
        )


def refuse_freezing_at_random(config: dict[str, Any]) -> None:
    count = config["trainer"].get("freeze_discriminator")
    if count and not (config["init_from"] or config["resume"]):
        raise ConfigError(
            f"trainer.freeze_discriminator={count}: the layers would stay as random as they start. "
            "Give the run whose weights to fine-tune: init_from=outputs/..."
        )

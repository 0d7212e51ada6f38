"""Runs and starts of training from a file of another program."""

import logging
from pathlib import Path
from typing import Any

from genlab.core.checkpoint import FORMAT, checksum_path
from genlab.core.command_words import as_override
from genlab.core.condition import Classes
from genlab.core.config_differences import classes_in
from genlab.core.errors import ConfigError
from genlab.core.spec import Spec
from genlab.core.weights import load_state
from genlab.importing.imported_model import ImportedModel, describe_classes, describe_size
from genlab.importing.reading import read_model
from genlab.trainers import Trainer

IMPORTED = "imported"  # key of a state that no run of this program wrote
log = logging.getLogger(__name__)


def is_foreign_file(path: str | Path) -> bool:
    """Tell whether a path is a file, and not a checkpoint of this program, which has its checksum beside it."""
    path = Path(path).expanduser()
    return path.is_file() and not checksum_path(path).is_file()


def folder_of_file(path: Path) -> Path:
    """Return where what is made with a file of weights is written."""
    return Path("outputs") / path.stem


def words_of(found: ImportedModel) -> list[str]:
    """Return the words of a command line that build the model."""
    return [f"model={found.model}", *(f"{key}={as_override(value)}" for key, value in found.words.items())]


def state_of_file(path: Path) -> dict[str, Any]:
    """Return a file of another program as a checkpoint of a run without data. Raises ConfigError for any other file."""
    found = read_model(path)
    condition = Classes(found.classes) if found.classes else None
    networks = {f"network/{name}": found.networks[name] for name in ("generator", "discriminator")}
    position = {"images": 0, "step": 0, "turns": {}}
    return {
        "format": FORMAT,
        "config": compose_config(found) | {"data": {IMPORTED: str(path)}, "metrics": {}},
        "fingerprint": "",
        "splits": {},
        "spec": Spec(found.channels, *found.size, images=0, condition=condition).facts(),
        "parts": networks | {"ema": found.networks["ema"], "position": position},
        IMPORTED: found.description,
    }


def compose_config(found: ImportedModel) -> dict[str, Any]:
    """Return the config of training that builds a model."""
    from hydra import compose, initialize_config_module
    from hydra.core.global_hydra import GlobalHydra
    from omegaconf import OmegaConf

    outer = GlobalHydra.instance().hydra
    GlobalHydra.instance().clear()
    try:
        with initialize_config_module("genlab.configs", version_base="1.3"):
            config: Any = OmegaConf.to_container(compose("train", words_of(found)), resolve=True)
    finally:
        GlobalHydra.instance().hydra = outer
    config["trainer"].pop("epochs")  # of a command alone: a run has counted its images
    return config


def load_foreign_weights(trainer: Trainer, path: Path, model: dict[str, Any]) -> None:
    """Load the weights of a file into a trainer's networks, which the config `model` built.

    Raises ConfigError if it holds another model.
    """
    found = read_model(path, key="init_from")
    if this := differing_facts(found, trainer, model):
        raise ConfigError(
            f"init_from={path}: that is {found.description}; this run is {this}. Leave model= and its keys out, and "
            f"the file chooses them; give it pictures of data.size={found.size[0]}."
        )
    averaged = {"ema": trainer.ema.network} if trainer.ema else {}
    networks = {name: player.module for name, player in trainer.players.items()} | averaged
    try:
        for name, network in networks.items():
            load_state(network, found.networks[name], name)
    except ValueError as error:
        raise ConfigError(f"init_from={path}: that is {found.description}, and its {error}.") from error
    log.info("weights of %s: %s", path, found.description)


def differing_facts(found: ImportedModel, trainer: Trainer, config: dict[str, Any]) -> str:
    """Return in words what a run has otherwise than the model of a file; nothing if they agree."""
    spec, wanted = trainer.spec, compose_config(found)["model"]
    classes = (spec.class_count or 0) if trainer.model.conditional else 0
    generator, wanted_generator = (classes_in(model.get("generator"))[:1] for model in (config, wanted))
    others = [key for key in found.words if value_of(config, key) != value_of(wanted, key)]
    facts = [
        f"of another generator ({''.join(generator) or 'none'})" if generator != wanted_generator else "",
        describe_size(spec.height, spec.width) if (spec.height, spec.width) != found.size else "",
        f"of {spec.channels} channels" if spec.channels != found.channels else "",
        describe_classes(classes) if classes != found.classes else "",
        *(f"of {key.lstrip('+')}={value_of(config, key)} instead of {found.words[key]}" for key in others[:1]),
    ]
    return ", ".join(filter(None, facts))


def value_of(model: dict[str, Any], key: str) -> Any:
    """Return the value of a key such as `model.generator.width`; None: there is none."""
    node: Any = model
    for name in key.split(".")[1:]:
        node = node.get(name) if isinstance(node, dict) else None
    return node

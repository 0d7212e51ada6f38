"""Builds the objects that a resolved config describes. Only build/, cli/ and the entry points import Hydra."""

import inspect
import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import nn

from genlab.build import checks
from genlab.build.arguments import check_node, explain_call, make, require_target
from genlab.build.imported_run import IMPORTED
from genlab.build.memory import is_too_large, make_within_memory, require_memory_for_training
from genlab.build.rehearsal import refuse_single_images
from genlab.build.targets import locate, require_kind_of_object
from genlab.callbacks.scores import Scores
from genlab.core.errors import ConfigError
from genlab.core.network_limit import Limit, limited_networks
from genlab.core.random import mix
from genlab.core.trust import untrusted_packages
from genlab.core.types import Positive
from genlab.core.validation import validate
from genlab.data import InMemory
from genlab.data.augment.augmentation import Augmentation
from genlab.losses import AdversarialLoss, Penalty, Reconstruction
from genlab.models.contract import Model
from genlab.trainers import Run, System, Trainer
from genlab.trainers.callback import Callback
from genlab.trainers.sample_stream import SampleStream

GROUPS = ("data", "model", "loss", "penalty", "augment", "optimizer", "trainer", "metrics", "callbacks")
KINDS: dict[str, Any] = {
    "data": InMemory,
    "model": nn.Module,
    "loss": AdversarialLoss | Reconstruction,
    "trainer": Trainer,
    "metrics": Scores,
}
log = logging.getLogger(__name__)


def trainer(
    config: dict[str, Any],
    run_dir: Path,
    data: InMemory | None = None,
    *,
    limit: Limit | None = None,  # of the model's size
) -> Trainer:
    """Build the trainer that a resolved config describes. Raises ConfigError for what cannot work."""
    epochs = take_epochs(config)
    require_groups(config)
    for group in GROUPS:
        config[group] = check_node(config[group], group, KINDS.get(group, Any))
    data = data or dataset(config["data"])
    if epochs is not None:
        config["trainer"]["images"] = max(1, round(epochs * data.spec.images))
    optimizers = dict(config["optimizer"])
    system = System(
        model=make_within_memory(lambda: model_of(config, data, limit), config),
        data=data,
        loss=make(config["loss"], "loss"),
        penalties=make_each(config["penalty"], "penalty", Penalty),
        augmentations=make_each(config["augment"], "augment", Augmentation),
        schedule=make(optimizers.pop("schedule"), "optimizer.schedule"),
        optimizers={name: optimizer(node, f"optimizer.{name}") for name, node in optimizers.items()},
    )
    run = Run(dir=run_dir, seed=config["seed"], config=config, callbacks=callbacks(config))
    checks.check(system, config)
    require_memory_for_training(system, config)
    made = make_kind(config["trainer"], Trainer, "trainer", system, run)
    refuse_single_images(made)
    return made


def take_epochs(config: dict[str, Any]) -> float | None:
    """Take `trainer.epochs` out of a config; it is there even where a model's YAML chooses no trainer."""
    chosen = config.get("trainer", {})
    epochs = validate(chosen.pop("epochs", None), Positive | None, "trainer.epochs")
    if not chosen:
        config.pop("trainer", None)
    return epochs


def require_groups(config: dict[str, Any]) -> None:
    for group in GROUPS:
        if group not in config:
            raise ConfigError(
                f"{group}: this model's YAML chooses none. Its first line must be `# @package _global_`, and its "
                f"`defaults` name what it was published with: `- /{group}: ...`. configs/model/gan.yaml is an example."
            )


def sample_stream(
    config: dict[str, Any],
    data: InMemory | None = None,
    *,
    seen: int,
    limit: Limit | None = None,  # of the model's size
) -> SampleStream:
    """Build the source of samples of a run after `seen` images, without what only training needs.

    No optimizer, penalty, augmentation or callback is built, and no loss but one that reads a decoder's output.
    """
    data = data or dataset(check_node(config["data"], "data"))
    config = config | {group: check_node(config[group], group) for group in ("model", "loss", "trainer")}
    require_target(config["trainer"], "trainer")
    node = config["trainer"] | {"_target_": f"{config['trainer']['_target_']}.sample_stream"}
    loss = partial(make, config["loss"], "loss")
    return make(node, "trainer", model_of(config, data, limit), data, seed=config["seed"], loss=loss, seen=seen)


def model_of(config: dict[str, Any], data: InMemory, limit: Limit | None = None) -> Model:
    torch.manual_seed(mix(config["seed"], "weights"))
    trusts_others = untrusted_packages(config["model"])  # whose code may keep what it likes beside its weights
    with limited_networks(None if trusts_others else limit), explained_runtime_errors("model", config["model"]):
        return make(config["model"], "model", data.spec)


def dataset(node: dict[str, Any]) -> InMemory:
    if "from_python" in node:
        raise ConfigError(
            f"data: the images of this run ({node['from_python']}) were given from Python. Give them again: "
            "genlab.run([...], data=...) resumes it, genlab.load(RUN, data=...) opens it. Or name files that hold "
            "them: data=folder data.root=PATH."
        )
    if IMPORTED in node:
        raise ConfigError(
            f"data: {node[IMPORTED]} holds weights without pictures. Name some: data=NAME, or data=folder "
            "data.root=PATH."
        )
    try:
        return make_kind(node, InMemory, "data")
    except (ConfigError, MemoryError, RuntimeError) as error:
        if not is_too_large(error):
            raise
        keys = " and ".join(f"data.{key}={node[key]}" for key in ("size", "limit", "points") if node.get(key))
        raise ConfigError(f"{keys or 'data'}: the images need more memory than there is here. Set less.") from error


def callbacks(config: dict[str, Any]) -> dict[str, Callback]:
    """Build the callbacks, scores first, so that a checkpoint holds the newest ones."""
    scores = {"scores": make(config["metrics"], "metrics")} if config["metrics"] else {}
    return scores | make_each(config["callbacks"], "callbacks", Callback)


def make_each(nodes: dict[str, Any], key: str, kind: type) -> dict[str, Any]:
    keys = {name: f"{key}.{name}" for name, node in nodes.items() if node is not None}
    return {name: make_kind(nodes[name], kind, keys[name]) for name in keys}


def make_kind(node: dict[str, Any], kind: type, key: str, *args: Any) -> Any:
    """Instantiate a node whose class is derived from `kind`. Raises ConfigError for another one."""
    require_target(node or {}, key)
    require_kind_of_object(node, kind, key)
    return require_kind(make(node, key, *args), kind, key)


def require_kind(part: Any, kind: type, key: str) -> Any:
    """Return the part. Raises ConfigError if its class is not derived from `kind`."""
    if not isinstance(part, kind):
        raise ConfigError(
            f"{key}._target_={type(part).__module__}.{type(part).__qualname__}: expected a class derived from "
            f"{kind.__module__}.{kind.__qualname__}."
        )
    return part


def optimizer(node: dict[str, Any], key: str) -> Callable[..., torch.optim.Optimizer]:
    """Return a function from parameters to their optimizer, fused where possible unless the config says otherwise."""
    require_target(node or {}, key)
    require_kind_of_object(node, torch.optim.Optimizer, key)
    fused = {"fused": True} if "fused" in inspect.signature(locate(node["_target_"], key)).parameters else {}

    def optimize(parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
        with explained_runtime_errors(key, node):
            return make(fused | node, key, parameters)

    return optimize


@contextmanager
def explained_runtime_errors(key: str, node: dict[str, Any]) -> Iterator[None]:
    """Raise ConfigError for values that torch refuses by a RuntimeError, but not where memory ran out."""
    try:
        yield
    except RuntimeError as error:
        if is_too_large(error):
            raise
        raise ConfigError(f"{key}: {explain_call(error, node)}") from error

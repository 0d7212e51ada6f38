"""`experiment=own_pictures`: looks at the pictures of `data.root`, and adds the words that suit them to a command.

`data=folder` without a model or an experiment means the same. What the user typed stays as it is.
"""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from genlab.cli import menu
from genlab.cli.composition import CONFIGS, explained_errors, load_config, search_path
from genlab.cli.resumed_words import resumed_run
from genlab.cli.words import split_flags
from genlab.core import distributed
from genlab.core.errors import ConfigError
from genlab.core.types import Count
from genlab.core.validation import validate

if TYPE_CHECKING:
    from omegaconf import DictConfig

    from genlab.choosing.recipes import Choice, Machine

EXPERIMENT = "experiment=own_pictures"
GIB = 2**30  # bytes
TOLD = ("data.size", "trainer.images")  # keys from whose values others follow
TAKES_PLACE = {"trainer.images": ("trainer.epochs",)}  # keys that say the same otherwise


def with_experiment(words: list[str]) -> list[str]:
    """Return the words, with the experiment's where they choose its data and neither a model nor an experiment."""
    keys = keys_of(words)
    alone = not keys & {"model", "experiment"} and resumed_run(words) is None
    return [*words, EXPERIMENT] if alone and f"data={data_of_experiment()}" in words else words


def keys_of(words: Iterable[str]) -> set[str]:
    return {word.partition("=")[0].lstrip("+~") for word in words if "=" in word or word.startswith("~")}


def data_of_experiment() -> str:
    """Return the data that the experiment's YAML is for."""
    import yaml

    path = menu.folder_of("experiment") / f"{EXPERIMENT.partition('=')[2]}.yaml"
    defaults = yaml.safe_load(path.read_text(encoding="utf-8"))["defaults"]
    return next(entry["override /data"] for entry in defaults if "override /data" in entry)


def completed_arguments(arguments: list[str], where: dict[str, Any]) -> list[str]:
    """Return a command's arguments with the chosen words, if the experiment is among them."""
    if EXPERIMENT not in arguments:
        return arguments
    flags, words = split_flags(arguments)
    with explained_errors(arguments, where):
        config = load_config([*search_path(flags), *words], where)
    return [*flags, *completed_words(words, config)]


def completed_config(config: DictConfig, words: list[str]) -> DictConfig:
    """Return the config of a sweep's job, which its words compose to, with the chosen words; call it in the job."""
    if EXPERIMENT not in words:
        return config
    where, path = {"config_path": CONFIGS, "config_name": "train"}, search_path(sys.argv[1:])
    with outside_of_hydra(), explained_errors([*sys.argv[1:], *words], where):
        return load_config([*path, *completed_words(words, config)], where)


@contextmanager
def outside_of_hydra() -> Iterator[None]:
    """Compose another config in a job, in which Hydra refuses to begin anew."""
    from hydra.core.global_hydra import GlobalHydra

    instance = GlobalHydra.instance()
    before = instance.hydra
    instance.clear()
    try:
        yield
    finally:
        instance.hydra = before


def completed_words(words: list[str], config: DictConfig) -> list[str]:
    """Return a command's words with the chosen ones in place of the experiment's, and print what was chosen and why.

    `config` is what the words compose to. Raises ConfigError for pictures that cannot be trained on.
    """
    from genlab.build.arguments import check_node
    from genlab.choosing.pictures import describe, look_at
    from genlab.choosing.recipes import choose

    typed = [word for word in words if word != EXPERIMENT]
    data_word = f"data={data_of_experiment()}"
    if other := [word for word in typed if word.startswith("data=") and word != data_word]:
        raise ConfigError(f"{EXPERIMENT} {other[0]}: it looks at files of your own: {data_word} data.root=PATH.")
    data = check_node(plain(config, "data"), "data")
    pictures = look_at(data["root"], **{key: data[key] for key in ("limit", "test_share", "test_group")})
    keys = keys_of(typed) - {"data"}  # the choice itself, which says nothing of what it holds
    asked = {key: validate(plain(config, key), Count | None, key) for key in TOLD if key in keys}
    choices = choose(pictures, machine(plain(config, "trainer.device") or "auto"), asked, has_model="model" in keys)
    taken = [choice for choice in choices if not is_typed(choice.key, keys)]
    full = [data_word, *(word for word in typed if word != data_word), *(choice.word for choice in taken)]
    if distributed.is_main():
        print_choices(describe(pictures), taken, full)
    return full


def plain(config: DictConfig, key: str) -> Any:
    """Return the value of a key, resolved."""
    from omegaconf import OmegaConf

    whole: Any = OmegaConf.select(config, key)
    return OmegaConf.to_container(whole, resolve=True) if OmegaConf.is_config(whole) else whole


def is_typed(key: str, typed: set[str]) -> bool:
    """Tell whether the user gave a key, another that says the same, or the choice of what holds it."""
    names = (key, *TAKES_PLACE.get(key, ()))
    return any(one == name or name.startswith(f"{one}.") for one in typed for name in names)


def machine(device: str) -> Machine:
    """Return the device of this name and its memory. Raises ConfigError for one that is not there."""
    import torch

    from genlab.choosing.recipes import Machine
    from genlab.core.device import choose_device

    found = choose_device(device)
    memory = torch.cuda.get_device_properties(found).total_memory / GIB if found.type == "cuda" else 0.0
    return Machine(found.type, memory)


def print_choices(found: str, choices: list[Choice], words: list[str]) -> None:
    width = max((len(choice.word) for choice in choices), default=0)
    lines = [f"  {choice.word:<{width}}  {choice.reason}".rstrip() for choice in choices]
    command = shlex.join(word for word in words if not word.startswith("dry_run="))
    print("\n".join([found, *lines, f"  python -m genlab.train {command}"]), flush=True)

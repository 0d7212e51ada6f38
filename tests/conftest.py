"""What tests share: tiny data, and trainers built the way the command line builds them."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # tests run side by side

from pathlib import Path

import pytest
import torch
from hydra import compose, initialize_config_module
from omegaconf import OmegaConf

from genlab import build
from genlab.data import InMemory, Split

CONFIGS = Path(__file__).parent.parent / "configs"


def choices(group: str) -> list[str]:
    return sorted(path.stem for path in (CONFIGS / group).glob("*.yaml"))


def read(group: str, name: str) -> dict:
    """One YAML as it stands."""
    return OmegaConf.to_container(OmegaConf.load(CONFIGS / group / f"{name}.yaml"))


def composed(*overrides: str) -> dict:
    """The resolved config of a command line."""
    OmegaConf.register_new_resolver("started", lambda: "now", replace=True)
    with initialize_config_module("genlab.configs", version_base="1.3"):
        return OmegaConf.to_container(compose("train", list(overrides)), resolve=True)


def tiny_data(channels: int = 1, size: int = 8, images: int = 64) -> InMemory:
    """Random pixels with ten classes."""
    source = torch.Generator().manual_seed(7)
    pixels = torch.randint(0, 256, (images, channels, size, size), generator=source, dtype=torch.uint8)
    return InMemory(Split(pixels, torch.arange(images) % 10), name="tiny")


TINY = ("metrics=none", "callbacks=none", "trainer.batch_size=8", "trainer.images=64", "trainer.device=cpu")
NARROW = ("model.generator.width=4", "model.discriminator.width=4")
NARROW_MLP = ("model.generator.widths=[8,8]", "model.discriminator.widths=[8,8]")


SMALL = {"width": 4, "most": 8, "group": 2, "embedding_size": 8, "code_size": 8, "number": 8}


def narrow(model: str) -> tuple[str, ...]:
    """Overrides that make a model's networks small."""
    return tuple(f"model.{key}={value}" for key, value in shrunk(composed(f"model={model}")["model"]))


def shrunk(node: dict, path: str = ""):
    for key, value in node.items():
        if isinstance(value, dict):
            yield from shrunk(value, f"{path}{key}.")
        elif key == "widths":
            yield f"{path}{key}", str([8] * len(value)).replace(" ", "")
        elif key in SMALL:
            yield f"{path}{key}", SMALL[key]


@pytest.fixture
def make_trainer(tmp_path):
    def make(*overrides: str, data: InMemory | None = None, directory: Path | None = None):
        return build.trainer(composed(*TINY, *overrides), directory or tmp_path, data or tiny_data())

    return make

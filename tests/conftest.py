"""What tests share: tiny data, and trainers built the way the command line builds them."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # tests run side by side

from pathlib import Path

import pytest
import torch
from hydra import compose, initialize_config_module
from omegaconf import OmegaConf

from genlab import build, checkpoint
from genlab.data import InMemory, Split
from genlab.sampling import Loaded

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


NEEDED = {  # what a model does not start without, as small as can be
    "projected_gan": (
        "model.discriminator.weights=random",
        "model.discriminator.network._target_=torchvision.models.shufflenet_v2_x0_5",
        "model.discriminator.size=32",
    ),
}


def needed(model: str) -> tuple[str, ...]:
    return NEEDED.get(model, ())


def narrow(model: str) -> tuple[str, ...]:
    """Overrides that make a model's networks small."""
    small = (f"model.{key}={value}" for key, value in shrunk(composed(f"model={model}")["model"]))
    return (*small, *needed(model))


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


def saved(folder, *words, data=None):
    """A trainer of 8 x 8 images and its checkpoint, as training writes it; its data are not what its config says."""
    trainer = build.trainer(composed(*TINY, *words), folder, data or tiny_data())
    options = {"config": trainer.config, "fingerprint": "", "spec": trainer.spec}
    checkpoint.save(folder / "checkpoints" / "0000000000.pt", trainer.parts, **options)
    return trainer


def framed_data() -> InMemory:
    """8 x 8 images, 2 pixels of which are a frame; ten classes."""
    source = torch.Generator().manual_seed(3)
    inner = torch.randint(0, 256, (64, 1, 4, 4), generator=source, dtype=torch.uint8)
    return InMemory(Split(torch.nn.functional.pad(inner, [2] * 4), torch.arange(64) % 10), padding=2, name="framed")


@pytest.fixture(scope="session")
def plain(tmp_path_factory):
    """A run of a GAN with batch normalisation."""
    return saved(tmp_path_factory.mktemp("plain"), "model=dcgan", *narrow("dcgan")).run_dir


@pytest.fixture(scope="session")
def conditional(tmp_path_factory):
    return saved(tmp_path_factory.mktemp("conditional"), "model=cgan", *narrow("cgan")).run_dir


@pytest.fixture(scope="session")
def points(tmp_path_factory):
    data = InMemory(Split(torch.randn(64, 2)), scale=2.0)
    return saved(tmp_path_factory.mktemp("points"), "model=gan", *narrow("gan"), data=data).run_dir


@pytest.fixture
def encoder(tmp_path):
    """An autoencoder with its data."""
    return Loaded(saved(tmp_path, "model=vae", *narrow("vae"), data=framed_data()))

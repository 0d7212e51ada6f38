"""What tests share: tiny data, and trainers built the way the command line builds them."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # tests run side by side
os.environ["GENLAB_TRUST"] = "tests"  # runs of theirs are made of classes in tests/

from collections.abc import Iterable
from copy import deepcopy
from functools import cache
from pathlib import Path

import pytest
import torch
from hydra import compose, initialize_config_module
from omegaconf import OmegaConf

from genlab.build import instantiate as build
from genlab.build.runs import open_run
from genlab.core import checkpoint
from genlab.core.words import Words
from genlab.data import InMemory, Split
from genlab.data.sets.unpaired_from_pairs import UnpairedFromPairs
from genlab.sampling import Loaded

CONFIGS = Path(__file__).parent.parent / "configs"


@pytest.fixture(autouse=True)
def seeded():
    """Each test draws the same numbers, whichever ran before it."""
    torch.manual_seed(0)


def choices(group: str) -> list[str]:
    return sorted(path.stem for path in (CONFIGS / group).glob("*.yaml"))


def read(group: str, name: str) -> dict:
    """One YAML as it stands."""
    return OmegaConf.to_container(OmegaConf.load(CONFIGS / group / f"{name}.yaml"))


def composed(*overrides: str) -> dict:
    """The resolved config of a command line. Hydra takes 0.2 s of a core for one, so they are kept."""
    return deepcopy(_compose(overrides))


@cache
def _compose(overrides: tuple[str, ...]) -> dict:
    OmegaConf.register_new_resolver("started", lambda: "now", replace=True)
    with initialize_config_module("genlab.configs", version_base="1.3"):
        return OmegaConf.to_container(compose("train", list(overrides)), resolve=True)


def tiny_data(channels: int = 1, size: int = 8, images: int = 64, task: str | None = None) -> InMemory:
    """Random pixels with ten classes; or to be made from what the task makes of them."""
    source = torch.Generator().manual_seed(7)
    pixels = torch.randint(0, 256, (images, channels, size, size), generator=source, dtype=torch.uint8)
    return InMemory(Split(pixels, torch.arange(images) % 10), name="tiny", task=task)


def like(node: dict, channels: int = 1, size: int = 8) -> InMemory:
    """Tiny data of the kind that a config's are: images, pairs that a task makes of them, or pairs taken apart."""
    if "of" in node:
        return UnpairedFromPairs(tiny_data(channels, size, task="rotation"))
    return tiny_data(channels, size, task=node.get("task"))


def data_of(model: str, channels: int = 1, size: int = 8) -> InMemory:
    """Like those that a model comes with."""
    return like(composed(f"model={model}")["data"], channels, size)


TINY = ("metrics=none", "callbacks=none", "trainer.batch_size=8", "trainer.images=64", "trainer.device=cpu")
NARROW = ("model.generator.width=4", "model.discriminator.width=4")


def replace_words(words: Iterable[str], *added: str) -> list[str]:
    """Words of a command with others, which take the place of those with the same key."""
    keys = {word.partition("=")[0] for word in added}
    return [word for word in words if word.partition("=")[0] not in keys] + [*added]


NARROW_MLP = ("model.generator.widths=[8,8]", "model.discriminator.widths=[8,8]")


SMALL = {"width": 4, "most": 8, "group": 2, "embedding_size": 8, "style_size": 8, "code_size": 8, "number": 8}


NEEDED = {  # what a model does not start without, as small as can be
    "projected_gan": (
        "model.discriminator.weights=random",
        "model.discriminator.network._target_=torchvision.models.shufflenet_v2_x0_5",
        "model.discriminator.size=32",
    ),
}


NEEDED |= dict.fromkeys(  # these are experiments, with VGG19's features
    ("super_resolution_paper", "segmentation_to_image_paper"), ("penalty.perceptual.features.weights=random",)
)

NEEDED["fastgan_paper"] = tuple(f"penalty.feature_decoding.distance.{name}=random" for name in ("weights", "vgg"))


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
        config = composed(*TINY, *overrides)
        return build.trainer(config, directory or tmp_path, data or like(config["data"]))

    return make


def saved(folder, *words, data=None):
    """A trainer of 8 x 8 images and its checkpoint, as training writes it; its data are not what its config says."""
    config = composed(*TINY, *words)
    data = data or like(config["data"])
    return kept(build.trainer(config, folder, data), folder)


def kept(trainer, folder):
    options = {"config": trainer.config, "fingerprint": "", "spec": trainer.spec}
    checkpoint.save(folder / "checkpoints" / "0000000000.pt", trainer.parts, **options)
    return trainer


def loaded_run(folder, *words, data=None) -> Loaded:
    """Such a run as `genlab.load` gives it, with its data."""
    return Loaded(open_run(saved(folder, *words, data=data).run_dir, data=data, device="cpu"))


def styled(folder, *words):
    """The same of a style-based generator, whose mean style has been tracked for a few steps."""
    config = composed(*TINY, "model=dcgan", *narrow("dcgan"), "model.latent.size=5", *words)
    config["model"]["generator"] = {"_target_": "tests.tiny_style.TinyStyle", "_partial_": True}
    trainer = build.trainer(config, folder, tiny_data())
    trainer.fit()
    return kept(trainer, folder)


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


def pictured(channels: int = 1, sources: int = 1, size: int = 8, images: int = 32, **facts) -> InMemory:
    """Random pictures, each with another as its source; sixteen to test with."""
    source = torch.Generator().manual_seed(11)
    shapes = [(images + 16, channels, size, size), (images + 16, sources, size, size)]
    pixels = [torch.randint(0, 256, shape, generator=source, dtype=torch.uint8) for shape in shapes]
    train, test = (Split(*(part[rows] for part in pixels)) for rows in (slice(images), slice(images, None)))
    return InMemory(train, test=test, name="pairs", **facts)


def unpaired(channels: int = 1, sources: int = 1, size: int = 8, aligned: bool = True, **facts) -> InMemory:
    """The same without the pairing of what is trained on; five fewer sources than images."""
    pairs, options = pictured(channels, sources, size), facts | {"name": "unpaired"}
    other = InMemory(Split(pairs.pool.labels[5:]), test=Split(pairs.test.labels), **facts)
    test = Split(pairs.test.images)
    return InMemory(Split(pairs.pool.images), test=test, other=other, aligned=aligned, **options)


@pytest.fixture(scope="session")
def two_way(tmp_path_factory):
    """A run of CycleGAN: grey pictures of 8 x 8 to colour, and back."""
    words, data = ("model=cyclegan", *narrow("cyclegan"), "penalty=[cycle]"), unpaired(channels=3)
    return saved(tmp_path_factory.mktemp("two_way"), *words, data=data).run_dir


WORDS = ("blue", "cat", "dog", "red", "small")


def worded(channels: int = 1, size: int = 8, images: int = 64) -> InMemory:
    """Random pictures of `red cat`, `blue dog`, `small red dog` and `cat` in turn; sixteen to test with."""
    source = torch.Generator().manual_seed(13)
    pixels = torch.randint(0, 256, (images + 16, channels, size, size), generator=source, dtype=torch.uint8)
    texts = torch.tensor([[4, 2, 0], [1, 3, 0], [5, 4, 3], [2, 0, 0]]).repeat(images // 4 + 4, 1)
    train, test = (Split(pixels[rows], texts[rows]) for rows in (slice(images), slice(images, None)))
    return InMemory(train, test=test, condition=Words(WORDS, 3), class_names=["cat", "dog"], name="worded")


@pytest.fixture(scope="session")
def texter(tmp_path_factory):
    """A run of text_gan that is told words."""
    words, data = ("model=text_gan", *narrow("text_gan")), worded()
    return saved(tmp_path_factory.mktemp("texter"), *words, data=data).run_dir


@pytest.fixture(scope="session")
def translator(tmp_path_factory):
    """A run of pix2pix: grey pictures of 8 x 8 to colour."""
    words, data = ("model=pix2pix", *narrow("pix2pix")), pictured(channels=3)
    return saved(tmp_path_factory.mktemp("translator"), *words, data=data).run_dir


@pytest.fixture(scope="session")
def style_based(tmp_path_factory):
    return styled(tmp_path_factory.mktemp("style_based")).run_dir


@pytest.fixture(scope="session")
def points(tmp_path_factory):
    data = InMemory(Split(torch.randn(64, 2)), scale=2.0)
    return saved(tmp_path_factory.mktemp("points"), "model=gan", *narrow("gan"), data=data).run_dir


@pytest.fixture
def encoder(tmp_path):
    """An autoencoder with its data."""
    return loaded_run(tmp_path, "model=vae", *narrow("vae"), data=framed_data())

"""Tiny runs of 8 x 8 images, saved as training saves them: their data are not what their config says."""

import pytest
import torch

from genlab import build, checkpoint
from genlab.data import InMemory, Split
from genlab.sampling import Loaded
from tests.conftest import TINY, composed, narrow, tiny_data


def saved(folder, *words, data=None):
    trainer = build.trainer(composed(*TINY, *words), folder, data or tiny_data())
    options = {"config": trainer.config, "fingerprint": "", "spec": trainer.spec}
    checkpoint.save(folder / "checkpoints" / "0000000000.pt", trainer.parts, **options)
    return trainer


def framed_data():
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

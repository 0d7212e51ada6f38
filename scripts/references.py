"""References of `quality.py`: real images, a small VAE, and systems trained for a fixed time."""

from __future__ import annotations

import json
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from omegaconf import OmegaConf
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

import genlab
from genlab.core.errors import ConfigError
from genlab.core.pixels import as_saved

FOLDER = Path("outputs/references")
PROBE_SECONDS = 20.0  # of a run that measures a system's speed, for its schedule
UNLIMITED_IMAGES = 10**8  # the time ends the run


@dataclass(frozen=True)
class Reference:
    overrides: str
    decays: bool = False  # its learning rate decays to trainer.images, which must fit into the time


PUBLISHED = (  # two layers at 28 x 28, narrow enough for a CPU, independent of defaults
    "model=wgan_gp model.generator.width=48 model.generator.upsampling=transposed model.generator.norm=batch "
    "model.discriminator.width=48 model.discriminator.norm=none trainer.batch_size=64 metrics=none"
)
REFERENCES = {
    "wgan_gp_plain": Reference(
        f"{PUBLISHED} penalty=[gradient_penalty] optimizer=adam_wgan_gp trainer=alternating_5 trainer.ema=null"
    ),
    "wgan_gp_one": Reference(
        f"{PUBLISHED} penalty=[gradient_penalty] optimizer=adam_wgan_gp trainer=alternating "
        "optimizer.generator.lr=1e-3 optimizer.discriminator.lr=1e-3 "
        "optimizer.schedule._target_=genlab.trainers.Linear",
        decays=True,
    ),
    "non_saturating_r1": Reference(
        f"{PUBLISHED} loss=non_saturating penalty=[r1] penalty.r1.every=16 optimizer=adam trainer=alternating"
    ),
}


def train_reference(name: str, seconds: float, device: str) -> Path:
    """Train a reference unless it is there; return its directory, which gets its name once complete."""
    folder = FOLDER / name
    if not folder.exists():
        images = images_in_time(name, seconds, device) if REFERENCES[name].decays else UNLIMITED_IMAGES
        train_afresh(name, seconds, images, device).rename(folder)
    before = OmegaConf.load(folder / "config.yaml").trainer.max_time
    if before != seconds:
        raise ConfigError(f"{folder} was trained with --seconds {before:g}: give the same, or delete it.")
    return folder


def images_in_time(name: str, seconds: float, device: str) -> int:
    """Return the images that fit into the time, at the speed of a short run."""
    probe = train_afresh(name, min(PROBE_SECONDS, seconds), UNLIMITED_IMAGES, device)
    facts = json.loads((probe / "summary.json").read_text(encoding="utf-8"))
    return round(seconds * facts["images"] / facts["seconds"])


def train_afresh(name: str, seconds: float, images: int, device: str) -> Path:
    """Train from the start: a stopped run is not continued, as its clock would start again."""
    folder = FOLDER / f"{name}.unfinished"
    shutil.rmtree(folder, ignore_errors=True)
    limits = [f"trainer.max_time={seconds}", f"trainer.images={images}", f"trainer.device={device}"]
    genlab.run([*REFERENCES[name].overrides.split(), *limits, f"hydra.run.dir={folder}"])
    return folder


def real_samples(train: Tensor, count: int) -> Tensor:
    """Return training images: no generator scores better except by chance or copying."""
    return train[torch.randperm(len(train), generator=torch.Generator().manual_seed(0))[:count]]


class VAE(nn.Module):
    """784-400-20 and back, Bernoulli pixels: Kingma and Welling 2014, appendices B and C."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(784, 400), nn.ReLU(), nn.Linear(400, 2 * 20))
        self.decoder = nn.Sequential(nn.Linear(20, 400), nn.ReLU(), nn.Linear(400, 784))

    def forward(self, pixels: Tensor) -> Tensor:
        """Return the mean negative evidence lower bound of pixels [N, 784] in [0, 1]."""
        mean, log_variance = self.encoder(pixels).chunk(2, dim=1)
        logits = self.decoder(mean + torch.randn_like(mean) * (log_variance / 2).exp())
        divergence = (mean.square() + log_variance.exp() - 1 - log_variance).sum() / 2
        return (binary_cross_entropy_with_logits(logits, pixels, reduction="sum") + divergence) / len(pixels)


def vae_samples(train: Tensor, count: int, epochs: int = 3) -> tuple[dict[str, Any], Tensor]:
    """Train a VAE on images [N, 1, 28, 28] in [-1, 1]; return a record and samples (pixels' expected values)."""
    torch.manual_seed(0)
    model, pixels, began = VAE(), (train.flatten(1) + 1) / 2, time.monotonic()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, fused=True)
    for rows in (rows for _ in range(epochs) for rows in torch.randperm(len(pixels)).split(128)):
        optimizer.zero_grad(set_to_none=True)
        model(pixels[rows]).backward()
        optimizer.step()
    seconds = time.monotonic() - began
    with torch.no_grad():
        samples = model.decoder(torch.randn(count, 20)).sigmoid() * 2 - 1
    return {"name": "VAE", "images": epochs * len(pixels), "seconds": seconds}, as_saved(samples.view(-1, 1, 28, 28))

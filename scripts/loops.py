"""The training loops that `benchmark.py` compares: genlab's own, a bare one, and the one that tutorials teach.

All three train the same networks with the same loss at the same batch size and n_critic, from the same config.
"""

from __future__ import annotations

import gzip
import tempfile
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from hydra import compose, initialize_config_module
from omegaconf import OmegaConf
from torch import Tensor, nn
from torch.nn.functional import softplus
from torch.utils.data import DataLoader, Dataset, TensorDataset

from genlab.build import instantiate as build
from genlab.core.device import keep_freed_memory
from genlab.core.spec import Spec
from genlab.data import InMemory
from genlab.data.dataset import Split
from genlab.data.sets.mnist import BUNDLED
from genlab.models.layer_contract import has_batch_norm
from genlab.models.layers.resample import UpsampleConv2d

RANDOM_IMAGES = 2_048  # in data sets other than MNIST
UNLIMITED_IMAGES = 10**12  # no slice reaches the end of the run


@dataclass(frozen=True)
class Workload:
    overrides: str  # of configs/train.yaml, as on the command line
    target: float  # genlab's images/s over the tutorial loop's
    random_size: int | None = None  # pixels a side of random colour images; None: MNIST

    def settings(self, device: str) -> dict[str, Any]:
        """Return the resolved config, without callbacks except the log, whose flush is part of training's cost."""
        shared = [f"trainer.device={device}", f"trainer.images={UNLIMITED_IMAGES}", "metrics=none"]
        with initialize_config_module("genlab.configs", version_base="1.3"):
            composed = compose("train", [*self.overrides.split(), *shared])
        settings = OmegaConf.to_container(composed, resolve=True)
        return settings | {"callbacks": {"log": settings["callbacks"]["log"]}}

    def data(self, settings: dict[str, Any]) -> InMemory:
        if self.random_size is None:
            return build.make(settings["data"], "data")
        shape = (RANDOM_IMAGES, 3, self.random_size, self.random_size)
        source = torch.Generator().manual_seed(0)
        return InMemory(Split(torch.randint(256, shape, generator=source, dtype=torch.uint8)))


class Genlab:
    """The trainer that the command line would run, with its statistics, averaged weights and log."""

    def __init__(self, workload: Workload, device: str) -> None:
        keep_freed_memory()
        settings = workload.settings(device)
        self.trainer = build.trainer(settings, Path(tempfile.gettempdir()), workload.data(settings))

    def run(self, steps: int) -> int:
        """Run that many steps; return the images shown."""
        trainer, first = self.trainer, self.trainer.images
        goal, trainer.stop_reason = trainer.step + steps, None
        trainer.fit(lambda: trainer.step >= goal)
        return trainer.images - first


class Bare:
    """Every technique that makes genlab fast, written out by hand: no config, statistics or reproducible draws."""

    def __init__(self, workload: Workload, device: str) -> None:
        keep_freed_memory()
        torch.backends.cudnn.benchmark = True
        settings = workload.settings(device)
        data = workload.data(settings)
        self.recipe, self.device = Recipe.of(settings), torch.device(device)
        self.images = data.train.images.to(self.device)
        self.order = shuffled_batches(len(self.images), self.recipe.batch, self.device)
        self.model = build_network(settings, data.spec).to(self.device).to(memory_format=torch.channels_last)
        self.generator, self.discriminator = self.model.generator, self.model.discriminator
        self.apart = has_batch_norm(self.discriminator)
        self.averaged = deepcopy(self.generator).requires_grad_(False)
        self.pairs = floating_tensors(self.averaged), floating_tensors(self.generator)
        self.generator_adam = self.recipe.adam(self.generator, "generator", fused=True)
        self.discriminator_adam = self.recipe.adam(self.discriminator, "discriminator", fused=True)

    def run(self, steps: int) -> int:
        """Run that many steps; return the images shown."""
        for _ in range(steps):
            self.step()
        return steps * self.recipe.n_critic * self.recipe.batch

    def step(self) -> None:
        fake = self.move_generator() if self.recipe.reuse_fakes else None
        for _ in range(self.recipe.n_critic):
            self.move_discriminator(fake)
        if not self.recipe.reuse_fakes:
            self.move_generator()
        torch._foreach_lerp_(*self.pairs, 0.01)

    def move_generator(self) -> Tensor:
        self.discriminator.requires_grad_(False)
        fake = self.generator(self.noise())
        logits = self.discriminator(fake)
        loss = -logits.mean() if self.recipe.penalty else softplus(-logits).mean()
        self.generator_adam.zero_grad(set_to_none=True)
        loss.backward()
        self.generator_adam.step()
        return fake.detach()

    def move_discriminator(self, fake: Tensor | None) -> None:
        self.discriminator.requires_grad_(True)
        real, fake = self.batch(), self.fakes() if fake is None else fake
        real_logits, fake_logits = self.judge(real, fake)
        if self.recipe.penalty:
            slope = gradient_penalty(self.discriminator, real, fake, self.uniform(len(real)))
            loss = (fake_logits - real_logits).mean() + self.recipe.penalty * slope
        else:
            loss = (softplus(-real_logits) + softplus(fake_logits)).mean()
        self.discriminator_adam.zero_grad(set_to_none=True)
        loss.backward()
        self.discriminator_adam.step()

    def judge(self, real: Tensor, fake: Tensor) -> tuple[Tensor, Tensor]:
        if self.apart:
            return self.discriminator(real), self.discriminator(fake)
        return self.discriminator(torch.cat([real, fake])).chunk(2)

    @torch.no_grad()
    def fakes(self) -> Tensor:
        return self.generator(self.noise())

    def batch(self) -> Tensor:
        images = self.images.index_select(0, next(self.order))
        return images.to(torch.float32, memory_format=torch.channels_last).mul_(1 / 127.5).sub_(1)

    def noise(self) -> Tensor:
        return torch.randn(self.recipe.batch, self.recipe.latent, device=self.device)

    def uniform(self, count: int) -> Tensor:
        return torch.rand(count, 1, 1, 1, device=self.device)


class Tutorial:
    """The widely copied scripts: torchvision and PIL, `.item()` each step, torch's defaults.

    As there, the generator moves first and the discriminator sees the same fakes, no player is frozen, and the
    critic's loss is propagated through the generator too.
    """

    def __init__(self, workload: Workload, device: str) -> None:
        settings = workload.settings(device)
        self.recipe, self.device = Recipe.of(settings), torch.device(device)
        self.files = tempfile.TemporaryDirectory()
        images, spec = tutorial_data(workload, settings, Path(self.files.name))
        self.batches = endless(DataLoader(images, batch_size=self.recipe.batch, shuffle=True, drop_last=True))
        model = build_network(settings, spec).to(self.device)
        self.generator, self.discriminator = unfold_upsampling(model.generator), unfold_upsampling(model.discriminator)
        self.generator_adam = self.recipe.adam(self.generator, "generator")
        self.discriminator_adam = self.recipe.adam(self.discriminator, "discriminator")
        self.label = nn.BCELoss()
        self.losses = 0.0, 0.0

    def run(self, steps: int) -> int:
        """Run that many steps; return the images shown."""
        step = self.wasserstein_step if self.recipe.penalty else self.step
        for _ in range(steps):
            step()
        return steps * self.recipe.n_critic * self.recipe.batch

    def step(self) -> None:
        real = next(self.batches).to(self.device)
        valid, wrong = torch.ones(len(real), device=self.device), torch.zeros(len(real), device=self.device)
        self.generator_adam.zero_grad()
        fake = self.generator(self.noise())
        deceit = self.label(self.discriminator(fake).sigmoid(), valid)
        deceit.backward()
        self.generator_adam.step()
        self.discriminator_adam.zero_grad()
        real_loss = self.label(self.discriminator(real).sigmoid(), valid)
        fake_loss = self.label(self.discriminator(fake.detach()).sigmoid(), wrong)
        judgement = (real_loss + fake_loss) / 2
        judgement.backward()
        self.discriminator_adam.step()
        self.losses = judgement.item(), deceit.item()

    def wasserstein_step(self) -> None:
        for _ in range(self.recipe.n_critic):
            distance = self.move_critic()
        self.generator_adam.zero_grad()
        deceit = -self.discriminator(self.generator(self.noise())).mean()
        deceit.backward()
        self.generator_adam.step()
        self.losses = distance, deceit.item()

    def move_critic(self) -> float:
        real = next(self.batches).to(self.device)
        self.discriminator_adam.zero_grad()
        fake = self.generator(self.noise())
        real_logits, fake_logits = self.discriminator(real), self.discriminator(fake)
        epsilon = torch.rand(len(real), 1, 1, 1, device=self.device)
        slope = gradient_penalty(self.discriminator, real.data, fake.data, epsilon)
        loss = -real_logits.mean() + fake_logits.mean() + self.recipe.penalty * slope
        loss.backward()
        self.discriminator_adam.step()
        return loss.item()

    def noise(self) -> Tensor:
        return torch.randn(self.recipe.batch, self.recipe.latent, device=self.device)


@dataclass(frozen=True)
class Recipe:
    """Numbers that a hand-written script would have as constants."""

    batch: int
    latent: int
    n_critic: int
    reuse_fakes: bool
    penalty: float  # weight of the gradient penalty; 0: the non-saturating loss
    optimizers: dict[str, dict[str, Any]]

    @classmethod
    def of(cls, settings: dict[str, Any]) -> Recipe:
        require_hand_written(settings)
        trainer, penalty = settings["trainer"], settings["penalty"].get("gradient_penalty")
        return cls(
            batch=trainer["batch_size"],
            latent=settings["model"]["latent"]["size"],
            n_critic=trainer["n_critic"],
            reuse_fakes=trainer["reuse_fakes"],
            penalty=penalty["weight"] if penalty else 0.0,
            optimizers=settings["optimizer"],
        )

    def adam(self, net: nn.Module, player: str, **options: Any) -> torch.optim.Adam:
        own = self.optimizers[player]
        return torch.optim.Adam(net.parameters(), lr=own["lr"], betas=tuple(own["betas"]), **options)


def require_hand_written(settings: dict[str, Any]) -> None:
    """Raise ValueError for a config that the hand-written loops do not train."""
    loss, penalties = settings["loss"]["_target_"].rpartition(".")[2], settings["penalty"]
    found = loss, {name: penalty["every"] for name, penalty in penalties.items()}
    if found not in (("NonSaturating", {}), ("Wasserstein", {"gradient_penalty": 1})):
        raise ValueError(f"no hand-written loop for this loss and these penalties: {found}.")


def build_network(settings: dict[str, Any], spec: Spec) -> nn.Module:
    return build.make(settings["model"], "model", spec)


def floating_tensors(net: nn.Module) -> list[Tensor]:
    """Return the tensors that averaged weights average."""
    return [tensor for tensor in (*net.parameters(), *net.buffers()) if tensor.is_floating_point()]


def gradient_penalty(critic: nn.Module, real: Tensor, fake: Tensor, epsilon: Tensor) -> Tensor:
    """Gulrajani et al. 2017, equation 3, without its weight."""
    points = (epsilon * real + (1 - epsilon) * fake).requires_grad_()
    (slope,) = torch.autograd.grad(critic(points).sum(), points, create_graph=True)
    return (slope.flatten(1).norm(dim=1) - 1).square().mean()


def shuffled_batches(count: int, batch: int, device: torch.device) -> Iterator[Tensor]:
    while True:
        order = torch.randperm(count, device=device)
        yield from order[: count // batch * batch].split(batch)


def endless(loader: DataLoader) -> Iterator[Tensor]:
    """Yield the images of a loader's batches without end, without labels."""
    while True:
        for images, *_ in loader:
            yield images


def unfold_upsampling(net: nn.Module) -> nn.Module:
    """Replace upsampling convolutions by the two layers that scripts write."""
    for name, child in net.named_children():
        setattr(net, name, two_layers(child) if isinstance(child, UpsampleConv2d) else unfold_upsampling(child))
    return net


def two_layers(folded: UpsampleConv2d) -> nn.Module:
    plain = nn.Conv2d(folded.in_channels, folded.out_channels, 3, padding=1, bias=folded.bias is not None)
    plain.load_state_dict(folded.state_dict())
    return nn.Sequential(nn.Upsample(scale_factor=2), plain.to(folded.weight.device))


def tutorial_data(workload: Workload, settings: dict[str, Any], folder: Path) -> tuple[Dataset, Spec]:
    """Return torchvision's MNIST, or random images as float tensors."""
    if workload.random_size is None:
        return torchvision_mnist(folder, settings["data"]["size"])
    data = workload.data(settings)
    return TensorDataset(data.train.images / 127.5 - 1), data.spec


def torchvision_mnist(folder: Path, size: int | None) -> tuple[Dataset, Spec]:
    """Return torchvision's MNIST from genlab's bundled files, laid out so that nothing is downloaded."""
    from torchvision import datasets, transforms

    raw = folder / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for packed in BUNDLED.glob("*.gz"):
        (raw / packed.stem).write_bytes(gzip.decompress(packed.read_bytes()))
    resize = [transforms.Resize(size)] if size else []
    pipeline = transforms.Compose([*resize, transforms.ToTensor(), transforms.Normalize([0.5], [0.5])])
    images = datasets.MNIST(str(folder), transform=pipeline)
    return images, Spec(1, size or 28, size or 28, images=len(images))


LOOPS: dict[str, Callable[[Workload, str], Any]] = {"genlab": Genlab, "bare": Bare, "tutorial": Tutorial}

"""Distributions that latents are drawn from, and paths between latents."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, NamedTuple

import torch
from torch import Tensor

from genlab.core.errors import ConfigError
from genlab.core.random import Draws
from genlab.core.types import Count, Positive, Whole


@dataclass(frozen=True)
class Truncated:
    """Standard normal latents within +-threshold, the truncation trick: Brock et al. 2019, section 3.1.

    A lower threshold gives better and less varied images.
    """

    size: Count = 100
    threshold: Positive = 1.0  # 0.04 to 2 in the paper

    def draw(self, draws: Draws) -> Tensor:
        """Return latents [N, size] by the inverse distribution function, where the authors redraw values outside."""
        below = 0.5 * math.erfc(self.threshold / math.sqrt(2))  # probability below -threshold
        share = below + (1 - 2 * below) * draws.uniform("latent", self.size)
        return torch.special.ndtri(share).clamp(-self.threshold, self.threshold)


@dataclass(frozen=True)
class Normal:
    """Standard normal latents."""

    path: ClassVar[str] = "slerp"  # the name of `interpolate`
    size: Count = 100

    def draw(self, draws: Draws) -> Tensor:
        """Return latents [N, size]."""
        return draws.normal("latent", self.size)

    def interpolate(self, a: Tensor, b: Tensor, share: Tensor) -> Tensor:
        """Interpolate on the arc from a at 0 to b at 1: a straight line leaves the shell where normal latents lie."""
        return slerp(a, b, share)

    def truncate(self, threshold: float) -> Truncated:
        return Truncated(self.size, threshold)

    def prior_penalty(self, z: Tensor) -> Tensor:
        """Return -log N(z; 0, I) but for a constant and a factor, [N]."""
        return z.square().mean(1)

    def keep_within(self, z: Tensor, start: Tensor) -> Tensor:
        """Return z as it is: a normal law has no bounds."""
        return z


@dataclass(frozen=True)
class NormalWithGenerator:
    """Normal latents with the number of a generator of a mixture as last column; rows take the generators in turn.

    As the number is part of the latent, its image does not depend on the batch; a batch is shared evenly.
    """

    path: ClassVar[str] = Normal.path
    law: Normal | Truncated
    numbers: Count  # generators

    @property
    def size(self) -> int:
        """Return the size of the latent that one generator takes, without the number."""
        return self.law.size

    def draw(self, draws: Draws) -> Tensor:
        """Return latents [N, size + 1]."""
        numbers = torch.arange(draws.start, draws.stop, device=draws.device) % self.numbers
        return torch.cat([self.law.draw(draws), numbers[:, None].to(draws.dtype)], dim=1)

    def interpolate(self, a: Tensor, b: Tensor, share: Tensor) -> Tensor:
        """Interpolate like normal latents, with the generator of the nearer end: no path joins two generators."""
        near = torch.where(torch.as_tensor(share, device=a.device) < 0.5, a[:, -1:], b[:, -1:])
        return torch.cat([self.law.interpolate(a[:, :-1], b[:, :-1], share), near], dim=1)

    def truncate(self, threshold: float) -> "NormalWithGenerator":
        return replace(self, law=self.law.truncate(threshold))

    def prior_penalty(self, z: Tensor) -> Tensor:
        """Return the penalty of normal latents, without the column of generators, [N]."""
        return z[:, :-1].square().mean(1)

    def keep_within(self, z: Tensor, start: Tensor) -> Tensor:
        """Leave each row to the generator that it was dealt to: more restarts try more generators."""
        return torch.cat([z[:, :-1], start[:, -1:]], 1)


@dataclass(frozen=True)
class EmptyLatent:
    """No latent: images depend on the condition alone."""

    size: ClassVar[int] = 0

    def __str__(self) -> str:
        return "no latents"

    def draw(self, draws: Draws) -> Tensor:
        """Return latents [N, 0]."""
        return draws.uniform("latent", 0)


@dataclass(frozen=True)
class Uniform:
    """Latents uniform in [-1, 1]: Radford et al. 2016, section 4."""

    path: ClassVar[str] = "lerp"
    size: Count = 100

    def __str__(self) -> str:
        return "latents uniform in [-1, 1]"

    def draw(self, draws: Draws) -> Tensor:
        """Return latents [N, size]."""
        return draws.uniform("latent", self.size) * 2 - 1

    def interpolate(self, a: Tensor, b: Tensor, share: Tensor) -> Tensor:
        """Interpolate on the straight line from a at 0 to b at 1."""
        return torch.lerp(a, b, share)

    def prior_penalty(self, z: Tensor) -> Tensor:
        """Return zeros [N]: all latents within the bounds are equally likely."""
        return z.new_zeros(len(z))

    def keep_within(self, z: Tensor, start: Tensor) -> Tensor:
        """Cut z to [-1, 1], with a gradient where it lies within."""
        return z.clamp(-1, 1)


def no_latent(given: int | None) -> EmptyLatent:
    """Return the latent of a network whose only input is a picture. Raises ConfigError if a size is given."""
    refuse_other_size(given, 0, "this generator has no noise, it makes its image from the picture alone.")
    return EmptyLatent()


def refuse_other_size(given: int | None, own: int, reason: str) -> None:
    """Raise ConfigError if a latent's size is given to a network that sets it, and is not its own."""
    if given not in (None, own):
        raise ConfigError(f"model.latent of size {given}: {reason} Set model.latent=null.")


class Codes(NamedTuple):
    """The parts of a latent of `Coded`."""

    noise: Tensor  # [N, noise]
    categorical: tuple[Tensor, ...]  # one-hot, [N, classes] each
    continuous: Tensor  # [N, continuous]


@dataclass(frozen=True)
class Coded:
    """Noise followed by codes that images are to express: Chen et al. 2016, section 7.2 for the sizes on MNIST.

    Noise and continuous codes are uniform in [-1, 1], categorical ones uniform over their classes, one-hot.

    Raises ConfigError without any code.
    """

    noise: Whole = 62  # size of the noise
    categorical: Sequence[Count] = (10,)  # classes of each categorical code
    continuous: Whole = 2  # continuous codes

    def __post_init__(self) -> None:
        if not self.code_size:
            raise ConfigError(
                "model.latent: has no code; set model.latent.categorical=[10] or model.latent.continuous=2."
            )

    def __str__(self) -> str:
        return "codes, classes and numbers uniform in [-1, 1], beside uniform noise"

    @property
    def code_size(self) -> int:
        return sum(self.categorical) + self.continuous

    @property
    def size(self) -> int:
        return self.noise + self.code_size

    def draw(self, draws: Draws) -> Tensor:
        """Return latents [N, size]."""
        shares = draws.uniform("latent_classes", len(self.categorical))
        one_hots = [one_hot(shares[:, code : code + 1], classes) for code, classes in enumerate(self.categorical)]
        noise, continuous = draws.uniform("latent", self.noise), draws.uniform("latent_continuous", self.continuous)
        return torch.cat([noise * 2 - 1, *one_hots, continuous * 2 - 1], dim=1)

    def interpolate(self, start: Tensor, end: Tensor, share: float) -> Tensor:
        """Interpolate on the straight line, on which one class fades into the other."""
        return torch.lerp(start, end, share)

    def prior_penalty(self, z: Tensor) -> Tensor:
        """Return zeros [N]: all latents within the bounds are equally likely."""
        return z.new_zeros(len(z))

    def keep_within(self, z: Tensor, start: Tensor) -> Tensor:
        """Leave classes as they were drawn and cut the rest to [-1, 1]: more restarts try more classes."""
        first, last, moved = self.noise, self.noise + sum(self.categorical), z.clamp(-1, 1)
        return torch.cat([moved[:, :first], start[:, first:last], moved[:, last:]], 1)

    def split(self, z: Tensor) -> Codes:
        """Return the parts of latents [N, size]."""
        noise, *categorical, continuous = z.split([self.noise, *self.categorical, self.continuous], dim=1)
        return Codes(noise, tuple(categorical), continuous)

    def vary(self, z: Tensor, columns: int = 10, reach: float = 2.0) -> Iterator[tuple[str, Tensor]]:
        """Yield each code's name and latents [N, columns, size]: every z with that code running through its values.

        A categorical code has one column for each class; a continuous one runs from -reach to reach (ibid., figure 2).
        """
        start = self.noise
        for number, classes in enumerate(self.categorical, start=1):
            yield f"categorical_{number}", substitute_columns(z, torch.eye(classes).to(z), start)
            start += classes
        line = torch.linspace(-reach, reach, columns).to(z).unsqueeze(1)
        for number in range(self.continuous):
            yield f"continuous_{number + 1}", substitute_columns(z, line, start + number)


def slerp(a: Tensor, b: Tensor, share: Tensor) -> Tensor:
    """Interpolate rows [N, D] on arcs, parallel ones linearly; `share` [N, 1] or scalar: Shoemake 1985, sec. 3.3."""
    share = torch.as_tensor(share, dtype=a.dtype, device=a.device)
    unit_a, unit_b = (torch.nn.functional.normalize(end, dim=-1) for end in (a, b))
    angle = (unit_a * unit_b).sum(-1, keepdim=True).clamp(-1, 1).acos()
    sine = angle.sin()
    arc = (((1 - share) * angle).sin() * a + (share * angle).sin() * b) / sine
    return torch.where(sine > 1e-6, arc, torch.lerp(a, b, share))


def one_hot(share: Tensor, classes: int) -> Tensor:
    """Turn uniform numbers [N, 1] in [0, 1) into equally likely classes as one-hot vectors [N, classes]."""
    return ((share * classes).floor() == torch.arange(classes, device=share.device)).to(share)


def substitute_columns(z: Tensor, values: Tensor, start: int) -> Tensor:
    """Return latents [N, V, size]: columns `start` to `start + K` of z [N, size] set to each of the values [V, K]."""
    sheet = z[:, None].repeat(1, len(values), 1)
    sheet[:, :, start : start + values.shape[1]] = values
    return sheet

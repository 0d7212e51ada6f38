"""Penalties on the parameters of the player whose turn it is."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import reduce
from operator import add
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize
from torch.nn.modules.conv import _ConvNd, _ConvTransposeNd
from torch.nn.utils.parametrize import is_parametrized

from genlab.core.errors import ConfigError
from genlab.core.random import generator
from genlab.core.system_facts import SystemFacts
from genlab.core.types import Players
from genlab.losses.penalties import Penalty, Weight, expand_to_batch
from genlab.losses.turn import Turn
from genlab.models.layer_contract import weight_scale_of


def matrices(network: nn.Module) -> Iterator[tuple[str, Tensor]]:
    """Yield the name and weight [outputs, inputs * kernel] of every linear and convolutional layer that can be trained.

    With an equalised learning rate it is the weight that the layer multiplies with; with a parametrisation, such as
    spectral normalisation, the tensor that the optimizer moves.
    """
    for name, module in network.named_modules():
        scale = weight_scale_of(module)
        if scale is None and not isinstance(module, (nn.Linear, _ConvNd)):
            continue
        parametrised = is_parametrized(module, "weight")
        weight = module.parametrizations.weight.original if parametrised else module.weight
        if isinstance(weight, nn.Parameter) or weight.requires_grad:  # else a buffer of a network that is not trained
            outputs_first = weight.transpose(0, 1) if isinstance(module, _ConvTransposeNd) else weight
            yield name, (outputs_first if scale is None else outputs_first * scale).flatten(1)


@dataclass
class OnMatrices(Penalty):
    """Base of penalties on the weights of linear and convolutional layers."""

    def refuse(self, system: SystemFacts) -> None:
        super().refuse(system)
        for player in self.players:
            if not list(matrices(system.players[player])):
                raise ConfigError(f"is for weights, and the {player} has no layer that it knows. Leave it out.")


@dataclass
class Orthogonal(OnMatrices):
    """Brock et al. 2019 (BigGAN), equation 3: |W W^T * (1 - I)|^2, summed over layers; W's rows are the outputs.

    The gradient of this term, 4 (W W^T * (1 - I)) W, is twice the one that the authors' PyTorch code adds at the same
    weight: their steps are those of weight 5e-5. With an equalised learning rate W is what a layer multiplies
    with; under spectral normalisation it is the weight before that, as in their code.

    With `diagonal`, their equation 2 after Brock et al. 2017: |W W^T - I|^2, which fixes the rows' norms as well.
    """

    weight: Weight = 1e-4  # the paper's
    on: Players = "generator"
    diagonal: bool = False

    def __call__(self, turn: Turn) -> Tensor:
        with torch.autocast(turn.draws.device.type, enabled=False):  # weights are float32, and so are their products
            errors = [self.orthogonality_error(rows) for _, rows in matrices(turn.trained_network)]
        return self.strength(turn) * expand_to_batch(torch.stack(errors).sum(), turn)

    def orthogonality_error(self, rows: Tensor) -> Tensor:
        products = rows @ rows.T
        target = torch.eye(len(rows), dtype=rows.dtype, device=rows.device) if self.diagonal else products.diag().diag()
        return (products - target).square().sum()


@dataclass
class Spectral(OnMatrices):
    """Yoshida and Miyato 2017, section 3: weight / 2 * the squared spectral norm, summed over layers.

    One power iteration a call (their algorithm 1) follows each layer's largest singular vector.
    """

    weight: Weight = 0.01  # the paper's
    vectors: dict[str, dict[str, Tensor]] = field(init=False, default_factory=dict, repr=False)  # player -> layer

    bounds_slope: ClassVar[bool] = True

    def __call__(self, turn: Turn) -> Tensor:
        vectors = self.vectors.setdefault(turn.player, {})
        with torch.autocast(turn.draws.device.type, enabled=False):
            norms = [self.spectral_norm(vectors, name, rows) for name, rows in matrices(turn.trained_network)]
        return self.strength(turn) / 2 * expand_to_batch(torch.stack(norms).square().sum(), turn)

    def spectral_norm(self, vectors: dict[str, Tensor], name: str, rows: Tensor) -> Tensor:
        fixed = rows.detach()
        before = vectors[name].to(fixed) if name in vectors else random_direction(name, fixed)
        right = normalize(fixed.T @ before, dim=0)
        vectors[name] = normalize(fixed @ right, dim=0)
        return vectors[name] @ rows @ right

    def state_dict(self) -> dict[str, Any]:
        return {player: dict(vectors) for player, vectors in self.vectors.items()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.vectors = {player: dict(vectors) for player, vectors in state.items()}


def random_direction(name: str, rows: Tensor) -> Tensor:
    """Return a random unit vector for a layer, the same on every rank and in every run."""
    source = generator("spectral", name, device=rows.device)
    return normalize(torch.randn(len(rows), generator=source, device=rows.device, dtype=rows.dtype), dim=0)


@dataclass
class HistoricalAveraging(Penalty):
    """Salimans et al. 2016, section 3.3: |theta - 1/t sum_i theta[i]|^2 over all parameters, i = 1 ... t.

    theta[t] is the present theta, so the first call costs nothing. The mean is a constant to the gradient.
    """

    weight: Weight = 1.0
    on: Players = field(default_factory=lambda: ["discriminator", "generator"])
    calls: dict[str, int] = field(init=False, default_factory=dict, repr=False)  # t, by player
    means: dict[str, Sequence[Tensor]] = field(init=False, default_factory=dict, repr=False)  # by player

    def __call__(self, turn: Turn) -> Tensor:
        parameters: list[Tensor] = list(turn.trained_network.parameters())
        self.update_means(turn.player, parameters)
        distances = torch._foreach_sub(parameters, list(self.means[turn.player]))
        value = reduce(add, [distance.square().sum() for distance in distances])
        return self.strength(turn) * expand_to_batch(value, turn)

    @torch.no_grad()
    def update_means(self, player: str, parameters: list[Tensor]) -> None:
        """Count the present parameters in."""
        self.calls[player] = self.calls.get(player, 0) + 1
        before = self.means.get(player, parameters)
        before = [mean.to(now) for mean, now in zip(before, parameters, strict=True)]
        self.means[player] = torch._foreach_lerp(before, parameters, 1 / self.calls[player])

    def state_dict(self) -> dict[str, Any]:
        return {"calls": dict(self.calls), "means": {player: list(means) for player, means in self.means.items()}}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.calls, self.means = dict(state["calls"]), dict(state["means"])

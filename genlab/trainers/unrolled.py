"""The strategy that lets the generator see how the discriminator will answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call

from genlab.core.checkpoint import Stateful
from genlab.core.types import Whole
from genlab.losses import Turn
from genlab.trainers.alternating import Alternating
from genlab.trainers.differentiable_optimizers import Adam, Descent, Step, flat
from genlab.trainers.game import game
from genlab.trainers.system import Run, System
from genlab.trainers.turns import Losses


class Unrolled(Alternating):
    """Metz et al. 2017, equations 7 to 10: the generator meets the discriminator as it will be `steps` turns later.

    Those turns are taken on a copy of the weights, with the images of the generator's turn, and are differentiated
    through: the generator's gradient knows how they depend on its images. The discriminator itself then takes its one
    real step. The copy minimises what the discriminator does every turn, without penalties that keep a state.

    A generator's turn costs about `steps` + 1 times as much as otherwise. Every micro-batch and rank unrolls by
    itself: as with batch norm, accumulation and ranks change the result.
    """

    def __init__(
        self,
        system: System,
        run: Run,
        *,
        steps: Whole = 5,  # of the discriminator, looked ahead; 0: as without
        inner: Adam | Descent,  # what these steps are
        zero_sum: bool = True,  # the generator's loss is minus the discriminator's, as published; false: the loss's own
        **shared: Any,  # what every alternating trainer takes
    ) -> None:
        self.steps, self.inner, self.zero_sum = steps, inner, zero_sum
        super().__init__(system, run, **shared)
        penalties = self.main["discriminator"].penalties
        stateless = {name: term for name, term in penalties.items() if not isinstance(term, Stateful)}
        self.answered = game("discriminator", "discriminator", self.measure, stateless)
        if self.answered.float32:
            self.main["generator"] = replace(self.main["generator"], float32=True)
        self.begin()  # an optimizer that cannot be continued is refused before the first step

    def begin(self) -> tuple[Ahead, Step]:
        """The discriminator's weights, and steps that go on from where its optimizer is."""
        player = self.players["discriminator"]
        ahead = Ahead(player.module, player.parameters)
        return ahead, self.inner.begin(player.optimizer, ahead.parameters)

    def deceive(self, turn: Turn) -> Losses:
        """The generator's loss, at the weights that the discriminator will have."""
        ahead, step = self.begin()
        for _ in range(self.steps):
            cost = ahead(lambda: self.cost(self.as_discriminator(turn)))
            ahead.weights = step(ahead.weights, ahead.gradient(cost))
        return ahead(lambda: self.answer(turn))

    def as_discriminator(self, turn: Turn) -> Turn:
        """The discriminator's view of the same images, nothing computed yet.

        Names of its own for them: a slope at these images must not see that the weights depend on them as well.
        """
        slopes = self.answered.slopes
        return replace(
            turn,
            player="discriminator",
            images=lambda _: turn.real.detach(),
            noise=lambda _: turn.latents,
            kept=turn.generated._replace(images=turn.fake.view_as(turn.fake)),
            joint=self.joint and not slopes,
            slopes=slopes,
            with_features=self.answered.with_features,
        )

    def cost(self, turn: Turn) -> Tensor:
        """What the discriminator minimises."""
        terms = self.judge(turn).terms | {name: penalty(turn) for name, penalty in self.answered.penalties.items()}
        return sum(term.mean() for term in terms.values())

    def answer(self, turn: Turn) -> Losses:
        if not self.zero_sum:
            return super().deceive(turn)
        self.keep(turn)
        return Losses({"adversarial": self.best(-self.judge(turn).terms["adversarial"], turn)})


class Ahead:
    """A network with other weights than its own, one vector [P], while a function runs that may use it in any way."""

    def __init__(self, network: nn.Module, moving: list[nn.Parameter]) -> None:
        self.network, moved = network, {id(parameter) for parameter in moving}
        named = {name: parameter for name, parameter in network.named_parameters() if id(parameter) in moved}
        self.names, self.parameters = list(named), list(named.values())
        self.weights = flat(self.parameters).requires_grad_()
        # Statistics and the like go on from the network's own, which stay as they are.
        self.buffers = {name: buffer.clone() for name, buffer in network.named_buffers()}

    def __call__(self, function: Callable[[], Any]) -> Any:
        pieces = self.weights.split([parameter.numel() for parameter in self.parameters])
        tensors = {
            name: piece.view_as(parameter)
            for name, piece, parameter in zip(self.names, pieces, self.parameters, strict=True)
        }
        held = {f"network.{name}": tensor for name, tensor in (tensors | self.buffers).items()}
        return functional_call(Holding(self.network, function), held)

    def gradient(self, cost: Tensor) -> Tensor:
        """[P], differentiable."""
        (gradient,) = torch.autograd.grad(cost, self.weights, create_graph=True)
        return gradient


class Holding(nn.Module):
    """Runs a function; whoever swaps the weights of this module swaps those of the network that it holds."""

    def __init__(self, network: nn.Module, function: Callable[[], Any]) -> None:
        super().__init__()
        self.network, self.function = network, function

    def forward(self) -> Any:
        return self.function()

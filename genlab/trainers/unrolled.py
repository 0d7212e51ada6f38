"""The strategy that trains the generator against the discriminator of a few turns later."""

from collections.abc import Callable
from dataclasses import replace
from functools import reduce
from operator import add
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call

from genlab.core.checkpoint import Stateful
from genlab.core.types import Whole
from genlab.losses import Turn
from genlab.trainers.alternating import Alternating
from genlab.trainers.differentiable_optimizers import Adam, GradientDescent, Step, flat
from genlab.trainers.phases import make_phase
from genlab.trainers.system import Run, System
from genlab.trainers.turns import Losses


class Unrolled(Alternating):
    """Metz et al. 2017, equations 7 to 10: the generator meets the discriminator as it will be `steps` turns later.

    Those turns move a copy of the weights, on the images of the generator's turn, and the generator's gradient flows
    through them. The copy minimises the discriminator's loss, without penalties that keep a state.

    A generator's turn costs about `steps` + 1 times as much as otherwise. Every micro-batch and rank unrolls by
    itself: as with batch norm, accumulation and ranks change the result.
    """

    def __init__(
        self,
        system: System,
        run: Run,
        *,
        steps: Whole = 5,  # of the discriminator; 0: no look-ahead
        inner: Adam | GradientDescent,  # the optimizer of these steps
        zero_sum: bool = True,  # the generator's loss is minus the discriminator's, as published; false: the loss's own
        **shared: Any,
    ) -> None:
        self.steps, self.inner, self.zero_sum = steps, inner, zero_sum
        super().__init__(system, run, **shared)
        penalties = self.main_phases["discriminator"].penalties
        stateless = {name: term for name, term in penalties.items() if not isinstance(term, Stateful)}
        self.lookahead_phase = make_phase("discriminator", "discriminator", self.compute_losses, stateless)
        if self.lookahead_phase.float32:
            self.main_phases["generator"] = replace(self.main_phases["generator"], float32=True)
        self.begin_lookahead()  # an optimizer that cannot be continued is refused before the first step

    def begin_lookahead(self) -> "tuple[SubstitutedWeights, Step]":
        """Return the discriminator with a copy of its weights, and the step that continues its optimizer."""
        player = self.players["discriminator"]
        ahead = SubstitutedWeights(player.module, player.parameters)
        return ahead, self.inner.begin(player.optimizer, ahead.parameters)

    def generator_losses(self, turn: Turn) -> Losses:
        """Return the generator's losses at the weights that the discriminator will have."""
        ahead, step = self.begin_lookahead()
        for _ in range(self.steps):
            cost = ahead(lambda: self.discriminator_cost(self.as_discriminator(turn)))
            ahead.weights = step(ahead.weights, ahead.gradient(cost))
        return ahead(lambda: self.losses_ahead(turn))

    def as_discriminator(self, turn: Turn) -> Turn:
        """Return the discriminator's turn with the same images, of which nothing is computed yet.

        The images are views: a slope at them must not see that the weights depend on the originals too.
        """
        slopes = self.lookahead_phase.slopes
        return replace(
            turn,
            player="discriminator",
            images=lambda _: turn.real.detach(),
            noise=lambda _: turn.latents,
            ready_images=turn.fake_batch._replace(images=turn.fake.view_as(turn.fake)),
            joint=self.joint and not slopes,
            slopes=slopes,
            with_features=self.lookahead_phase.with_features,
        )

    def discriminator_cost(self, turn: Turn) -> Tensor:
        terms = self.discriminator_losses(turn).terms | {
            name: penalty(turn) for name, penalty in self.lookahead_phase.penalties.items()
        }
        return reduce(add, [term.mean() for term in terms.values()])

    def losses_ahead(self, turn: Turn) -> Losses:
        if not self.zero_sum:
            return super().generator_losses(turn)
        self.store_fakes(turn)
        return Losses(
            {"adversarial": self.weigh_and_select(-self.discriminator_losses(turn).terms["adversarial"], turn)}
        )


class SubstitutedWeights:
    """Runs functions while a network has other weights than its own: one vector [P]."""

    def __init__(self, network: nn.Module, moving: list[nn.Parameter]) -> None:
        self.network, moved = network, {id(parameter) for parameter in moving}
        named = {name: parameter for name, parameter in network.named_parameters() if id(parameter) in moved}
        self.names, self.parameters = list(named), list(named.values())
        self.weights = flat(self.parameters).requires_grad_()
        # Buffers such as running statistics continue on copies.
        self.buffers = {name: buffer.clone() for name, buffer in network.named_buffers()}

    def __call__(self, function: Callable[[], Any]) -> Any:
        pieces = self.weights.split([parameter.numel() for parameter in self.parameters])
        tensors = {
            name: piece.view_as(parameter)
            for name, piece, parameter in zip(self.names, pieces, self.parameters, strict=True)
        }
        substitutes = {f"network.{name}": tensor for name, tensor in (tensors | self.buffers).items()}
        return functional_call(NetworkHolder(self.network, function), substitutes)

    def gradient(self, cost: Tensor) -> Tensor:
        """Return the gradient [P], differentiable."""
        (gradient,) = torch.autograd.grad(cost, self.weights, create_graph=True)
        return gradient


class NetworkHolder(nn.Module):
    """Runs a function; substituting this module's weights substitutes those of the network in it."""

    def __init__(self, network: nn.Module, function: Callable[[], Any]) -> None:
        super().__init__()
        self.network, self.function = network, function

    def forward(self) -> Any:
        return self.function()

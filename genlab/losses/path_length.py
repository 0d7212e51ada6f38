"""Path length regularisation: steps of one length in w should change the image equally everywhere.

Karras et al. 2020 (StyleGAN2), section 3.2.
"""

from dataclasses import dataclass, field
from typing import ClassVar, Literal

import torch
from torch import Tensor

from genlab.core import distributed
from genlab.core.system_facts import SystemFacts
from genlab.core.types import Count, Share
from genlab.losses.penalties import Penalty, Weight
from genlab.losses.turn import Turn
from genlab.models.contract import StyleBased


@dataclass
class PathLength(Penalty):
    """Equation 4: weight * (|J^T y| - a)^2, J = d image / d w, y an image of normal noise, a the lengths' running mean.

    As in the authors' code, y is divided by the side of the image and squared slopes are averaged over the layers that
    take w; the default weight is theirs.
    """

    weight: Weight = 2.0
    every: Count = 4
    on: Literal["generator"] = "generator"
    decay: Share = 0.01  # step of the mean towards the lengths of a turn: the paper's
    shrink: Count = 2  # one latent in so many is used, to save memory and time: the paper's
    mean: Tensor | None = field(init=False, default=None, repr=False)

    needs_float32: ClassVar[bool] = True

    def refuse(self, system: SystemFacts) -> None:
        super().refuse(system)
        remedy = "Choose a style-based model, such as model=stylegan2, or leave the penalty out."
        system.require_network("generator", StyleBased, remedy)

    def __call__(self, turn: Turn) -> Tensor:
        lengths = self.lengths(turn)
        return self.strength(turn) * (lengths - self.update_mean(lengths)).square()

    def lengths(self, turn: Turn) -> Tensor:
        """Return |J^T y| of every `shrink`-th latent, [N / shrink]."""
        condition = None if turn.condition is None else turn.condition[:: self.shrink]
        generator: StyleBased = turn.generator
        styles = generator.styles(turn.noise(turn)[:: self.shrink], condition)  # [N / shrink, layers, W]
        images = generator.synthesis(styles)
        noise = turn.draws.normal("path_length", *images.shape[1:])[:: self.shrink] / images[0, 0].numel() ** 0.5
        (slopes,) = torch.autograd.grad((images * noise).sum(), styles, create_graph=True)
        return slopes.flatten(1).norm(dim=1) / slopes.shape[1] ** 0.5

    def update_mean(self, lengths: Tensor) -> Tensor:
        """Move the running mean towards these lengths, and return it with the gradient of this step, as theirs has.

        Theirs starts at 0, which distorts short runs.
        """
        new = distributed.shared_mean(lengths.mean())
        before = new.detach() if self.mean is None else self.mean.to(new)
        moved = before.lerp(new, self.decay)
        self.mean = moved.detach()
        return moved

    def state_dict(self) -> dict[str, Tensor]:
        return {} if self.mean is None else {"mean": self.mean}

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        self.mean = state.get("mean")

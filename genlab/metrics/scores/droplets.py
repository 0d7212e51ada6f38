"""Do a generator's maps have spikes, which no image shows?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from genlab.core.types import Count
from genlab.metrics.metric import Asking
from genlab.metrics.trained_model import evaluating

if TYPE_CHECKING:
    from genlab.metrics.references.reference import Reference
    from genlab.metrics.trained_model import Trained

Peaks = dict[tuple[str, tuple[int, int]], list[Tensor]]  # by layer and size: [n] of some images at a time


class Droplets(Asking):
    """`droplets`: how far the strongest place of a generator's maps stands out; `droplets_16x16`: in maps of that size.

    StyleGAN's maps have a small spot, from 64 x 64 on, that outshines all others: through it the generator sneaks
    signal strength past instance normalisation, which StyleGAN2 does without (Karras et al. 2020, section 2, where it
    is looked at). Here it is a number: the length of the feature vector at each place, the largest over the root mean
    square of all; of every layer the median over images; of all layers the largest. It lies between 1 and the root of
    the number of places, which only a map that is 0 everywhere else has; p % of the energy in one place give the root
    of p % of them. Among white maps of one channel it is near sqrt(2 ln(places)), and lower of several channels.

    Maps are what modules give with more channels than an image, in evaluation. Low for any sound generator: this is
    no score of quality.
    """

    numbers = ("droplets*",)

    def __init__(
        self,
        images: Count = 500,
        *,
        smallest: Count = 8,  # pixels a side of maps that are looked at
    ) -> None:
        self.images, self.smallest = images, smallest

    @property
    def settings(self) -> str:
        return (
            f"largest length of a feature vector over the root mean square, median over {self.images:,} images, "
            f"largest of all layers with maps of {self.smallest} pixels a side or more"
        )

    def unfit(self, reference: Reference, trained: Trained | None) -> str | None:
        return None if reference.data.spec.height else "it looks at maps, and the data are points"

    @torch.no_grad()
    def compute(self, reference: Reference) -> dict[str, float]:
        """None for a generator without such maps; nan where they are not finite."""
        with evaluating(self.source.trained) as generator, self.watched(generator) as peaks:
            self.generate(generator, reference.batch_size)
        layers = {layer: torch.cat(found)[: self.images].median().item() for layer, found in peaks.items()}
        by_size: dict[str, float] = {}
        for (_, (height, width)), value in sorted(layers.items(), key=lambda item: item[0][1]):
            name = f"droplets_{height}x{width}"
            by_size[name] = worst(by_size.get(name, 0.0), value)
        return {"droplets": worst(*by_size.values()), **by_size} if by_size else {}

    def generate(self, generator: nn.Module, batch_size: int) -> None:
        trained = self.source.trained
        rows = trained.fixed_draws(0).batch
        for first in range(0, self.images, rows):
            z = trained.model.latent.draw(trained.fixed_draws(first // rows))
            condition = trained.sample_conditions(first, rows)
            for start in range(0, min(rows, self.images - first), batch_size):
                part = slice(start, start + batch_size)
                generator(z[part], None if condition is None else condition[part])

    @contextmanager
    def watched(self, generator: nn.Module) -> Iterator[Peaks]:
        """What all maps meanwhile show."""
        peaks: Peaks = defaultdict(list)
        channels = self.source.trained.spec.channels

        def look(name: str, output: object) -> None:
            if self.shows(output, channels):
                peaks[name, tuple(output.shape[2:])].append(peak_over_rms(output).cpu())

        hooks = [
            module.register_forward_hook(lambda module, inputs, output, name=name: look(name, output))
            for name, module in generator.named_modules()
        ]
        try:
            yield peaks
        finally:
            for hook in hooks:
                hook.remove()

    def shows(self, output: object, channels: int) -> bool:
        return (
            isinstance(output, Tensor)
            and output.ndim == 4
            and output.shape[1] > channels
            and min(output.shape[2:]) >= self.smallest
        )


def peak_over_rms(maps: Tensor) -> Tensor:
    """[N, C, H, W] -> [N]: the largest length of a feature vector over the root mean square length."""
    squares = maps.double().square().sum(1).flatten(1)
    return (squares.amax(1) / squares.mean(1)).sqrt()


def worst(*values: float) -> float:
    """The largest, nan if there is one."""
    return torch.tensor(values, dtype=torch.float64).max().item()

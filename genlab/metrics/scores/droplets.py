"""Droplets: do a generator's feature maps have spikes that no image shows?"""

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from genlab.core.types import Amount
from genlab.metrics.metric import SourceMetric
from genlab.metrics.references.reference import Reference
from genlab.metrics.trained_model import TrainedModel, evaluation_mode

Peaks = dict[tuple[str, tuple[int, int]], list[Tensor]]  # by layer and size of its maps: [n] for each batch


class Droplets(SourceMetric):
    """`droplets`: how far the strongest place of a generator's maps stands out; `droplets_16x16`: in maps of that size.

    StyleGAN's maps from 64 x 64 on have a small spot that outshines all others: through it the generator sneaks signal
    strength past instance normalisation, which StyleGAN2 removes (Karras et al. 2020, section 2). The number here is
    the largest length of a feature vector over the root mean square of all places; the median over images, and the
    largest over layers. It lies between 1 and the root of the number of places, for a map that is 0 but in one place;
    p % of the energy in one place give the root of p % of the places. White maps of one channel have about
    sqrt(2 ln(places)), those of more channels less.

    Maps are outputs of modules with more channels than an image, in evaluation mode. Any sound generator scores low:
    it is no measure of quality.
    """

    uses_split = False
    numbers = ("droplets*",)

    def __init__(
        self,
        images: Amount = 500,
        *,
        smallest: Amount = 8,  # pixels a side of maps that count
    ) -> None:
        self.images, self.smallest = images, smallest

    @property
    def settings(self) -> str:
        return (
            f"largest length of a feature vector over the root mean square, median over {self.images:,} images, "
            f"largest of all layers with maps of {self.smallest} pixels a side or more"
        )

    def unfit_reason(self, reference: Reference, trained: TrainedModel | None) -> str | None:
        return None if reference.data.spec.height else "it looks at maps, and the data are points"

    @torch.no_grad()
    def compute(self, reference: Reference) -> dict[str, float]:
        """Return the scores, none for a generator without such maps; nan if maps are not finite."""
        with evaluation_mode(self.source.trained) as generator, self.record_peaks(generator) as peaks:
            self.generate(generator, reference.batch_size)
        layers = {layer: torch.cat(found)[: self.images].median().item() for layer, found in peaks.items()}
        by_size: dict[str, float] = {}
        for (_, (height, width)), value in sorted(layers.items(), key=lambda item: item[0][1]):
            name = f"droplets_{height}x{width}"
            by_size[name] = max_or_nan(by_size.get(name, 0.0), value)
        return {"droplets": max_or_nan(*by_size.values()), **by_size} if by_size else {}

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
    def record_peaks(self, generator: nn.Module) -> Iterator[Peaks]:
        """Record the peaks of all maps that the generator makes within the context."""
        peaks: Peaks = defaultdict(list)
        channels = self.source.trained.spec.channels

        def record(name: str, output: object) -> None:
            if self.is_feature_map(output, channels):
                peaks[name, tuple(output.shape[2:])].append(peak_over_rms(output).cpu())

        hooks = [
            module.register_forward_hook(lambda module, inputs, output, name=name: record(name, output))
            for name, module in generator.named_modules()
        ]
        try:
            yield peaks
        finally:
            for hook in hooks:
                hook.remove()

    def is_feature_map(self, output: object, channels: int) -> bool:
        return (
            isinstance(output, Tensor)
            and output.ndim == 4
            and output.shape[1] > channels
            and min(output.shape[2:]) >= self.smallest
        )


def peak_over_rms(maps: Tensor) -> Tensor:
    """Return the largest length of a feature vector over the root mean square length: [N, C, H, W] -> [N]."""
    squares = maps.double().square().sum(1).flatten(1)
    return (squares.amax(1) / squares.mean(1)).sqrt()


def max_or_nan(*values: float) -> float:
    """Return the largest value; nan if any is."""
    return torch.tensor(values, dtype=torch.float64).max().item()

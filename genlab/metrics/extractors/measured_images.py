"""How images and points reach an extractor, and every other measure."""

from torch import Tensor

from genlab.core.pixels import as_saved, to_float
from genlab.core.spec import Spec


def samples_as_measured(samples: Tensor, spec: Spec) -> Tensor:
    """What a generator made: images cropped and as saved, points in the data's own units."""
    return samples.float() * spec.scale if spec.height is None else as_saved(spec.crop(samples))


def data_as_measured(images: Tensor, spec: Spec) -> Tensor:
    """The same of what a data set holds."""
    return images if spec.height is None else to_float(spec.crop(images))

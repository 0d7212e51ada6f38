"""FID: the Frechet distance between features of generated and of real images."""

from torch import Tensor

from genlab.metrics.metric import Metric
from genlab.metrics.references.frechet import Moments, frechet_distance
from genlab.metrics.references.reference import Reference


class FID(Metric):
    """Heusel et al. 2017, eq. 6; lower is better. Biased upwards by few images: compare equal numbers alone."""

    numbers = ("fid",)
    biased_by_few = True
    judges_run = True
    min_images = 2  # a covariance needs two

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self.generated = Moments()

    def update(self, features: Tensor, condition: Tensor | None = None) -> None:
        self.generated.update(features)

    def compute(self, reference: Reference) -> dict[str, float]:
        """Return `fid`; nan if any sample is not finite."""
        return {"fid": frechet_distance(self.generated, reference.moments)}

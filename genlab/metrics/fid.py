"""The Frechet distance between features of generated and of real images."""

from torch import Tensor

from genlab.metrics.frechet import Moments, frechet_distance


class FID:
    """Heusel et al. 2017, eq. 6; lower is better. Biased upwards by few images: compare equal numbers alone."""

    higher_is_better = False

    def __init__(self) -> None:
        self.generated = Moments()

    def reset(self) -> None:
        self.generated = Moments()

    def update(self, features: Tensor) -> None:
        """Adds features of generated images, [N, D]."""
        self.generated.update(features)

    def compute(self, reference: Moments) -> dict[str, float]:
        """`fid`; nan if the generator made anything that is not finite. Raises ConfigError below two images."""
        return {"fid": frechet_distance(self.generated, reference)}

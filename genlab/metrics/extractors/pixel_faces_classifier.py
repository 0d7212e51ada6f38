"""Features of the bundled classifier of pixel faces' attributes: scores within seconds, for these faces alone."""

from pathlib import Path

from torch import Tensor
from torch.nn.functional import interpolate

from genlab.core.errors import ConfigError
from genlab.core.spec import Spec
from genlab.metrics.extractors.extractor import require_images
from genlab.metrics.extractors.own_classifier import OwnClassifier

WEIGHTS = Path(__file__).parents[1] / "weights" / "pixel_faces_classifier.safetensors"
HINT = "Choose metrics/extractor=inception, or metrics=none to train without scores."


class PixelFacesClassifier(OwnClassifier):
    """64 standardised features of the bundled classifier, which also tells the seven attributes of pixel faces.

    Faces of another size than 32 x 32 are resized to it (bilinear, antialiased). Scores in these features compare with
    each other, never with published ones, which use Inception.
    """

    name = "pixel_faces_classifier"
    resize_rule = "bilinear with antialiasing, 32 x 32"

    def __init__(self) -> None:
        super().__init__(str(WEIGHTS))

    def check(self, spec: Spec) -> None:
        require_images(spec)
        other_names = spec.condition is not None and spec.condition.attribute_names not in ((), self.attribute_names)
        if spec.channels != 3 or spec.class_count is not None or other_names:
            raise ConfigError(
                "metrics.extractor is the pixel faces' classifier, which reads these faces alone: 3 channels, with the "
                f"attributes {', '.join(self.attribute_names)}. Found {spec.channels} channels"
                f"{f', with {spec.condition.description}' if spec.condition else ''}. {HINT}"
            )

    def _features(self, images: Tensor) -> Tensor:
        size = tuple(self.facts["shape"][1:])
        if images.shape[2:] != size:
            images = interpolate(images, size=size, mode="bilinear", antialias=True)
        return super()._features(images)

"""The bundled classifier of pixel faces' attributes."""

import pytest
import torch

from genlab.core.condition import Attributes, Classes
from genlab.core.errors import ConfigError
from genlab.core.pixels import to_float
from genlab.core.spec import Spec
from genlab.data.sets.pixel_faces import ATTRIBUTES, CONDITION, PixelFaces
from genlab.metrics import PixelFacesClassifier
from genlab.metrics.extractors.pixel_faces_classifier import WEIGHTS


def test_it_tells_the_attributes_of_test_pictures():
    extractor, faces = PixelFacesClassifier(), PixelFaces()
    images, labels = faces.test.images, faces.test.labels
    features = torch.cat([extractor(to_float(part)) for part in images.split(500)])
    logits = extractor.attribute_logits(features)
    right = ((logits > 0) == (labels > 0.5)).double().mean(0)
    assert right.mean() >= 0.995 and right.min() >= 0.975
    facts = extractor.facts
    assert (
        right.tolist() == pytest.approx(list(facts["accuracies"].values()), abs=0.001) and facts["test_images"] == 2_000
    )
    assert extractor.attribute_names == ATTRIBUTES == tuple(facts["accuracies"]) and WEIGHTS.stat().st_size < 1_000_000
    assert extractor.labels(features) is None and extractor.logits(features) is None
    assert features.shape[1] == 64 and features.std(0).mean() == pytest.approx(1, abs=0.1)
    assert torch.equal(extractor.network.logits(features) / extractor.temperature, logits)
    doubled = torch.nn.functional.interpolate(to_float(images[:50]), scale_factor=2, mode="nearest")
    seen = extractor.attribute_logits(extractor(doubled)) > 0
    assert (seen == (logits[:50] > 0)).double().mean() > 0.95


@pytest.mark.parametrize(
    ("spec", "found"),
    [
        (Spec(1, 28, 28, images=1), "Found 1 channels"),
        (Spec(3, 32, 32, images=1, condition=Classes(10)), "3 channels, with 10 classes"),
        (Spec(3, 64, 64, images=1, condition=Attributes(2, ("Male", "Young"))), "2 attributes"),
    ],
)
def test_other_pictures_are_refused(spec, found):
    with pytest.raises(ConfigError, match=rf"reads these faces alone.*{found}.*metrics/extractor=inception"):
        PixelFacesClassifier().check(spec)


def test_pixel_faces_of_any_size_are_read():
    for size in (16, 32, 64):
        PixelFacesClassifier().check(Spec(3, size, size, images=1, condition=CONDITION))

"""Features of the bundled digit classifier: scores within seconds, for digits alone."""

from functools import cached_property
from pathlib import Path

import torch
from torch import Tensor, nn

from genlab.core.errors import ConfigError
from genlab.core.spec import Spec
from genlab.data.dataset import Split
from genlab.metrics.extractors.classifier import FEATURES, ImageClassifier, read_classifier
from genlab.metrics.extractors.extractor import Extractor, data_as_measured, full_precision, require_images

CLASSIFIER_WEIGHTS = Path(__file__).parents[1] / "weights" / "mnist_classifier.safetensors"
CHECKED_IMAGES = 200  # real images that are classified before training
MIN_ACCURACY = 0.8  # expected on them; 0.99 on MNIST, 0.98 on stacked MNIST
HINT = "Choose metrics/extractor=inception, or metrics=none to train without scores."


class Classifier(Extractor):
    """64 standardised features of the bundled digit classifier: quick, for MNIST's 1 x 28 x 28.

    Scores in them compare with each other, never with published ones, which use Inception.
    """

    name = "mnist_classifier"
    resize_rule = "none"
    channels = 1

    def classify(self, images: Tensor) -> Tensor:
        """Return calibrated logits [N, 10]."""
        with torch.no_grad(), full_precision(self.device):
            return self.network(images.to(self.device, torch.float32)) / self.temperature

    @cached_property
    def temperature(self) -> float:
        return read_classifier(CLASSIFIER_WEIGHTS)[0]["temperature"]

    def labels(self, features: Tensor) -> Tensor:
        """Return the digits that images show, 0 ... 9."""
        return Classifier.logits(self, features).argmax(1)

    def logits(self, features: Tensor) -> Tensor:
        """Return the digits' logits, [N, 10]."""
        with torch.no_grad(), full_precision(self.device):
            return self.network.logits(features.to(self.device)) / self.temperature

    def check(self, spec: Spec) -> None:
        require_images(spec)
        native = spec.channels, spec.height - 2 * spec.padding, spec.width - 2 * spec.padding
        if native != (self.channels, 28, 28):
            raise ConfigError(
                f"metrics.extractor is MNIST's classifier, and images are {' x '.join(map(str, native))}: it reads "
                f"{self.channels} x 28 x 28 alone. {HINT}"
            )

    def check_reading(self, split: Split, spec: Spec) -> None:
        """Raise ConfigError if it misclassifies labelled images: other pictures of this size are not digits."""
        images, labels = (None if part is None else part[:CHECKED_IMAGES] for part in split)
        if labels is None:
            return
        found = self.labels(self(data_as_measured(images, spec))).cpu()
        share = (found == labels)[labels >= 0].double().mean().item()  # nan without any; below 0: not labelled
        if share < MIN_ACCURACY:
            raise ConfigError(
                f"metrics.extractor is MNIST's classifier, and it tells the class of {share:.0%} of {len(images):,} "
                f"real images: expected {MIN_ACCURACY:.0%} or more, for it knows digits alone. {HINT}"
            )

    def _load(self) -> nn.Module:
        network = ImageClassifier()
        network.load_state_dict(read_classifier(CLASSIFIER_WEIGHTS)[1])
        return network.to(memory_format=torch.channels_last)  # 2.5 times as fast on a CPU

    def _features(self, images: Tensor) -> Tensor:
        return self.network.features(images)


class StackedClassifier(Classifier):
    """The digit classifier on each of three channels that show a digit each: 3 x 64 features.

    Its classes are the 1,000 modes of stacked MNIST: the first channel's digit times 100 plus the second's times 10
    plus the third's (Metz et al. 2017, section 3.3.1).
    """

    name = "stacked_mnist_classifier"
    channels = 3

    def labels(self, features: Tensor) -> Tensor:
        """Return the modes that images show, 0 ... 999."""
        digits = super().labels(features.reshape(-1, FEATURES)).view(-1, 3)
        return (digits * digits.new_tensor([100, 10, 1])).sum(1)

    def logits(self, features: Tensor) -> Tensor:
        """Return the modes' logits, [N, 1000]: channels are read one by one, so their probabilities multiply."""
        digits = super().logits(features.reshape(-1, FEATURES)).view(-1, 3, 10)
        hundreds, tens, ones = digits.unbind(1)
        return (hundreds[:, :, None, None] + tens[:, None, :, None] + ones[:, None, None, :]).flatten(1)

    def _features(self, images: Tensor) -> Tensor:
        return super()._features(images.reshape(-1, 1, *images.shape[2:])).view(len(images), -1)

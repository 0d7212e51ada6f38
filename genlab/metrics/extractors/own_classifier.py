"""Features of a classifier of the user's own data, trained by `scripts/train_classifier.py`."""

from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, NamedTuple, get_type_hints

import torch
from annotated_types import MaxLen, MinLen
from torch import Tensor, nn

from genlab.core.errors import ConfigError
from genlab.core.network_limit import limit_of_checkpoint, limited_networks
from genlab.core.spec import Spec
from genlab.core.types import FilePath, Positive, Side
from genlab.core.validation import validate
from genlab.core.weights import describe_misfit
from genlab.metrics.extractors.classifier import ImageClassifier, read_classifier
from genlab.metrics.extractors.custom import unpadded_shape
from genlab.metrics.extractors.extractor import Extractor, full_precision, require_images

HINT = "Train one on your data: python scripts/train_classifier.py data=folder data.root=PATH data.size=32 --out FILE."


class Facts(NamedTuple):
    """The header of a classifier's file: the data it was trained on, its accuracy there, and what it tells."""

    data: str
    accuracy: float
    shape: Annotated[list[Side], MinLen(3), MaxLen(3)]  # channels, height and width
    names: Annotated[list[Any], MinLen(1)]  # of its outputs: "classes", or "attributes"


class OwnClassifier(Extractor):
    """64 standardised features of the user's classifier, and the classes or attributes that it tells.

    `accuracy` and `attribute_accuracy` measure conditional samples by these. Scores compare with each other, never with
    published ones. Raises ConfigError for a file that holds no classifier, and for images of another size or with
    other classes or attributes.
    """

    resize_rule = "none"

    def __init__(self, weights: FilePath | None = None) -> None:  # a file that scripts/train_classifier.py wrote
        if weights is None:
            raise ConfigError(f"metrics.extractor.weights=null: expected a classifier's file. {HINT}")
        self.path = Path(weights).expanduser()

    @property
    def name(self) -> str:
        """Return the name for records: what it was trained on, and its accuracy on test images."""
        return f"classifier of {self.facts['data']} (test accuracy {self.facts['accuracy']:.3f})"

    @cached_property
    def facts(self) -> dict[str, Any]:
        return self._read()[0]

    @property
    def temperature(self) -> float:
        """Return the file's temperature; 1 for a file that was written before classifiers were calibrated."""
        return self.facts.get("temperature", 1.0)

    @property
    def attribute_names(self) -> tuple[str, ...]:
        return tuple(self.facts["names"]) if self.facts["noun"] == "attributes" else ()

    def labels(self, features: Tensor) -> Tensor | None:
        logits = self.logits(features)
        return None if logits is None else logits.argmax(1)

    def logits(self, features: Tensor) -> Tensor | None:
        return None if self.attribute_names else self._outputs(features)

    def attribute_logits(self, features: Tensor) -> Tensor | None:
        return self._outputs(features) if self.attribute_names else None

    def _outputs(self, features: Tensor) -> Tensor:
        with torch.no_grad(), full_precision(self.device):
            return self.network.logits(features.to(self.device)) / self.temperature

    def check(self, spec: Spec) -> None:
        require_images(spec)
        expected, found = tuple(self.facts["shape"]), unpadded_shape(spec)
        if found != expected:
            raise ConfigError(
                f"metrics.extractor.weights={self.path}: reads images of {' x '.join(map(str, expected))}, and these "
                f"are {' x '.join(map(str, found))}. {HINT}"
            )
        self._refuse_other_labels(spec)

    def _refuse_other_labels(self, spec: Spec) -> None:
        """Raise ConfigError for other classes or attributes, or in another order: each would be told for another."""
        known, noun = list(map(str, self.facts["names"])), self.facts["noun"]
        attributes = () if spec.condition is None else spec.condition.attribute_names
        told = (attributes, len(attributes) or None), (spec.class_names, spec.class_count)
        names, count = told[0] if self.attribute_names else told[1]
        tells = f"metrics.extractor.weights={self.path}: tells"
        if count not in (None, len(known)):
            raise ConfigError(f"{tells} {len(known)} {noun}, and the data have {count}. {HINT}")
        if names and known not in (list(names), list(map(str, range(len(names))))):
            raise ConfigError(f"{tells} the {noun} {', '.join(known)}, and the data have {', '.join(names)}. {HINT}")

    def _load(self) -> nn.Module:
        facts, weights = self._read()
        channels, *size = facts["shape"]
        with limited_networks(limit_of_checkpoint(weights, self.path)):
            network = ImageClassifier(channels, tuple(size), len(facts["names"]))
        if difference := describe_misfit(network.state_dict(), weights):
            raise ConfigError(f"metrics.extractor.weights={self.path}: unfit for a classifier ({difference}). {HINT}")
        network.load_state_dict(weights)
        return network.to(memory_format=torch.channels_last)

    def _features(self, images: Tensor) -> Tensor:
        return self.network.features(images)

    def _read(self) -> tuple[dict[str, Any], dict[str, Tensor]]:
        try:
            hints = get_type_hints(Facts, include_extras=True)
            facts, weights = read_classifier(self.path)
            noun = "attributes" if "attributes" in facts else "classes"
            facts |= {"noun": noun, "names": facts[noun]}
            validate(facts.get("temperature", 1.0), Positive, "temperature")
            return facts | {name: validate(facts[name], hint, name) for name, hint in hints.items()}, weights
        except (ConfigError, LookupError, TypeError, ValueError) as error:
            problem = f"metrics.extractor.weights={self.path}: holds no classifier ({error})"
            raise ConfigError(f"{problem}. {HINT}") from error

"""GANs whose discriminator classifies: AC-GAN, with an auxiliary head, and the semi-supervised GAN."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from genlab.core.condition import Classes
from genlab.core.evaluation_mode import evaluating
from genlab.core.spec import Spec
from genlab.models.adversarial.discriminator import Discriminator
from genlab.models.adversarial.gan import GAN


class DiscriminatorWrapper(nn.Module):
    """A discriminator around another one, without its condition: the same features, the same logits."""

    def __init__(self, inner: Discriminator) -> None:
        super().__init__()
        self.inner = inner
        self.feature_size = inner.feature_size

    def features(self, images: Tensor, condition: Tensor | None = None) -> Tensor:
        """Return features [N, F]."""
        return self.inner.features(images)

    def head(self, features: Tensor, condition: Tensor | None = None) -> Tensor:
        """Return logits [N] of features [N, F]."""
        return self.inner.head(features)

    def forward(self, images: Tensor, condition: Tensor | None = None) -> Tensor:
        return self.head(self.features(images))


class DiscriminatorWithClassifier(DiscriminatorWrapper):
    """A discriminator with a second head that classifies: Odena et al. 2017, section 3."""

    def __init__(self, inner: Discriminator, classes: int) -> None:
        super().__init__(inner)
        self.classifier = nn.Linear(inner.feature_size, classes)

    def classify(self, features: Tensor) -> Tensor:
        """Return class logits [N, classes] of features [N, F]."""
        return self.classifier(features)


class ClassifierDiscriminator(DiscriminatorWrapper):
    """A classifier as a discriminator: an image is real if it belongs to any class (Salimans et al. 2016, section 5).

    Generated images are class K + 1, whose logit is fixed at 0 because softmax depends on differences only. The
    probability of real is Z / (Z + 1) with Z = sum_k exp(logit_k): the sigmoid of log Z, so log Z is the logit.
    """

    def classify(self, features: Tensor) -> Tensor:
        """Return class logits [N, classes] of features [N, F]."""
        return self.inner.head(features)

    def head(self, features: Tensor, condition: Tensor | None = None) -> Tensor:
        return self.classify(features).logsumexp(1)


class ClassifyingGAN(GAN):
    """A GAN whose discriminator also classifies images."""

    @torch.no_grad()
    def classify(self, images: Tensor) -> Tensor:
        """Return class logits [N, classes] of images [N, C, H, W], in evaluation mode."""
        with evaluating(self.discriminator) as network:
            return network.classify(network.features(images))


class ACGAN(ClassifyingGAN):
    """The generator receives a class, which the discriminator must recognise: Odena et al. 2017.

    Raises ConfigError for data without classes.
    """

    def __init__(
        self,
        spec: Spec,
        *,
        discriminator: Callable[[Spec], Discriminator],  # judges images without their class
        **shared: Any,
    ) -> None:
        classes = require_classes(spec)
        super().__init__(
            spec,
            discriminator=lambda given: DiscriminatorWithClassifier(discriminator(given), classes),
            conditional=["generator"],
            **shared,
        )


class SemiSupervisedGAN(ClassifyingGAN):
    """A classifier that learns from unlabelled and generated images too: Salimans et al. 2016, section 5.

    Raises ConfigError for data without classes.
    """

    def __init__(
        self,
        spec: Spec,
        *,
        discriminator: Callable[..., Discriminator],  # (spec, outputs=classes) -> network
        **shared: Any,
    ) -> None:
        classes = require_classes(spec)
        super().__init__(
            spec,
            discriminator=lambda given: ClassifierDiscriminator(discriminator(given, outputs=classes)),
            conditional=False,
            **shared,
        )


def require_classes(spec: Spec) -> int:
    refusal = (
        "this model needs classes, and the data have none to tell: choose labelled data, such as data=mnist "
        "(with data.task=null), or a model without labels."
    )
    return spec.require(Classes, refusal).count

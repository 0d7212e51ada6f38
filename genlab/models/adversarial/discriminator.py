"""Base class of discriminators: features, minibatch statistics, a linear head and projection of the condition."""

from typing import Literal

from torch import Tensor, nn

from genlab.core.spec import Spec
from genlab.core.types import Count
from genlab.models.layers.minibatch import MinibatchName, minibatch_layer

ConditionName = Literal["projection", "concatenation"]


class Discriminator(nn.Module):
    """(images, condition=None) -> features [N, F] -> logits [N], or [N, outputs] for losses that need several.

    A subclass defines `features` alone. With a condition, the inner product of features and embedded condition is
    added to the logits: Miyato and Koyama 2018, equation 3.
    """

    def __init__(
        self,
        spec: Spec,
        feature_size: int,
        *,
        minibatch: MinibatchName = "none",  # statistic of the batch that is appended to features
        outputs: Count = 1,  # logits an image
        bias: bool = True,
        projection: bool = True,  # False: `features` uses the condition itself
    ) -> None:
        super().__init__()
        self.feature_size = feature_size
        self.minibatch = minibatch_layer(minibatch, feature_size)
        self.last = nn.Linear(feature_size + self.minibatch.extra, outputs, bias=bias)
        self.projection = spec.condition.embedding(feature_size) if projection and spec.condition_size else None
        if self.projection is not None:  # its logits vary as much as those of `last`, for any number of features
            nn.init.normal_(self.projection.weight, std=feature_size**-0.5)

    def features(self, images: Tensor, condition: Tensor | None = None) -> Tensor:
        """Return features [N, F]."""
        raise NotImplementedError

    def head(self, features: Tensor, condition: Tensor | None = None) -> Tensor:
        """Return logits [N] or [N, outputs] of features [N, F]."""
        logits = self.last(self.minibatch(features))
        if self.projection is not None:
            logits = logits + (self.projection(condition) * features).sum(1, keepdim=True)
        return logits.squeeze(1)

    def forward(self, images: Tensor, condition: Tensor | None = None) -> Tensor:
        return self.head(self.features(images, condition), condition)

"""Base class of discriminators: features, minibatch statistics, a linear head and projection of the condition."""

from typing import Any, Literal

from torch import Tensor, nn

from genlab.core.errors import Outdated
from genlab.core.spec import Spec
from genlab.core.types import Count
from genlab.models.layers.minibatch import MinibatchName, minibatch_layer

ConditionName = Literal["projection", "concatenation"]


class Discriminator(nn.Module):
    """(images, condition=None) -> features [N, F] -> logits [N], or [N, outputs] for losses that need several.

    A subclass defines `features` alone. With a condition, the inner product of features and embedded condition is
    added to the logits: Miyato and Koyama 2018, equation 3. One with `label_vectors` has the inner product alone, of
    `last`'s output and the condition's vector, without a term of the image alone.
    """

    _version = 2  # of the state dict; in version 1 none had `label_vectors`

    def __init__(
        self,
        spec: Spec,
        feature_size: int,
        *,
        minibatch: MinibatchName = "none",  # statistic of the batch that is appended to features
        outputs: Count = 1,  # logits an image
        bias: bool = True,
        projection: bool = True,  # False: `features` uses the condition itself
        label_vectors: nn.Module | None = None,  # condition -> [N, feature_size]; no `projection` then
    ) -> None:
        super().__init__()
        self.feature_size, self.label_vectors = feature_size, label_vectors
        self.minibatch = minibatch_layer(minibatch, feature_size)
        self.last_size = outputs if label_vectors is None else outputs * feature_size
        self.last = nn.Linear(feature_size + self.minibatch.extra, self.last_size, bias=bias)
        projects = projection and label_vectors is None and spec.condition_size
        self.projection = spec.condition.embedding(feature_size) if projects else None
        if self.projection is not None:  # its logits vary as much as those of `last`, for any number of features
            nn.init.normal_(self.projection.weight, std=feature_size**-0.5)

    def features(self, images: Tensor, condition: Tensor | None = None) -> Tensor:
        """Return features [N, F]."""
        raise NotImplementedError

    def head(self, features: Tensor, condition: Tensor | None = None) -> Tensor:
        """Return logits [N] or [N, outputs] of features [N, F]."""
        logits = self.last(self.minibatch(features))
        if self.label_vectors is not None:
            logits = (logits.unflatten(1, (-1, self.feature_size)) @ self.label_vectors(condition)[:, :, None]).squeeze(
                2
            )
        if self.projection is not None:
            logits = logits + (self.projection(condition) * features).sum(1, keepdim=True)
        return logits.squeeze(1)

    def forward(self, images: Tensor, condition: Tensor | None = None) -> Tensor:
        return self.head(self.features(images, condition), condition)

    def _load_from_state_dict(self, state: dict[str, Any], prefix: str, metadata: dict[str, Any], *rest: Any) -> None:
        if self._modules.get("label_vectors") is not None and metadata.get("version", self._version) < 2:
            raise Outdated(
                "the conditional discriminators of StyleGAN2, StyleGAN3 and R3GAN ended otherwise when this was saved. "
                "Sample, evaluate and export it; to train further, start a new run."
            )
        super()._load_from_state_dict(state, prefix, metadata, *rest)

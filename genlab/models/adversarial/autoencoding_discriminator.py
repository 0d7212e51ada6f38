"""Discriminators that are autoencoders, as in EBGAN and BEGAN: images reconstructed badly have a high energy."""

from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor, nn

from genlab.core.spec import Spec
from genlab.core.types import Count
from genlab.models.adversarial.discriminator import Discriminator


class Autoencoder(Discriminator):
    """(images, condition=None) -> logits [N]: minus the energy, the mean error of the reconstruction.

    Zhao et al. 2017, section 2.3 (squared error); Berthelot et al. 2017, section 3.1 (absolute error).
    Features [N, code_size + 1] are the code followed by the logit, which the code alone does not determine.
    """

    def __init__(
        self,
        spec: Spec,
        *,
        encoder: Callable[[Spec, int], nn.Module],  # (spec, code size) -> network
        decoder: Callable[[Spec, int], nn.Module],
        code_size: Count = 64,
        power: Literal[1, 2] = 2,  # of the error
    ) -> None:
        nn.Module.__init__(self)  # there is no head
        self.feature_size, self.code_size, self.power = code_size + 1, code_size, power
        self.encoder, self.decoder = encoder(spec, code_size), decoder(spec, code_size)

    def features(self, images: Tensor, condition: Tensor | None = None) -> Tensor:
        code = self.encoder(images, condition)
        error = (self.decoder(code, condition) - images).abs()
        energy = (error if self.power == 1 else error.square()).flatten(1).mean(1, keepdim=True)
        return torch.cat([code, -energy], dim=1)

    def head(self, features: Tensor, condition: Tensor | None = None) -> Tensor:
        return features[:, -1]

    def reconstruct(self, images: Tensor, condition: Tensor | None = None) -> Tensor:
        """Return the reconstruction, of the images' shape."""
        return self.decoder(self.encoder(images, condition), condition)

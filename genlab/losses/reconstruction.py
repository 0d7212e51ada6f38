"""Reconstruction losses: a decoder's output [N, ...] and images -> one number a sample, summed over pixels."""

from dataclasses import dataclass
from math import log, pi
from typing import ClassVar, Literal

from torch import Tensor
from torch.nn.functional import softplus

from genlab.core.errors import ConfigError
from genlab.core.system_facts import SystemFacts
from genlab.core.types import Positive
from genlab.losses.turn import Turn

Variance = Literal["fixed", "learned", "per_pixel"]


class Reconstruction:
    """A formula that an autoencoder minimises: (decoder's output, images) -> one number an image, [N]."""

    is_likelihood: ClassVar[bool] = True
    needs_lipschitz: ClassVar[bool] = False  # as an `AdversarialLoss` may
    saturates: ClassVar[bool] = False
    needs_images: ClassVar[bool] = False  # means nothing for points

    def refuse(self, system: SystemFacts) -> None:
        """Raise ConfigError for a model with a discriminator, and for a loss of pixels on data without pixels."""
        if "discriminator" in system.players:
            raise ConfigError(
                "is for autoencoders, and this model has a discriminator. Choose an adversarial loss, such as "
                "loss=non_saturating."
            )
        if self.needs_images and system.spec.height is None:
            raise ConfigError("is of pixels, and the data are points: loss=gaussian.")

    def reconstruction(self, output: Tensor, target: Tensor) -> Tensor:
        """Return the error of each sample [N]; -log p(target | output) in nats where the loss is a likelihood."""
        raise NotImplementedError

    def in_data_units(self, errors: Tensor, scale: float, size: int) -> Tensor:
        """Return errors [N] of points of `size` numbers in the data's units; networks see them divided by `scale`.

        A density of points that are `scale` times as far apart is lower by scale^size.
        """
        return errors + size * log(scale)

    def mean_image(self, output: Tensor) -> Tensor:
        """Return the images, in [-1, 1], that a decoder's output stands for."""
        return output


class Bernoulli(Reconstruction):
    """Binary cross-entropy, output = logits: Kingma and Welling 2014, appendix C.1.

    It is a likelihood of black and white images only; on grey ones its least value is the pixels' entropy.
    """

    needs_images: ClassVar[bool] = True

    def reconstruction(self, output: Tensor, target: Tensor) -> Tensor:
        return (softplus(output) - output * ((target + 1) / 2)).flatten(1).sum(1)

    def mean_image(self, output: Tensor) -> Tensor:
        return (output / 2).tanh()  # 2 sigmoid(x) - 1


@dataclass
class Gaussian(Reconstruction):
    """Independent normal pixels: Kingma and Welling 2014, appendix C.2.

    A variance that is not fixed is read from the output's second half of channels, as a logarithm. It has a smooth
    floor: on pixels that never change the likelihood has no bound (Mattei and Frellsen 2018).
    """

    variance: Variance = "fixed"  # learned: one number of all pixels; per_pixel: the decoder's second output
    deviation: Positive = 1.0  # the fixed one, of values in [-1, 1]
    floor: Positive = 0.02  # least deviation where it is not fixed

    def reconstruction(self, output: Tensor, target: Tensor) -> Tensor:
        mean, log_variance = self.mean_and_log_variance(output)
        if log_variance is None:
            excess = ((target - mean) / self.deviation).square().flatten(1)
            return excess.sum(1) / 2 + excess.shape[1] * (log(2 * pi) / 2 + log(self.deviation))
        excess = (target - mean).square() * (-log_variance).exp()
        return (excess + log_variance + log(2 * pi)).flatten(1).sum(1) / 2

    def mean_image(self, output: Tensor) -> Tensor:
        return self.mean_and_log_variance(output)[0]

    def mean_and_log_variance(self, output: Tensor) -> tuple[Tensor, Tensor | None]:
        """Split an output into the mean and the logarithm of the variance; None: fixed."""
        if self.variance == "fixed":
            return output, None
        mean, raw = output.chunk(2, dim=1)
        lowest = 2 * log(self.floor)
        return mean, lowest + softplus(raw - lowest)


class SquaredError(Reconstruction):
    """Squared distance, which principal components minimise (Baldi and Hornik 1989)."""

    is_likelihood: ClassVar[bool] = False

    def reconstruction(self, output: Tensor, target: Tensor) -> Tensor:
        return (output - target).square().flatten(1).sum(1)

    def in_data_units(self, errors: Tensor, scale: float, size: int) -> Tensor:
        return errors * scale**2


def feature_error(turn: Turn) -> Tensor:
    """Return -log N(f(real); f(fake), I) [N] up to a constant, with the discriminator's features f.

    Larsen et al. 2016, equation 7.
    """
    difference = (turn.real_features - turn.fake_features).to(turn.real.dtype)
    return difference.square().flatten(1).sum(1) / 2

"""The contract of models and networks: what all of them are, and what some of them offer beside that.

Generic code asks here and nowhere else: `isinstance` with a Protocol for what a part can do, a function for a fact that
it states. A network is a plain `nn.Module`; it offers a capability by having the Protocol's methods, without deriving
from anything. Members of these Protocols are methods, properties and plain values, because from Python 3.12 on
`isinstance` overlooks submodules and buffers.

Latents and layers have pages of their own: `genlab.models.latent_contract` and `genlab.models.layer_contract`.

Shapes: N images of C channels, H x W pixels; L numbers of a latent; M patches that a discriminator judges. A condition
is a class int64 [N], attributes [N, K], words [N, T], a picture [N, C', H, W], or None.
"""

from collections.abc import Callable, Iterable
from typing import Any, ClassVar, NamedTuple, Protocol, runtime_checkable

from torch import Tensor, nn

from genlab.models.latent_contract import Latent


class Model(nn.Module):
    """Networks that are trained together, and the latent that samples are drawn from. Every model derives from it.

    The attributes below are all that generic code reads of any model; a subclass states where it differs. A strategy
    also reads the networks that it moves by their players' names, such as `discriminator`.
    """

    latent: Latent
    generator: nn.Module  # (z, condition=None) -> images [N, C, H, W]; samples come from it
    conditional: bool = False  # images depend on a condition
    conditioned_networks: frozenset[str] = frozenset()  # the players that receive the condition
    translates_both_ways: ClassVar[bool] = False  # generator and discriminator have `there` and `back`, one each way
    discriminates_codes: ClassVar[bool] = False  # the discriminator sees latents [N, L] instead of images
    caption: ClassVar[str] = ""  # what must be known of samples that are no fair picture of the model

    @property
    def players(self) -> dict[str, nn.Module]:
        """Return the networks that have an optimizer each, by name."""
        raise NotImplementedError


@runtime_checkable
class EncodesImages(Protocol):
    """A model that finds the latents of images."""

    def codes(self, images: Tensor, condition: Tensor | None = None) -> Tensor:
        """Return the latents of images [N, C, H, W], in the shape that `latent` draws."""


class Posterior(Protocol):
    """A distribution over latents, one for each of N images."""

    mean: Tensor  # [N, L]
    log_variance: Tensor  # [N, L]

    def sample(self, noise: Tensor) -> Tensor:
        """Turn standard normal noise [..., N, L] into latents, differentiably."""

    def log_density(self, z: Tensor) -> Tensor:
        """Return the log density, in nats, of latents [..., N, L]: [..., N]."""


@runtime_checkable
class GivesPosterior(Protocol):
    """A model whose encoder gives a distribution over latents."""

    def posterior(self, images: Tensor, condition: Tensor | None = None) -> Posterior:
        """Return the distribution over the latents of images [N, C, H, W]."""


class Quantised(NamedTuple):
    """Latents [N, D, h, w] and the codes that replace them."""

    latents: Tensor
    straight_through: Tensor  # the codes [N, D, h, w], with the latents' gradient
    codes: Tensor  # the codes alone
    perplexity: Tensor  # exp(entropy of the codes' use in this batch), [1]
    codes_used: Tensor  # how many were chosen at least once, [1]


@runtime_checkable
class VectorQuantised(Protocol):
    """A model that replaces latents by the nearest entries of a codebook."""

    def quantise(self, images: Tensor) -> Quantised:
        """Encode images [N, C, H, W] and quantise their latents."""

    def update_codebook(self) -> None:
        """Move the codebook to the latents of the turn, on all ranks alike."""


@runtime_checkable
class ClassifiesImages(Protocol):
    """A model that names the class of images."""

    def classify(self, images: Tensor) -> Tensor:
        """Return class logits [N, classes] of images [N, C, H, W], as in evaluation."""


@runtime_checkable
class SolvedInClosedForm(Protocol):
    """A model that is fitted to all images at once, without gradients."""

    def fit(self, chunks: Callable[[], Iterable[Tensor]], *, seed: int) -> None:
        """Fit to the images, which `chunks()` gives as rows [n, D] in float64, anew each time it is called."""

    def facts(self) -> dict[str, Tensor]:
        """Return numbers [] that describe the solution, by name."""


# Generators


@runtime_checkable
class StyleBased(Protocol):
    """A generator that maps latents to styles w [N, W], which steer its layers."""

    layers: int  # how many take a style
    style_size: int  # W
    truncated_layers: int  # the first ones, whose styles truncation moves

    def map_latents(self, z: Tensor, condition: Tensor | None = None) -> Tensor:
        """Map latents [N, L] to w [N, W]."""

    def spread(self, w: Tensor) -> Tensor:
        """Repeat w [N, W] for every layer: [N, layers, W]."""

    def styles(self, z: Tensor, condition: Tensor | None = None) -> Tensor:
        """Map latents [N, L] to a style for each layer [N, layers, W]; in training some images mix two."""

    def truncate_styles(self, styles: Tensor, psi: float) -> Tensor:
        """Move styles [N, layers, W] towards their mean: at psi 0 all are the mean, at 1 they stay."""

    def synthesis(self, styles: Tensor) -> Tensor:
        """Make images [N, C, H, W] of styles [N, layers, W]."""


@runtime_checkable
class MultiStage(Protocol):
    """A generator that, in training, makes each image in several sizes: [N, stages * C, H, W]."""

    def build_pyramid(self, images: Tensor) -> Tensor:
        """Bring real images [N, C, H, W] into that form: smaller copies, enlarged, behind them."""


@runtime_checkable
class AugmentsConditions(Protocol):
    """A generator that draws its code from a distribution that the condition gives: StackGAN's."""

    def conditioning(self, condition: Tensor) -> tuple[Tensor, Tensor]:
        """Return the mean and the logarithm of the variance of the code, [N, K] each."""


@runtime_checkable
class MovableInput(Protocol):
    """A generator whose input can be moved, so that its images move with it."""

    @property
    def transform(self) -> Tensor:
        """Return the matrix [3, 3] or [N, 3, 3] from places in the image to places in the input. It can be set."""


@runtime_checkable
class Grows(Protocol):
    """A network of either player that begins with small images and doubles their side."""

    doublings: int  # from the smallest side to the data's

    @property
    def side(self) -> int:
        """Return the pixels a side of the images that the network makes or judges now."""

    def shrink(self, images: Tensor) -> Tensor:
        """Bring real images [N, C, H, W] to the side and the sharpness of the images now."""

    def grow(self, level: float) -> None:
        """Grow to `level` doublings of the smallest side; the fraction says how far the last one is faded in."""


def is_unbounded(generator: nn.Module) -> bool:
    """Return whether nothing but training holds images to [-1, 1]: the generator states `unbounded = True`."""
    return getattr(generator, "unbounded", False)


def side_multiple_of(generator: nn.Module) -> int | None:
    """Return the number that sides of source pictures must be multiples of: the translator's `side_multiple`.

    None: it takes pictures of the training size alone.
    """
    return getattr(generator, "side_multiple", None)


# Discriminators


@runtime_checkable
class HasFeatures(Protocol):
    """A discriminator whose logits are computed from features that a penalty can use too."""

    def features(self, images: Tensor, condition: Tensor | None = None) -> Tensor:
        """Return features [N, F] of images [N, C, H, W]."""

    def head(self, features: Tensor, condition: Tensor | None = None) -> Tensor:
        """Return the logits [N], [N, M] or [N, h, w] of features [N, F]."""


@runtime_checkable
class ClassifiesFeatures(HasFeatures, Protocol):
    """A discriminator that also names classes."""

    def classify(self, features: Tensor) -> Tensor:
        """Return class logits [N, classes] of features [N, F]."""


@runtime_checkable
class GuessesCodes(HasFeatures, Protocol):
    """A discriminator that also guesses the codes that images were made from: InfoGAN's."""

    def guess(self, features: Tensor) -> Any:
        """Return the distribution of each code: tuples of logits, means and log deviations of features [N, F]."""


@runtime_checkable
class FeaturesByLayer(HasFeatures, Protocol):
    """A discriminator whose features can be taken apart into the maps of its layers."""

    def by_layer(self, features: Tensor) -> list[list[Tensor]]:
        """Return, for each scale, the maps [N, C, h, w] that features [N, F] consist of."""


@runtime_checkable
class DecodesFeatures(HasFeatures, Protocol):
    """A discriminator with decoders that draw real images from its features: FastGAN's."""

    def decode(self, features: Tensor, images: Tensor, quarter: int) -> list[tuple[Tensor, Tensor]]:
        """Return pairs of what is drawn of features [N, F] and what should be: images, or a quarter 0 to 3 of them.

        Both are [N, C, h, w] in [-1, 1].
        """


def code_size_of(discriminator: nn.Module) -> int | None:
    """Return how many of a discriminator's first features are an autoencoder's code; None: it does not autoencode."""
    return getattr(discriminator, "code_size", None)


def per_image(discriminator: nn.Module, values: Tensor) -> Tensor:
    """Average numbers of patches, [N, M] or [N, h, w], over each image, as much as its patches count: [N]."""
    return values if values.ndim == 1 else weigh_patches(discriminator, values).mean(1)


def weigh_patches(discriminator: nn.Module, values: Tensor) -> Tensor:
    """Multiply numbers of patches, [N, M] or [N, h, w], by the discriminator's weights: [N, M]. Return [N] as it is."""
    weights = patch_weights_of(discriminator)
    patches = values.flatten(1) if values.ndim > 1 else values
    return patches if weights is None or values.ndim == 1 else patches * weights


def patch_weights_of(discriminator: nn.Module) -> Tensor | None:
    """Return the weights [M] of a discriminator's patches within an image, 1 on average; None: all count alike."""
    return getattr(discriminator, "patch_weights", None)

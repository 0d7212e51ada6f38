"""Directions of change in a generator's latents or styles, found without labels or gradients."""

import logging
from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrize import is_parametrized

from genlab.core.errors import ConfigError
from genlab.core.types import Positive, Side, Whole
from genlab.metrics.extractors.extractor import Extractor
from genlab.models.latent_contract import is_plain_vector
from genlab.sampling.attributes import attribute_axes, require_attributes, shown_attributes, wanted_attributes
from genlab.sampling.conditions import conditions
from genlab.sampling.loaded_run import Loaded
from genlab.sampling.mode import Picture, Request

DEVIATION_SAMPLES = 5_000  # latents from which deviations, components and attributes' means are computed
STYLE_BATCH = 500
ANY = Request()
log = logging.getLogger(__name__)


class Directions(Picture):
    """Draw a direction a row, the strongest first, and a step along it a column, with the sample in the middle.

    `factorisation` takes the eigenvectors of A'A, where A stacks the matrices that multiply the styles: Shen and Zhou
    2021 (SeFa). In a generator without styles, A is the first layer and the directions are in z.
    `components` takes the principal components of w: Haerkoenen et al. 2020 (GANSpace).
    `attributes` goes from the mean of samples without an attribute to that of samples with it, as the extractor's
    classifier sees them.
    Steps are multiples of the deviation that styles, or latents, have along the direction.

    Raises ConfigError for components of z, which have no order, for a generator whose first layer does not read z, and
    for attributes that the extractor does not tell.
    """

    def __init__(
        self,
        extractor: Extractor | None = None,  # tells the attributes of samples
        *,
        method: Literal["factorisation", "components", "attributes"] = "factorisation",
        attributes: Sequence[str] | None = None,  # of method=attributes, a row each; null: all that it tells
        rows: Side = 8,  # directions
        columns: Side = 7,  # steps, from -reach to reach
        reach: Positive = 3.0,  # deviations
        layers: Sequence[Whole] | None = None,  # layers whose styles change and are factorised; null: all
        truncation: float | None = None,  # psi of the sample
    ) -> None:
        self.method, self.rows, self.columns, self.reach = method, rows, columns, reach
        self.layers, self.truncation = layers, truncation
        self.extractor, self.attributes = extractor, attributes
        if attributes is not None and method != "attributes":
            raise ConfigError(f"mode.attributes={list(attributes)}: is of mode.method=attributes. Set that, too.")

    def check(self, loaded: Loaded, request: Request) -> None:
        super().check(loaded, request)
        latent = loaded.run.model.latent
        if not (is_plain_vector(latent, loaded.latent(1)) and latent.size):
            raise ConfigError("mode=directions: this model's latents are no vectors of numbers: there is no direction.")
        for name in ("layers", "truncation"):
            if getattr(self, name) is not None:
                loaded.require_styles(f"mode.{name}={getattr(self, name)}")
        if self.method == "components":
            loaded.require_styles("mode.method=components")
        if self.method == "attributes":
            require_attributes(loaded, self.extractor, "mode.method=attributes")

    def draw(self, loaded: Loaded, request: Request) -> Tensor:
        condition = loaded.conditions_of([0], **request.options)
        z = loaded.latent(1, seed=request.seed)
        start = loaded.styles(z, classes=condition, truncation=self.truncation)[0] if loaded.has_styles else z
        mask = self.layer_mask(len(start)).to(start)
        directions = self.scaled_directions(loaded, mask, request)[: self.rows]
        steps = torch.linspace(-self.reach, self.reach, self.columns).to(start)
        points = start + mask[:, None] * steps[:, None, None] * directions[:, None, None]  # [rows, columns, L, D]
        points = points.flatten(0, 1)
        repeated = None if condition is None else condition.expand(len(points), *condition.shape[1:])
        images = loaded.synthesise(points) if loaded.has_styles else loaded.generate(points[:, 0], classes=repeated)
        return loaded.draw(images, self.columns)

    def layer_mask(self, count: int) -> Tensor:
        """Return [count]: 1 for the layers whose styles change, else 0."""
        chosen = range(count) if self.layers is None else self.layers
        if not chosen or max(chosen) >= count:
            raise ConfigError(f"mode.layers={list(chosen)}: this generator has layers 0 to {count - 1}; name some.")
        return torch.zeros(count).index_fill(0, torch.tensor(list(chosen)), 1.0)

    def scaled_directions(self, loaded: Loaded, mask: Tensor, request: Request = ANY) -> Tensor:
        """Return directions [K, D], the strongest first, each as long as the deviation along it."""
        z = loaded.latent(DEVIATION_SAMPLES)
        condition = loaded.conditions_of(range(len(z)), **request.options) if self.method == "attributes" else None
        vectors = style_vectors(loaded, z, condition) if loaded.has_styles else z
        vectors = vectors.double() - vectors.double().mean(0)
        directions = self.unit_directions(loaded, vectors, mask, lambda: loaded.generate(z, classes=condition))
        deviations = (vectors @ directions.T).square().mean(0).sqrt()
        return (directions * deviations[:, None]).to(z)

    def unit_directions(self, loaded: Loaded, vectors: Tensor, mask: Tensor, images: Callable[[], Tensor]) -> Tensor:
        """Return unit vectors [K, D] for centred latents or styles [N, D], of which `images` makes the images."""
        if self.method == "attributes":
            names = known = self.extractor.attribute_names
            if self.attributes is not None:
                names = tuple(self.attributes)
            numbers = [*wanted_attributes("+".join(names), known, "mode.attributes")]
            log.info("rows: %s, each from without to with", ", ".join(names[: self.rows]))
            return attribute_axes(vectors, shown_attributes(loaded, self.extractor, images())[:, numbers], names)
        matrix = vectors if self.method == "components" else style_matrix(loaded, mask)
        strengths, directions = principal_axes(matrix)
        log.info("strength of each row: %s", ", ".join(f"{share:.1%}" for share in strengths[: self.rows]))
        return directions


def style_vectors(loaded: Loaded, z: Tensor, condition: Tensor | None) -> Tensor:
    """Return the first layer's styles [N, D] of latents."""
    parts = [slice(start, start + STYLE_BATCH) for start in range(0, len(z), STYLE_BATCH)]
    return torch.cat([loaded.styles(z[at], classes=None if condition is None else condition[at])[:, 0] for at in parts])


def principal_axes(matrix: Tensor) -> tuple[Tensor, Tensor]:
    """Return the eigenvalues [D] of A'A for A [M, D], as shares of their sum, and the eigenvectors as rows [D, D].

    The signs make the largest component of each eigenvector positive.
    """
    values, vectors = torch.linalg.eigh(matrix.T @ matrix)
    values, vectors = values.flip(0).clamp(min=0), vectors.T.flip(0)
    sign = vectors.gather(1, vectors.abs().argmax(1, keepdim=True)).sign()
    return values / values.sum(), vectors * sign


def style_matrix(loaded: Loaded, mask: Tensor) -> Tensor:
    """Return the stacked matrices [outputs of all layers that change, D] in float64."""
    size = loaded.latent(1).shape[1]
    with loaded.run.sampling() as generator:
        if loaded.has_styles:
            marks = marker_vectors(generator.layers, generator.style_size, mask)
            found = layer_matrices(generator, lambda styles: generator.synthesis(styles[None]), marks)
        else:
            condition = conditions(loaded.run, 0, 1, None)
            found = layer_matrices(generator, lambda z: generator(z, condition), marker_vectors(1, size, mask))
    matrices = [affine.matrix for affine in found if mask[affine.number]]
    if not matrices:
        raise ConfigError(
            f"mode=directions: no layer of this generator ({loaded.run.run_dir}) takes the whole latent, or style, "
            "as it is: there is nothing to factorise."
        )
    return torch.cat(matrices).double()


def marker_vectors(count: int, size: int, like: Tensor) -> Tensor:
    """Return distinct vectors [count, size] with a mean square of 1, which latent normalisation leaves unchanged."""
    source = torch.Generator().manual_seed(0)
    marks = torch.randn(count, size, generator=source)
    return (marks / marks.square().mean(1, keepdim=True).sqrt()).to(like)


class LayerMatrix(NamedTuple):
    """The matrix with which a layer multiplies the style or latent of this number."""

    number: int
    matrix: Tensor  # [outputs, D]


@torch.no_grad()
def layer_matrices(network: nn.Module, run: Callable[[Tensor], object], marks: Tensor) -> list[LayerMatrix]:
    """Return the matrices of all layers that read one of the vectors `marks` [K, D] while `run(marks)` makes an image.

    Layers are recognised by their input, so no network has to list them. A matrix is measured by feeding unit vectors,
    which includes any scaling of the weights. Inputs behind the vector, such as a class, are 0.
    """
    found: list[LayerMatrix] = []

    def record_matrix(layer: nn.Module, inputs: tuple) -> None:
        number = matching_marker(inputs[0], marks) if inputs else None
        if number is not None:
            found.append(LayerMatrix(number, matrix_of(layer, inputs[0], marks.shape[1])))

    hooks = [layer.register_forward_pre_hook(record_matrix) for layer in network.modules() if is_innermost(layer)]
    try:
        run(marks)
    finally:
        for hook in hooks:
            hook.remove()
    return found


def is_innermost(layer: nn.Module) -> bool:
    """Return whether a module has weights of its own and contains no other layers."""
    return any(True for _ in layer.parameters()) and (is_parametrized(layer) or not any(True for _ in layer.children()))


def matching_marker(first_input: Tensor, marks: Tensor) -> int | None:
    """Return the number of the marker with which a layer's input begins, up to rounding."""
    size = marks.shape[1]
    if not first_input.is_floating_point() or len(first_input) != 1 or first_input[0].numel() < size:
        return None
    matches = torch.isclose(first_input.flatten()[:size], marks, rtol=1e-3, atol=1e-5).all(1).nonzero()
    return matches[0].item() if len(matches) else None


def matrix_of(layer: nn.Module, like: Tensor, size: int) -> Tensor:
    """Return the matrix [outputs, size] of a layer, whose input has the shape of `like`."""
    units = like.new_zeros(1 + size, *like.shape[1:])
    units.view(1 + size, -1)[1:, :size] = torch.eye(size)
    constant, *columns = layer.forward(units).flatten(1)  # a call would run the hook again
    return torch.stack(columns, 1) - constant[:, None]

"""The trained run that `genlab.load` returns."""

import io
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import torch
from torch import Tensor
from torch.nn.functional import pad

from genlab.core.errors import ConfigError
from genlab.core.pixels import to_float, to_uint8
from genlab.core.spec import Spec
from genlab.models.contract import StyleBased, side_multiple_of
from genlab.models.latent_contract import Latent
from genlab.pictures.scatter import GENERATED, frame_of, scatter
from genlab.pictures.sheet import as_pil, sheet
from genlab.sampling.conditions import Classes, Texts, classes_or_words, conditions
from genlab.sampling.source_pictures import extend_to_multiple, remove_margin, source_input
from genlab.sampling.truncated_latents import StandingStatistics
from genlab.trainers.encoder import encode, encodes
from genlab.trainers.sample_stream import TrainedRun
from genlab.trainers.truncation import truncate_law

SHOWN_ROWS, SHOWN_COLUMNS, SHOWN_POINTS = 4, 8, 2_500  # in the picture that a notebook shows of a run


class Loaded:
    """A trained run to sample, encode and translate with.

    Images are float32 [n, C, H, W] in [-1, 1] on the CPU, without padding; points are [n, D] in their own units. For
    the same seed and classes, image i is the same however many are drawn.

    `classes` is one class, or several that images show in turn, by default every class; for a model of attributes it
    is [n, K] numbers. `words` is a text, or several in turn. `truncation` of a style-based generator is psi, which
    scales styles about their mean: 1 leaves them, at 0 all are the mean (Karras et al. 2019, appendix B). Other models
    draw normal latents within +- truncation (Brock et al. 2019, section 3.1). Methods raise ConfigError for what the
    model cannot do.
    """

    def __init__(self, run: TrainedRun, *, batch_size: int = 250) -> None:
        self.run, self.batch_size = run, batch_size
        self._standing = StandingStatistics(run)

    @property
    def spec(self) -> Spec:
        """Return the facts of the data that the model was built for, padding included."""
        return self.run.spec

    @property
    def points(self) -> bool:
        return self.spec.height is None

    def sample(
        self,
        n: int,
        *,
        seed: int | None = None,  # None: the run's own, whose first images its sample grids show
        classes: Classes = None,
        words: Texts | None = None,
        truncation: float | None = None,
        start: int = 0,  # number of the first image
    ) -> Tensor:
        options = {"seed": seed, "classes": classes_or_words(classes, words), "truncation": truncation}
        return torch.cat([images for images, _ in self.batches(n, start=start, **options)])

    def batches(
        self,
        n: int,
        *,
        seed: int | None = None,
        classes: Classes = None,
        truncation: float | None = None,
        start: int = 0,
    ) -> Iterator[tuple[Tensor, Tensor | None]]:
        """Yield the images of `sample` with their conditions, `batch_size` at a time."""
        if n < 1:
            raise ConfigError(f"{n} images: expected 1 or more.")
        for first in range(start, start + n, self.batch_size):
            count = min(self.batch_size, start + n - first)
            z = self.latent(count, seed=seed, truncation=truncation, start=first)
            condition = conditions(self._with_seed(seed), first, count, classes)
            yield self._generate(z, condition, truncation), None if condition is None else condition.cpu()

    def latent(self, n: int, *, seed: int | None = None, truncation: float | None = None, start: int = 0) -> Tensor:
        """Return latents [n, L] on the run's device; of a model with a codebook, indices [n, h, w]."""
        return self._with_seed(seed).fixed_rows(start, n, self.truncated_law(truncation).draw)

    def truncated_law(self, truncation: float | None) -> Latent:
        """Return the law to draw latents from; styles are truncated once the latents are mapped. Raises ConfigError."""
        law = self.run.model.latent
        if truncation is None or self.has_styles:
            return law
        with self.run.sampling() as generator:
            return truncate_law(truncation, law, generator)

    def conditions_of(
        self, numbers: Iterable[int], *, seed: int | None = None, classes: Classes = None
    ) -> Tensor | None:
        """Return the conditions of the samples with these numbers, as `classes` for `generate`; None: unconditional."""
        rows = list(numbers)
        condition = conditions(self._with_seed(seed), 0, 1 + max(rows), classes)
        return None if condition is None else condition[rows]

    def generate(
        self, z: Tensor, *, classes: Classes = None, words: Texts | None = None, truncation: float | None = None
    ) -> Tensor:
        """Return the images of latents. Raises ConfigError for a truncation that is not of styles: draw z truncated."""
        if truncation is not None and not self.has_styles:
            raise ConfigError(
                f"truncation={truncation}: scales styles, and this model has none. Draw latents that are truncated: "
                "latent(n, truncation=...), or sample(n, truncation=...)."
            )
        condition = conditions(self.run, 0, len(z), classes_or_words(classes, words))
        parts = self._batch_slices(len(z))
        return torch.cat(
            [self._generate(z[at], None if condition is None else condition[at], truncation) for at in parts]
        )

    @torch.no_grad()
    def styles(self, z: Tensor, *, classes: Classes = None, truncation: float | None = None) -> Tensor:
        """Map latents [n, L] to the styles [n, layers, W] of a style-based generator, on the run's device."""
        self.require_styles("styles")
        condition = conditions(self.run, 0, len(z), classes)
        with self.run.sampling() as generator:
            return truncated_styles(generator, z, condition, truncation)

    @torch.no_grad()
    def synthesise(self, styles: Tensor) -> Tensor:
        """Return the images of styles [n, layers, W], one style for each layer."""
        self.require_styles("synthesise")
        with self.run.sampling() as generator:
            return torch.cat(
                [self._to_output(generator.synthesis(styles[at])) for at in self._batch_slices(len(styles))]
            )

    @property
    def has_styles(self) -> bool:
        with self.run.sampling() as generator:
            return isinstance(generator, StyleBased)

    def require_styles(self, what: str) -> None:
        if not self.has_styles:
            raise ConfigError(
                f"{what}: is for style-based generators, such as model=stylegan2, and this run "
                f"({self.run.run_dir}) has another one."
            )

    def encode(self, images: Tensor, *, classes: Classes = None) -> Tensor:
        """Encode images, in the format of `sample` or uint8, into latents on the run's device."""
        if not encodes(self.run):
            raise ConfigError(
                f"{self.run.run_dir}: the model has no encoder, so it reconstructs nothing. Search for an image's "
                "latent with python -m genlab.project."
            )
        condition = conditions(self.run, 0, len(images), classes, required=True)
        return encode(self.run, self._encoder_input(images), condition)

    def reconstruct(self, images: Tensor, *, classes: Classes = None) -> Tensor:
        """Return the decoder's images of the encoder's latents."""
        return self.generate(self.encode(images, classes=classes), classes=classes)

    def translate(self, images: Tensor, *, seed: int | None = None, start: int = 0, back: bool = False) -> Tensor:
        """Translate source pictures [n, C, H, W], uint8 or in [-1, 1]; label maps are uint8 [n, 1, H, W].

        Where the network needs multiples of some size, edge pixels are repeated around a picture and the output is
        cut to size. `start` is the number of the first picture's noise. `back` translates images to source pictures,
        with a model that goes both ways.
        """
        self.require_translator(back)
        spec = self.spec.source_spec if back else self.spec
        seen = source_input(images, spec)
        run = self._with_seed(seed)
        with run.sampling() as generator:
            framed, margin = extend_to_multiple(seen, side_multiple_of(generator), spec)
            parts = framed.to(run.device, run.dtype).split(self.batch_size)
            rows = range(start, start + len(images), self.batch_size)
            made = [run.draw_samples(row, len(part), part, back=back) for row, part in zip(rows, parts, strict=True)]
        return remove_margin(torch.cat(made).float().cpu(), framed, margin).clamp(-1, 1)

    def require_translator(self, back: bool = False) -> None:
        """Raise ConfigError unless the model translates pictures to images; with `back`, also the other way."""
        if not self.run.translates:
            raise ConfigError(
                f"{self.run.run_dir}: this model makes nothing from pictures. Train one that does: model=pix2pix."
            )
        if back and not self.run.model.translates_both_ways:
            raise ConfigError(
                f"{self.run.run_dir}: this model translates one way alone. Leave `back` out, or train one that "
                "goes both: model=cyclegan."
            )

    def draw(self, images: Tensor, columns: int) -> Tensor:
        """Return one picture of images or points, uint8 [1, 3 or 4, H, W]."""
        if self.points:
            return scatter([(images, GENERATED)], frame_of(images))
        return sheet(to_uint8(images), columns)

    def _repr_png_(self) -> bytes:
        file, count = io.BytesIO(), SHOWN_POINTS if self.points else SHOWN_ROWS * SHOWN_COLUMNS
        as_pil(self.draw(self.sample(count), SHOWN_COLUMNS)).save(file, "png")
        return file.getvalue()

    def __repr__(self) -> str:
        shape = " x ".join(map(str, self.spec.shape))
        run = self.run
        return f"<{type(run.model).__name__} of {shape} after {run.images:,} images: {run.run_dir}>"

    @torch.no_grad()
    def _generate(self, z: Tensor, condition: Tensor | None, truncation: float | None) -> Tensor:
        with self._generator(truncation) as generator:
            return self._to_output(generator(z, condition))

    def _to_output(self, output: Tensor) -> Tensor:
        output = self.run.render(output).float().cpu()
        return output * self.spec.scale if self.points else self.spec.crop(output.clamp(-1, 1)).contiguous()

    @contextmanager
    def _generator(self, truncation: float | None) -> Iterator[Callable[[Tensor, Tensor | None], Tensor]]:
        with self.run.sampling() as generator:
            if truncation is None:
                yield generator
            elif self.has_styles:
                yield lambda z, condition: generator.synthesis(truncated_styles(generator, z, condition, truncation))
            else:
                yield self._standing(generator, truncation)

    def _batch_slices(self, count: int) -> list[slice]:
        return [slice(first, first + self.batch_size) for first in range(0, count, self.batch_size)]

    def _encoder_input(self, images: Tensor) -> Tensor:
        """Return images as network input, padded as the data set is. Raises ConfigError for another shape."""
        spec, given = self.spec, tuple(images.shape[1:])
        bare = spec.shape if self.points else (spec.channels, *(side - 2 * spec.padding for side in spec.shape[1:]))
        if given not in (bare, spec.shape):
            raise ConfigError(f"images of shape {list(images.shape)}: this model encodes [n, {str(list(bare))[1:]}.")
        images = to_float(images) if images.dtype == torch.uint8 else images
        images = images / spec.scale if self.points else images
        framed = pad(images, [spec.padding] * 4, value=-1.0) if given != spec.shape else images
        return framed.to(self.run.device, self.run.dtype)

    def _with_seed(self, seed: int | None) -> TrainedRun:
        return self.run if seed is None else replace(self.run, seed=seed)


def truncated_styles(generator: StyleBased, z: Tensor, condition: Tensor | None, psi: float | None) -> Tensor:
    styles = generator.styles(z, condition)
    return styles if psi is None else generator.truncate_styles(styles, psi)

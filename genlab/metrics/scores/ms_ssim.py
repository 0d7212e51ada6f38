"""How much alike are the samples? The more a generator has collapsed, the higher is the similarity of pairs."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, conv2d

from genlab.core.types import Count
from genlab.metrics.metric import Looking

if TYPE_CHECKING:
    from genlab.metrics.references.reference import Reference
    from genlab.metrics.trained_model import Trained

WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)  # of the scales, finest first: Wang et al. 2003, section 3.2
WINDOW, DEVIATION = 11, 1.5  # pixels: Wang et al. 2004, section III.B
STEADY = (0.01**2, 0.03**2)  # for values in [0, 1]: ibid., K1 and K2
PIECE = 250  # pairs at a time


class MSSSIM(Looking):
    """`ms_ssim`, the mean over pairs of samples, and `ms_ssim_real`, of real images: Wang et al. 2003, eq. 7.

    1 is the same image twice. A generator as varied as the data has the real images' number; more says that samples
    are too much alike, less that they are noise. Where there are classes that the model is asked for, also
    `ms_ssim_class` and `ms_ssim_class_real`: within a class, the mean over classes (Odena et al. 2017, section 4.2).
    Needs no network. The window of 11 pixels allows five scales from 176 pixels up, two for 28; the weights of fewer
    are divided by their sum, and records do not compare. Negative terms count as 0.
    """

    numbers = ("ms_ssim*",)
    least = 2  # a pair

    def __init__(self, pairs: Count = 5_000) -> None:  # of samples, and of real images; in ProGAN's code 10,000
        super().__init__(2 * pairs)
        self._measured = ""

    @property
    def settings(self) -> str:
        return f"at most {self.limit // 2:,} pairs{self._measured}"

    def unfit(self, reference: Reference, trained: Trained | None) -> str | None:
        if reason := super().unfit(reference, trained):
            return reason
        least = min(reference.data.spec.crop(reference.split.images[:1]).shape[2:])
        return None if least >= WINDOW else f"its window has {WINDOW} pixels a side, and images have {least}"

    def compute(self, reference: Reference) -> dict[str, float]:
        """All nan if the generator made anything that is not finite."""
        fake, asked = self.images, self.condition
        real, labels = reference.some(self.limit, self.seed)
        self._measured = f"; {scales_of(fake)} of {len(WEIGHTS)} scales"
        found = {"ms_ssim": mean_of(fake, neighbours(len(fake))), "ms_ssim_real": mean_of(real, neighbours(len(real)))}
        if asked is not None and asked.ndim == 1 and labels is not None:
            found |= {"ms_ssim_class": within(fake, asked), "ms_ssim_class_real": within(real, labels)}
        return found if self.finite else dict.fromkeys(found, math.nan)


def neighbours(count: int) -> Tensor:
    """Rows that are compared, each once: [count // 2, 2]."""
    return torch.arange(count // 2 * 2).view(-1, 2)


def within(images: Tensor, labels: Tensor) -> float:
    """The mean over classes of what pairs within each have in common; of those with two images."""
    rows = [(labels.cpu() == label).nonzero().squeeze(1) for label in labels.unique().tolist() if label >= 0]
    found = [mean_of(images, own[neighbours(len(own))]) for own in rows if len(own) > 1]
    return sum(found) / len(found) if found else math.nan


def mean_of(images: Tensor, pairs: Tensor) -> float:
    """Of uint8 images [N, C, H, W] and rows [M, 2]; nan without any pair."""
    found = [ms_ssim(*(images[rows] / 255 for rows in part.unbind(1))).double() for part in pairs.split(PIECE)]
    return torch.cat(found).mean().item()


def scales_of(images: Tensor) -> int:
    """How many the window fits into."""
    least = min(images.shape[2:])
    return min(len(WEIGHTS), (least // WINDOW).bit_length())


def ms_ssim(a: Tensor, b: Tensor) -> Tensor:
    """Of images [N, C, H, W] in [0, 1]: the mean over channels, [N]."""
    scales = scales_of(a)
    weights = torch.tensor(WEIGHTS[:scales], dtype=a.dtype, device=a.device)
    if scales < len(WEIGHTS):  # the published ones stay as they are, which sum to 1.0001
        weights = weights / weights.sum()
    terms = []
    for scale in range(scales):
        similarity, structure = ssim(a, b)
        terms.append(similarity if scale == scales - 1 else structure)  # luminance: at the coarsest scale alone
        a, b = avg_pool2d(a, 2), avg_pool2d(b, 2)
    return (torch.stack(terms, -1).relu() ** weights).prod(-1).mean(1)


def ssim(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """Wang et al. 2004, eq. 13, and its factor of contrast and structure; means over the image, [N, C] each."""
    mean_a, mean_b = blurred(a), blurred(b)
    variances = blurred(a * a) - mean_a**2 + blurred(b * b) - mean_b**2
    covariance = blurred(a * b) - mean_a * mean_b
    structure = (2 * covariance + STEADY[1]) / (variances + STEADY[1])
    luminance = (2 * mean_a * mean_b + STEADY[0]) / (mean_a**2 + mean_b**2 + STEADY[0])
    return (luminance * structure).mean((2, 3)), structure.mean((2, 3))


def blurred(images: Tensor) -> Tensor:
    """By the Gaussian window, where all of it lies within: [N, C, H - 10, W - 10]."""
    offsets = torch.arange(WINDOW).to(images) - WINDOW // 2
    window = (-(offsets**2) / (2 * DEVIATION**2)).exp()
    window = window / window.sum()
    planes = images.flatten(0, 1).unsqueeze(1)
    found = conv2d(conv2d(planes, window.view(1, 1, -1, 1)), window.view(1, 1, 1, -1))
    return found.view(*images.shape[:2], *found.shape[2:])

"""MS-SSIM between samples: the more a generator has collapsed, the more similar are pairs of samples."""

import math

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, conv2d

from genlab.core.types import Amount
from genlab.metrics.metric import ImageMetric
from genlab.metrics.references.reference import Reference

WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)  # of the scales, finest first: Wang et al. 2003, section 3.2
WINDOW, DEVIATION = 11, 1.5  # pixels: Wang et al. 2004, section III.B
STABILISERS = (0.01**2, 0.03**2)  # of quotients, for values in [0, 1]: ibid., K1 and K2
PAIRS_AT_ONCE = 250


class MSSSIM(ImageMetric):
    """`ms_ssim`, the mean over pairs of samples, and `ms_ssim_real`, over real images': Wang et al. 2003, eq. 7.

    Equal images have 1. A generator as varied as the data has the real images' number; a higher one says that samples
    are too much alike, a lower one that they are noise. For conditional models also `ms_ssim_class` and
    `ms_ssim_class_real`: pairs within a class, the mean over classes (Odena et al. 2017, section 4.2). Needs no
    network. The window of 11 pixels allows five scales from 176 pixels up, two for 28; the weights of fewer scales are
    divided by their sum, and such records do not compare. Negative terms count as 0.
    """

    numbers = ("ms_ssim*",)
    neutral = ("*_real",)
    min_images = 2  # a pair
    min_side = WINDOW

    def __init__(self, pairs: Amount = 5_000) -> None:  # of samples, and of real images; in ProGAN's code 10,000
        super().__init__(2 * pairs)
        self._measured = ""

    @property
    def settings(self) -> str:
        return f"at most {self.limit // 2:,} pairs{self._measured}"

    def compute(self, reference: Reference) -> dict[str, float]:
        """Return the means; all nan if any sample is not finite."""
        fake, asked = self.images, reference.data.spec.classes_of(self.condition)
        real, labels = reference.draw_images(self.limit, self.seed)
        self._measured = f"; {scale_count(fake)} of {len(WEIGHTS)} scales"
        kinds = {"ms_ssim": fake, "ms_ssim_real": real}
        found = {name: mean_similarity(images, adjacent_pairs(len(images))) for name, images in kinds.items()}
        if asked is not None and labels is not None:
            found |= {"ms_ssim_class": class_mean(fake, asked), "ms_ssim_class_real": class_mean(real, labels)}
        return found if self.finite else dict.fromkeys(found, math.nan)


def adjacent_pairs(count: int) -> Tensor:
    """Return pairs of adjacent rows, each row once: [count // 2, 2]."""
    return torch.arange(count // 2 * 2).view(-1, 2)


def class_mean(images: Tensor, labels: Tensor) -> float:
    """Return the mean over classes of the similarity of pairs within the class, for classes with two images or more."""
    rows = [(labels.cpu() == label).nonzero().squeeze(1) for label in labels.unique().tolist() if label >= 0]
    found = [mean_similarity(images, own[adjacent_pairs(len(own))]) for own in rows if len(own) > 1]
    return sum(found) / len(found) if found else math.nan


def mean_similarity(images: Tensor, pairs: Tensor) -> float:
    """Return the mean MS-SSIM of pairs [M, 2] of rows of uint8 images [N, C, H, W]; nan without any pair."""
    found = [ms_ssim(*(images[rows] / 255 for rows in part.unbind(1))).double() for part in pairs.split(PAIRS_AT_ONCE)]
    return torch.cat(found).mean().item()


def scale_count(images: Tensor) -> int:
    """Return the number of scales that the window fits into."""
    least = min(images.shape[2:])
    return min(len(WEIGHTS), (least // WINDOW).bit_length())


def ms_ssim(a: Tensor, b: Tensor) -> Tensor:
    """Return the mean over channels, [N], of images [N, C, H, W] in [0, 1]."""
    scales = scale_count(a)
    weights = torch.tensor(WEIGHTS[:scales], dtype=a.dtype, device=a.device)
    if scales < len(WEIGHTS):  # all five sum to 1.0001 as published, and stay so
        weights = weights / weights.sum()
    terms = []
    for scale in range(scales):
        similarity, structure = ssim(a, b)
        terms.append(similarity if scale == scales - 1 else structure)  # luminance: at the coarsest scale alone
        a, b = avg_pool2d(a, 2), avg_pool2d(b, 2)
    return (torch.stack(terms, -1).relu() ** weights).prod(-1).mean(1)


def ssim(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """Return SSIM and its contrast-structure factor, means over the image, [N, C] each: Wang et al. 2004, eq. 13."""
    mean_a, mean_b = gaussian_means(a), gaussian_means(b)
    variances = gaussian_means(a * a) - mean_a**2 + gaussian_means(b * b) - mean_b**2
    covariance = gaussian_means(a * b) - mean_a * mean_b
    structure = (2 * covariance + STABILISERS[1]) / (variances + STABILISERS[1])
    luminance = (2 * mean_a * mean_b + STABILISERS[0]) / (mean_a**2 + mean_b**2 + STABILISERS[0])
    return (luminance * structure).mean((2, 3)), structure.mean((2, 3))


def gaussian_means(images: Tensor) -> Tensor:
    """Return means under the Gaussian window, where all of it lies inside the image: [N, C, H - 10, W - 10]."""
    offsets = torch.arange(WINDOW).to(images) - WINDOW // 2
    window = (-(offsets**2) / (2 * DEVIATION**2)).exp()
    window = window / window.sum()
    planes = images.flatten(0, 1).unsqueeze(1)
    found = conv2d(conv2d(planes, window.view(1, 1, -1, 1)), window.view(1, 1, 1, -1))
    return found.view(*images.shape[:2], *found.shape[2:])

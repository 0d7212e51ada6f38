"""Augmentations: changes that images undergo before the discriminator sees them."""

from genlab.data.augment.ada import AdaptiveAugment
from genlab.data.augment.augmentation import Augmentation
from genlab.data.augment.diffaugment import DiffAugment
from genlab.data.augment.fading_blur import FadingBlur
from genlab.data.augment.instance_noise import InstanceNoise

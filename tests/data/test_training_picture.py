"""The picture of a training set as networks see it."""

import numpy as np
import pytest
import torch
from PIL import Image

from genlab.core.errors import ConfigError
from genlab.data import InMemory, Split, preview
from genlab.data.augment import AdaptiveAugment


def test_images_are_shown_and_below_them_as_augmented(tmp_path):
    images = torch.randint(0, 256, (40, 3, 16, 16), dtype=torch.uint8)
    data = InMemory(Split(images), crop=8, flip=True)
    plain = preview(data, count=8)
    shown = preview(data, [AdaptiveAugment().as_shown()], count=8, to=tmp_path / "preview.png")
    above, below = (np.asarray(shown)[rows] for rows in (slice(0, plain.height), slice(-plain.height, None)))
    assert (above == np.asarray(plain)).all() and (below != above).mean() > 0.3
    assert (np.asarray(Image.open(tmp_path / "preview.png")) == np.asarray(shown)).all()


def test_points_are_no_pictures():
    with pytest.raises(ConfigError, match="these are points"):
        preview(InMemory(Split(torch.randn(10, 2))))

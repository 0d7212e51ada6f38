from contextlib import contextmanager
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

from genlab.callbacks import Codes
from genlab.models.latent import Coded, Normal

LAW = Coded(noise=1, categorical=[4], continuous=1)


def shade(z):
    """A picture of one grey: what the sum of class index and continuous code makes."""
    codes = LAW.split(z)
    value = codes.categorical[0] @ torch.arange(4.0) + codes.continuous.squeeze(1)
    return (value / 10).view(-1, 1, 1, 1).expand(-1, 1, 28, 28)


@pytest.fixture
def coded(trainer):
    @contextmanager
    def sampling():
        yield shade

    trainer.model = SimpleNamespace(latent=LAW)
    trainer.samples.sampling = sampling
    return trainer


def centres(path, rows, columns):
    pixels = np.asarray(Image.open(path)).astype(float)
    height, width = (pixels.shape[0] + 2) // rows, (pixels.shape[1] + 2) // columns
    return pixels[height // 2 :: height, width // 2 :: width]


def test_one_picture_a_code_with_its_values_along_the_rows(coded):
    Codes(rows=3, columns=5).tick(coded.at(1_000))
    folder = coded.run_dir / "codes"
    assert sorted(path.name for path in folder.iterdir()) == [
        "000001000_categorical_1.png",
        "000001000_continuous_1.png",
    ]
    steps = np.diff(centres(folder / "000001000_categorical_1.png", 3, 4), axis=1)
    assert np.abs(steps - 12.75).max() <= 1  # a class is a tenth, of 127.5
    steps = np.diff(centres(folder / "000001000_continuous_1.png", 3, 5), axis=1)
    assert np.abs(steps - 12.75).max() <= 1  # -2, -1, 0, 1, 2
    assert [name for name, _ in coded.shown] == ["codes/categorical_1", "codes/continuous_1"]


def test_rows_start_from_the_same_latents_over_training(coded):
    callback = Codes(rows=3)
    callback.tick(coded.at(1_000))
    callback.tick(coded.at(2_000))
    callback.finish(coded)
    first, second = (coded.run_dir / "codes" / f"00000{at}000_continuous_1.png" for at in (1, 2))
    assert first.read_bytes() == second.read_bytes()
    assert len(coded.shown) == 4  # the end was drawn already


def test_a_model_without_codes_is_left_alone(trainer):
    trainer.model = SimpleNamespace(latent=Normal(4))
    Codes().finish(trainer.at(1_000))
    assert not (trainer.run_dir / "codes").exists() and not trainer.shown

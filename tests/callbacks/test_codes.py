from contextlib import contextmanager
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

from genlab.callbacks import Codes
from genlab.models.latent import Coded, Normal

LATENT = Coded(noise=1, categorical=[4], continuous=1)


def draw_code_sum(z):
    """Draw images of one grey each, a tenth of the sum of class index and continuous code."""
    codes = LATENT.split(z)
    value = codes.categorical[0] @ torch.arange(4.0) + codes.continuous.squeeze(1)
    return (value / 10).view(-1, 1, 1, 1).expand(-1, 1, 28, 28)


@pytest.fixture
def trainer_with_codes(trainer):
    @contextmanager
    def sampling():
        yield draw_code_sum

    trainer.model = SimpleNamespace(latent=LATENT)
    trainer.samples.sampling = sampling
    return trainer


def cell_centres(path, rows, columns):
    pixels = np.asarray(Image.open(path)).astype(float)
    height, width = (pixels.shape[0] + 2) // rows, (pixels.shape[1] + 2) // columns
    return pixels[height // 2 :: height, width // 2 :: width]


def test_one_picture_a_code_with_its_values_along_the_rows(trainer_with_codes):
    Codes(rows=3, columns=5).tick(trainer_with_codes.at(1_000))
    folder = trainer_with_codes.run_dir / "codes"
    assert sorted(path.name for path in folder.iterdir()) == [
        "000001000_categorical_1.png",
        "000001000_continuous_1.png",
    ]
    steps = np.diff(cell_centres(folder / "000001000_categorical_1.png", 3, 4), axis=1)
    assert np.abs(steps - 12.75).max() <= 1  # a class is a tenth, of 127.5
    steps = np.diff(cell_centres(folder / "000001000_continuous_1.png", 3, 5), axis=1)
    assert np.abs(steps - 12.75).max() <= 1  # -2, -1, 0, 1, 2
    assert [name for name, _ in trainer_with_codes.shown] == ["codes/categorical_1", "codes/continuous_1"]


def test_rows_start_from_the_same_latents_over_training(trainer_with_codes):
    callback = Codes(rows=3)
    callback.tick(trainer_with_codes.at(1_000))
    callback.tick(trainer_with_codes.at(2_000))
    callback.finish(trainer_with_codes)
    first, second = (trainer_with_codes.run_dir / "codes" / f"00000{at}000_continuous_1.png" for at in (1, 2))
    assert first.read_bytes() == second.read_bytes()
    assert len(trainer_with_codes.shown) == 4  # the end was drawn already


def test_a_model_without_codes_is_left_alone(trainer):
    trainer.model = SimpleNamespace(latent=Normal(4))
    Codes().finish(trainer.at(1_000))
    assert not (trainer.run_dir / "codes").exists() and not trainer.shown

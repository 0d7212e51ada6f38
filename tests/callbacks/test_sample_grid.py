import numpy as np
import pytest
import torch
from PIL import Image

from genlab.callbacks import Grid
from genlab.core.condition import Attributes
from genlab.data import InMemory
from genlab.data.sets.points import Ring
from genlab.pictures.scatter import SIDE
from genlab.pictures.sheet import GREY, caption_columns, caption_rows, enlarge, tile, with_drawable_channels, wrap


def pixels(trainer, name):
    return np.asarray(Image.open(trainer.run_dir / "samples" / name))


def test_every_picture_lies_where_it_belongs():
    images = torch.arange(1, 6, dtype=torch.uint8).view(5, 1, 1, 1).expand(5, 3, 4, 6)
    sheet = tile(images, columns=3)
    assert sheet.shape == (3, 2 * 4 + 2, 3 * 6 + 2 * 2)
    for index in range(5):
        top, left = index // 3 * 6, index % 3 * 8
        assert (sheet[:, top : top + 4, left : left + 6] == index + 1).all()
    assert (sheet[:, 4:6] == GREY).all() and (sheet[:, :, 6:8] == GREY).all()
    assert (sheet[:, 6:, 16:] == GREY).all()  # the sixth is missing


def test_enlarged_pixels_are_squares():
    assert enlarge(torch.tensor([[[[1, 2]]]]), 2).tolist() == [[[[1, 1, 2, 2], [1, 1, 2, 2]]]]


def test_a_grid_can_be_looked_at_and_shows_the_samples_in_order(trainer):
    Grid().tick(trainer.at(123_456))
    grid = pixels(trainer, "000123456.png")
    assert grid.shape == (8 * 3 * 28 + 7 * 2,) * 2 and grid.shape[0] >= 500
    cell = 3 * 28 + 2
    assert [grid[row * cell, column * cell] for row in range(8) for column in range(8)] == list(range(64))
    ((name, picture),) = trainer.shown
    assert name == "samples" and np.array_equal(picture[0].numpy(), grid)


def test_the_start_shows_real_images_pixel_for_pixel(trainer):
    grid = Grid(rows=2, columns=30)
    grid.start(trainer)
    real = pixels(trainer, "real.png")
    assert np.array_equal(real[:28, 30:58], trainer.data.train.images[1, 0].numpy())
    assert (trainer.run_dir / "samples" / "000000000.png").exists()


def test_a_resumed_run_keeps_its_first_pictures(trainer):
    trainer.resumed_from = 500
    Grid().start(trainer.at(500))
    assert not (trainer.run_dir / "samples").exists()


def test_the_end_is_drawn_once(trainer):
    grid = Grid()
    grid.tick(trainer.at(900))
    grid.finish(trainer.at(1_000))
    grid.finish(trainer)
    assert sorted(path.name for path in (trainer.run_dir / "samples").iterdir()) == ["000000900.png", "000001000.png"]


def test_padding_is_cropped(tmp_path, make_trainer):
    images = torch.zeros(4, 1, 32, 32, dtype=torch.uint8)
    trainer = make_trainer(tmp_path, images, padding=2)
    Grid(rows=1, columns=2).tick(trainer)
    factor = 9  # 500 / (2 * 28), rounded up
    assert pixels(trainer, "000000000.png").shape == (28 * factor, 2 * 28 * factor + 2)


@pytest.mark.parametrize(
    ("channels", "shape"), [(1, (64, 526)), (2, (64, 1_038)), (3, (64, 526, 3)), (4, (64, 526, 4)), (5, (64, 2_574))]
)
def test_any_number_of_channels_can_be_drawn(tmp_path, make_trainer, channels, shape):
    trainer = make_trainer(tmp_path, torch.zeros(8, channels, 64, 64, dtype=torch.uint8))
    Grid(rows=1, columns=8).start(trainer)
    assert pixels(trainer, "real.png").shape == shape


def test_unusual_channels_lie_side_by_side():
    images = torch.tensor([[[[1, 2], [3, 4]], [[5, 6], [7, 8]]]])
    assert with_drawable_channels(images).tolist() == [[[[1, 2, 5, 6], [3, 4, 7, 8]]]]


def make_conditional(trainer, classes: int) -> None:
    """Give a trainer data and a model of `classes` classes, with k grey levels in images of class k, 10 x 10."""
    labels = torch.arange(64) % classes
    images = labels.view(-1, 1, 1, 1).expand(64, 1, 10, 10).to(torch.uint8)
    trainer.data.train = trainer.data.train._replace(images=images, labels=labels)
    trainer.model.conditional = True
    trainer.samples.draw_samples = lambda start, count, condition: images[condition] / 127.5 - 1


@pytest.mark.parametrize(("classes", "columns"), [(10, 10), (16, 16), (17, 8)])
def test_columns_are_classes(trainer, classes, columns):
    """All classes have a column if they fit on twice as many columns, else the first."""
    make_conditional(trainer, classes)
    Grid(rows=3).start(trainer)
    for name in ("real.png", "000000000.png"):
        grid = pixels(trainer, name)
        cell = (grid.shape[1] + 2) // columns
        shown = grid[::cell, ::cell]
        assert shown.shape == (3, columns) and (shown == np.arange(columns)).all()


def test_a_class_with_few_real_images_leaves_room(trainer):
    make_conditional(trainer, 10)
    trainer.data.train = trainer.data.train._replace(labels=torch.tensor([3] * 2 + [0, 1, 2, 4, 5, 6, 7, 8] + [9] * 54))
    Grid(rows=3).start(trainer)
    grid = pixels(trainer, "real.png")
    cell = (grid.shape[1] + 2) // 10
    column = grid[::cell, 3 * cell]
    assert column[2] == GREY and (column[:2] != GREY).all()


def test_models_that_are_told_attributes_keep_their_grid(trainer):
    trainer.model.conditional = True
    trainer.data.train = trainer.data.train._replace(labels=torch.zeros(100, 5))
    trainer.samples.draw_samples = lambda start, count, condition: torch.zeros(count, 1, 28, 28)
    Grid(rows=2, columns=4).tick(trainer)
    assert pixels(trainer, "000000000.png").shape[1] == 4 * 5 * 28 + 3 * 2


def test_rows_show_the_most_frequent_named_attributes(trainer):
    """One row of a label that half of the images have, and one of the next."""
    make_conditional(trainer, 10)
    labels = torch.tensor([[1.0, 0.0]] * 40 + [[1.0, 1.0]] * 24)
    data = InMemory(trainer.data.train._replace(labels=labels), condition=Attributes(2, ("Male", "Smiling")))
    trainer.data, asked = data, []
    trainer.samples.draw_samples = lambda start, count, given: asked.append(given) or torch.zeros(count, 1, 10, 10)
    Grid(rows=3, columns=4).tick(trainer)
    assert torch.equal(asked[0], torch.tensor([[1.0, 0.0]] * 4 + [[1.0, 1.0]] * 4))
    cell = -(-500 // 40) * 10
    assert pixels(trainer, "000000000.png").shape[1] > 4 * cell + 3 * 2 + 60  # texts to the left


def test_long_captions_are_broken_where_rows_are_high():
    text = " + ".join(f"attribute_{number}" for number in range(8))
    broken = caption_rows(torch.zeros(1, 200, 50, dtype=torch.uint8), [text, "a"])
    flat = caption_rows(torch.zeros(1, 40, 50, dtype=torch.uint8), [text, "a"])
    assert broken.shape[1:] == (200, broken.shape[2]) and broken.shape[2] < 500 < flat.shape[2]
    above = caption_columns(torch.zeros(1, 50, 500, dtype=torch.uint8), [text, "a"])
    assert above.shape[2] == 500 and 50 + 4 * 16 < above.shape[1] < 50 + 8 * 20
    assert wrap("short", 5) == "short" and len(wrap(text, 3).split("\n")) <= 3


def test_points_are_scattered_in_their_own_units(trainer):
    """Generated points lie where the real ones do once they are multiplied by the scale."""
    trainer.data = Ring(points=3_000, test_points=10)
    trainer.samples.draw_samples = lambda start, count: trainer.data.train.images[:count] / trainer.data.scale
    Grid().start(trainer)
    real, grid = (pixels(trainer, name).astype(int) for name in ("real.png", "000000000.png"))
    assert real.shape == grid.shape == (SIDE, SIDE, 3)
    blank = (real == 255).all(-1)
    assert (grid[blank] == 255).all() and (grid[~blank] != real[~blank]).any(-1).mean() > 0.95
    assert 0.002 < (~blank).mean() < 0.05

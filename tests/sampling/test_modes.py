"""The pictures of each mode, compared with samples drawn by hand."""

import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from PIL import Image

import genlab
from genlab import sample
from genlab.cli import command
from genlab.core.errors import ConfigError
from genlab.core.pixels import as_saved, to_uint8
from genlab.metrics import Classifier, Pixels
from genlab.models.latent import Normal, Uniform
from genlab.pictures.sheet import sheet
from genlab.sampling import (
    Arithmetic,
    Classes,
    Grid,
    Histogram,
    Interpolate,
    Neighbours,
    Request,
    Save,
    Truncation,
    Walk,
)
from genlab.sampling.histogram import value_counts
from genlab.sampling.mode import modes_that_use
from genlab.sampling.neighbours import nearest_images, pixel_distances
from tests.conftest import narrow, saved


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("GENLAB_CACHE", str(tmp_path))


def cells(picture, rows, columns):
    """Pictures of a sheet, at their true size: [rows, columns, C, h, w] of 8 x 8 pixels."""
    factor = -(-500 // (columns * 8))
    step = 8 * factor + 2
    corners = [(row * step, column * step) for row in range(rows) for column in range(columns)]
    found = [picture[:, y : y + 8 * factor : factor, x : x + 8 * factor : factor] for y, x in corners]
    return torch.stack(found).unflatten(0, (rows, columns))


def test_the_arc_turns_evenly_and_keeps_the_length():
    start, end = torch.tensor([[2.0, 0.0]]), torch.tensor([[0.0, 2.0]])
    for share in (0.0, 0.25, 1.0):
        angle = torch.tensor(share * torch.pi / 2)
        expected = 2 * torch.stack([angle.cos(), angle.sin()])[None]
        torch.testing.assert_close(Normal(2).interpolate(start, end, share), expected)
    assert torch.equal(Uniform(2).interpolate(start, end, 0.5), torch.tensor([[1.0, 1.0]]))
    for other in (start, -start):  # no one arc: the line
        torch.testing.assert_close(Normal(2).interpolate(start, other, 0.5), (start + other) / 2)


def test_a_class_has_a_column_and_a_latent_a_row(conditional):
    loaded = genlab.load(conditional, device="cpu")
    shown = cells(Classes(rows=3).draw(loaded, Request(classes=[7, 2])), 3, 2)
    z = loaded.latent(3)
    for column, label in enumerate([7, 2]):
        assert torch.equal(shown[:, column], to_uint8(loaded.generate(z, classes=label)))


def test_a_grid_of_a_conditional_model_has_a_column_a_class(conditional):
    loaded = genlab.load(conditional, device="cpu")
    shown = cells(Grid(rows=2).draw(loaded, Request()), 2, 10)
    assert torch.equal(shown.flatten(0, 1), to_uint8(loaded.sample(20)))


def test_the_sum_of_concepts_is_that_of_their_mean_latents(plain):
    loaded = genlab.load(plain, device="cpu")
    picture = Arithmetic(plus=[[0, 2], [5]], minus=[3, 4], others=2, noise=0.0).draw(loaded, Request(seed=4))
    z = loaded.latent(6, seed=4)
    expected = to_uint8(loaded.generate((z[0] + z[2]) / 2 + z[5] - (z[3] + z[4]) / 2 + torch.zeros(3, 1)))
    shown = cells(picture, 4, 3)
    assert torch.equal(shown[3], expected)
    assert torch.equal(shown[0, :2], to_uint8(loaded.sample(6, seed=4))[[0, 2]])


def test_strips_begin_and_end_at_latents(plain, tmp_path):
    loaded = genlab.load(plain, device="cpu")
    Interpolate(rows=3, columns=5).write(loaded, Request(), tmp_path / "strip.png")
    picture = torch.from_numpy(np.array(Image.open(tmp_path / "strip.png")))[None]
    shown, ends = cells(picture, 3, 5), to_uint8(loaded.sample(6))
    assert torch.equal(shown[:, 0], ends[:3])
    assert (shown[:, -1].int() - ends[3:].int()).abs().max() <= 1


def test_a_gif_moves_and_returns(plain, tmp_path):
    loaded = genlab.load(plain, device="cpu")
    Interpolate(rows=1, columns=2, stops=2, steps=3, rate=10).write(loaded, Request(), tmp_path / "film.gif")
    film = Image.open(tmp_path / "film.gif")
    assert (film.n_frames, film.info["duration"], film.info["loop"]) == (6, 100, 0)


def test_thresholds_are_refused_before_their_rows_are_named(tmp_path, caplog, capsys):
    saved(tmp_path, "model=infogan", *narrow("infogan"))
    assert command.main("sample", sample.USAGE, sample.job, [f"run={tmp_path}", "mode=truncation", "device=cpu"]) == 2
    said = capsys.readouterr().err
    assert "needs normal latents" in said and "this model draws codes" in said and "Use mode=grid" in said
    assert "rows from the top" not in caplog.text


def test_rows_are_truncated_ever_closer_to_the_middle(plain):
    loaded = genlab.load(plain, device="cpu")
    shown = cells(Truncation([2.0, 0.5], columns=4).draw(loaded, Request(seed=2)), 2, 4)
    for row, threshold in zip(shown, (2.0, 0.5), strict=True):
        assert torch.equal(row, to_uint8(loaded.sample(4, seed=2, truncation=threshold)))
    far, near = (loaded.latent(4, seed=2, truncation=threshold) for threshold in (2.0, 0.5))
    assert (far.sign() == near.sign()).all() and (near.abs() <= far.abs()).all()  # a column is one sample


def test_a_copy_is_its_own_neighbour_mirrored_or_not():
    images = torch.randint(0, 256, (50, 1, 6, 6), generator=torch.Generator().manual_seed(1), dtype=torch.uint8)
    samples = images[[7, 30]] / 127.5 - 1
    found, indices = nearest_images(samples, pixel_distances(images), 3)
    assert indices[:, 0].tolist() == [7, 30] and found[:, 0].max() < 1e-6
    brute = (samples[0] - (images / 127.5 - 1)).square().flatten(1).mean(1).sqrt().sort().values[:3]
    torch.testing.assert_close(found[0], brute)
    found, indices = nearest_images(samples.flip(-1), pixel_distances(images), 1, mirrored=True)
    assert indices[:, 0].tolist() == [7, 30] and found.max() < 1e-6


def test_neighbours_stand_beside_their_sample(encoder):
    picture = Neighbours(Pixels(), count=2, nearest=3).draw(encoder, Request())
    assert picture.shape[0] == 1 and picture.shape[2] == 4 * 4 * 32 + 3 * 2  # a sample and three, 4 pixels x 32


def test_neighbours_in_pixels_take_any_extractor_of_the_run(tmp_path):
    node = {"_target_": "genlab.metrics.Inception", "weights": "at_hand"}
    (tmp_path / "config.yaml").write_text(yaml.safe_dump({"metrics": {"extractor": node}}))
    words = (f"run={tmp_path}", "mode=neighbours")
    assert isinstance(sample.make_mode(command.compose_config("sample", [*words])), Neighbours)
    typed = [*words, "metrics/extractor@mode.extractor=pixels"]
    with pytest.raises(ConfigError, match="has no effect on mode.features=pixels"):
        sample.make_mode(command.compose_config("sample", typed))
    assert sample.make_mode(command.compose_config("sample", [*typed, "mode.features=extractor"])).uses_features


def test_neighbours_are_those_of_the_extractors_features(encoder):
    """Features are pixels at half the size; a training image that is a sample stands first."""
    extractor = Pixels(size=2)
    encoder.run.data.train.images[5] = to_framed(encoder.sample(1)[0])
    mode = Neighbours(extractor, count=2, nearest=3, features="extractor")
    mode.check(encoder, Request())
    picture = mode.draw(encoder, Request())
    images, samples = encoder.spec.crop(encoder.run.data.train.images), as_saved(encoder.sample(2))
    far = torch.cdist(extractor(samples), extractor(images / 127.5 - 1))
    assert far[0].argmin() == 5
    for row, order in enumerate(far.argsort(1)[:, :3]):
        expected = sheet(torch.cat([to_uint8(samples[row : row + 1]), images[order]]), 4)
        height = expected.shape[1]
        assert torch.equal(picture[:, row * (height + 2) : row * (height + 2) + height], expected)


def to_framed(image):
    return torch.nn.functional.pad(to_uint8(image), [2] * 4)


def test_an_extractor_that_reads_no_such_images_is_a_mistake(encoder):
    Neighbours(Classifier()).check(encoder, Request())
    with pytest.raises(ConfigError, match=r"mode.features=extractor: .* Here: .*mode.features=pixels"):
        Neighbours(Classifier(), features="extractor").check(encoder, Request())


def test_counts_of_pixel_values_are_numpys():
    images = torch.randint(0, 256, (5, 2, 3, 3), generator=torch.Generator().manual_seed(1), dtype=torch.uint8)
    for channel, found in enumerate(value_counts(images, 16)):
        assert np.array_equal(found.numpy(), np.histogram(images[:, channel].numpy(), 16, (0, 256))[0])


@pytest.mark.parametrize("real", [True, False])
def test_a_histogram_needs_no_data(plain, encoder, real):
    loaded = encoder if real else genlab.load(plain, device="cpu")
    picture = Histogram(count=20).draw(loaded, Request())
    red = (picture == torch.tensor([200, 50, 20]).view(3, 1, 1)).all(0)
    blue = (picture == torch.tensor([120, 160, 210]).view(3, 1, 1)).all(0)
    assert red.any() and bool(blue.any()) is real


def expected(loaded, count):
    return to_uint8(loaded.sample(count, seed=5)).permute(0, 2, 3, 1).numpy()


def test_npz_is_what_numpy_reads_and_batches_change_nothing(conditional, tmp_path):
    loaded = genlab.load(conditional, device="cpu", batch_size=4)
    Save(count=11).write(loaded, Request(seed=5), tmp_path / "a.npz")
    found = np.load(tmp_path / "a.npz")
    assert found["arr_0"].dtype == np.uint8 and found["arr_0"].shape == (11, 8, 8, 1)
    assert np.abs(found["arr_0"].astype(int) - expected(genlab.load(conditional, device="cpu"), 11)).max() <= 1
    assert found["arr_1"].tolist() == [*range(10), 0]


def test_zip_is_laid_out_as_nvidias_and_its_labels_fit(conditional, tmp_path):
    loaded = genlab.load(conditional, device="cpu")
    Save(count=3).write(loaded, Request(seed=5, classes=[4, 1]), tmp_path / "a.zip")
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        names = [f"00000/img{number:08d}.png" for number in range(3)]
        assert archive.namelist() == [*names, "dataset.json"]
        assert json.loads(archive.read("dataset.json"))["labels"] == [
            list(pair) for pair in zip(names, [4, 1, 4], strict=True)
        ]
        pixels = np.array(Image.open(archive.open(names[1])))
    assert np.array_equal(pixels, to_uint8(loaded.sample(3, seed=5, classes=[4, 1]))[1, 0].numpy())


def test_a_folder_holds_the_pictures_and_no_labels_without_classes(plain, tmp_path):
    loaded = genlab.load(plain, device="cpu")
    Save(count=3).write(loaded, Request(seed=5), tmp_path / "many")
    files = sorted((tmp_path / "many").iterdir())
    assert [file.name for file in files] == [f"{number:08d}.png" for number in range(3)]
    assert np.array_equal(np.array(Image.open(files[2])), expected(loaded, 3)[2, :, :, 0])


def test_points_are_saved_as_numbers_and_not_as_pictures(points, tmp_path):
    loaded = genlab.load(points, device="cpu")
    Save(count=7).write(loaded, Request(), tmp_path / "a.npz")
    assert np.array_equal(np.load(tmp_path / "a.npz")["arr_0"], loaded.sample(7).numpy())
    with pytest.raises(ConfigError, match="no PNG holds points"):
        Save(count=7).write(loaded, Request(), tmp_path / "a.zip")


@pytest.mark.parametrize(
    ("mode", "suffix"), [(Walk(steps=3), ".png"), (Walk(rate=3), ".png"), (Interpolate(stops=9), ".png")]
)
def test_what_a_picture_does_not_show_is_refused(mode, suffix):
    with pytest.raises(ConfigError, match=r"has no effect on .png files. Write to=FILE.gif or to=FILE.mp4 instead"):
        mode.refuse_ignored(Path(f"x{suffix}"))
    mode.refuse_ignored(Path("x.gif"))
    type(mode)().refuse_ignored(Path("x.png"))


def test_a_mode_names_those_that_use_what_it_does_not():
    assert modes_that_use("input") == "mode=translate"
    assert {"mode=save", "mode=histogram"} <= set(modes_that_use("count").split(", "))
    assert "mode=reconstruct" not in modes_that_use("seed")

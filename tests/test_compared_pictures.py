"""`genlab.evaluate between=[A,B]`: the numbers of the literature's formulas and of a run's own evaluation."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.linalg import sqrtm

from genlab import evaluate
from genlab.cli import command
from genlab.cli.compared_pictures import open_sides
from genlab.cli.composition import compose
from genlab.core.errors import ConfigError
from genlab.core.pixels import to_float
from genlab.data import MNIST, InMemory, Split
from genlab.metrics import FID, Classifier, Evaluation, SampleSource
from tests.conftest import read

IMAGES, REAL = 150, 160


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("GENLAB_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def digits() -> Split:
    data = MNIST()
    return Split(*(part[: IMAGES + REAL] for part in data.train))


def write_pngs(folder: Path, images: torch.Tensor, labels: torch.Tensor | None = None, mode: str = "L") -> Path:
    """A file each, which add to those of another size that are there."""
    for number, image in enumerate(images):
        place = folder / ("" if labels is None else str(int(labels[number])))
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image[0].numpy()).convert(mode).save(place / f"{image.shape[-1]}_{number:04d}.png")
    return folder


def compare(*words: str) -> tuple[int, list[dict]]:
    """The exit code, and the rows of the file of records."""
    code = command.main("evaluate", evaluate.USAGE, evaluate.job, [*words, "device=cpu"])
    rows = Path("outputs/comparisons/evaluations.jsonl")
    return code, [json.loads(line) for line in rows.read_text().splitlines()] if rows.exists() else []


def closed_form(a: torch.Tensor, b: torch.Tensor) -> float:
    """Heusel et al. 2017, eq. 6, as SciPy computes it."""
    a, b = a.double().numpy(), b.double().numpy()
    covariances = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    offset = np.eye(a.shape[1]) * 1e-10
    cross = sqrtm((covariances[0] + offset) @ (covariances[1] + offset)).real
    return float(((a.mean(0) - b.mean(0)) ** 2).sum() + np.trace(covariances[0] + covariances[1] - 2 * cross))


def test_fid_of_two_folders_is_the_closed_form_and_that_of_a_runs_evaluation(here, digits):
    fake, real = digits.images[:IMAGES], digits.images[IMAGES:]
    write_pngs(here / "fake", fake), write_pngs(here / "real", real)
    code, (row,) = compare("between=[fake,real]", "metrics=[fid]")
    features = [Classifier()(to_float(images)) for images in (fake, real)]
    assert code == 0 and row["value"] == pytest.approx(closed_form(*features), rel=1e-3)
    source = SampleSource(lambda start, count: to_float(fake[start : start + count]))
    own = Evaluation(Classifier(), {"fid": FID()}, images=IMAGES, split="train")
    (record,) = own.run(source, InMemory(Split(real)), device="cpu")
    assert row["value"] == pytest.approx(record.value, rel=1e-6)


def test_a_record_holds_the_hashes_of_both_sides_whatever_they_are_stored_in(here, digits):
    fake = digits.images[:40]
    np.savez(here / "fake.npz", arr_0=fake.permute(0, 2, 3, 1).numpy())
    write_pngs(here / "real", fake[:30])
    code, (row,) = compare("between=[fake.npz,real]", "metrics=[fid]", "images=30")
    assert code == 0 and (row["images"], row["reference_images"], row["extractor"]) == (30, 30, "mnist_classifier")
    assert len(row["samples_hash"]) == len(row["reference_hash"]) == 64 and row["resize"] == "none"
    assert (row["samples"], row["reference"]) == (str(here / "fake.npz"), str(here / "real"))
    assert not set(evaluate.OF_A_RUN) & set(row)
    _, rows = compare("between=[real,real]", "metrics=[fid]")
    assert rows[1]["samples_hash"] == rows[1]["reference_hash"] and rows[1]["value"] == pytest.approx(0, abs=1e-6)


def test_a_folder_is_compared_with_a_data_set_by_class_too(here, digits):
    write_pngs(here / "fake", torch.nn.functional.pad(digits.images[:40], [2] * 4), digits.labels[:40], mode="RGB")
    fitting = ("files.size=28", "files.channels=1")
    code, rows = compare(
        "between=[fake]", "data=mnist_32", "data.limit=100", "split=train", "metrics=[accuracy]", *fitting
    )
    assert code == 0 and [row["metric"] for row in rows] == ["accuracy"] and rows[0]["value"] > 0.95
    assert (rows[0]["reference"], rows[0]["reference_images"]) == ("mnist/train", 100)


@pytest.fixture
def pictures(here, digits) -> Path:
    few = digits.images[:12]
    large = torch.nn.functional.pad(few, [2] * 4)
    write_pngs(here / "grey", few), write_pngs(here / "colour", few, mode="RGB"), write_pngs(here / "large", large)
    write_pngs(here / "odd", few[:2]), write_pngs(here / "odd", large[3:4])
    write_pngs(here / "beside", few[:1]), write_pngs(here / "beside" / "more", few)
    write_pngs(here / "parts" / "train", few), write_pngs(here / "parts" / "test", few)
    (here / "run" / "checkpoints").mkdir(parents=True)
    (here / "run" / "config.yaml").touch()
    return here


def test_what_cannot_be_compared_is_refused_with_a_remedy(pictures):
    config = compose("evaluate", ["between=x", "metrics=[fid]"])
    ring = read("data", "ring8")["data"]
    for between, changes, said in (
        (["grey", "colour"], {}, "both so: files.channels=3"),
        (["grey", "large"], {}, "both so: files.size=28"),
        (["large", "colour"], {}, "both so: files.size=28 files.channels=3"),
        (["grey"], {"data": ring}, "2 coordinates"),
        (["grey"], {}, "with what is it to be compared"),
        ("grey", {}, "with what is it to be compared"),
        (["grey", "mnist"], {}, "data=mnist"),
        (["grey", "gone"], {}, "between: gone: there is no such folder or file"),
        (["grey", "large"], {"data": ring}, "a third side"),
        (["grey", "large"], {"seed": 1}, "seed=1: is of a run's samples"),
        (["grey", "large"], {"split": "test"}, "Folders are compared whole"),
        (["parts", "grey"], {}, "Name one of the folders: parts/test"),
        (["odd", "grey"], {}, "files.size="),
        (["beside", "grey"], {}, "between: 1 images lie beside"),
        (["run", "grey"], {}, "run=run"),
        (["a", "b", "c"], {}, "3 sides"),
    ):
        with pytest.raises(ConfigError) as refusal:
            open_sides(config | {"between": between} | changes)
        assert said in str(refusal.value) and "data.size" not in str(refusal.value), (between, refusal.value)


def test_too_few_pictures_are_refused_before_anything_is_measured(pictures, capsys):
    assert compare("between=[grey,colour]", "metrics=[kid]", "files.channels=1", "images=1")[0] == 2
    said = capsys.readouterr().err
    assert "1 pictures of" in said and "12 of" in said and "or more on either side" in said
    assert compare("between=[grey,grey]", "metrics=[fid]", "images=13")[0] == 2
    assert "holds 12 pictures" in capsys.readouterr().err
    assert compare("metrics=[fid]")[0] == 2 and "run=...: is needed, or between=[A,B]" in capsys.readouterr().err

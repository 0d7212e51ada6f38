"""Quality is measured by the published formulas, on the samples that genlab itself would score."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from types import ModuleType

import pytest
import torch

import genlab
from genlab import ConfigError
from genlab.data import MNIST, InMemory, Split
from genlab.metrics import FID, Classifier, Evaluation, SampleSource
from genlab.metrics.scores import distances
from tests.conftest import NARROW, NARROW_MLP, TINY, replace_words

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"
RUN = ["model=gan", *NARROW_MLP, "data.limit=64", "trainer.batch_size=8", "trainer.device=cpu", "metrics=none"]


@pytest.fixture
def quality(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(SCRIPTS))
    return importlib.import_module("quality")


@pytest.fixture
def references(quality: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ModuleType:
    """Trained below the test's own directory, and not for long."""
    module = quality.references
    monkeypatch.setattr(module, "FOLDER", tmp_path / "references")
    original = genlab.run
    small = [*NARROW, "data.limit=64", "trainer.batch_size=8"]
    monkeypatch.setattr(genlab, "run", lambda overrides: original(replace_words(overrides, *small)))
    return module


@pytest.fixture(scope="module")
def digits() -> InMemory:
    mnist = MNIST()
    return InMemory(Split(mnist.train.images[:200]), test=Split(mnist.test.images[:150]))


@pytest.fixture(scope="module")
def run_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Padded images; its newest checkpoint is of 64 images, the one before of 32."""
    folder = tmp_path_factory.mktemp("quality") / "run"
    few = ["trainer.images=64", "data.size=32", "callbacks.checkpoint.every=32", "callbacks.log.every=8"]
    genlab.run([*RUN, *few, f"hydra.run.dir={folder}"])
    return folder


def test_the_nearest_distance_is_that_of_a_loop(quality: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(distances, "MAX_ROWS", 6)
    source = torch.Generator().manual_seed(0)
    images, others = torch.rand(10, 784, generator=source), torch.rand(30, 784, generator=source)
    images[3] = others[7]
    expected = [min((image - other).square().sum().sqrt().item() for other in others) for image in images]
    found = quality.nearest_distance(images, others)
    torch.testing.assert_close(found, torch.tensor(expected))
    assert found[3] == 0


def test_a_runs_fid_is_the_one_that_genlab_scores(quality: ModuleType, digits: InMemory, run_dir: Path) -> None:
    run = quality.runs.open_run(run_dir, device="cpu", real=True)
    scores = Evaluation(Classifier(), {"fid": FID()}, images=120, batch_size=50)
    cropped = SampleSource(lambda start, count: run.spec.crop(run.draw_samples(start, count)))
    (record,) = scores.run(cropped, digits, device="cpu")
    found, samples = quality.sample_run(run_dir, "newest", 120, "cpu")
    assert quality.Ruler(digits).measure(samples)["fid"] == pytest.approx(record.value, rel=1e-4)
    assert samples.shape == (120, 1, 28, 28)
    assert (found["images"], found["checkpoint"]) == (64, "0000000064.pt")


def test_time_is_the_runs_clock_at_the_checkpoint(quality: ModuleType, tmp_path: Path) -> None:
    rows = [{"images": images, "time": images / 10} for images in (10, 20, 30)]
    (tmp_path / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "summary.json").write_text('{"images": 40, "seconds": 4.5}')
    assert quality.training_seconds(tmp_path, 40) == 4.5
    assert quality.training_seconds(tmp_path, 25) == 2.0
    assert quality.training_seconds(tmp_path, 5) is None


def test_the_table_and_its_records(
    quality: ModuleType, digits: InMemory, run_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    monkeypatch.setattr(quality, "MNIST", lambda: digits)
    records = tmp_path / "records.json"
    assert quality.main([str(run_dir), "--samples", "120", "--json", str(records), "--device", "cpu"]) == 0
    header, rule, row = capsys.readouterr().out.strip().splitlines()[-3:]
    assert header.count("|") == rule.count("|") == row.count("|") == 11
    (record,) = json.loads(records.read_text())
    assert record["samples"] == 120
    assert row.startswith(f"| {run_dir} | {record['fid']:.2f} |")


@pytest.mark.parametrize(("which", "said"), [("newest", "not a run directory"), ("best", "not a run directory")])
def test_a_directory_without_a_run_is_one_message(
    quality: ModuleType, tmp_path: Path, capsys, which: str, said: str
) -> None:
    assert quality.main([str(tmp_path), "--checkpoint", which]) == 2
    assert said in capsys.readouterr().err


def test_a_run_without_a_best_checkpoint_says_so(quality: ModuleType, run_dir: Path, capsys) -> None:
    assert quality.main([str(run_dir), "--checkpoint", "best"]) == 2
    assert "runs without scores have no best" in capsys.readouterr().err


def test_a_reference_is_trained_once(references: ModuleType) -> None:
    """The one whose schedule ends with its time, which takes a probe."""
    folder = references.train_reference("wgan_gp_one", 0.25, "cpu")
    assert [path.name for path in references.FOLDER.iterdir()] == ["wgan_gp_one"]
    written = (folder / "config.yaml").stat().st_mtime_ns
    config = references.OmegaConf.load(folder / "config.yaml")
    assert 0 < config.trainer.images < references.UNLIMITED_IMAGES
    assert references.train_reference("wgan_gp_one", 0.25, "cpu") == folder
    assert (folder / "config.yaml").stat().st_mtime_ns == written
    with pytest.raises(ConfigError, match="--seconds 0.25: give the same, or delete it"):
        references.train_reference("wgan_gp_one", 480.0, "cpu")


def test_references_are_what_their_names_say(quality: ModuleType, make_trainer) -> None:
    overrides = {name: found.overrides.split() for name, found in quality.references.REFERENCES.items()}
    plain, one, r1 = (make_trainer(*found, *TINY, *NARROW) for found in overrides.values())
    assert (plain.n_critic, one.n_critic, r1.n_critic) == (5, 1, 1)
    assert plain.ema is None and one.ema and r1.ema
    schedule, rates = one.system.schedule, [found.learning_rates() for found in (plain, one, r1)]
    assert (schedule(0, 100), schedule(100, 100)) == (1, 0)
    assert [set(found.values()) for found in rates] == [{1e-4}, {1e-3}, {2e-4}]
    assert [next(iter(found.penalties.values())).every for found in (plain, one, r1)] == [1, 1, 16]


def test_the_vae_learns_images(quality: ModuleType, digits: InMemory) -> None:
    train = quality.to_float(digits.train.images)
    record, samples = quality.references.vae_samples(train, 30, epochs=40)
    assert record["images"] == 8_000
    assert samples.shape == (30, 1, 28, 28)
    error = (samples.mean(0) - train.mean(0)).abs().mean()
    assert error < 0.15  # of a range of 2


def test_the_floor_is_training_images_and_has_copied_them(quality: ModuleType, digits: InMemory) -> None:
    ruler = quality.Ruler(digits)
    found = ruler.measure(quality.references.real_samples(ruler.train, 120))
    assert found["nearest"] == 0
    assert found["nearest_of_test"] > 3

"""The likelihood of a run, from its files alone."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from types import ModuleType

import pytest

import genlab

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"
QUICK = ["metrics=none", "data.limit=200", "trainer.batch_size=50", "trainer.images=400", "trainer.device=cpu"]


@pytest.fixture
def likelihood(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(SCRIPTS))
    return importlib.import_module("likelihood")


def trained(folder: Path, *overrides: str) -> Path:
    genlab.run([*overrides, *QUICK, f"hydra.run.dir={folder / 'run'}"])
    return folder / "run"


def test_more_samples_make_a_tighter_bound(likelihood: ModuleType, tmp_path: Path) -> None:
    run_dir = trained(tmp_path, "model=vae", "data.binarise=true", "model.latent.size=2")
    records = []
    for samples in (1, 50):
        file = tmp_path / f"{samples}.json"
        words = [str(run_dir), "--samples", str(samples), "--images", "60", "--json", str(file)]
        assert likelihood.main(words) == 0
        records.append(json.loads(file.read_text()))
    assert records[1]["nll"] < records[0]["nll"] == pytest.approx(records[0]["negative_elbo"])
    assert records[1]["reference"] == "mnist/test" and records[1]["images"] == 60
    assert records[1]["trained_images"] == 400


def test_a_run_without_a_likelihood_is_refused(likelihood: ModuleType, tmp_path: Path, capsys) -> None:
    run_dir = trained(tmp_path, "model=autoencoder")
    assert likelihood.main([str(run_dir)]) == 2
    assert "needs an unconditional VAE" in capsys.readouterr().err

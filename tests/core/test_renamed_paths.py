"""A run that was trained before the modules moved is read as if it were of today."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from hydra.utils import get_object

import genlab
from genlab import evaluate, export
from genlab.cli import command
from genlab.core.errors import ConfigError
from genlab.core.renamed_paths import CLASSES, RENAMED, current_path, rename_targets
from genlab.exporting import load

OLD_RUN = Path(__file__).with_name("old_run")  # of 8 x 8 digits; `samples.npy` are those of `genlab.load` of that day
TARGETS = (OLD_RUN / "targets.txt").read_text().split()  # every class that a config of that day could name


@pytest.fixture
def run(tmp_path):
    return shutil.copytree(OLD_RUN, tmp_path / "run")


@pytest.mark.parametrize("path", TARGETS)
def test_every_class_of_older_configs_is_found(path):
    found = get_object(current_path(path)).__name__
    assert found == path.rpartition(".")[2] or found in CLASSES.values()


def test_no_old_path_leads_anywhere_of_its_own():
    assert not RENAMED.keys() & RENAMED.values()


def test_targets_are_renamed_at_any_depth():
    node = {"a": [{"_target_": "genlab.ramp.Ramp", "b": {"_target_": "mine.Net"}}], "c": "genlab.ramp.Ramp"}
    ramp = {"_target_": "genlab.core.schedule.Ramp", "b": {"_target_": "mine.Net"}}
    assert rename_targets(node) == {"a": [ramp], "c": "genlab.ramp.Ramp"}


def test_an_older_run_gives_the_same_samples(run):
    np.testing.assert_allclose(genlab.load(run, device="cpu").sample(4), np.load(run / "samples.npy"), atol=1e-5)


def test_an_older_run_is_not_resumed(run):
    with pytest.raises(ConfigError, match=f"{run} was saved by an older version .*: init_from={run}"):
        genlab.run([f"resume={run}", "trainer.images=160"])


def test_an_older_run_is_scored(run):
    words = [f"run={run}", "checkpoint=newest", "device=cpu"]
    assert command.main("evaluate", evaluate.USAGE, evaluate.job, words) == 0
    assert (run / "evaluations.jsonl").is_file()


def test_an_older_run_exports_and_what_it_exported_loads(run):
    assert command.main("export", export.USAGE, export.job, [f"run={run}", "checkpoint=newest"]) == 0
    z = torch.randn(3, 4, generator=torch.Generator().manual_seed(0))
    before, now = load(run / "generator.safetensors"), load(run / "export" / "safetensors" / "generator.safetensors")
    torch.testing.assert_close(before(z), now(z))

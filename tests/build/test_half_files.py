"""Files of which a bad copy or a killed process left half are made up for from what is whole."""

import json

import pytest
from omegaconf import OmegaConf

from genlab.build.runs import read_config
from genlab.callbacks.jsonl import read_rows
from genlab.cli.job import to_yaml
from genlab.core.errors import ConfigError
from genlab.exporting.card import read_records, training_command
from genlab.reports.jobs import job_row
from genlab.reports.run import read_run
from tests.conftest import narrow, saved

CUTS = 40


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run's directory with all its files."""
    folder = tmp_path_factory.mktemp("run")
    trainer = saved(folder, "model=gan", *narrow("gan"))
    files = {
        "config.yaml": to_yaml(trainer.config),
        "environment.json": json.dumps({"command": ["genlab/train.py", "model=gan"], "git": None}, indent=2) + "\n",
        "summary.json": json.dumps({"images": 8, "records": [{"metric": "fid", "position": 8}]}) + "\n",
        "metrics.jsonl": '{"images": 4, "loss": 1.0}\n{"images": 8, "record": {"metric": "fid", "position": 8}}\n',
        "job.json": json.dumps({"overrides": ["seed=1"], "state": "done"}) + "\n",
    }
    for name, text in files.items():
        (folder / name).write_text(text)
    return folder, OmegaConf.to_container(OmegaConf.create(trainer.config))


def cut_copies(path):
    """Cut a file after three bytes, and after every so many, and yield how often it was cut."""
    whole = path.read_bytes()
    for index in range(CUTS):
        path.write_bytes(whole[: len(whole) * index // CUTS + 3 * (index == 0)])
        yield index
    path.write_bytes(whole)


def test_half_a_config_is_made_up_for_by_the_checkpoint(run, caplog):
    folder, config = run
    for index in cut_copies(folder / "config.yaml"):
        assert read_config(folder) == config, index
    assert caplog.text.count("is damaged") == CUTS
    caplog.clear()
    assert read_config(folder) == config and not caplog.text


def test_half_a_config_without_a_checkpoint_is_a_mistake(run, tmp_path):
    (tmp_path / "config.yaml").write_text("model: {a: [1")
    with pytest.raises(ConfigError, match="Give a directory that genlab"):
        read_config(tmp_path)


@pytest.mark.parametrize("name", ["environment.json", "summary.json", "metrics.jsonl", "job.json", "config.yaml"])
def test_every_reader_takes_half_a_file(run, name):
    folder, _ = run
    for _ in cut_copies(folder / name):
        read_run(folder)
        job_row(folder)
        training_command(folder)
        read_rows(folder / "metrics.jsonl")
        read_records(folder)

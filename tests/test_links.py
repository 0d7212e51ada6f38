"""A run directory of somebody else may hold links: what genlab writes never goes where they lead."""

import shutil
from pathlib import Path

import pytest
import torch

import genlab
from genlab import evaluate, export
from genlab.build.runs import read_config
from genlab.cli import command
from genlab.cli.job import lock_run_dir, require_valid_start
from genlab.core import checkpoint
from genlab.core.errors import ConfigError
from genlab.core.json_files import append_lines
from genlab.core.run_links import own_folder, refuse_foreign_checkpoints
from genlab.core.whole_files import write_atomically
from genlab.pictures.sheet import write_png
from genlab.reports import page
from genlab.reports.run import read_run
from genlab.sampling.output_paths import temporary_target

OLD_RUN = Path(__file__).parent / "core" / "old_run"


@pytest.fixture
def precious(tmp_path):
    path = tmp_path / "precious"
    path.write_text("mine\n")
    yield path
    assert path.read_text() == "mine\n"


def link(path: Path, to: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    path.symlink_to(to)
    return path


@pytest.mark.parametrize("name", ["config.yaml", ".config.yaml.tmp"])
def test_files_written_whole_replace_links(tmp_path, precious, name):
    link(tmp_path / name, precious)
    write_atomically(tmp_path / "config.yaml", b"theirs")
    assert (tmp_path / "config.yaml").read_bytes() == b"theirs" and not (tmp_path / "config.yaml").is_symlink()


def test_pictures_and_samples_replace_links(tmp_path, precious):
    write_png(torch.zeros(1, 8, 8, dtype=torch.uint8), link(tmp_path / "a.png", precious))
    with temporary_target(tmp_path / "b.png") as temporary:
        pass_by = temporary.name
        temporary.write_bytes(b"theirs")
    link(tmp_path / pass_by, precious)
    with temporary_target(tmp_path / "b.png") as temporary:
        temporary.write_bytes(b"theirs")


def test_the_lock_of_a_run_replaces_a_link(tmp_path, precious):
    link(tmp_path / "run" / ".lock", precious)
    with lock_run_dir(tmp_path / "run"):
        assert not (tmp_path / "run" / ".lock").is_symlink()


def test_of_two_runs_in_one_directory_one_is_refused(tmp_path):
    with (
        lock_run_dir(tmp_path / "run"),
        pytest.raises(ConfigError, match="being written to by another run"),
        lock_run_dir(tmp_path / "run"),
    ):
        pass


def test_lines_are_not_appended_where_a_link_leads(tmp_path, precious):
    with pytest.raises(ConfigError, match="is a link"):
        append_lines(link(tmp_path / "metrics.jsonl", precious), "{}\n")


def test_a_pipe_in_the_place_of_a_checksum_holds_nothing_up(tmp_path):
    import os

    path = tmp_path / "1.pt"
    path.write_bytes(b"old")
    os.mkfifo(checkpoint.checksum_path(path))
    checkpoint.write_with_checksum(path, b"new")
    assert path.read_bytes() == b"new" and checkpoint.checksum_path(path).is_file()


def test_commands_write_nothing_where_links_of_a_run_lead(tmp_path, precious):
    run = shutil.copytree(OLD_RUN, tmp_path / "run")
    for name in ("export/safetensors/README.md", "export/safetensors/generator.safetensors"):
        link(run / name, precious)
    assert command.main("export", "", export.job, [f"run={run}", "checkpoint=newest", "format=safetensors"]) == 0
    link(run / evaluate.RECORDS_FILE, precious)
    with pytest.raises(ConfigError, match="is a link"):
        evaluate.append_records([], run)


# What a run directory may not hold


@pytest.fixture
def run(tmp_path):
    return shutil.copytree(OLD_RUN, tmp_path / "run")


OPENERS = {
    "open": lambda run: genlab.load(run, device="cpu"),
    "config": read_config,
    "resume": lambda run: require_valid_start({"resume": str(run)}, run, fixed_dir=True),
}


@pytest.mark.parametrize("opener", OPENERS)
@pytest.mark.parametrize("name", ["config.yaml", "metrics.jsonl", "samples", "checkpoints/healthy", "checkpoints/9.pt"])
def test_what_leads_out_of_a_run_is_refused(run, precious, name, opener):
    link(run / name, precious)
    with pytest.raises(ConfigError, match="leads out of the run directory"):
        OPENERS[opener](run)


def test_a_run_may_be_reached_by_links_and_keep_its_checkpoints_elsewhere(run, tmp_path):
    disk = tmp_path / "disk"
    (run / "checkpoints").rename(disk)
    link(run / "checkpoints", disk)
    link(run / "newest.pt", run / "config.yaml")  # within the run
    through_link = link(tmp_path / "outputs", run.parent) / "run"
    assert len(genlab.load(through_link, device="cpu").sample(2)) == 2


def test_no_run_begins_among_files_that_checkpoints_leads_to(run, tmp_path):
    (tmp_path / "models").mkdir()
    best = tmp_path / "models" / "best.pt"
    best.write_text("mine")
    shutil.rmtree(run / "checkpoints")
    link(run / "checkpoints", tmp_path / "models")
    with pytest.raises(ConfigError, match="holds other things than checkpoints"):
        refuse_foreign_checkpoints(run)
    best.unlink()
    refuse_foreign_checkpoints(run)


def test_exports_and_projections_do_not_leave_the_run(run, tmp_path):
    (tmp_path / "project").mkdir()
    for name in ("export", "projections"):
        link(run / name / "safetensors", tmp_path / "project")
        with pytest.raises(ConfigError, match="leads out of the run directory"):
            own_folder(run, name, "safetensors")


def test_a_report_shows_nothing_that_lies_elsewhere(run, tmp_path):
    secret = tmp_path / "secret.txt"
    secret.write_text('{"images": 8, "seed": "SECRET"}\n')
    for name in ("config.yaml", "metrics.jsonl", "summary.json", "environment.json", "error.txt"):
        link(run / name, secret)
    write_png(torch.zeros(1, 8, 8, dtype=torch.uint8), tmp_path / "private.png")
    link(run / "samples" / "8.png", tmp_path / "private.png")
    link(run / "pictures", tmp_path)
    found = read_run(run)
    assert found.series == [] and len(found.problems) == 5
    assert "SECRET" not in page.render([found], title="a", grids=1)

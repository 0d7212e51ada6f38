"""Flipped bits and cuts in a run's files: each is read as before, or is told; no tensor differs without a word."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import Tensor

from genlab.build import instantiate as build
from genlab.build.runs import open_run, read_config
from genlab.callbacks.jsonl import read_rows
from genlab.cli.job import write_config
from genlab.core import checkpoint
from genlab.core.errors import ConfigError
from genlab.exporting import Safetensors, Sampler, load
from genlab.reports import page
from genlab.reports.run import read_run
from tests.conftest import NARROW_MLP, composed, tiny_data
from tests.test_resume import assert_same, flat

WORDS = (
    "model=gan", *NARROW_MLP, "metrics=none", "trainer.batch_size=8", "trainer.images=32", "trainer.device=cpu",
    "callbacks.log.every=8", "callbacks.checkpoint.every=16",
)  # fmt: skip
quick = settings(
    derandomize=True, max_examples=15, deadline=None, database=None, suppress_health_check=list(HealthCheck)
)
damages = st.tuples(st.sampled_from(["flip", "cut"]), st.floats(0, 1, exclude_max=True), st.integers(0, 7))


@pytest.fixture(scope="module")
def run_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run with two checkpoints, and its generator's export."""
    folder = tmp_path_factory.mktemp("damaged") / "run"
    config = composed(*WORDS)
    folder.mkdir()
    build.trainer(config, folder, tiny_data()).fit()
    write_config(config, folder)
    run = open_run(folder, device="cpu")
    facts = {"config": run.config, "spec": run.spec.facts(), "images": run.images, "format": checkpoint.FORMAT}
    Safetensors().write(Sampler(run), (), folder / Safetensors.file, facts)
    return folder


@pytest.fixture(scope="module")
def checkpoints(run_dir: Path) -> dict[Path, dict[str, Any]]:
    """The newer and the older one, by their files."""
    return {path: checkpoint.read(path) for path in checkpoint.newest_first(run_dir / "checkpoints")}


@pytest.fixture(scope="module")
def exported(run_dir: Path) -> dict[str, Tensor]:
    return load(run_dir / Safetensors.file).state_dict()


def leaves(state: dict[str, Any]) -> dict[str, Any]:
    return dict(flat(state["parts"]))


@contextmanager
def damaged(path: Path, damage: tuple[str, float, int]) -> Iterator[None]:
    """Flip a bit of a file, or cut it, at a place between its begin (0) and its end (1)."""
    whole, (kind, place, bit) = path.read_bytes(), damage
    at = int(place * len(whole))
    flipped = whole[:at] + bytes([whole[at] ^ 1 << bit]) + whole[at + 1 :]
    path.write_bytes(flipped if kind == "flip" else whole[:at])
    try:
        yield
    finally:
        path.write_bytes(whole)


@quick
@given(damages, st.booleans())
def test_a_damaged_checkpoint_is_as_before_or_the_older_one_with_a_warning(run_dir, checkpoints, damage, beside):
    newest, older = checkpoints
    target = checkpoint.checksum_path(newest) if beside else newest
    with damaged(target, damage), mock.patch.object(checkpoint.log, "warning") as warning:
        path, state = checkpoint.newest_good(run_dir / "checkpoints")
    assert_same(leaves(state), leaves(checkpoints[path]))
    assert warning.called == (path == older)


@quick
@given(damages)
def test_a_damaged_export_gives_the_same_weights_or_one_message(run_dir, exported, damage):
    path = run_dir / Safetensors.file
    with damaged(path, damage):
        try:
            assert_same(load(path).state_dict(), exported)
        except ConfigError as error:
            assert str(path) in str(error)


def test_an_export_without_a_checksum_loads_as_before(run_dir, exported, tmp_path):
    from safetensors import safe_open
    from safetensors.torch import load_file, save_file

    path, older = run_dir / Safetensors.file, tmp_path / "older.safetensors"
    with safe_open(path, "pt") as file:
        save_file(load_file(path), older, metadata={"genlab": file.metadata()["genlab"]})
    assert_same(load(older).state_dict(), exported)


@quick
@given(damages)
def test_a_damaged_config_is_read_or_is_one_message(run_dir, checkpoints, damage):
    """What it then says otherwise than the checkpoint is refused with the differences when the run is resumed."""
    path, (saved, *_) = run_dir / "config.yaml", checkpoints.values()
    with damaged(path, damage):
        try:
            list(checkpoint.differences(saved["config"], read_config(run_dir)))
        except ConfigError as error:
            assert str(path) in str(error)


@quick
@given(damages)
def test_damaged_numbers_are_read_without_the_damaged_line_or_are_one_message(run_dir, damage):
    path = run_dir / "metrics.jsonl"
    with damaged(path, damage):
        try:
            assert all("images" in row for row in read_rows(path))
        except ConfigError as error:
            assert f"{path}, line" in str(error)


@settings(quick, max_examples=6)
@given(damages, st.sampled_from(["config.yaml", "metrics.jsonl", "summary.json", "environment.json"]))
def test_a_report_of_damaged_files_is_written(run_dir, damage, name):
    with damaged(run_dir / name, damage):
        run = read_run(run_dir)
        assert "</html>" in page.render([run], title=page.page_title([run]), grids=1)


class Killed(BaseException):
    """Takes the place of SIGKILL in this process."""


@pytest.mark.parametrize("call", [1, 2, 3])
def test_a_checkpoint_that_is_replaced_can_be_read_at_every_instant(tmp_path, monkeypatch, call):
    """Killed before the first, the second or the third file is in its place: the older state, or the newer one."""
    path, replace, calls = tmp_path / "best.pt", os.replace, iter(range(1, 9))

    def replace_or_die(*names: Path) -> None:
        if next(calls) == call:
            raise Killed
        replace(*names)

    save(path, 1.0)
    monkeypatch.setattr(os, "replace", replace_or_die)
    with pytest.raises(Killed):
        save(path, 2.0)
    assert checkpoint.read(path)["parts"]["part"]["weight"] == (2.0 if call == 3 else 1.0)
    monkeypatch.undo()
    save(path, 3.0)  # what a killed process left is no hindrance
    assert checkpoint.read(path)["parts"]["part"]["weight"] == 3.0
    assert len(checkpoint.checksum_path(path).read_text().splitlines()) == 1


CONFIG = {"data": {}, "model": {}, "loss": {}, "trainer": {}, "seed": 0}
POSITION = {"images": 0, "step": 0, "turns": {}}


def save(path: Path, weight: float) -> None:
    states = {"part": {"weight": weight}, "position": POSITION}
    parts = {name: SimpleNamespace(state_dict=lambda state=state: state) for name, state in states.items()}
    checkpoint.save(path, parts, config=CONFIG, fingerprint="")

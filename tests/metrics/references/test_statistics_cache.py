"""The cache of real statistics: hit, missed, damaged, unwritable."""

import os
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch

from genlab.metrics.references.statistics_cache import _warn_once, cache_folder, compute_once

KEY = {"kind": "features", "images": "a1", "extractor": "b2", "resize": "none", "padding": 0}


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("GENLAB_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


class Compute:
    """Counts how often it was needed."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self) -> dict[str, torch.Tensor]:
        self.calls += 1
        features = torch.randn(50, 4, generator=torch.Generator().manual_seed(0))
        return {"features": features, "mean": features.double().mean(0), "turned": features.T}


def test_what_was_stored_comes_back(folder):
    compute = Compute()
    first, second = (compute_once(KEY, compute) for _ in range(2))
    assert compute.calls == 1
    assert first.keys() == second.keys()
    assert all(torch.equal(first[name], second[name]) and first[name].dtype == second[name].dtype for name in first)
    assert sorted(path.suffix for path in folder.iterdir()) == [".lock", ".safetensors"]  # nothing temporary is left


@pytest.mark.parametrize(
    "change", [{"kind": "moments"}, {"images": "c3"}, {"extractor": "c3"}, {"resize": "box"}, {"padding": 2}]
)
def test_whatever_changes_the_statistics_misses(change):
    compute = Compute()
    compute_once(KEY, compute)
    compute_once(KEY | change, compute)
    assert compute.calls == 2


@pytest.mark.parametrize("damage", ["cut", "empty", "flipped", "text"])
def test_a_damaged_file_is_computed_again(folder, damage):
    compute = Compute()
    compute_once(KEY, compute)
    (path,) = folder.glob("*.safetensors")
    content = bytearray(path.read_bytes())
    content[-3] ^= 1
    path.write_bytes({"cut": content[:-8], "empty": b"", "flipped": content, "text": b"<html>" * 100}[damage])
    with pytest.warns(UserWarning, match="is damaged"):
        compute_once(KEY, compute)
    assert compute.calls == 2
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        compute_once(KEY, compute)  # the file was mended
    assert compute.calls == 2


def test_a_folder_that_cannot_be_written_warns_once(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("GENLAB_CACHE", str(tmp_path / "file" / "cache"))
    _warn_once.cache_clear()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert [len(compute_once(KEY, Compute())["features"]) for _ in range(2)] == [50, 50]
    assert [str(warning.message).count("cannot be written") for warning in caught] == [1]


@pytest.mark.skipif(sys.platform != "linux", reason="the folder of Linux")
def test_the_folder_is_the_platforms(monkeypatch, tmp_path):
    monkeypatch.delenv("GENLAB_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "genlab"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache_folder() == Path(os.path.expanduser("~")) / ".cache" / "genlab"


def test_cut_and_flipped_files_are_noticed_wherever_the_damage_is(folder):
    compute, source = Compute(), np.random.default_rng(0)
    expected = compute_once(KEY, compute)
    (path,) = folder.glob("*.safetensors")
    whole = path.read_bytes()
    places = [*range(8, 400, 11), *source.integers(0, len(whole), 10)]  # in the header, and anywhere
    for count, place in enumerate(places):
        flipped = bytes([whole[place] ^ 1 << int(source.integers(8))])
        path.write_bytes(whole[:place] + (flipped + whole[place + 1 :] if count % 3 else b""))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = compute_once(KEY, compute)
        assert found.keys() == expected.keys()
        for name, value in found.items():
            assert torch.equal(value, expected[name]) and value.dtype == expected[name].dtype
    assert compute.calls > len(places) * 0.9  # blanks between the header's words mean nothing


def test_parts_that_killed_processes_left_are_removed(folder):
    folder.mkdir()
    stale = folder / f".reference-{'a' * 64}.safetensors-00000000"
    stale.touch()
    compute_once(KEY, Compute())
    assert not stale.exists()

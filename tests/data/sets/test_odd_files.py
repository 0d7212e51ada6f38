"""Folders as users have them: what is left out is said, and what cannot be read is refused."""

import os

import numpy as np
import pytest
from PIL import Image

from genlab.core.errors import ConfigError
from genlab.core.spec import Spec
from genlab.data.sets.folder import Folder
from genlab.data.sets.pairs import Pairs
from genlab.data.sets.unpaired import Unpaired
from genlab.data.storage.findings import Findings
from genlab.data.storage.image_file import PixelRule, read_picture
from genlab.data.storage.input_notes import describe_inputs

SOURCE = np.random.default_rng(0)


def save(path, *, limit=256, dtype=np.uint8):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(SOURCE.integers(0, limit, (16, 16)).astype(dtype)).save(path)


@pytest.fixture
def folder(tmp_path):
    for number in range(3):
        save(tmp_path / "root" / f"{number}.png")
    return tmp_path / "root"


@pytest.fixture
def deep_sources(tmp_path):
    """Pairs of 12-bit sources in 16-bit files and 8-bit images."""
    for number in range(4):
        save(tmp_path / "A" / f"{number}.png", limit=4096, dtype=np.uint16)
        save(tmp_path / "B" / f"{number}.png")
    return [str(tmp_path / side) for side in "AB"]


def said_of(data):
    return " ".join([*(value for _, value in data.notes.rows), *data.notes.advice])


def test_hidden_pictures_are_counted(folder):
    save(folder / ".thumbs" / "0.png")
    save(folder / ".own.png")
    (folder / "._0.png").write_bytes(b"of macOS")
    (folder / ".DS_Store").touch()
    data = Folder(str(folder))
    assert len(data.train.images) == 3 and "2 hidden pictures" in said_of(data)


def test_nothing_but_hidden_pictures_is_refused_with_their_number(tmp_path):
    save(tmp_path / ".thumbs" / "0.png")
    with pytest.raises(ConfigError, match="1 hidden pictures"):
        Folder(str(tmp_path))


def test_a_link_to_a_folder_that_is_read_elsewhere_is_said(tmp_path):
    for name in ("a", "b"):
        save(tmp_path / name / "0.png")
    os.symlink(tmp_path / "a", tmp_path / "c")
    data = Folder(str(tmp_path))
    assert data.spec.class_count == 2 and "1 links to folders that are read elsewhere" in said_of(data)


def test_a_pipe_is_not_waited_for(folder):
    os.mkfifo(folder / "pipe.png")
    os.mkfifo(folder / "pipe.of_no_kind")
    with pytest.raises(ConfigError, match="no regular file"):
        Folder(str(folder))


def test_each_side_may_have_a_range(deep_sources):
    dark = Pairs(deep_sources)
    assert dark.train.labels.max() == 16 and "data.source_range=[0,4095]" in said_of(dark)
    data = Pairs(deep_sources, source_range=[0, 4095])
    assert data.train.labels.max() > 250 and data.train.images.max() > 250 and not data.notes.advice
    back = Pairs(deep_sources, direction="BtoA", range=[0, 4095], source_range=[0, 255])
    assert torch_equal(back.train.images, data.train.labels) and torch_equal(back.train.labels, data.train.images)
    both = Pairs(deep_sources, range=[0, 4095])
    assert both.train.images.max() == 16 and "data.source_range" in said_of(both)


def torch_equal(one, other):
    return bool((one == other).all())


def test_each_kind_of_unpaired_pictures_may_have_a_range(deep_sources):
    assert "data.source_range=[0,4095]" in said_of(Unpaired(deep_sources))
    data = Unpaired(deep_sources, source_range=[0, 4095])
    assert data.other.train.images.max() > 250 and data.train.images.max() > 250 and not data.notes.advice
    assert (data.spec.source_range, data.spec.value_range) == ((0.0, 4095.0), None)
    assert data.spec.source_spec.value_range == (0.0, 4095.0)


def test_the_sources_of_older_runs_have_the_range_of_the_images():
    facts = Spec(1, 8, 8, images=9, value_range=(0.0, 9.0)).facts()
    del facts["source_range"]
    assert Spec.of(facts).source_range == (0.0, 9.0)


@pytest.mark.parametrize(
    ("options", "words"),
    [({"source_range": [5, 1]}, "LOW below HIGH"), ({"source_classes": 5, "source_range": [0, 4]}, "null")],
)
def test_a_range_that_means_nothing_is_refused(deep_sources, options, words):
    with pytest.raises(ConfigError, match=rf"data\.source_range=.*{words}"):
        Pairs(deep_sources, **options)


def test_what_a_trained_model_is_given_is_looked_at(tmp_path):
    picture = Image.fromarray(SOURCE.integers(0, 256, (16, 16)).astype(np.uint8))
    picture.save(tmp_path / "moving.gif", save_all=True, append_images=[picture.rotate(90)])
    save(tmp_path / "deep.png", limit=4096, dtype=np.uint16)
    findings = Findings()
    for name in ("moving.gif", "deep.png"):
        read_picture((tmp_path / name).read_bytes(), PixelRule(1), findings)
    several, dark = describe_inputs(findings, None)
    assert "1 GIF" in several and "16-bit files hold" in dark

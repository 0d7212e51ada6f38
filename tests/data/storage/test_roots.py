"""Several places as one source."""

import zipfile

import pytest

from genlab.core.errors import ConfigError
from genlab.data.storage.roots import open_root


def test_several_places_lie_side_by_side(tmp_path):
    (tmp_path / "cats").mkdir()
    (tmp_path / "cats" / "1.png").write_bytes(b"one")
    (tmp_path / "cats" / "notes.txt").write_bytes(b"")
    with zipfile.ZipFile(tmp_path / "dogs.zip", "w") as archive:
        archive.writestr("in/2.png", b"four")
    path, source = open_root([str(tmp_path / "cats"), str(tmp_path / "dogs.zip")])
    assert str(path) == "cats+dogs" and source.names == ["cats/1.png", "dogs/in/2.png"]
    assert source.read("dogs/in/2.png", 9) == b"four" and source.size("cats/1.png") == 3
    assert source.holds("cats/1.png") and not source.holds("birds/1.png") and source.left_out == {".txt": 1}
    alone = open_root(str(tmp_path / "cats"))[1]
    assert alone.names == ["1.png"] and alone.content_key() != source.content_key()


def test_places_of_one_name_are_refused(tmp_path):
    for name in ("a/photos", "b/photos"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "1.png").write_bytes(b"one")
    with pytest.raises(ConfigError, match="called alike"):
        open_root([str(tmp_path / "a/photos"), str(tmp_path / "b/photos")])

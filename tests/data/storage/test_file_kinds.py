"""Which files are pictures: by suffix, else by content; what is left out is counted by kind."""

import io

import numpy as np
import pytest
from PIL import Image

from genlab.core.errors import ConfigError
from genlab.data.sets.folder import Folder
from genlab.data.storage.archives import Directory
from genlab.data.storage.file_kinds import OTHER_FORMATS, READ_FORMATS, format_of, is_hidden, stem_of

PIXELS = np.random.default_rng(0).integers(0, 256, (8, 8, 3), dtype=np.uint8)
FORMATS = {"PNG": "PNG", "JPEG": "JPEG", "GIF": "GIF", "WEBP": "WebP", "TIFF": "TIFF", "BMP": "BMP", "PPM": "PPM"}


def encoded(format: str, **options) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(PIXELS).save(buffer, format, **options)
    return buffer.getvalue()


def frames() -> list[Image.Image]:
    return [Image.fromarray(255 - PIXELS), Image.fromarray(PIXELS // 2)]


@pytest.mark.parametrize("format", FORMATS)
def test_formats_are_known_by_their_first_bytes(format):
    assert format_of(encoded(format)[:132]) == FORMATS[format]


@pytest.mark.parametrize("text", [b"", b"BMW and other cars", b"P1, our printer", b'{"a": 1}', b"RIFF1234AVI "])
def test_other_files_are_none(text):
    assert format_of(text) == ""


def test_other_formats_have_names():
    assert format_of(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic") == "HEIC" and "HEIC" in OTHER_FORMATS
    assert format_of(b"\0\0\0\x1cftypmif1\0\0\0\0mif1avifmiaf") == "AVIF" and "AVIF" in READ_FORMATS


def test_pictures_by_any_name_are_read_and_the_rest_is_counted(tmp_path, caplog):
    folder = tmp_path / "set"
    folder.mkdir()
    for name in ("a.jfif", "b.jpe", "c.JPG", "d", "e.dat", "photo.1"):
        (folder / name).write_bytes(encoded("JPEG"))
    (folder / "f.png").write_bytes(encoded("PNG"))
    (folder / "phone.heic").write_bytes(b"\0\0\0\x18ftypheic")
    (folder / "f.txt").write_text("a caption")
    (folder / "list").write_text("of names")
    for name in (".DS_Store", "._f.png", "Thumbs.db", "desktop.ini"):
        (folder / name).write_bytes(b"rubbish")
    data = Folder(str(folder))
    assert data.spec.images == 7
    assert dict(data.notes.rows)["files"] == "left out: 1 .txt, 1 HEIC, 1 without suffix"
    assert "these formats are not read here: 1 HEIC" in caplog.text


def test_avif(tmp_path):
    pytest.importorskip("PIL._avif")
    (tmp_path / "a.avif").write_bytes(encoded("AVIF", quality=100))
    (tmp_path / "b").write_bytes(encoded("AVIF"))
    assert Folder(str(tmp_path)).spec.images == 2


def test_heic_under_another_suffix_is_called_by_its_name(tmp_path):
    (tmp_path / "a.jpg").write_bytes(b"\0\0\0\x18ftypheic" + bytes(100))
    with pytest.raises(ConfigError, match="no image in a format that is read here, or a damaged one: HEIC"):
        Folder(str(tmp_path))


def test_copies_and_raw_files_are_none(tmp_path):
    for name, format in (("a.jpg", "JPEG"), ("a.jpg~", "JPEG"), ("a.jpg_original", "JPEG"), ("b.NEF", "TIFF")):
        (tmp_path / name).write_bytes(encoded(format))
    assert Directory(tmp_path).names == ["a.jpg"]


@pytest.mark.parametrize("format", ["GIF", "TIFF", "WEBP", "PNG"])
def test_files_of_several_pictures_say_so(tmp_path, format):
    (tmp_path / "many").write_bytes(encoded(format, save_all=True, append_images=frames()))
    (tmp_path / "one").write_bytes(encoded(format))
    said = dict(Folder(str(tmp_path)).notes.rows)["files"]
    assert said == f"several pictures in a file, of which the first is read: 1 {format}"


def test_the_outputs_of_runs_are_left_out(tmp_path):
    for run in ("outputs/gan-mine/DATE", "elsewhere/my_run"):
        for name in ("config.yaml", "metrics.jsonl", "samples/000.png", "pictures/grid.png", "checkpoints/1.pt"):
            (tmp_path / run / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / run / name).write_bytes(encoded("PNG"))
    for name in ("photos/a.png", "photos/b.png", "photos/config.yaml"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(encoded("PNG"))
    found = Directory(tmp_path)
    assert found.names == ["photos/a.png", "photos/b.png", "photos/config.yaml"]  # a picture by its content
    assert found.left_out["files of genlab's own runs"] == 10
    assert Directory(tmp_path / "outputs/gan-mine/DATE").names[-1] == "samples/000.png"  # what is named is read


def test_names():
    assert [stem_of(name) for name in ("a/b.png", "a.b/c", "photo.1", ".png", "x.tar.GZ")] == [
        "a/b",
        "a.b/c",
        "photo.1",
        ".png",
        "x.tar",
    ]
    assert all(map(is_hidden, ("Thumbs.db", "a/@eaDir/b.jpg", "__MACOSX/a.png", "a/.b")))
    assert not is_hidden("./a.png")

"""The bundled pixel faces: their content, their words, their two kinds."""

import lzma

import pytest
import torch

from genlab.core.errors import ConfigError
from genlab.core.spec import condition_from_facts
from genlab.data.sets import pixel_faces
from genlab.data.sets.pixel_faces import ATTRIBUTES, BUNDLED, PixelFaces, TwoKindsOfPixelFaces

TRAINING_COUNTS = [3491, 1762, 2414, 4657, 2553, 3025, 5627]  # of each attribute, in the table that it was made of
TEST_COUNTS = [706, 357, 512, 943, 525, 618, 1141]


@pytest.fixture(scope="module")
def faces() -> PixelFaces:
    return PixelFaces(holdout=100)


def test_it_is_the_bundled_data(faces):
    assert BUNDLED.stat().st_size < 2_000_000
    assert faces.spec.shape == (3, 32, 32) and faces.test.images.shape == (2_000, 3, 32, 32)
    assert len(faces.train.images) == 9_900 and len(faces.holdout.images) == 100
    labels = torch.cat([faces.train.labels, faces.holdout.labels])
    assert labels.sum(0).tolist() == TRAINING_COUNTS and faces.test.labels.sum(0).tolist() == TEST_COUNTS
    assert faces.label_kind.names == ATTRIBUTES and faces.label_kind.caption(faces.train.labels[0]) == (
        "hat + long_hair + earrings"
    )
    assert (labels[:, 1] <= labels[:, 0]).all()  # dark glasses are glasses


def test_a_damaged_file_is_refused(tmp_path, monkeypatch):
    broken = tmp_path / "pixel_faces.xz"
    monkeypatch.setattr(pixel_faces, "BUNDLED", broken)
    for content, reason in (
        (b"no archive", "cannot be unpacked"),
        (BUNDLED.read_bytes()[:10_000], "cannot be unpacked"),
        (lzma.compress(b"other bytes", preset=0), "SHA-256 differs"),
    ):
        broken.write_bytes(content)
        with pytest.raises(ConfigError, match=rf"pixel_faces\.xz: .*{reason}.*install genlab again"):
            PixelFaces()


def test_other_sizes_are_resized():
    small = PixelFaces(size=8, limit=10)
    assert small.spec.shape == (3, 8, 8) and small.spec.images == 10 and small.padding == 0
    assert small.fingerprint != PixelFaces(limit=10).fingerprint
    with pytest.raises(ConfigError, match=r"data\.limit=9999 data\.holdout=2"):
        PixelFaces(limit=9_999, holdout=2)


def test_words_say_the_attributes(faces):
    words = PixelFaces(words=True)
    kind = words.spec.condition
    said = [kind.caption(row) for row in words.train.labels[:7]]
    assert said == ["hat long hair earrings", "hat long hair earrings smile", "glasses earrings smile", "hat", "smile",
                    "glasses", "dark glasses hat long hair smile"]  # fmt: skip
    assert "plain" in {kind.caption(row) for row in words.train.labels[:100]}
    assert torch.equal(kind.attributes_of(words.test.labels, ATTRIBUTES).float(), faces.test.labels)


def test_dark_glasses_are_glasses(faces):
    kind = faces.spec.condition
    assert kind.parse(["dark_glasses", "none", "hat+smile"]).tolist() == [
        [1, 1, 0, 0, 0, 0, 0], [0] * 7, [0, 0, 1, 0, 0, 0, 1]]  # fmt: skip
    assert kind.names_tied_to("glasses") == kind.names_tied_to("dark_glasses") == {"glasses", "dark_glasses"}
    assert kind.names_tied_to("hat") == {"hat"}
    dark, clear = kind.parse(["dark_glasses", "glasses"])
    assert kind.toggle(dark, 0).tolist() == [0] * 7 and torch.equal(kind.toggle(dark, 1), clear)
    assert torch.equal(kind.toggle(clear, 1), dark) and torch.equal(kind.toggle(torch.zeros(7), 1), dark)
    assert condition_from_facts({"implies": [["dark_glasses", "glasses"]], **kind.facts()}) == kind


@pytest.mark.parametrize("attribute", ["glasses", "hat"])
def test_two_kinds_have_no_face_in_common(faces, attribute):
    number = ATTRIBUTES.index(attribute)
    found = TwoKindsOfPixelFaces(attribute, holdout=10)
    assert (found.train.labels[:, number] == 1).all() and (found.other.test.labels[:, number] == 0).all()
    counts = [len(part.images) for part in (found.train, found.other.train, found.test, found.other.test)]
    with_it, tested = TRAINING_COUNTS[number], TEST_COUNTS[number]
    assert counts == [with_it - 10, 10_000 - with_it - 10, tested, 2_000 - tested]
    seen = {image.numpy().tobytes() for image in found.train.images[:500]}
    assert len(seen) == 500 and not seen & {image.numpy().tobytes() for image in found.other.train.images}
    assert not found.aligned and found.spec.require_source().channels == 3
    back = TwoKindsOfPixelFaces(attribute, direction="remove")
    assert torch.equal(back.other.test.images, found.test.images) and back.name == f"pixel_faces_without_{attribute}"


def test_an_unknown_attribute_is_refused():
    with pytest.raises(ConfigError, match=r"data\.attribute=nose: expected one of glasses, dark_glasses"):
        TwoKindsOfPixelFaces("nose")

"""A user's own pictures, translated: by hand, from Python and from the command line."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import genlab
from genlab import sample
from genlab.cli import command
from genlab.core.errors import ConfigError
from genlab.core.pixels import to_uint8
from genlab.sampling.source_pictures import extend_to_multiple, source_input
from tests.conftest import data_of, loaded_run, narrow, pictured


def run(*words):
    return command.main("sample", sample.USAGE, sample.job, [*words, "mode=translate", "device=cpu"])


def grey(height, width, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width), dtype=np.uint8)


def by_hand(loaded, pictures, z):
    """Return the output of the generator itself, for pictures of its size."""
    with torch.no_grad(), loaded.run.sampling() as generator:
        return generator(z, pictures).clamp(-1, 1)


def test_pictures_become_what_the_generator_makes_of_them(translator):
    loaded = genlab.load(translator, device="cpu", batch_size=3)
    pixels = torch.from_numpy(np.stack([grey(8, 8, seed) for seed in range(5)]))[:, None]
    seen = pixels.float() / 127.5 - 1
    expected = by_hand(loaded, seen, loaded.latent(5))
    assert torch.allclose(loaded.translate(pixels), expected, atol=1e-5) and expected.shape == (5, 3, 8, 8)
    assert torch.allclose(loaded.translate(seen), expected, atol=1e-5)
    assert torch.allclose(loaded.translate(pixels, seed=4), by_hand(loaded, seen, loaded.latent(5, seed=4)), atol=1e-5)
    assert torch.allclose(loaded.translate(pixels[2:], start=2), expected[2:], atol=1e-5)


def test_any_size_will_do(translator):
    """Sides that are no multiple of 8 are extended evenly by edge pixels, and the output is cut back."""
    loaded = genlab.load(translator, device="cpu")
    pixels = torch.from_numpy(grey(11, 21))[None, None]
    rows, columns = (
        np.clip(np.arange(-before, side + after), 0, side - 1) for before, side, after in ((2, 11, 3), (1, 21, 2))
    )
    framed = pixels[..., torch.from_numpy(rows)[:, None], torch.from_numpy(columns)]
    whole = loaded.translate(framed)
    assert whole.shape == (1, 3, 16, 24)
    assert torch.allclose(loaded.translate(pixels), whole[..., 2:13, 1:22], atol=1e-5)


def test_what_a_model_cannot_take_is_said(translator, plain):
    loaded = genlab.load(translator, device="cpu")
    with pytest.raises(
        ConfigError, match=r"pictures of shape \[2, 3, 8, 8\]: this model takes pictures, \[n, 1, H, W\]"
    ):
        loaded.translate(torch.zeros(2, 3, 8, 8))
    with pytest.raises(ConfigError, match="this model makes nothing from pictures"):
        genlab.load(plain, device="cpu").translate(torch.zeros(2, 1, 8, 8))
    with pytest.raises(ConfigError, match="mode=translate input=FILE_OR_FOLDER"):
        loaded.sample(3)


def test_label_maps_are_translated_as_numbers(tmp_path):
    data = pictured(source_classes=4)
    for split in (data.pool, data.test):
        split.labels.remainder_(4)
    loaded = loaded_run(tmp_path, "model=pix2pix", *narrow("pix2pix"), data=data)
    maps = data.test.labels[:3]
    expected = by_hand(
        loaded, torch.nn.functional.one_hot(maps[:, 0].long(), 4).permute(0, 3, 1, 2).float(), loaded.latent(3)
    )
    assert torch.allclose(loaded.translate(maps), expected, atol=1e-5)
    assert torch.allclose(loaded.translate(maps[:, 0].long()), expected, atol=1e-5)


def test_a_folder_becomes_a_folder(translator, tmp_path, capsys):
    """Turned upright, laid on white, made grey; every picture by its name, in its size."""
    folder, out = tmp_path / "in", tmp_path / "out"
    (folder / "deep").mkdir(parents=True)
    upright = grey(8, 16, 1)
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by a quarter to the right
    Image.fromarray(np.rot90(upright).copy()).save(folder / "a.png", exif=exif)
    clear = np.dstack([np.zeros((8, 8, 3), np.uint8), np.where(grey(8, 8, 2) > 127, 255, 0).astype(np.uint8)])
    Image.fromarray(clear, "RGBA").save(folder / "deep" / "b.png")
    Image.fromarray(grey(9, 30)).save(folder / "c.bmp")
    Image.fromarray(grey(9, 30)).save(folder / "c.png")
    (folder / "notes.txt").write_text("no picture")
    assert run(f"run={translator}", f"input={folder}", f"to={out}") == 0
    assert Path(capsys.readouterr().out.strip()) == out
    assert sorted(str(path.relative_to(out)) for path in out.rglob("*.png")) == [
        "a.png",
        "c.bmp.png",
        "c.png.png",
        "deep/b.png",
    ]
    loaded = genlab.load(translator, device="cpu")
    shown = {"a": upright, "deep/b": np.where(clear[..., 3] > 0, 0, 255).astype(np.uint8)}
    for number, (name, pixels) in zip((0, 3), shown.items(), strict=True):
        expected = to_uint8(loaded.translate(torch.from_numpy(pixels)[None, None], start=number))[0]
        found = torch.from_numpy(np.asarray(Image.open(out / f"{name}.png")).copy()).permute(2, 0, 1)
        assert found.shape == expected.shape and (found.int() - expected.int()).abs().max() <= 1
    assert Image.open(out / "c.png.png").size == (30, 9)


def test_one_file_will_do(translator, tmp_path, capsys):
    picture = tmp_path / "one.png"
    Image.fromarray(grey(8, 8)).save(picture)
    pixels = []
    for seed in (1, 1):
        assert run(f"run={translator}", f"input={picture}", f"seed={seed}") == 0
        folder = Path(capsys.readouterr().out.strip())
        assert folder.name.startswith(f"translate_000000000_seed{seed}")
        pixels.append(np.asarray(Image.open(folder / "one.png")).tolist())
    assert pixels[0] == pixels[1]


def test_of_a_moving_picture_the_first_is_read_and_said(translator, tmp_path, caplog):
    first, second = (Image.fromarray(grey(8, 8, seed=seed)) for seed in (0, 1))
    first.save(tmp_path / "moving.gif", save_all=True, append_images=[second])
    assert run(f"run={translator}", f"input={tmp_path / 'moving.gif'}") == 0
    assert "the first is read: 1 GIF" in caplog.text


@pytest.mark.parametrize(("model", "times"), [("super_resolution", 4), ("pix2pix_hd", 1), ("segmentation_to_image", 1)])
def test_what_networks_take_of_other_sizes(tmp_path, model, times):
    """Super-resolution makes any size four times as large; others are shown multiples, and the frame is cut off."""
    loaded = loaded_run(tmp_path, f"model={model}", *narrow(model), data=data_of(model, 3, 16))
    channels = loaded.spec.condition.channels
    pixels = torch.from_numpy(grey(5 * channels, 7)).view(1, channels, 5, 7).remainder(3)
    made = loaded.translate(pixels)
    assert made.shape == (1, 3, 5 * times, 7 * times)
    seen, frame = extend_to_multiple(
        source_input(pixels, loaded.spec), loaded.run.model.generator.side_multiple, loaded.spec
    )
    whole = by_hand(loaded, seen, loaded.latent(1))
    left, _, top, _ = (side * times for side in frame)
    torch.testing.assert_close(made, whole[..., top : top + 5 * times, left : left + 7 * times])


@pytest.mark.parametrize("palette", [False, True])
def test_label_maps_are_read_from_files(tmp_path, palette, capsys):
    """Classes as grey levels, or as the entries of a palette; 255 is none."""
    loaded = loaded_run(tmp_path / "run", "model=segmentation_to_image", *narrow("segmentation_to_image"))
    numbers = grey(8, 8) % 3
    numbers[0, 0] = 255
    picture = Image.fromarray(numbers)
    if palette:
        picture = Image.fromarray(numbers, "P")
        picture.putpalette(list(np.random.default_rng(1).integers(0, 256, 768)))
    picture.save(tmp_path / "map.png")
    assert run(f"run={tmp_path / 'run'}", f"input={tmp_path / 'map.png'}", f"to={tmp_path / 'out'}") == 0
    found = torch.from_numpy(np.asarray(Image.open(tmp_path / "out" / "map.png")).copy())
    expected = to_uint8(loaded.translate(torch.from_numpy(numbers)[None]))[0, 0]
    assert (found.int() - expected.int()).abs().max() <= 1
    Image.fromarray(np.full((8, 8), 3, np.uint8)).save(tmp_path / "beyond.png")
    assert run(f"run={tmp_path / 'run'}", f"input={tmp_path / 'beyond.png'}", f"to={tmp_path / 'no'}") == 2
    assert "a label map with class 3; expected 0 to 2" in capsys.readouterr().err


def test_mistakes_are_one_message(translator, plain, tmp_path, capsys):
    (tmp_path / "empty").mkdir()
    (tmp_path / "words.txt").write_text("no picture")
    (tmp_path / "cut.png").write_bytes(b"\x89PNG\r\n\x1a\nno more")
    for words, message in (
        ((f"run={translator}",), "which pictures? input=FILE_OR_FOLDER"),
        ((f"run={translator}", "input=nowhere"), "input=nowhere: there is no such file or folder"),
        ((f"run={translator}", f"input={tmp_path / 'empty'}"), "no picture"),
        ((f"run={translator}", f"input={tmp_path / 'words.txt'}"), "no picture"),
        ((f"run={translator}", f"input={tmp_path / 'cut.png'}"), "cut.png: no image in a format that is read here"),
        ((f"run={translator}", f"input={tmp_path / 'cut.png'}", "classes=1"), "classes=1: has no effect"),
        ((f"run={plain}", f"input={tmp_path / 'cut.png'}"), "this model makes nothing from pictures"),
        (
            (f"run={translator}", f"input={tmp_path / 'cut.png'}", f"to={tmp_path / 'x.png'}"),
            "this mode writes a folder",
        ),
    ):
        assert run(*words) == 2
        error = capsys.readouterr().err.strip()
        assert message in error and "Traceback" not in error and "\n" not in error
    assert command.main("sample", sample.USAGE, sample.job, [f"run={plain}", "input=x", "device=cpu"]) == 2
    assert "input=x: this mode reads no pictures" in capsys.readouterr().err


def test_the_way_back(two_way, translator, tmp_path, capsys):
    """Images become source pictures; of any size, from Python and from files."""
    loaded = genlab.load(two_way, device="cpu")
    colour = torch.randint(0, 256, (2, 3, 11, 9), dtype=torch.uint8)
    with torch.no_grad(), loaded.run.sampling() as generator:
        expected = generator.back(torch.zeros(2, 0), colour.float() / 127.5 - 1)
    assert torch.allclose(loaded.translate(colour, back=True), expected, atol=1e-5) and expected.shape == (2, 1, 11, 9)
    assert loaded.translate(colour[:, :1]).shape == (2, 3, 11, 9)
    with pytest.raises(ConfigError, match=r"takes pictures, \[n, 3, H, W\]"):
        loaded.translate(colour[:, :1], back=True)
    with pytest.raises(ConfigError, match="translates one way alone"):
        genlab.load(translator, device="cpu").translate(colour, back=True)
    Image.fromarray(colour[0].permute(1, 2, 0).numpy()).save(tmp_path / "one.png")
    out = tmp_path / "out"
    assert run(f"run={two_way}", f"input={tmp_path / 'one.png'}", f"to={out}", "mode.back=true") == 0
    found = torch.from_numpy(np.asarray(Image.open(out / "one.png")).copy())
    assert (found.int() - to_uint8(expected)[0, 0].int()).abs().max() <= 1
    assert run(f"run={translator}", f"input={tmp_path / 'one.png'}", "mode.back=true") == 2
    assert "translates one way alone" in capsys.readouterr().err

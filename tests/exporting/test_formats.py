"""The exported file gives the generator's images, whatever the format, network and batch."""

import json
import subprocess
import sys
from importlib.util import find_spec

import pytest
import torch

from genlab import export
from genlab.build import instantiate as build
from genlab.cli import command
from genlab.core import checkpoint
from genlab.core.errors import ConfigError
from genlab.exporting import load
from genlab.exporting.card import data_licence, describe_choice, find_choice
from tests.conftest import TINY, composed, like, narrow, tiny_data, unpaired

FORMATS = ["safetensors", "torchscript", *(["onnx"] if find_spec("onnxscript") else [])]
MODELS = {
    "dcgan": (),
    "cgan_conv": (),
    "sngan": ("model.conditional=true", "model.spectral_norm=[generator,discriminator]"),
    "vae": (),
    "biggan": (),
    "vqvae": (),
    "infogan": (),
    "multi_gan": (),
    "stylegan2": ("model.conditional=true",),
    "stylegan3_r": (),
    "super_resolution": (),
    "segmentation_to_image": (),
    "pix2pix_hd": (),
}


def trained(model, words, run_dir, data=None):
    """A run of two steps with its checkpoint, as training leaves it."""
    config = composed(*TINY, f"model={model}", *narrow(model), *words, "trainer.images=16")
    data = data or like(config["data"], size=16)
    trainer = build.trainer(config, run_dir, data)
    trainer.fit()
    path = run_dir / "checkpoints" / f"{trainer.images:010d}.pt"
    checkpoint.save(path, trainer.parts, config=config, fingerprint="", spec=data.spec)
    return trainer


def exported(run_dir, form, *words):
    return command.main("export", "", export.job, [f"run={run_dir}", f"format={form}", "checkpoint=newest", *words])


def reader(form, path):
    """Other people's way to read the file."""
    if form == "safetensors":
        return load(path)
    if form == "torchscript":
        return torch.jit.load(path)
    runtime = pytest.importorskip("onnxruntime")
    session = runtime.InferenceSession(path)
    names = [given.name for given in session.get_inputs()]
    return lambda *given: torch.from_numpy(
        session.run(None, {name: value.numpy() for name, value in zip(names, given, strict=True)})[0]
    )


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
@pytest.mark.parametrize("model", MODELS)
def test_the_file_gives_the_images_that_the_run_samples(model, tmp_path):
    trainer = trained(model, MODELS[model], tmp_path)
    for form in FORMATS:
        assert exported(tmp_path, form) == 0
        (path,) = (tmp_path / "export").glob("*/generator." + {"torchscript": "pt"}.get(form, form))
        read = reader(form, path)
        for count in (1, 6):
            z, condition = (
                trainer.model.latent.draw(trainer.samples.fixed_draws(0))[:count],
                trainer.samples.sample_conditions(0, count),
            )
            expected = trainer.samples.draw_samples(0, count).clamp(-1, 1)
            found = read(z) if condition is None else read(z, condition)
            torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-4)
        assert (path.parent / "README.md").read_text().startswith("# ")


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
def test_the_file_of_a_two_way_model_makes_images(tmp_path):
    """It takes no noise: z is empty."""
    data = unpaired(channels=3)
    trainer = trained("cyclegan", ("penalty=[cycle]", "model.generator.blocks=1"), tmp_path, data)
    sources = data.other.test.images[:5].float() / 127.5 - 1
    expected = trainer.samples.draw_samples(0, 5)
    for form in FORMATS:
        assert exported(tmp_path, form) == 0
        (path,) = (tmp_path / "export").glob("*/generator." + {"torchscript": "pt"}.get(form, form))
        torch.testing.assert_close(reader(form, path)(torch.zeros(5, 0), sources), expected, atol=1e-4, rtol=1e-4)


def test_padding_is_cropped_and_a_plain_run_has_no_average(tmp_path):
    data = tiny_data(size=16)
    data.padding = 2
    trained("gan", ("trainer.ema=null",), tmp_path, data)
    assert exported(tmp_path, "safetensors") == 0
    folder = tmp_path / "export" / "safetensors"
    assert load(folder / "generator.safetensors")(torch.randn(3, 100)).shape == (3, 1, 12, 12)
    assert "float32 [N, 1 x 12 x 12]" in (folder / "README.md").read_text()
    assert "no average was kept" in (folder / "README.md").read_text()


RECORD = {
    "metric": "fid", "value": 1.5, "extractor": "mnist_classifier", "extractor_hash": "0123456789", "settings": "",
    "reference": "mnist/test", "reference_hash": "", "images": 500, "reference_images": 10_000, "resize": "none",
    "ema": True, "seed": 3,
}  # fmt: skip


def test_the_card_says_what_was_measured_how_and_whom_to_cite(tmp_path):
    trained("dcgan", (), tmp_path)
    words = ["genlab/train.py", "model=dcgan", "seed=3"]
    (tmp_path / "environment.json").write_text(json.dumps({"command": words}))
    earlier, same = RECORD | {"position": 8, "value": 77.0}, RECORD | {"position": 16}
    (tmp_path / "summary.json").write_text(json.dumps({"records": [same]}))
    (tmp_path / "evaluations.jsonl").write_text(json.dumps(earlier) + "\n" + json.dumps(same) + "\n")
    exported(tmp_path, "safetensors", f"to={tmp_path / 'elsewhere'}")
    text = (tmp_path / "elsewhere" / "README.md").read_text()
    assert text.startswith("# dcgan on mnist\n") and "Radford et al. 2016" in text
    assert text.count("| fid | 1.5 | 500 samples (EMA), seed 3; 10,000 of mnist/test") == 1 and "77" not in text
    assert "python -m genlab.train model=dcgan seed=3" in text and "Attribution-ShareAlike" in text


def test_choices_are_those_of_the_command_then_the_experiment_then_the_default():
    assert find_choice("model", ["experiment=wgan_paper"]) == "wgan"
    assert find_choice("model", ["model=gan", "experiment=wgan_paper"]) == "gan"
    assert (find_choice("model", []), find_choice("data", [])) == ("wgan_gp", "mnist")
    assert find_choice("model", None) is None and "Not recorded" in describe_choice("model", None)
    assert "Miyato and Koyama 2018" in describe_choice("model", "sngan")
    assert "not known" in data_licence("folder")


def test_a_file_of_another_kind_is_one_message(tmp_path):
    (tmp_path / "a.safetensors").write_bytes(b"nothing")
    with pytest.raises(ConfigError, match="no file that genlab.export"):
        load(tmp_path / "a.safetensors")


def test_mistakes_are_one_message(tmp_path, capsys):
    trained("gan", (), tmp_path)
    assert exported(tmp_path, "onxx") == 2
    assert "format=onxx: there is no such choice. Did you mean onnx?" in capsys.readouterr().err
    assert exported(tmp_path / "nowhere", "safetensors") == 2
    assert "not a run directory" in capsys.readouterr().err


def test_without_its_libraries_a_format_says_what_to_install(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "onnx", None)
    trained("gan", (), tmp_path)
    assert exported(tmp_path, "onnx") == 2
    assert "pip install genlab[export]" in capsys.readouterr().err


def test_a_file_that_gives_other_images_is_not_left_there(tmp_path, monkeypatch, capsys):
    trained("gan", (), tmp_path)
    monkeypatch.setattr("genlab.exporting.formats.load", lambda path: lambda z: torch.zeros(len(z), 1, 16, 16))
    assert exported(tmp_path, "safetensors") == 3
    assert "does not give the generator's output" in capsys.readouterr().err
    assert not list(tmp_path.rglob("*.safetensors"))


def test_help_loads_no_torch():
    code = "import sys; sys.argv[1:] = ['--help']; import genlab.export as e; "
    code += "e.command.main('export', e.USAGE, e.job, ['--help']); assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)

"""NVIDIA's files of StyleGAN2 and StyleGAN3, from the file to pictures and to further training."""

import pickle

import pytest
import torch

from genlab import export, report, sample, train
from genlab.build.runs import open_run
from genlab.core.errors import ConfigError
from genlab.importing.network_record import NetworkRecord
from genlab.importing.reading import read_model, read_tree
from genlab.importing.stylegan2_nvidia import discriminator_words
from tests.importing.nvidia_file import alias_free_generator, authors_names, generator, write_file

FILES = {
    "StyleGAN2 at 16 pixels without classes": {},
    "StyleGAN2 at 16 pixels with 3 classes": {"classes": 3},
    "StyleGAN3-T at 16 pixels without classes": {"make": alias_free_generator},
    "StyleGAN3-R at 16 pixels with 3 classes": {"make": alias_free_generator, "kernel": 1, "classes": 3},
}


@pytest.mark.parametrize(("description", "options"), FILES.items())
def test_every_network_of_a_file_fits_the_model_that_its_shapes_name(tmp_path, description, options):
    path = write_file(tmp_path / "known.pkl", **options)
    assert read_model(path).description == description
    run = open_run(path, device="cpu")
    images = run.draw_samples(0, 2)
    assert images.shape == (2, 3, 16, 16)
    assert images.isfinite().all()


def test_tensors_of_a_file_are_taken_as_they_are(tmp_path):
    found = read_model(write_file(tmp_path / "known.pkl"))
    torch.manual_seed(0)
    first = generator().state["_modules"]["synthesis"].state["_modules"]["b4"].state
    assert torch.equal(found.networks["generator"]["constant"], first["_parameters"]["const"])
    weight = first["_modules"]["conv1"].state["_parameters"]["weight"]
    assert torch.equal(found.networks["generator"]["stages.0.layers.0.conv.weight"], weight)


@pytest.fixture
def known(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return write_file(tmp_path / "known.pkl")


def test_a_grid_and_an_exported_file_come_from_a_file(known, tmp_path, capsys):
    assert sample.main([f"run={known}", "device=cpu", "to=grid.png"]) == 0
    assert export.main([f"run={known}", "to=exported"]) == 0
    assert (tmp_path / "grid.png").is_file()
    assert (tmp_path / "exported" / "generator.safetensors").is_file()
    assert report.main([f"runs={known}"]) == 2
    assert "is a file" in capsys.readouterr().err


SHORT = ("trainer.images=8", "trainer.batch_size=4", "metrics=none", "trainer.device=cpu")


STANDING_STILL = ("optimizer.generator.lr=1e-9", "trainer.ema.halflife=1e9", "trainer.ema.warmup=0")


@pytest.mark.slow
def test_training_goes_on_from_a_file_that_chooses_the_model(known, tmp_path):
    words = [f"init_from={known}", "data=pixel_faces", "data.size=16", "hydra.run.dir=run"]
    assert train.main([*words, *SHORT, *STANDING_STILL]) == 0
    trained, expected = open_run(tmp_path / "run", device="cpu"), read_model(known).networks
    for name, network in (("generator", trained.model.generator), ("ema", trained.ema.network)):
        assert torch.allclose(network.state_dict()["constant"], expected[name]["constant"], atol=1e-5), name


def test_another_run_than_the_files_is_told_in_one_sentence(known, capsys):
    words = [f"init_from={known}", "data=pixel_faces", "data.size=32", "hydra.run.dir=run", "callbacks=none"]
    assert train.main([*words, *SHORT]) == 2
    assert "that is StyleGAN2 at 16 pixels without classes; this run is 32 pixels." in capsys.readouterr().err
    assert train.main([*words, "model=wgan_gp", *SHORT]) == 2
    assert "this run is of another generator (dcgan.Generator), 32 pixels" in capsys.readouterr().err


class Strange:
    def __init__(self, function, *arguments):
        self.function, self.arguments = function, arguments

    def __reduce__(self):
        return self.function, self.arguments


@pytest.mark.parametrize("function", [eval, exec, getattr, bytearray, torch.load, pickle.loads, __import__])
def test_what_is_not_on_the_list_is_refused_and_not_run(tmp_path, function):
    (tmp_path / "bad.pkl").write_bytes(pickle.dumps({"G_ema": Strange(function, "1")}))
    with pytest.raises(ConfigError, match=r"it holds code \(.*\), which is never run"):
        read_model(tmp_path / "bad.pkl")


def test_a_command_of_the_system_is_not_run(tmp_path):
    made = tmp_path / "made"
    (tmp_path / "bad.pkl").write_bytes(b"cos\nsystem\n(S'touch " + str(made).encode() + b"'\ntR.")
    with pytest.raises(ConfigError, match=r"it holds code \(os.system\)"):
        read_model(tmp_path / "bad.pkl")
    assert not made.exists()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no pickle",
        b"\x80\x04N.",
        b"\x80\x04]r\xff\xff\xff\x7f.",  # a place that would fill memory
        b"\x80\x04\x8e\xff\xff\xff\xff\xff\xff\xff\x00.",  # bytes without end
        b"\x80\x04" + b"]" * 100 + b"a" * 99 + b".",
        b"PK\x03\x04 no archive",
    ],
)
def test_other_files_are_refused_in_one_sentence(tmp_path, content):
    (tmp_path / "bad.pkl").write_bytes(content)
    for key in ("run", "init_from"):
        with pytest.raises(ConfigError, match=f"^{key}=.*bad.pkl: these weights cannot be used"):
            read_model(tmp_path / "bad.pkl", key=key)


def test_a_discriminator_that_maps_classes_without_layers_is_refused(tmp_path):
    """As those that legacy.py converts from conditional files of TensorFlow."""
    record = NetworkRecord.of(read_tree(write_file(tmp_path / "known.pkl", classes=3))["D"])
    record.tensors = {name: value for name, value in record.tensors.items() if not name.startswith("mapping.fc")}
    with pytest.raises(ValueError, match="maps classes without a layer"):
        discriminator_words(record, [4, 8, 16])


def test_a_pickle_changes_nothing_of_the_list(tmp_path):
    with authors_names():
        text = b"\x80\x04cdnnlib.util\nEasyDict\n}\x8c\x08__call__ccollections\nOrderedDict\ns\x86b0N."
    (tmp_path / "bad.pkl").write_bytes(text)
    with pytest.raises(ConfigError):
        read_model(tmp_path / "bad.pkl")
    assert read_model(write_file(tmp_path / "known.pkl")).name == "StyleGAN2"


def test_a_tensor_beyond_its_numbers_is_refused(tmp_path):
    tensor = Strange(torch._utils._rebuild_tensor_v2, torch.zeros(4)._typed_storage(), 0, (10**6,), (1,), False, {})
    (tmp_path / "bad.pkl").write_bytes(pickle.dumps(tensor))
    with pytest.raises(ConfigError, match="a tensor in it is damaged"):
        read_model(tmp_path / "bad.pkl")

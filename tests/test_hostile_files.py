"""Files that others made to do harm: refused in words, quickly, in little memory, and nothing in them runs."""

import gzip
import os
import signal
import socket
from pathlib import Path

import pytest

from genlab.core import checkpoint
from genlab.core.errors import ConfigError
from genlab.data.sets.folder import Folder
from genlab.data.sets.mnist import MNIST
from genlab.data.storage.image_file import PixelRule, Unusable, read_picture
from genlab.metrics.extractors.inception import load_inception
from genlab.metrics.extractors.own_classifier import OwnClassifier
from genlab.metrics.scores.lpips import LPIPS
from tests import hostile_files as hostile
from tests.hostile_files import ARRAYS, BROKEN, JSON, PICKLES, SAFETENSORS, UNLISTED, YAML, ZIPS, encoded

SECONDS = 60  # for one test, with the imports of a busy machine: what hangs fails
ADVICE = ("weights_only", "allow_pickle", "torch.load")  # of libraries, to switch a protection off


@pytest.fixture(autouse=True)
def workplace(tmp_path, monkeypatch):
    """A folder of its own, where nothing may run; what hangs fails."""

    def hang(*_):
        raise TimeoutError(f"it took more than {SECONDS} seconds")

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GENLAB_CACHE", str(tmp_path / "cache"))
    before = signal.signal(signal.SIGALRM, hang)
    signal.alarm(SECONDS)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)
    assert not Path("ran").exists()


@pytest.fixture
def folder(tmp_path) -> Path:
    (tmp_path / "images").mkdir()
    for name in ("1.png", "2.png"):
        (tmp_path / "images" / name).write_bytes(encoded("PNG"))
    return tmp_path / "images"


def put(path: Path, content: bytes | str) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def refused(call, kind=ConfigError) -> str:
    """The message of a refusal, which repeats no advice to switch a protection off."""
    with pytest.raises(kind) as error:
        call()
    assert not any(word in str(error.value) for word in ADVICE), str(error.value)
    return str(error.value)


def pipe(path: Path) -> None:
    os.mkfifo(path)


def device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def listener(path: Path) -> None:
    before = os.getcwd()
    os.chdir(path.parent)  # names of sockets are short
    socket.socket(socket.AF_UNIX).bind(path.name)
    os.chdir(before)


SPECIAL = [pipe, device, listener]


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize("name", [*UNLISTED, *BROKEN])
def test_pictures(name):
    content = (UNLISTED | BROKEN)[name]
    assert refused(lambda: read_picture(content, PixelRule(3, 16)), Unusable)


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize("name", [*UNLISTED, *BROKEN])
def test_pictures_of_a_report(name, tmp_path):
    from genlab.reports.run_pictures import Frame, load_picture

    path = put(tmp_path / "000001.png", (UNLISTED | BROKEN)[name])
    found = load_picture(Frame(1, path))
    assert found is None


@pytest.mark.parametrize("name", ["EPS", "EPS that runs", "WMF", "ICNS"])
def test_pictures_of_projections_and_translations(name, tmp_path):
    from genlab.core.spec import Spec
    from genlab.projecting.target import load_target
    from genlab.sampling.translate import open_pictures

    path = put(tmp_path / "x.png", UNLISTED[name])
    assert "cannot be read" in refused(lambda: load_target(path, Spec(3, 16, 16, images=2)))
    source, names = open_pictures(path)
    assert refused(lambda: read_picture(source.read(next(iter(names)), 2**20), PixelRule(3)), Unusable)


@pytest.mark.parametrize("make", SPECIAL)
@pytest.mark.parametrize("name", ["x.png", "x", "dataset.json"])
def test_pipes_sockets_and_devices_in_a_folder(folder, make, name):
    make(folder / name)
    if name == "x":  # no picture by its name, and by its content nothing
        assert Folder(str(folder)).spec.images == 2
    else:
        assert name in refused(lambda: Folder(str(folder)))


@pytest.mark.parametrize("make", SPECIAL)
def test_pipes_sockets_and_devices_in_place_of_a_file(tmp_path, make):
    from genlab.build.runs import open_run
    from genlab.core.spec import Spec
    from genlab.exporting import load
    from genlab.projecting.target import load_target
    from genlab.reports.run_files import Reader
    from genlab.sampling.translate import open_pictures

    path = tmp_path / "x.npy"
    make(path)
    for call in (
        lambda: Folder(str(path)),
        lambda: open_pictures(path),
        lambda: load_target(path, Spec(3, 16, 16, images=2)),
        lambda: open_run(path),
        lambda: load(path),
        lambda: OwnClassifier(str(path)).facts,
        lambda: load_inception(str(path)),
        lambda: checkpoint.load_weights({}, str(path)),
    ):
        assert refused(call)
    assert refused(lambda: checkpoint.read(path), ValueError)
    reader = Reader(tmp_path)
    assert reader.yaml(path.name) == {} and reader.lines(path.name) == [] and reader.problems


@pytest.mark.parametrize("make", SPECIAL)
@pytest.mark.parametrize("name", ["captions.json", "1.txt"])
def test_pipes_sockets_and_devices_in_place_of_captions(folder, make, name):
    make(folder / name)
    assert refused(lambda: Folder(str(folder), words="caption"))


@pytest.mark.parametrize("make", SPECIAL)
@pytest.mark.parametrize("suffix", ["npy", "npz", "txt", "csv"])
def test_pipes_sockets_and_devices_in_place_of_conditions(folder, make, suffix):
    path = folder.parent / f"c.{suffix}"
    make(path)
    assert refused(lambda: Folder(str(folder), conditions=str(path)))


@pytest.mark.parametrize("name", JSON)
@pytest.mark.parametrize("file", ["dataset.json", "captions.json"])
def test_label_files(folder, file, name):
    put(folder / file, JSON[name])
    options = {"words": "caption"} if file == "captions.json" else {}
    if (file, name) == ("dataset.json", "a list"):  # another program's
        assert Folder(str(folder), **options).spec.images == 2
    else:
        assert file in refused(lambda: Folder(str(folder), **options))


@pytest.mark.parametrize("content", [b"x" * 2**15, b"\xff\xfe", "x,y,z\n" * 9])
def test_captions(folder, content):
    name = "1.txt" if content[0] != "x" else "captions.csv"
    put(folder / name, content)
    assert name in refused(lambda: Folder(str(folder), words="caption"))


@pytest.mark.parametrize("name", ARRAYS)
def test_conditions(folder, name):
    path = put(folder.parent / name, ARRAYS[name])
    assert str(path) in refused(lambda: Folder(str(folder), conditions=str(path)))


@pytest.mark.parametrize("name", ZIPS)
def test_zips(tmp_path, name):
    path = put(tmp_path / "x.zip", ZIPS[name])
    assert refused(lambda: Folder(str(path)))


def test_mnist_that_unpacks_to_much(tmp_path):
    put(tmp_path / "train-images-idx3-ubyte.gz", gzip.compress(bytes(60 * hostile.MIB), 1))
    assert "is not MNIST's" in refused(lambda: MNIST(str(tmp_path)))


@pytest.mark.parametrize("name", PICKLES)
@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
def test_weights(tmp_path, name):
    from torchvision.models import vgg16

    from genlab.models.pretrained_weights import read_file

    path = put(tmp_path / "x.pt", PICKLES[name])
    loaders = (
        lambda: load_inception(str(path)),
        lambda: LPIPS(str(path), vgg=str(path)).network,
        lambda: read_file(path, vgg16, "model.features"),
    )
    for call in loaders:
        assert "not a file of PyTorch weights" in refused(call)
    put(checkpoint.checksum_path(path), checkpoint.hashlib.sha256(path.read_bytes()).hexdigest())
    assert refused(lambda: checkpoint.read(path), ValueError)


@pytest.mark.parametrize("name", SAFETENSORS)
def test_safetensors(tmp_path, name):
    from genlab.exporting import load

    path = put(tmp_path / "x.safetensors", SAFETENSORS[name])
    assert refused(lambda: load(path))
    assert "holds no classifier" in refused(lambda: OwnClassifier(str(path)).facts)


@pytest.mark.parametrize("name", [*YAML, *JSON])
def test_files_of_a_run(tmp_path, name):
    from genlab.build.runs import read_config
    from genlab.reports.run import read_run

    content = (YAML | JSON)[name]
    for file in ("config.yaml", "summary.json", "environment.json", "metrics.jsonl", "evaluations.jsonl", "error.txt"):
        put(tmp_path / file, content)
    run = read_run(tmp_path)
    assert "config.yaml" in " ".join(run.problems) or name in ("not UTF-8", "half", "long number", "60 deep")
    if name in YAML:
        assert "config.yaml" in refused(lambda: read_config(tmp_path))

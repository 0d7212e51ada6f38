"""Configs in files that somebody else made build nothing but what is on the list."""

import json
import shutil
from pathlib import Path

import pytest
import torch
import yaml
from safetensors import safe_open
from safetensors.torch import save_file

import genlab
from genlab import evaluate, export, project, sample, train
from genlab.cli import command
from genlab.core import checkpoint, trust
from genlab.core.errors import ConfigError
from genlab.core.renamed_paths import current_path
from genlab.exporting import load

OLD_RUN = Path(__file__).with_name("old_run")
LISTED_BEFORE = (OLD_RUN / "targets.txt").read_text().split()
CANARY = "a hostile file ran code"
HOSTILE_NODE = {"_target_": "builtins.print", "_args_": [CANARY]}

# fmt: off
HOSTILE = [
    "os.system", "os.popen", "os.remove", "os.execv", "posix.system", "subprocess.run", "subprocess.Popen",
    "subprocess.check_output", "builtins.eval", "builtins.exec", "builtins.open", "builtins.__import__",
    "builtins.compile", "builtins.getattr", "importlib.import_module", "runpy.run_path", "runpy.run_module",
    "code.interact", "pty.spawn", "shutil.rmtree", "shutil.copy", "pathlib.Path", "pathlib.Path.write_text",
    "pickle.loads", "pickle.load", "marshal.loads", "shelve.open", "ctypes.CDLL", "urllib.request.urlopen",
    "urllib.request.urlretrieve", "http.server.test", "socket.socket", "webbrowser.open", "multiprocessing.Process",
    "threading.Thread", "asyncio.run", "functools.partial", "operator.methodcaller", "numpy.load", "numpy.fromfile",
    "numpy.lib.npyio.load", "numpy.testing.rundocs", "torch.load", "torch.hub.load",
    "torch.hub.download_url_to_file", "torch.jit.load", "torch.package.PackageImporter",
    "torch.utils.collect_env.run", "torch.utils.cpp_extension.load", "torch.ops.load_library", "torch.save",
    "torch.classes.load_library", "torch.optim.adam.Adam", "torch.optim.lr_scheduler.LambdaLR", "torch.nn.Module",
    "torch.nn.modules.module.register_module_forward_hook", "torchvision.models.get_model",
    "torchvision.models._api.get_weight", "torchvision.datasets.utils.download_url", "torchvision.io.read_file",
    "hydra.utils.instantiate", "hydra.utils.call", "hydra._internal.utils._locate", "omegaconf.OmegaConf.load",
    "yaml.unsafe_load", "yaml.load", "PIL.Image.open", "scipy.io.loadmat", "genlab.run", "genlab.load",
    "genlab.train.main", "genlab.core.checkpoint.torch.load", "genlab.core.checkpoint.remove",
    "genlab.core.checkpoint.write_atomically", "genlab.build.instantiate.make",
    "genlab.build.arguments.instantiate", "genlab.losses.adversarial.dataclass", "genlab.data.InMemory",
    "genlab.exporting.load", "genlab.cli.job.run", "genlab.losses", "genlab", "my_package.Net", "mine.Net", "this",
    "antigravity",
]
# fmt: on


def test_there_are_many():
    assert len(HOSTILE) >= 60 and len(set(HOSTILE)) == len(HOSTILE)


@pytest.mark.parametrize("path", HOSTILE)
def test_what_is_not_on_the_list_is_refused(path):
    with pytest.raises(ConfigError, match="would run it"):
        trust.require_trusted({"model": [{"generator": {"_target_": path}}]}, "RUN")


@pytest.mark.parametrize("path", [None, 3, "", ["os.system"], {"a": 1}, "os.system ", "os..system", ".os.system"])
def test_no_strange_target_is_listed(path):
    assert not trust.is_listed(path)


def test_all_that_older_runs_name_is_listed():
    assert [path for path in map(current_path, LISTED_BEFORE) if not trust.is_listed(path)] == []


@pytest.mark.parametrize(
    "node",
    [
        {"_target_": "torchvision.models.resnet18", "weights": "DEFAULT"},
        {"_target_": "torch.optim.Adam", "_args_": [1]},
        {"_target_": "genlab.losses.Hinge", "_args_": [1]},
    ],
)
def test_arguments_that_fetch_are_refused(node):
    with pytest.raises(ConfigError, match="no such argument"):
        trust.require_trusted({"a": node}, "RUN")


MAKES_ONE = "${oc.create:{_target_:builtins.print,_args_:['" + CANARY + "']}}"


@pytest.mark.parametrize(
    "hidden",
    [
        (HOSTILE_NODE,),
        [({"a": (HOSTILE_NODE,)},)],
        {HOSTILE_NODE["_target_"]: MAKES_ONE},
        (MAKES_ONE,),
        {"${oc.env:HOME}": 1},
    ],
)
def test_a_target_is_found_in_any_container_and_none_is_made_up(run, hidden, capfd):
    for path in (run / "checkpoints").glob("*.pt"):
        state = torch.load(path, weights_only=True)
        state["config"]["model"]["generator"] = {"_target_": "torchvision.models.resnet18", "kwargs": hidden}
        write_checkpoint(path, state)
    with pytest.raises(ConfigError, match=r"builtins\.print|\$\{...\}"):
        genlab.load(run, device="cpu")
    assert CANARY not in capfd.readouterr().out


def test_a_class_of_the_data_may_have_any_name():
    trust.require_trusted_run({"config": {}, "spec": {"condition": {"names": ("${x}",)}}}, "RUN")


def test_the_user_may_trust_a_package_by_name(monkeypatch):
    config = {"a": {"_target_": "my_package.nets.Net", "weights": "x"}}
    trust.require_trusted(config, "RUN", ["my_package"])
    with pytest.raises(ConfigError, match=r"trust=\[my_package\], or GENLAB_TRUST=my_package"):
        trust.require_trusted(config, "RUN", ["my_pack"])
    monkeypatch.setenv("GENLAB_TRUST", "other, my_package")
    trust.require_trusted(config, "RUN")
    assert trust.trust_word(config) == " 'trust=[my_package]'"
    with pytest.raises(ConfigError, match="do not use this file"):
        trust.require_trusted({"_target_": "os.system"}, "RUN")


# Every command that opens a run or a model


def poisoned(run: Path, *keys: str) -> Path:
    """Write a hostile node under a key of the config, in config.yaml and in every checkpoint."""
    config = yaml.safe_load((run / "config.yaml").read_text())
    put(config, keys)
    (run / "config.yaml").write_text(yaml.safe_dump(config))
    for path in (run / "checkpoints").glob("*.pt"):
        state = torch.load(path, weights_only=True)
        put(state["config"], keys)
        write_checkpoint(path, state)
    return run


def put(config: dict, keys: tuple[str, ...]) -> None:
    for key in keys[:-1]:
        config = config[key]
    config[keys[-1]] = HOSTILE_NODE


def write_checkpoint(path: Path, state: dict) -> None:
    import hashlib

    torch.save(state, path)
    checkpoint.checksum_path(path).write_text(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n")


@pytest.fixture
def run(tmp_path):
    return shutil.copytree(OLD_RUN, tmp_path / "run")


COMMANDS = {
    "evaluate": lambda run: command.main("evaluate", "", evaluate.job, [f"run={run}", "checkpoint=newest"]),
    "sample": lambda run: command.main("sample", "", sample.job, [f"run={run}"]),
    "project": lambda run: command.main("project", "", project.job, [f"run={run}", "image=x.png"]),
    "export": lambda run: command.main("export", "", export.job, [f"run={run}", "checkpoint=newest"]),
    "resume": lambda run: train.main([f"resume={run}", "trainer.images=160"]),
}


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize("keys", [("model", "generator"), ("loss",), ("trainer", "ema"), ("data",)])
def test_no_command_runs_what_a_run_names(run, name, keys, capfd):
    assert COMMANDS[name](poisoned(run, *keys)) == 2
    out, err = capfd.readouterr()
    assert CANARY not in out and "builtins.print" in err and "Traceback" not in err


def test_weights_alone_are_taken_over_from_a_run(run, capfd):
    train.main(["model=gan", "data.limit=64", "metrics=none", "dry_run=true", f"init_from={poisoned(run, 'model')}"])
    out, err = capfd.readouterr()
    assert CANARY not in out and "Traceback" not in err


def test_metrics_of_a_run_are_not_trusted_either(run, capfd):
    config = yaml.safe_load((run / "config.yaml").read_text())
    put(config, ("metrics",))
    (run / "config.yaml").write_text(yaml.safe_dump(config))
    assert COMMANDS["evaluate"](run) == 2
    assert "builtins.print (metrics._target_)" in capfd.readouterr().err


def test_facts_of_the_data_are_not_trusted_either(run):
    for path in (run / "checkpoints").glob("*.pt"):
        state = torch.load(path, weights_only=True)
        state["spec"] = (state["spec"] or {}) | {"condition": HOSTILE_NODE}
        write_checkpoint(path, state)
    with pytest.raises(ConfigError, match=r"builtins\.print"):
        genlab.load(run, device="cpu")


def test_an_exported_file_is_not_trusted(run, tmp_path):
    with safe_open(run / "generator.safetensors", "pt") as file:
        facts, weights = json.loads(file.metadata()["genlab"]), {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    facts["config"]["model"]["generator"] = {"_target_": "os.system", "command": "true"}
    save_file(weights, tmp_path / "a.safetensors", metadata={"genlab": json.dumps(facts)})
    with pytest.raises(ConfigError, match=r"os\.system"):
        load(tmp_path / "a.safetensors")


@pytest.mark.parametrize(
    "text",
    [
        "hydra: {callbacks: {x: {_target_: os.system}}}\n",
        "defaults: [/model/gan]\n",
        "seed: ${oc.env:HOME}\n",
        "a: &a [1, 1]\nb: [*a, *a]\n",
        "[" * 100_000,
        "a: !!python/object/apply:os.system [true]\n",
        "- 1\n",
        "\x00",
    ],
)
@pytest.mark.parametrize("name", ["resume", "evaluate"])
def test_a_config_that_no_run_writes_is_refused(run, name, text, capfd):
    (run / "config.yaml").write_text(text)
    assert COMMANDS[name](run) == 2
    err = capfd.readouterr().err
    assert "config.yaml: " in err and "Traceback" not in err


def test_files_beside_a_runs_config_do_not_configure_hydra(run, capfd):
    (run / "hydra" / "job_logging").mkdir(parents=True)
    (run / "hydra" / "job_logging" / "none.yaml").write_text(f"root: ${{oc.env:HOME}}\nx: {CANARY}\n")
    assert train.main([f"resume={run}", "trainer.images=160"]) == 2  # of an older format: init_from
    assert "init_from" in capfd.readouterr().err


def test_a_run_of_ones_own_code_goes_on_with_trust(tmp_path, monkeypatch, capsys):
    (tmp_path / "my_nets.py").write_text(
        "from genlab.models.adversarial.mlp import Generator as Base\n\n\nclass Generator(Base):\n    pass\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    run = tmp_path / "own"
    words = ["model=gan_minimal", "model.generator._target_=my_nets.Generator", "metrics=none", "trainer.images=64"]
    words += ["trainer.batch_size=32", "data.limit=64", f"hydra.run.dir={run}"]
    assert train.main(words) == 0
    assert f"genlab.train resume={run} 'trust=[my_nets]'" in (run / "summary.json").read_text()
    with pytest.raises(ConfigError, match=r"trust=\[my_nets\]"):
        genlab.load(run, device="cpu")
    assert len(genlab.load(run, device="cpu", trust=["my_nets"]).sample(2)) == 2
    assert train.main([f"resume={run}", "trainer.images=96"]) == 2
    assert train.main([f"resume={run}", "trainer.images=96", "trust=[my_nets]"]) == 0
    assert "trust" not in yaml.safe_load((run / "config.yaml").read_text())

"""The command line itself, on the bundled MNIST, shortened."""

import csv
import json
import math
import pickle
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import hydra
import pytest
import torch

import genlab
from genlab.cli import menu
from genlab.core.errors import ConfigError
from genlab.data import InMemory, Split
from tests.commands import run_command
from tests.conftest import NARROW, NARROW_MLP, choices

SHORT = ("trainer.images=1200", "trainer.device=cpu", "metrics.images=300", "metrics.every=600")


def test_a_run_leaves_everything_it_promises(tmp_path):
    words = ("model=wgan_gp", "data=mnist", *NARROW, *SHORT, "callbacks.log.every=300")
    python = (sys.executable, "-m", "genlab.train")
    done = subprocess.run([*python, *words], cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    (run,) = (tmp_path / "outputs" / "wgan_gp-mnist").iterdir()
    assert re.fullmatch(r"[\w.\-/]+", str(run.relative_to(tmp_path)))
    assert {"config.yaml", "metrics.jsonl", "environment.json", "summary.json", "checkpoints", "samples"} <= {
        path.name for path in run.iterdir()
    }
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    (last,) = [line["record"] for line in lines if "record" in line and line["images"] >= 1200]
    assert last["metric"] == "fid" and last["extractor"] == "mnist_classifier" and last["reference"] == "mnist/test"
    assert (run / "checkpoints" / "best.pt").exists()
    assert scalars(run)["score/fid"][-1] == pytest.approx(last["value"], rel=1e-5)
    assert {"discriminator/wasserstein", "discriminator/gradient_penalty", "generator/lr"} <= scalars(run).keys()
    assert "best         fid" in done.stdout and "tensorboard --logdir" in done.stdout


def scalars(run):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(run))
    events.Reload()
    return {tag: [event.value for event in events.Scalars(tag)] for tag in events.Tags()["scalars"]}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["model=wgan_pg"], "model=wgan_pg: there is no such choice. Did you mean wgan_gp? Valid here: aae"),
        (["trainer.imges=5"], "trainer.imges: there is no such key. Did you mean trainer.images?"),
        (
            ["model=gan", "penalty=[gradient_penalti]"],
            "penalty=gradient_penalti: there is no such choice. Did you mean gradient_penalty?",
        ),
        (["trainer.device=tpu"], "trainer.device=tpu: no such device"),
        (["resume=nowhere"], "resume=nowhere: not a run directory"),
        (["resume=auto"], "It needs a directory that stays the same"),
        (["data.root=nowhere"], "nowhere"),
        (["seed=-1"], "seed=-1"),
        (["trainer.images=[1"], "trainer.images=[1: cannot be read"),
    ],
)
def test_a_mistake_exits_2_with_one_message_and_leaves_nothing(tmp_path, words, message):
    done = run_command(*words, cwd=tmp_path)
    assert done.returncode == 2
    assert message in done.stderr and "Traceback" not in done.stderr
    assert not list(tmp_path.rglob("*.yaml"))
    assert not [path for path in (tmp_path / "outputs").glob("*-*/*")]


def test_a_sweep_records_the_job_that_failed_and_runs_the_others(tmp_path):
    quick = (*NARROW, *SHORT, "metrics=none", "callbacks.grid.every=null")
    done = run_command("-m", "model=dcgan", "penalty=[gradient_penalty],[r1]", "seed=0,1", *words(quick), cwd=tmp_path)
    assert done.returncode == 2 and "2 of 4 jobs failed" in done.stderr
    (sweep,) = (tmp_path / "outputs" / "sweeps").iterdir()
    jobs = sorted(path for path in sweep.iterdir() if path.is_dir())
    assert [(job / "error.txt").exists() for job in jobs] == [True, True, False, False]
    assert [(job / "summary.json").exists() for job in jobs] == [False, False, True, True]
    assert "discriminator.norm" in (jobs[0] / "error.txt").read_text()
    rows = table(sweep)
    assert [row["job"] for row in rows] == [job.name for job in jobs]
    assert [row["state"] for row in rows] == ["failed", "failed", "done", "done"]
    assert [(row["penalty"], row["seed"], row["images"]) for row in rows[1:3]] == [
        ("[gradient_penalty]", "1", "0"), ("[r1]", "0", "1216")
    ]  # fmt: skip
    assert "discriminator.norm" in rows[0]["note"] and float(rows[3]["seconds"]) > 0
    assert str(sweep.relative_to(tmp_path) / "results.csv") in done.stdout


def table(sweep):
    with (sweep / "results.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_an_interrupted_sweep_has_a_table_and_so_has_it_when_it_goes_on(tmp_path):
    """Stopped in its first job, then continued: by two processes where the launcher for that is there."""
    quick = (
        "-m", "model=gan", *NARROW_MLP, "trainer.device=cpu", "seed=3,4", "hydra.sweep.dir=sweep", "resume=auto",
        "metrics.images=100", "metrics/extractor=pixels", "metrics=[kid]", "data.limit=200", "metrics.split=train",
        "callbacks.health.every=null", "trainer.images=256",
    )  # fmt: skip
    (tmp_path / "stopping.py").write_text(STOPPING)
    words = (*quick, "+callbacks.stop={_target_: stopping.Stop, every: 64}")
    done = run_command(*words, cwd=tmp_path)
    assert done.returncode == 143, done.stderr
    (row,) = table(tmp_path / "sweep")
    assert (row["job"], row["state"], row["images"], row["seed"]) == ("0-gan-mnist", "interrupted", "192", "3")
    joblib = ("hydra/launcher=joblib", "hydra.launcher.n_jobs=2") if find_spec("hydra_plugins") else ()
    done = run_command(*quick, *joblib, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    rows = table(tmp_path / "sweep")
    assert [(row["state"], row["images"], row["seed"]) for row in rows] == [("done", "256", "3"), ("done", "256", "4")]
    for row in rows:
        summary = json.loads((tmp_path / "sweep" / row["job"] / "summary.json").read_text())
        assert row["best_metric"] == "kid" and float(row["best"]) == summary["best"]["value"]
        assert [float(row[record["metric"]]) for record in summary["records"]] == [
            record["value"] for record in summary["records"]
        ]


STOPPING = """
import os
import pickle
import signal

from genlab.trainers.callback import Callback


class Stop(Callback):
    def __init__(self, every):
        self.every = every

    def tick(self, trainer):
        if trainer.images == 192:
            os.kill(os.getpid(), signal.SIGTERM)
"""


def words(overrides):
    return [word for word in overrides if not word.startswith("metrics.")]


def test_dry_run_measures_a_step_and_leaves_a_picture_of_the_data(tmp_path):
    done = run_command("model=gan", *NARROW_MLP, "dry_run=true", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "images/s" in done.stdout and "whole run" in done.stdout and "peak memory" in done.stdout
    (picture,) = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert picture.name == "preview.png" and str(picture) in done.stdout


def test_help_lists_every_choice_with_a_line_each(tmp_path):
    text = run_command("--help", cwd=tmp_path).stdout
    for group in (*menu.GROUPS, "experiment"):
        for name in choices(group):
            assert re.search(rf"^    {name} +\S.{{10,}}$", text, re.MULTILINE), name


def test_a_run_that_diverges_exits_3_and_keeps_the_last_good_checkpoint(tmp_path):
    system = ("model=gan", *NARROW_MLP, "optimizer=sgd", "optimizer.discriminator.lr=1e12", "metrics=none")
    done = run_command(*system, *words(SHORT), "callbacks.log.every=100", "hydra.run.dir=run", cwd=tmp_path)
    assert done.returncode == 3, done.stderr
    assert "the run diverged" in done.stderr and "at step" in done.stderr and "Traceback" not in done.stderr
    assert not list((tmp_path / "run").glob("checkpoints/*.pt"))


def test_from_python_on_ones_own_images(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    pixels = torch.randint(0, 256, (100, 3, 16, 16), dtype=torch.uint8)
    system = ["model=dcgan", *NARROW, "trainer.images=128", "trainer.device=cpu", "metrics=none"]
    result = genlab.run(system, data=InMemory(Split(pixels), name="noise"))
    assert result.score is None and math.isnan(result) and result.scores == {}
    assert result.load(device="cpu").sample(2).shape == (2, 3, 16, 16)
    (run,) = (tmp_path / "outputs" / "dcgan-noise").iterdir()
    assert (run / "samples" / "real.png").exists() and result.run_dir.resolve() == run
    with pytest.raises(ConfigError, match="given from Python"):
        genlab.run([f"resume={run}"])
    genlab.run([f"resume={run}", "trainer.images=200"], data=InMemory(Split(pixels), name="noise"))
    assert len(list((run / "checkpoints").glob("[0-9]*.pt"))) == 2
    with pytest.raises(ConfigError, match="no such key"):
        genlab.run(["modle=dcgan"])


def test_from_python_gives_the_best_score(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    fid = genlab.run(["model=gan", *NARROW_MLP, *SHORT, "hydra.run.dir=run"])
    assert fid == fid.score == json.loads((tmp_path / "run" / "summary.json").read_text())["best"]["value"]
    assert (
        fid.scores.keys() == {"fid"}
        and fid.scores["fid"] >= fid
        and f"{fid:.3f}" == f"{fid.score:.3f}"
        and repr(fid).startswith("<run in ")
    )
    assert pickle.loads(pickle.dumps(fid)).run_dir == fid.run_dir
    again = genlab.run([f"resume={fid.run_dir}"])  # complete: nothing is measured anew
    assert again == fid and again.scores == fid.scores


@pytest.mark.parametrize("words", ["model=gan", [1], {"model": "gan"}, [b"model=gan"]])
def test_what_are_no_words_is_refused(words):
    with pytest.raises(ConfigError, match=r"overrides=.*: expected a list of words"):
        genlab.run(words)


def test_a_run_inside_ones_own_hydra_application(tmp_path, monkeypatch):
    from hydra.core.hydra_config import HydraConfig

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["app.py", "+mine=3"])
    seen = []

    @hydra.main(version_base="1.3", config_path=str(tmp_path))
    def application(config):
        folder = HydraConfig.get().runtime.output_dir
        system = ["data=ring8", "model=gan", *NARROW_MLP, "metrics=none", "callbacks=none"]
        seen.append(genlab.run([*system, "trainer.images=64", "trainer.batch_size=32", "hydra.run.dir=inner"]))
        with pytest.raises(ConfigError, match="there is no such choice"):
            genlab.run(["model=gann"])
        assert genlab.run([*system, "dry_run=true"]) is None
        assert HydraConfig.get().runtime.output_dir == folder and config.mine == 3

    application()
    assert seen[0].run_dir == tmp_path / "inner" and (tmp_path / "inner" / "config.yaml").exists()


def test_ones_own_yaml_from_outside(tmp_path):
    (tmp_path / "mine" / "loss").mkdir(parents=True)
    (tmp_path / "mine" / "loss" / "linear.yaml").write_text("_target_: genlab.losses.Wasserstein\n")
    done = run_command(
        "--config-dir", "mine", "model=gan", *NARROW_MLP, "loss=linear", "dry_run=true", "metrics=none", cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    assert "Wasserstein" in done.stdout and "gradient_penalty" in done.stdout  # the advice


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """Python of a fresh environment that has the built wheel; its dependencies are this one's."""
    folder, root = tmp_path_factory.mktemp("wheel"), Path(__file__).parents[2]
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "wheel", "--no-deps", "--wheel-dir", folder, root], check=True, timeout=300)
    subprocess.run([sys.executable, "-m", "venv", folder / "env"], check=True, timeout=300)
    (wheel,) = folder.glob("*.whl")
    python, ours = folder / "env" / "bin" / "python", next(path for path in sys.path if path.endswith("site-packages"))
    (library,) = (folder / "env" / "lib").glob("*/site-packages")
    (library / "dependencies.pth").write_text(ours)  # torch and the rest, after the wheel
    subprocess.run([python, "-m", "pip", "--quiet", "install", "--no-deps", wheel], check=True, timeout=300)
    return python


def test_the_wheel_works_outside_the_repository(installed, tmp_path):
    def run(*words):
        return subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, timeout=300)

    done = run(installed.parent / "genlab-train", "model=gan", *NARROW_MLP, *SHORT, "callbacks.log.every=600")
    assert done.returncode == 0, done.stderr
    assert "best         fid" in done.stdout
    where = run(installed, "-c", "import genlab; print(genlab.__file__, genlab.__version__)")
    assert str(installed.parent.parent) in where.stdout


HUNGRY = """
import torch

from genlab.losses import NonSaturating


class Hungry(NonSaturating):
    def discriminator(self, real, fake):
        return super().discriminator(real, fake) + torch.empty(10**15).mean()
"""


def test_out_of_memory_names_the_batch(tmp_path):
    (tmp_path / "hungry.py").write_text(HUNGRY)
    own = "loss={_target_: hungry.Hungry}"
    done = run_command("model=gan", *NARROW_MLP, own, "metrics=none", "trainer.device=cpu", cwd=tmp_path)
    assert done.returncode == 3, done.stderr
    assert "out of memory" in done.stderr and "change=[trainer.accumulate=2]" in done.stderr

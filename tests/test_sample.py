"""The entry point, in this process, on a tiny run."""

import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest
import torch

from genlab import project, sample
from genlab.cli import command
from genlab.core import checkpoint
from genlab.core.errors import ConfigError
from genlab.metrics import Evaluation, Pixels
from genlab.metrics.scores.ppl import PathLength
from genlab.metrics.scores.swd import SlicedWasserstein
from genlab.models.latent import Normal, Uniform
from genlab.projecting import refuse_ignored_prior
from tests.conftest import choices, narrow, replace_words, saved


def run(*words):
    return command.main("sample", sample.USAGE, sample.job, [*words, "device=cpu"])


def test_help_lists_every_mode():
    assert {mode for mode in choices("mode") if f"mode={mode} " in sample.USAGE} == set(choices("mode"))


def test_a_picture_lands_in_the_run_and_a_second_beside_it(tmp_path, capsys):
    directory = saved(tmp_path, "model=gan", "model.generator.widths=[8,8]").run_dir
    assert run(f"run={directory}") == 0
    assert run(f"run={directory}", "seed=0", "mode.rows=2") == 0
    first, second = map(Path, capsys.readouterr().out.split())
    assert first == directory / "pictures" / "grid_000000000_seed0.png" and second.name == "grid_000000000_seed0_2.png"
    assert sorted((directory / "pictures").iterdir()) == [first, second]


def test_saved_samples_are_the_same_for_a_seed_and_never_overwritten(plain, tmp_path, capsys):
    words = (f"run={plain}", "mode=save", "count=5", "seed=3")
    for name in ("a.npz", "b.npz"):
        assert run(*words, f"to={tmp_path / name}") == 0
    assert arrays(tmp_path / "a.npz") == arrays(tmp_path / "b.npz")
    assert run(*words, f"to={tmp_path / 'a.npz'}") == 2
    assert "overwrite=true" in capsys.readouterr().err
    assert run(*replace_words(words, f"to={tmp_path / 'a.npz'}", "count=2", "overwrite=true")) == 0
    assert arrays(tmp_path / "a.npz") != arrays(tmp_path / "b.npz")


def arrays(path):
    return np.load(path)["arr_0"].tolist()


def test_a_histogram_whose_data_are_gone_says_so(tmp_path, caplog):
    trainer = saved(tmp_path, "model=dcgan", *narrow("dcgan"))
    config = trainer.config | {"data": {"from_python": "my images"}}
    options = {"config": config, "fingerprint": "", "spec": trainer.spec}
    checkpoint.save(tmp_path / "checkpoints" / "0000000001.pt", trainer.parts, **options)
    assert run(f"run={tmp_path}", "mode=histogram", "count=5", f"to={tmp_path / 'h.png'}") == 0
    assert "without real images" in caplog.text and (tmp_path / "h.png").exists()
    assert run(f"run={tmp_path}", "mode=neighbours") == 2


MISTAKES = [
    (["mode=neighbours", "mode.features=pixel"], "mode.features=pixel: expected pixels or extractor"),
    (["mode=gird"], "mode=gird: there is no such choice. Did you mean grid?"),
    (["classes=[1]"], "classes=[1]: this model"),
    (["mode=classes"], "mode=classes: this model"),
    (["count=5"], "this mode does not count samples. It takes mode.rows, mode.columns"),
    (["seed=-1"], "seed=-1"),
    (["seed=x"], "seed=x"),
    (["batch_size=0"], "batch_size=0"),
    (["checkpoint=7"], "checkpoint=7"),
    (["device=tpu"], "no such device"),
    (["mode.rows=0"], "mode.rows=0"),
    (["mode=truncation", "mode.thresholds=[]"], "mode.thresholds=[]"),
    (["mode=arithmetic", "mode.plus=[]"], "mode.plus=[]"),
    (["to=picture.gif"], "this mode writes FILE.png"),
    (["mode=save", "to=x.tar"], "FILE.npz or FILE.zip or a folder"),
    (["to=/proc/nowhere/a.png"], "cannot be written to"),
]


@pytest.mark.parametrize(("words", "message"), MISTAKES)
def test_a_mistake_is_one_message(plain, words, message, capsys):
    before = set(plain.rglob("*"))
    given = [word for word in words if not word.startswith("device")]
    device = [word for word in words if word.startswith("device")] or ["device=cpu"]
    assert command.main("sample", sample.USAGE, sample.job, [f"run={plain}", *given, *device]) == 2
    assert message in capsys.readouterr().err
    assert {path for path in set(plain.rglob("*")) - before if path.is_file()} == set()


def test_a_folder_that_holds_something_is_never_written_to(plain, tmp_path, capsys):
    (tmp_path / "precious").touch()
    assert run(f"run={plain}", "mode=save", "count=2", f"to={tmp_path}", "overwrite=true") == 2
    assert "holds something" in capsys.readouterr().err and (tmp_path / "precious").exists()


def test_no_run_is_one_message(tmp_path, capsys):
    assert run(f"run={tmp_path}") == 2
    assert "not a run directory" in capsys.readouterr().err


def test_classes_that_there_are_not(conditional, capsys):
    assert run(f"run={conditional}", "classes=[3,10]") == 2
    assert "classes=[3,10]: expected class numbers from 0 to 9" in capsys.readouterr().err


def test_points_are_scattered_or_refused(points, tmp_path, capsys):
    assert run(f"run={points}", f"to={tmp_path / 'p.png'}") == 0
    assert run(f"run={points}", "mode=interpolate") == 2
    assert "Points take mode=grid" in capsys.readouterr().err


def test_codes_lie_on_no_way_and_no_gradient_reaches_them(tmp_path, capsys):
    directory = saved(tmp_path, "model=vqvae", *narrow("vqvae")).run_dir
    assert run(f"run={directory}", "mode=interpolate") == 2
    assert "mode=interpolate: nothing lies between two of this model's latents." in one_line(capsys)
    words = [f"run={directory}", "checkpoint=newest", "image=any.png", "device=cpu"]
    assert command.main("project", project.USAGE, project.job, words) == 2
    assert "UniformCodes, which no gradient reaches" in one_line(capsys)


def one_line(capsys):
    (line,) = capsys.readouterr().err.strip().splitlines()
    return line


@pytest.mark.parametrize("mode", choices("mode"))
def test_every_mode_is_built_from_its_yaml(mode):
    config = command.compose_config("sample", ["run=somewhere", f"mode={mode}"])
    assert sample.make_mode(config).name == mode


def test_help_loads_neither_torch_nor_hydra():
    imports = "import sys; from genlab import sample; from genlab.cli import command"
    script = f"{imports}; command.main('sample', sample.USAGE, sample.job, ['-h'])"
    done = subprocess.run([sys.executable, "-c", script + "; print(*sys.modules)"], capture_output=True, text=True)
    assert not {"torch", "hydra", "numpy"} & set(done.stdout.split()) and "mode=grid" in done.stdout


IGNORED = [
    (["mode=reconstruct", "batch_size=7"], "batch_size=7"),
    (["mode=progress", "batch_size=7"], "batch_size=7"),
    (["mode=progress", "checkpoint=newest"], "checkpoint=newest"),
    (["mode=classes", "mode.most=3", "classes=1"], "mode.most=3"),
]


@pytest.mark.parametrize(("words", "named"), IGNORED, ids=[" ".join(words) for words, _ in IGNORED])
def test_a_key_without_effect_is_refused(words, named, conditional, capsys):
    assert run(f"run={conditional}", *words) == 2
    assert f"{named}: has no effect" in capsys.readouterr().err


def test_most_or_classes_alone_draw_columns(conditional, tmp_path):
    for word in ("mode.most=3", "classes=1"):
        assert run(f"run={conditional}", "mode=classes", word, f"to={tmp_path / word}.png") == 0


def test_a_split_or_images_that_no_metric_uses_are_refused():
    def refuse(asked, **metrics):
        Evaluation(Pixels(), metrics, **asked).refuse_ignored(asked)

    for asked in ({"split": "train"}, {"images": 9}):
        with pytest.raises(ConfigError, match="has no effect on ppl"):
            refuse(asked, ppl=PathLength())
        refuse(asked, ppl=PathLength(), swd=SlicedWasserstein())


def test_a_prior_of_equally_likely_latents_is_refused():
    for law, is_refused in ((Uniform(4), True), (Normal(4), False)):
        with pytest.raises(ConfigError, match="prior=0.5: has no effect") if is_refused else nullcontext():
            refuse_ignored_prior(0.5, law, torch.ones(2, 4))

"""Named changes of a resumed run: it is its first config and their entries, to the same bits wherever it is killed."""

import re
import shlex
import shutil

import pytest
import torch
import yaml

from genlab.build import preflight
from genlab.cli import job
from genlab.cli.change_words import quote_changes
from genlab.core import checkpoint
from genlab.core.changes import first_config
from genlab.reports.run import read_run
from genlab.reports.template_values import format_changes
from genlab.train import main
from tests.conftest import NARROW_MLP

SYSTEM = (
    "model=gan", "data=ring8", *NARROW_MLP, "trainer.batch_size=8", "metrics=none", "trainer.device=cpu",
    "callbacks.checkpoint.every=80", "callbacks.checkpoint.keep=9", "callbacks.log.every=40",
)  # fmt: skip
CHANGE = "change=[optimizer.generator.lr=1e-4,optimizer.discriminator.betas=[0.4,0.9],trainer.clip_gradients={norm: 1}]"
LONGER = "trainer.images=160"


class Killed(BaseException):
    """Stands for SIGKILL: nothing of genlab catches it."""


@pytest.fixture(scope="module")
def half(tmp_path_factory):
    """Return the directory of a run of 80 images."""
    folder = tmp_path_factory.mktemp("half") / "run"
    assert main([*SYSTEM, "trainer.images=80", f"hydra.run.dir={folder}"]) == 0
    return folder


@pytest.fixture
def run_dir(half, tmp_path):
    return shutil.copytree(half, tmp_path / "run")


@pytest.fixture(scope="module")
def changed(half, tmp_path_factory):
    """Return the directory of that run, resumed once with other values."""
    folder = shutil.copytree(half, tmp_path_factory.mktemp("changed") / "run")
    assert main([f"resume={folder}", LONGER, CHANGE]) == 0
    return folder


def config_of(folder):
    return yaml.safe_load((folder / "config.yaml").read_text())


def state_of(folder, images=160):
    return checkpoint.read(folder / "checkpoints" / f"{images:010d}.pt")


def weights(folder):
    parts = state_of(folder)["parts"]
    return {f"{name}/{key}": value for name in parts if "network" in name for key, value in parts[name].items()}


def assert_same_bits(one, other):
    one, other = weights(one), weights(other)
    assert one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)
    assert one


def test_each_change_is_an_entry_of_the_run_and_of_its_checkpoints(changed, half):
    entries = config_of(changed)["changes"]
    assert [(one["images"], one["key"], one["new"]) for one in entries] == [
        (80, "optimizer.generator.lr", 1e-4),
        (80, "optimizer.discriminator.betas", [0.4, 0.9]),
        (80, "trainer.clip_gradients", {"norm": 1}),
    ]
    state = state_of(changed)
    assert state["config"]["changes"] == entries and "changes" not in state_of(changed, 80)["config"]
    assert (
        first_config(state["config"])["optimizer"]["generator"]["lr"] == config_of(half)["optimizer"]["generator"]["lr"]
    )
    (group,) = state["parts"]["optimizer/discriminator"]["param_groups"]
    assert group["betas"] == (0.4, 0.9)
    assert "optimizer.generator.lr: 0.0002 -> 0.0001 at 80 images" in format_changes(read_run(changed).config)


@pytest.mark.slow
def test_the_changed_run_differs_from_the_plain_one(changed, run_dir):
    assert main([f"resume={run_dir}", LONGER]) == 0
    one, other = weights(changed), weights(run_dir)
    assert any(not torch.equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize("again", [(), pytest.param((CHANGE,), marks=pytest.mark.slow)])
def test_killed_between_the_change_and_the_next_checkpoint(changed, run_dir, monkeypatch, again):
    """Resumed twice, with the change repeated or not: one entry, the same bits."""

    def kill(trainer):
        trainer.take_step()
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(job, "fit", kill)
        for words in ((CHANGE,), again):
            with pytest.raises(Killed):
                main([f"resume={run_dir}", LONGER, *words])
    assert main([f"resume={run_dir}", LONGER, *again]) == 0
    assert config_of(run_dir)["changes"] == config_of(changed)["changes"]
    assert_same_bits(changed, run_dir)


def test_the_command_that_began_a_run_resumes_it_with_its_changes(changed, tmp_path):
    folder = shutil.copytree(changed, tmp_path / "run")
    checkpoint.remove(folder / "checkpoints" / "0000000160.pt")
    assert main([*SYSTEM, LONGER, f"hydra.run.dir={folder}", "resume=auto"]) == 0
    assert config_of(folder)["changes"] == config_of(changed)["changes"]
    assert_same_bits(changed, folder)


def test_a_dry_run_leaves_no_entry(run_dir, monkeypatch):
    monkeypatch.setattr(preflight, "dry_run", lambda trainer: None)
    assert main([f"resume={run_dir}", LONGER, CHANGE, "dry_run=true"]) == 0
    assert "changes" not in config_of(run_dir)


@pytest.mark.slow
def test_a_fall_back_before_a_change_takes_it_there(changed, tmp_path):
    folder = shutil.copytree(changed, tmp_path / "run")
    for path in (folder / "checkpoints").glob("*.pt"):
        checkpoint.remove(path)
    assert main([f"resume={folder}", LONGER]) == 0
    assert [entry["images"] for entry in config_of(folder)["changes"]] == [0, 0, 0]


def refusal(capsys, *words):
    capsys.readouterr()
    assert main(list(words)) == 2
    return capsys.readouterr().err


def printed_words(message):
    """Return the words that a message says to type."""
    found = re.search(r"(resume=\S+ '[^']*'(?: trainer.images=\d+)?)", message)
    return shlex.split(found[1])


def test_another_value_on_the_command_line_is_answered_with_the_change(run_dir, capsys):
    message = refusal(capsys, f"resume={run_dir}", LONGER, "optimizer.generator.lr=1e-3", "trainer.clip_gradients=2")
    assert main([*printed_words(message), LONGER]) == 0
    assert [one["new"] for one in config_of(run_dir)["changes"]] == [1e-3, 2]


@pytest.mark.parametrize(
    "word", ["loss=hinge", "model=vae", "data=mnist", "penalty=[r1]", "optimizer=sgd", "experiment=quick"]
)
def test_another_choice_of_a_group_is_for_a_new_run(run_dir, capsys, word):
    message = refusal(capsys, f"resume={run_dir}", LONGER, word)
    assert (
        f"a resumed run keeps its choice of {word.partition('=')[0]}. Leave it out; to have another, start a new run"
        in message
    )


@pytest.mark.parametrize("word", ["metrics=fid", "metrics/extractor=pixels", "callbacks=none"])
def test_what_is_watched_changes_key_by_key(run_dir, capsys, word):
    group = word.partition("=")[0]
    assert f"{word}: a resumed run keeps its choice of {group}. Leave it out; {group}.KEY=VALUE" in refusal(
        capsys, f"resume={run_dir}", LONGER, word
    )


@pytest.mark.slow
def test_what_cannot_change_names_a_new_run(run_dir, tmp_path, capsys):
    for words in (["loss=hinge"], ["change=[loss._target_=genlab.losses.Hinge]"], ["change=[penalty.r1.weight=1]"]):
        message = refusal(capsys, f"resume={run_dir}", LONGER, *words)
        word = re.search(r"init_from=[^\s:]+", message)[0]
    assert main([*SYSTEM, "loss=hinge", "penalty=[r1]", LONGER, word, f"hydra.run.dir={tmp_path / 'new'}"]) == 0


@pytest.mark.slow
def test_a_complete_run_goes_on_as_its_message_says(run_dir, capsys):
    message = refusal(capsys, f"resume={run_dir}", "change=[optimizer.generator.lr=1e-4]")
    longer = re.search(r"trainer.images=\d+\.$", message.strip())[0].rstrip(".")
    assert main([f"resume={run_dir}", "change=[optimizer.generator.lr=1e-4]", longer]) == 0


@pytest.mark.slow
def test_a_lost_record_is_named_again_as_the_message_says(changed, tmp_path, capsys):
    folder = shutil.copytree(changed, tmp_path / "run")
    config = {key: value for key, value in first_config(config_of(folder)).items() if key != "changes"}
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    message = refusal(capsys, f"resume={folder}", "trainer.images=240")
    word = shlex.split(re.search(r"'change=[^']*'", message)[0])
    assert main([f"resume={folder}", "trainer.images=240", *word]) == 0


@pytest.mark.slow
@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("change=[optimizer.generator.lrr=1]", "Did you mean optimizer.generator.lr?"),
        ("change=[optimizer.generator.lr]", "expected change=[KEY=VALUE]"),
        ("change=3", "expected change=[KEY=VALUE]"),
        ("change=[trainer.accumulate=3]", "multiple of trainer.accumulate"),
        ("change=[optimizer.generator.lr=-1]", "expected a number, 0 or more"),
    ],
)
def test_what_is_no_change_is_one_message(run_dir, capsys, word, said):
    assert said in refusal(capsys, f"resume={run_dir}", LONGER, word)
    assert "changes" not in config_of(run_dir)


def test_a_new_run_takes_the_values_themselves(tmp_path, capsys):
    message = refusal(capsys, *SYSTEM, f"hydra.run.dir={tmp_path / 'run'}", "change=[optimizer.generator.lr=1e-4]")
    assert "A new run takes optimizer.generator.lr=0.0001." in message and not (tmp_path / "run").exists()


@pytest.mark.slow
@pytest.mark.parametrize("changes", [3, [3], [{"images": 0, "key": "loss", "old": 1, "new": 2}]])
def test_a_record_that_no_run_writes_is_one_message(run_dir, capsys, changes):
    (run_dir / "config.yaml").write_text(yaml.safe_dump(config_of(run_dir) | {"changes": changes}))
    assert "no run writes that" in refusal(capsys, f"resume={run_dir}", LONGER)


def test_words_are_quoted_once():
    quoted = ['change=["a.b=1e-4","c.d={norm: 1}"]', "model=gan"]
    assert quote_changes(["change=[a.b=1e-4, c.d={norm: 1}]", "model=gan"]) == quoted
    assert quote_changes(quoted) == quoted and quote_changes(["change=a.b=[1,2]"]) == ['change=["a.b=[1,2]"]']

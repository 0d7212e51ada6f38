"""What people type, and what they are told: the mistake, and words that work."""

import pytest

from genlab.cli import composition
from genlab.cli.changes import typed_values
from genlab.cli.explanations import explain_sweep_word
from genlab.cli.words import check_words
from genlab.core.errors import ConfigError
from genlab.core.validation import in_words


def message_of(words: str, program: str = "train") -> str:
    with pytest.raises(ConfigError) as found:
        check_words(words.split("|"), program)
        composition.compose(program, words.split("|"))
    return str(found.value)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("seed=1|seed=2", "seed=1 and seed=2: seed is given twice"),
        ("seed=1|++seed=2", "seed is given twice"),
        ("loss=hinge|loss=wasserstein", "loss is given twice"),
        ("penalty=[r1,r1]", "r1 is listed twice"),
        ("penalty=[r1,r1_cosine]", "r1 and r1_cosine are both penalty.r1"),
        ("augment=[diffaugment,diffaugment_small_holes]", "are both augment."),
        (
            "trainer.images|=|100",
            "trainer.images = 100: expected KEY=VALUE without spaces or a colon: trainer.images=100",
        ),
        ("trainer.images=|100", "colon: trainer.images=100"),
        ("trainer.images|=100", "colon: trainer.images=100"),
        ("trainer.images:|100", "colon: trainer.images=100"),
        ("trainer.images:100", "colon: trainer.images=100"),
        ("model|gan", "colon: model=gan"),
        ("16", "16: expected KEY=VALUE, such as KEY=VALUE"),
        ("penalty=[r1,|r2]", "'penalty=[r1, r2]'"),
        ("trainer.images=1e5,|seed=1", "ends in a comma. Write trainer.images=1e5"),
        ("model=\u201cgan\u201d", 'Type straight ones: model="gan"'),
        ("model==gan", "Write model=gan"),
        ("data=~/photos", "data=folder 'data.root=\"~/photos\"'"),
        ("optimizer.generator.betas=(0.5,0.9)", "'optimizer.generator.betas=[0.5,0.9]'"),
        ("gpu=0", "Did you mean trainer.device?"),
        ("steps=100", "Did you mean trainer.images?"),
        ("output_dir=x", "Did you mean hydra.run.dir?"),
        ("optimizer.lr=1", "Did you mean optimizer.generator.lr or optimizer.discriminator.lr?"),
        ("optimizer.generator.learning_rate=1", "Did you mean optimizer.generator.lr?"),
        ("~penalty", "~penalty: a group stays, and gets another choice. For none: penalty=[]."),
    ],
)
def test_a_slip_is_told_with_words_that_work(words, message):
    assert message in message_of(words)


@pytest.mark.parametrize(
    ("program", "words", "message"),
    [
        ("sample", "run=x|n=3", "Did you mean count?"),
        ("sample", "run=x|class=3", "Did you mean classes?"),
        ("sample", "run=x|mode=grid|mode=save", "mode is given twice"),
        ("evaluate", "run=x|metrics=kid|metrics.every=3", "this program scores once"),
        ("evaluate", "run=x|metrics=kid|images=3|metrics.images=3", "both say how many samples"),
    ],
)
def test_other_programs_ignore_no_word(program, words, message):
    assert message in message_of(words, program)


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("trainer.images=1,000", "a number has no commas. Write trainer.images=1_000"),
        ("model=gan,dcgan", "model=gan,dcgan: several values. For a run with each: -m model=gan,dcgan"),
        ("penalty=r1,r2", "For a list: 'penalty=[r1,r2]'; for a run with each: -m penalty=r1,r2"),
    ],
)
def test_several_values_are_a_list_a_sweep_or_a_number(word, message):
    assert message in explain_sweep_word([word], word)


def test_penalties_that_share_no_key_may_be_added():
    check_words(["penalty=[r1,r2]", "+penalty=lecam", "+penalty=consistency"], "train")


def test_own_penalties_that_share_a_key_are_refused(tmp_path):
    (tmp_path / "penalty").mkdir()
    (tmp_path / "penalty/mine.yaml").write_text("r1: {_target_: genlab.losses.R1}\n")
    with pytest.raises(ConfigError, match="r1 and mine are both penalty.r1"):
        check_words(["penalty=[r1,mine]"], "train", tmp_path)


def test_a_key_is_changed_once():
    with pytest.raises(ConfigError, match="is given twice"):
        typed_values(["optimizer.generator.lr=1e-4", "optimizer.generator.lr=1e-3"])


def test_a_pair_is_described_with_its_length():
    assert in_words(tuple[float, float]) == "a list of 2 values, each a number"

"""Names from other programs are answered with the key or the choice that is meant by them here."""

import pytest

from genlab.cli import menu
from genlab.cli.composition import CONFIGS, load_config
from genlab.cli.explanations import explain_unknown_choice, key_paths, names_in, suggest_keys
from genlab.cli.synonyms import CHOICES, KEYS, WORDS
from genlab.cli.words import explain_bare_word
from tests.conftest import composed

KEYS_MEANT = [  # (key typed, words of the answer)
    ("lr_g", "Did you mean optimizer.generator.lr?"),
    ("learning_rate", "Did you mean optimizer.generator.lr or optimizer.discriminator.lr?"),
    ("b1", "optimizer.generator.betas"),
    ("fid", "Did you mean metrics=[fid]?"),
    ("r1", "Did you mean penalty=[r1]?"),
    ("wandb", "Did you mean callbacks=wandb?"),
    ("truncation", "python -m genlab.sample run=RUN mode=truncation"),
    ("epochs", "trainer.epochs"),
    ("n_epochs", "trainer.epochs"),
    ("gpu", "trainer.device"),
    ("device", "trainer.device"),
    ("amp", "trainer.precision=bfloat16"),
    ("fp16", "trainer.precision=bfloat16"),
    ("workers", "Leave it out: images are read once"),
    ("num_classes", "Leave it out: the data say so"),
    ("batch", "trainer.batch_size"),
    ("bs", "trainer.batch_size"),
    ("n_critic", "trainer.n_critic"),
    ("dataset", "Did you mean data?"),
    ("arch", "Did you mean model?"),
    ("img_size", "data.size"),
    ("z_dim", "model.latent.size"),
    ("ngf", "model.generator.width"),
    ("output_dir", "hydra.run.dir"),
    ("name", "hydra.run.dir"),
    ("ckpt", "Did you mean resume?"),
    ("pretrained", "Did you mean init_from?"),
    ("save_freq", "callbacks.checkpoint.every"),
    ("lambda_gp", "penalty.gradient_penalty.weight"),
    ("random_seed", "Did you mean seed?"),
    ("debug", "Did you mean dry_run?"),
    ("optimizer.generator.weight_decay", "write +optimizer.generator.weight_decay=VALUE"),
    ("trainer.max_epochs", "trainer.epochs"),
]
CHOICES_MEANT = [
    ("loss", "bce", "non_saturating or bernoulli"),
    ("loss", "wgan", "wasserstein"),
    ("loss", "NonSaturating", "non_saturating"),
    ("model", "WGAN_GP", "wgan_gp"),
    ("model", "wgan-gp", "wgan_gp"),
    ("model", "WGAN", "wgan"),
    ("model", "stylegan3", "stylegan3_t or stylegan3_r"),
    ("model", "StyleGAN2-ADA", "stylegan2 augment=[ada]"),
    ("penalty", "gp", "gradient_penalty"),
    ("metrics", "FID", "fid"),
    ("data", "CIFAR-10", "cifar10"),
    ("optimizer", "SGD", "sgd"),
    ("augment", "DiffAug", "diffaugment"),
]


@pytest.fixture(scope="module")
def config():
    composed()  # registers what the menu's YAMLs use
    return load_config(["model=dcgan"], {"config_path": CONFIGS, "config_name": "train"})


@pytest.mark.parametrize(("key", "answer"), KEYS_MEANT)
def test_a_key_of_other_programs_is_understood(config, key, answer):
    assert answer in suggest_keys(key, config)


@pytest.mark.parametrize(("group", "name", "answer"), CHOICES_MEANT)
def test_a_choice_of_other_programs_is_understood(group, name, answer):
    assert f"Did you mean {answer}?" in explain_unknown_choice(group, name, names_in(group, None))


@pytest.mark.parametrize(("word", "answer"), [("fp16", "trainer.precision=bfloat16"), ("wandb", "callbacks=wandb")])
def test_a_word_alone_is_understood(word, answer):
    assert answer in explain_bare_word([word], 0, "train")


def test_other_programs_have_keys_of_their_own():
    config = load_config([], {"config_path": CONFIGS, "config_name": "sample"})
    answers = {"ckpt": "Did you mean checkpoint?", "output": "Did you mean to?", "n_samples": "Did you mean count?"}
    assert {key: suggest_keys(key, config) for key in answers} == answers


def test_whatever_is_meant_exists():
    for group, table in CHOICES.items():
        named = {name.split()[0] for meant in table.values() for name in meant}
        assert named <= menu.choices(group).keys(), group
    configs = [load_config(words, {"config_path": CONFIGS, "config_name": "train"}) for words in (["model=dcgan"], [])]
    configs += [
        load_config([], {"config_path": CONFIGS, "config_name": name}) for name in ("sample", "evaluate", "project")
    ]
    known = {path for config in configs for path in key_paths(config, "")}
    known |= {".hydra.run.dir", ".generator.widths", ".discriminator.widths", ".data.flip"}
    names = {name for meant in (KEYS | WORDS).values() for name in meant if not name.startswith("penalty.")}
    lost = [name for name in names if not any(path.endswith(f".{name.partition('=')[0]}") for path in known)]
    assert not lost

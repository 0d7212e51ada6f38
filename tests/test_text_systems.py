"""Systems that are told words: what goes together, what is refused, and what a user asks of a trained one."""

import json

import numpy as np
import pytest
import torch
from PIL import Image

import genlab
from genlab import evaluate, export, sample
from genlab.callbacks import Grid
from genlab.cli import command
from genlab.core.errors import ConfigError
from genlab.core.words import Words
from genlab.data import InMemory, Split
from genlab.exporting import load
from genlab.pictures.sheet import caption_rows
from tests.conftest import WORDS, narrow, pictured, saved, tiny_data, worded
from tests.test_resume import resumes_to_the_same_bits
from tests.trainers.test_sync import must_not_wait


def text_gan(make_trainer, *words, data=None):
    return make_trainer("model=text_gan", *narrow("text_gan"), *words, data=data or worded())


ATTENTION = "model.generator.attention=true"
TOLD = {  # other models that are told words: by concatenation, in normalisation, in styles
    "cgan": (),
    "cgan_conv": (),
    "biggan": (),
    "sngan": ("model.conditional=true",),
    "stylegan2": ("model.conditional=true",),
    "cvae": (),
}
OPTIONS = {
    "attention": (ATTENTION,),
    "one_stage": ("model.generator.stages=1",),
    "accumulate": ("trainer.accumulate=2",),
    "replay": ("trainer.replay=16",),
    "reuse_fakes": ("trainer.reuse_fakes=true",),
    "top_k": ("trainer.top_k=0.5",),
    "unrolled": ("trainer=unrolled", "optimizer=adam", "trainer.steps=1"),
    "wasserstein": ("loss=wasserstein", "penalty=[gradient_penalty,mismatch]", "model.spectral_norm=[]"),
    "lazy": ("loss=non_saturating", "penalty=[r1,lecam,feature_matching,cr,zcr]", "penalty.r1.every=2"),
    "relativistic": ("loss=relativistic_average", "trainer.flip_labels=0.1"),
    "augment": ("augment=[diffaugment,ada,instance_noise]", "augment.ada.strength=0.5", "augment.ada.target=null"),
    "told_generator": ("model.conditional=[generator]", "penalty=[conditioning_kl]"),
    "freeze": ("trainer.freeze_discriminator=1", "init_from=somewhere"),
    "bfloat16": ("trainer.precision=bfloat16", ATTENTION),
    "float64": ("trainer.precision=float64", ATTENTION),
}


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
def test_it_goes_with_what_other_gans_go_with(make_trainer, options, channels):
    trainer = text_gan(make_trainer, *options, data=worded(channels, 16))
    before = {name: value.clone() for name, value in trainer.model.named_parameters()}
    for _ in range(3):
        trainer.take_step()
    trainer.statistics.flush()  # raises for what is not finite
    unmoved = {name for name, value in trainer.model.named_parameters() if torch.equal(value, before[name])}
    assert all("discriminator" in name for name in unmoved) and len(unmoved) < 5
    samples = trainer.samples.draw_samples(0, 2)
    assert samples.shape == (2, channels, 16, 16) and samples.isfinite().all()


@pytest.mark.parametrize(("model", "options"), TOLD.items())
def test_other_conditional_models_are_told_words(make_trainer, model, options):
    trainer = make_trainer(f"model={model}", *narrow(model), *options, data=worded(size=16))
    for _ in range(2):
        trainer.take_step()
    told = torch.tensor([[1, 3, 0], [3, 1, 0], [5, 0, 0]])
    z = trainer.samples.fixed_rows(0, 1, trainer.model.latent.draw).expand(3, -1)
    with trainer.samples.sampling() as generator, torch.no_grad():
        same, turned, other = trainer.samples.render(generator(z, told))
    torch.testing.assert_close(same, turned)  # a bag of words
    assert not torch.allclose(same, other)


def test_real_images_are_shown_with_their_small_versions(make_trainer):
    trainer = text_gan(make_trainer)
    turn = trainer.begin_turn(trainer.main_phases["discriminator"], draws_of(trainer))
    assert turn.real.shape == turn.fake.shape == (8, 2, 8, 8)
    assert turn.real_logits.shape == turn.fake_logits.shape == (8, 2)
    small = turn.real[:, :1].unfold(2, 2, 2).unfold(3, 2, 2).mean((4, 5))
    torch.testing.assert_close(turn.real[:, 1:, ::2, ::2], small)


def test_all_images_of_a_pyramid_are_augmented_alike(make_trainer):
    trainer = text_gan(make_trainer, "augment=[diffaugment]", data=worded(3))
    images, draws = torch.randn(8, 3, 8, 8), draws_of(trainer)
    both = trainer.augment(torch.cat([images, images], 1), "real", draws=draws)
    alone = trainer.augment(images, "real", draws=draws)
    assert torch.equal(both[:, :3], alone) and torch.equal(both[:, 3:], alone)
    assert not torch.equal(alone, images)


def draws_of(trainer):
    from genlab.trainers.turns import micro_batches

    return next(micro_batches(trainer.main_phases["discriminator"], trainer.players["discriminator"], trainer.engine))


@pytest.mark.parametrize("options", [(), (ATTENTION, "trainer.replay=16")])
def test_it_resumes_to_the_same_bits(options, make_trainer, tmp_path):
    resumes_to_the_same_bits(lambda: text_gan(make_trainer, *options, "trainer.images=96"), tmp_path)


def test_a_step_with_attention_does_not_wait(make_trainer):
    must_not_wait(text_gan(make_trainer, ATTENTION))


@pytest.mark.parametrize(
    ("options", "data", "message"),
    [
        ((), InMemory(Split(tiny_data().train.images)), "the data have no labels.*data.words=caption"),
        ((ATTENTION,), tiny_data(), "attends to single words"),
        (("model.conditional=false",), worded(), "it is told nothing"),
        (("model.latent={_target_:genlab.models.Normal,size:7}",), worded(), "model.latent=null"),
        ((), pictured(), "the condition of these data is a picture"),
        (("model.conditional=[generator]",), worded(), "penalty=mismatch asks the discriminator"),
    ],
)
def test_what_does_not_go_together_is_refused(make_trainer, options, data, message):
    with pytest.raises(ConfigError, match=message):
        text_gan(make_trainer, *options, data=data)


def test_penalties_without_their_model_are_refused(make_trainer):
    with pytest.raises(ConfigError, match="penalty=mismatch asks the discriminator"):
        make_trainer("model=dcgan", *narrow("dcgan"), "penalty=[mismatch]", data=worded())
    with pytest.raises(ConfigError, match="penalty=conditioning_kl needs a generator that has `conditioning`"):
        make_trainer("model=cgan_conv", *narrow("cgan_conv"), "penalty=[conditioning_kl]", data=worded())


def test_samples_show_the_words_in_turn(texter):
    loaded = genlab.load(texter, device="cpu")
    both, dogs = loaded.sample(6, words=["red cat", "blue dog"]), loaded.sample(6, words="dog blue")
    torch.testing.assert_close(both[1::2], dogs[1::2])
    assert not torch.allclose(both[::2], dogs[::2])
    torch.testing.assert_close(loaded.generate(loaded.latent(6), words="blue dog"), dogs)
    assert loaded.sample(1, words="red blue small dog cat").shape == (1, 1, 8, 8)  # more than any image has


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"words": "red dig"}, r"5 words, but not dig \(nearest: dog"),
        ({"words": []}, "Say words='blue'"),
        ({}, r"told 5 words.*Say what to show, words=\[blue,small\] .*blue, cat, dog, red, small.*real=true"),
        ({"classes": 3}, "this model is told words"),
        ({"classes": 3, "words": "red"}, "one of them"),
    ],
)
def test_what_a_model_of_words_cannot_show_is_said(texter, given, message):
    with pytest.raises(ConfigError, match=message):
        genlab.load(texter, device="cpu").sample(2, **given)


@pytest.mark.parametrize("kind", ["plain", "conditional"])
def test_other_models_are_told_no_words(request, kind):
    with pytest.raises(ConfigError, match="words=red: this model"):
        genlab.load(request.getfixturevalue(kind), device="cpu").sample(2, words="red")


def run(*words):
    return command.main("sample", sample.USAGE, sample.job, [*words, "device=cpu", "overwrite=true"])


@pytest.mark.parametrize(
    ("words", "columns"),
    [
        (["mode.rows=2", "words=red cat"], 8),
        (["mode.rows=2", "words=[red cat,dog,small]"], 3),
        (["mode=classes", "mode.rows=2", "words=[red cat,dog]"], 2),
    ],
)
def test_pictures_are_asked_for_in_words(texter, tmp_path, words, columns):
    assert run(f"run={texter}", f"to={tmp_path / 'a.png'}", *words) == 0
    width, height = Image.open(tmp_path / "a.png").size
    factor = -(-500 // (columns * 8))
    assert (width, height) == (columns * (8 * factor + 2) - 2, 2 * (8 * factor + 2) - 2)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["words=red dig"], "but not dig (nearest: dog"),
        (["mode=classes"], "Which columns? words=[blue,small]"),
        (["words=red", "classes=3"], "one of them"),
        (["mode=translate", "words=red"], "words=red: has no effect on mode=translate"),
    ],
)
def test_mistakes_are_one_message(texter, tmp_path, capsys, words, message):
    place = tmp_path / ("a" if "mode=translate" in words else "a.png")
    assert run(f"run={texter}", f"to={place}", *words) == 2
    assert message in capsys.readouterr().err


def test_rows_of_the_grid_show_texts(make_trainer):
    trainer = text_gan(make_trainer)
    told = []

    def given(start, count, texts):
        told.append(texts)
        return torch.zeros(count, 1, 8, 8)

    object.__setattr__(trainer.samples, "draw_samples", given)
    Grid(rows=3, columns=5).start(trainer)
    assert torch.equal(told[0], torch.tensor([[4, 2, 0], [1, 3, 0], [5, 4, 3], [2, 0, 0]]).repeat_interleave(5, 0))
    real = np.asarray(Image.open(trainer.run_dir / "samples" / "real.png"))
    grid = real[:, -(5 * (8 * 13 + 2) - 2) :]  # 13 times 8 pixels: 500 and more
    cells = grid[::106, ::106]
    assert np.array_equal(cells, trainer.data.train.images[:20, 0, 0, 0].view(5, 4).T.numpy())


def test_the_most_frequent_texts_come_first():
    labels = torch.tensor([[1, 0], [2, 0], [2, 0], [3, 1]])
    assert Words(WORDS, 2).samples_of(labels, 2).tolist() == [[2, 0], [1, 0]]


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_texts_stand_beside_their_rows(channels):
    picture = caption_rows(torch.zeros(channels, 60, 10, dtype=torch.uint8), ["blue", "red cat"])
    margin = picture[:, :, :-10]
    assert (picture[:, :, -10:] == 0).all() and picture.shape[1] == 60
    dark = (margin[0] < 128).sum(1)
    assert dark[:30].any() and dark[30:].sum() > dark[:30].sum()  # `red cat` is longer than `blue`


@pytest.mark.parametrize("form", ["safetensors", "onnx", "torchscript"])
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
def test_an_exported_generator_is_told_words(form, tmp_path):
    if form == "onnx":
        pytest.importorskip("onnxscript")
    trainer = saved(tmp_path, "model=text_gan", *narrow("text_gan"), ATTENTION, data=worded())
    words = [f"run={tmp_path}", f"format={form}", "checkpoint=newest"]
    assert command.main("export", "", export.job, words) == 0
    text = next((tmp_path / "export").glob("*/README.md")).read_text()
    assert "blue, cat, dog, red, small" in text and "`condition`: int64 [N, 3]" in text
    if form == "safetensors":
        z, told = trainer.model.latent.draw(trainer.samples.fixed_draws(0))[:4], trainer.samples.sample_conditions(0, 4)
        found = load(tmp_path / "export" / "safetensors" / "generator.safetensors")(z, told)
        torch.testing.assert_close(found, trainer.samples.draw_samples(0, 4).clamp(-1, 1), atol=1e-4, rtol=1e-4)


def test_a_run_on_mnist_in_words_is_measured(tmp_path, monkeypatch):
    """The whole command line, and the classes that words name."""
    monkeypatch.chdir(tmp_path)
    words = ["model=text_gan", *narrow("text_gan"), "data.limit=64", "trainer.images=16", "trainer.batch_size=8"]
    scores = ["metrics=[accuracy,balanced_accuracy]", "metrics.images=40", "trainer.device=cpu"]
    genlab.run([*words, *scores, f"hydra.run.dir={tmp_path / 'run'}"])
    records = json.loads((tmp_path / "run" / "summary.json").read_text())["records"]
    assert {record["metric"] for record in records} == {"accuracy", "balanced_accuracy"}
    assert all(0 <= record["value"] <= 1 and record["extractor"] == "mnist_classifier" for record in records)
    assert command.main("evaluate", "", evaluate.job, [f"run={tmp_path / 'run'}", "images=40", "device=cpu"]) == 0

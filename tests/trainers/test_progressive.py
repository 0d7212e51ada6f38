"""Growing as a function of images seen: schedule, what networks are shown, resuming, sampling, mistakes."""

from math import ceil

import pytest
import torch
from torch.nn.functional import avg_pool2d

import genlab
from genlab import export
from genlab.build import preflight
from genlab.build.advice import unfinished_growth
from genlab.cli import command
from genlab.core import checkpoint
from genlab.core.errors import ConfigError
from genlab.exporting import load
from genlab.trainers.progressive import Growth
from tests.conftest import narrow, tiny_data
from tests.test_resume import resumes_to_the_same_bits
from tests.trainers.test_sync import must_not_wait

MODELS = ("progan", "stylegan")
SHORT = ("trainer.stage_images=32", "trainer.batch_size=8", "trainer.images=96")


@pytest.fixture
def make(make_trainer):
    """Sizes of 4, 8 and 16 pixels: 16 images of 4 pixels, 16 of a fade-in, and so on until 64; then the last size."""

    def made(*words, model="progan", **options):
        options = {"data": tiny_data(size=16)} | options
        return make_trainer(f"model={model}", *narrow(model), *SHORT, *words, **options)

    return made


def advanced(trainer, images):
    trainer.fit(lambda: trainer.images >= images)
    return trainer


def save(trainer, path):
    options = {"config": trainer.config, "fingerprint": trainer.data.fingerprint, "spec": trainer.spec}
    checkpoint.save(path, trainer.parts, **options)
    return path


@pytest.mark.parametrize(
    ("images", "level"),
    [
        (0, 0), (599, 0), (600, 0), (900, 0.5), (1_199, 599 / 600), (1_200, 1), (1_800, 1), (1_801, 1 + 1 / 600),
        (2_100, 1.5), (2_400, 2), (3_300, 2.5), (3_600, 3), (9_999, 3),
    ],
)  # fmt: skip
def test_schedule(images, level):
    """Karras et al. 2018, appendix A.1, in thousands of images: 600 of a size, 600 that fade in the next one."""
    assert Growth(first=0, last=3, stage=1_200, fade=0.5)(images) == pytest.approx(level, abs=1e-12)


@pytest.mark.parametrize(("images", "enough"), [(63, False), (64, True)])
def test_a_run_that_ends_before_the_networks_are_grown_is_told_so(make, images, enough):
    trainer = make(f"trainer.images={images}")
    assert trainer.images_to_full_size == 64 and (unfinished_growth(trainer) is None) == enough


def test_other_shares_and_starts():
    assert [Growth(1, 3, 100, 0.2)(images) for images in (0, 80, 90, 100, 190, 300)] == [1, 1, 1.5, 2, 2.5, 3]
    assert [Growth(0, 2, 100, 0.0)(images) for images in (0, 99, 100, 199, 200)] == [0, 0, 1, 1, 2]
    assert [Growth(2, 2, 100, 0.5)(images) for images in (0, 50, 500)] == [2, 2, 2]
    assert Growth(1, 3, 100, 0.2).end == 200


@pytest.mark.parametrize("growth", [Growth(0, 3, 1_200, 0.5), Growth(1, 3, 100, 0.2), Growth(0, 2, 100, 0.0)])
def test_each_size_starts_where_its_first_image_is_seen(growth):
    seen = [ceil(growth(images)) for images in range(growth.end + 2)]
    first_seen = [seen.index(size) for size in range(growth.first, growth.last + 1)]
    assert [ceil(growth(images)) for images in growth.starts] == list(range(growth.first, growth.last + 1))
    assert all(0 <= start - first <= 1 for start, first in zip(growth.starts, first_seen, strict=True))


def test_a_dry_run_counts_every_size(make, monkeypatch):
    trainer, sides, seconds = make(), [], {4: 1.0, 8: 2.0, 16: 4.0}

    def time_step(trainer):
        sides.append(trainer.side)
        trainer.take_step()
        return seconds[trainer.side]

    monkeypatch.setattr(preflight, "_time_step", time_step)
    rows = dict(preflight.dry_run(trainer))
    assert sides == [4, 8, 16]
    assert rows["step from 17"] == "2 s for 8 images: 4 images/s"
    whole = 17 * 1 / 8 + (49 - 17) * 2 / 8 + (96 - 49) * 4 / 8
    assert rows["whole run"].startswith(f"0:00:{int(whole)} for 96 images")


def test_networks_average_and_curves_follow_the_schedule(make):
    trainer, seen = make(), []
    trainer.fit(lambda: seen.append((trainer.images, trainer.learning_rates()["growth/doublings"])) or False)
    levels = dict(seen)
    assert [levels[images] for images in (8, 16, 24, 32, 48, 56, 64, 96)] == [0, 0, 0.5, 1, 1, 1.5, 2, 2]
    assert {
        network.level for network in (trainer.model.generator, trainer.model.discriminator, trainer.ema.network)
    } == {2}


def test_without_growing_the_networks_are_of_full_size(make_trainer):
    trainer = make_trainer("model=progan", *narrow("progan"), "trainer=alternating", "trainer.images=16")
    trainer.fit()
    assert trainer.samples.draw_samples(0, 2).shape == (2, 1, 8, 8) and trainer.model.generator.level == 1


@pytest.mark.parametrize("model", MODELS)
def test_a_change_of_stage_changes_no_weight(make, model):
    trainer = make(model=model)
    for images in (0, 20, 32, 50, 64):
        before = {name: weight.clone() for name, weight in trainer.model.named_parameters()}
        trainer.images = images
        trainer.grow()
        assert all(torch.equal(weight, before[name]) for name, weight in trainer.model.named_parameters())


def test_optimizers_start_anew_where_a_fade_in_begins_and_ends(make):
    trainer, kept = make(), []
    while trainer.images < 80:
        trainer.take_step()
        kept.append((trainer.images, bool(trainer.players["generator"].optimizer.state)))
    assert [images for images, state in kept if not state] == [24, 32, 56, 64]


def test_the_discriminator_is_shown_real_images_of_the_same_size_and_blend(make):
    trainer, seen = make("trainer.batch_size=16", "trainer.stage_images=64"), []
    judge = trainer.model.discriminator.forward
    trainer.model.discriminator.forward = lambda images, *told: seen.append(images.detach()) or judge(images, *told)
    for images, side in ((0, 4), (48, 8), (64, 8), (128, 16)):
        trainer.images = images
        trainer.grow()
        seen.clear()
        trainer.take_turns("discriminator")
        assert {tuple(images.shape) for images in seen} == {(16, 1, side, side)}
    whole = trainer.data.train.images.float() / 127.5 - 1  # in the last stage they are the data's own
    assert all((row - whole).abs().flatten(1).amax(1).min() < 1e-6 for row in seen[0])


def test_labelled_images_are_small_as_well(make):
    trainer = make()
    (draws,) = [draws for draws in _draws(trainer)]
    images, labels = trainer.begin_turn(trainer.main_phases["discriminator"], draws).draw_labelled()
    whole, same = trainer.stream.labelled_batch("discriminator/labelled", 0, draws)
    torch.testing.assert_close(images, avg_pool2d(whole, 4))
    assert torch.equal(labels, same)


def _draws(trainer):
    from genlab.trainers.turns import micro_batches

    return micro_batches(trainer.main_phases["discriminator"], trainer.players["discriminator"], trainer.engine)


def test_batch_size_and_rate_of_each_size(make):
    words = ("trainer.batch_size=16", "trainer.batch_sizes={8: 8, 16: 4}", "trainer.rates={16: 3.0}")
    trainer, steps = make(*words, "optimizer=adam"), []
    while trainer.images < 96:
        before = trainer.images
        trainer.take_step()
        steps.append((before, trainer.images - before, trainer.learning_rates()["generator/lr"]))
    assert steps[:3] == [(0, 16, 2e-4), (16, 16, 2e-4), (32, 8, 2e-4)]
    assert [(images, count) for images, count, _ in steps[3:]] == [
        (40, 8),
        (48, 8),
        *((at, 4) for at in range(56, 96, 4)),
    ]
    assert all(rate == pytest.approx(6e-4) for images, _, rate in steps if images >= 56)


def test_other_batch_sizes_skip_no_image_and_show_none_twice(make):
    """An epoch is an epoch: what a player is shown is counted in images."""
    trainer, seen = make("trainer.batch_size=16", "trainer.batch_sizes={8: 8, 16: 4}"), []
    batch = trainer.stream.rows
    trainer.stream.rows = lambda player, *where: (
        (seen.append(batch(player, *where)) if player == "discriminator" else None) or batch(player, *where)
    )
    trainer.fit(lambda: trainer.images >= 64)
    assert torch.cat(seen)[:64].sort().values.tolist() == list(range(64))


@pytest.mark.parametrize("model", MODELS)
def test_resumes_in_the_middle_of_a_fade_in_to_the_same_bits(make, model, tmp_path):
    """At 56 images the third size has come in by half, at another batch size than at the start."""
    words = ("trainer.batch_sizes={16: 4}", "trainer.accumulate=2", "trainer.fade=0.75", "trainer.rates={8: 0.5}")
    resumes_to_the_same_bits(lambda: make(*words, model=model), tmp_path)
    assert 1 < make(*words).growth(48) < 2  # where it was stopped


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("images", [24, 32])
def test_a_step_does_not_wait(make, model, images):
    trainer = make("trainer.batch_size=4", model=model)
    trainer.images = images
    trainer.grow()
    must_not_wait(trainer)


@pytest.mark.parametrize("images", [16, 24, 32, 56, 96])
def test_samples_are_as_large_as_the_data_at_any_time(make, images):
    trainer = advanced(make(), images)
    samples, side = trainer.samples.draw_samples(0, 3), trainer.side
    assert samples.shape == (3, 1, 16, 16) and trainer.fair == (images >= 64)
    cells = samples.unflatten(3, (side, -1)).unflatten(2, (side, -1))
    assert torch.equal(cells, cells[:, :, :, :1, :, :1].expand_as(cells))  # each pixel enlarged
    assert torch.equal(samples[..., :: 16 // side, :: 16 // side], trainer.ema.network(*_inputs(trainer)))


def _inputs(trainer):
    return trainer.samples.fixed_rows(0, 3, trainer.model.latent.draw), None


@pytest.mark.parametrize("model", MODELS)
def test_a_run_that_stopped_early_is_sampled_at_its_stage(make, model, tmp_path):
    trainer = advanced(make(model=model), 24)
    save(trainer, tmp_path / "checkpoints" / "0000000024.pt")
    loaded = genlab.load(tmp_path, device="cpu")
    expected = trainer.samples.draw_samples(0, 5)
    torch.testing.assert_close(loaded.sample(5), expected.clamp(-1, 1))
    assert loaded.run.model.generator.side == 8 and loaded.run.images == 24


@pytest.mark.parametrize("form", ["safetensors", "torchscript"])
def test_it_is_exported_at_its_stage(make, form, tmp_path):
    trainer = advanced(make(), 24)
    save(trainer, tmp_path / "checkpoints" / "0000000024.pt")
    assert command.main("export", "", export.job, [f"run={tmp_path}", f"format={form}", "checkpoint=newest"]) == 0
    read = load if form == "safetensors" else torch.jit.load
    (path,) = (tmp_path / "export").rglob("generator.*")
    torch.testing.assert_close(read(path)(_inputs(trainer)[0]), trainer.samples.draw_samples(0, 3).clamp(-1, 1))


def test_weights_from_elsewhere_grow_by_the_schedule_of_this_run(make, tmp_path):
    source = advanced(make(), 96)
    path = save(source, tmp_path / "checkpoints" / "0000000096.pt")
    trainer = make("seed=5")
    checkpoint.load_weights({f"network/{name}": player.module for name, player in trainer.players.items()}, str(path))
    trainer.restart_average()
    networks = [*trainer.model.players.values(), trainer.ema.network]
    assert {network.level for network in networks} == {0}
    assert torch.equal(trainer.ema.network.to_images[2].weight, source.model.generator.to_images[2].weight)


def test_checkpoints_from_before_images_were_counted(make_trainer):
    trainer = make_trainer("model=gan")
    trainer.load_state_dict({"images": 24, "step": 3, "turns": {"generator": 3, "discriminator": 6}})
    assert [trainer.players[name].images_shown for name in ("generator", "discriminator")] == [24, 48]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["trainer.start_size=6"], "trainer.start_size=6: expected a size of the networks, 4, 8, 16"),
        (["trainer.start_size=32"], "trainer.start_size=32: expected"),
        (["trainer.replay=100"], "trainer.replay: earlier images are smaller"),
        (["trainer.batch_sizes={8: 1000}"], "trainer.batch_size=1000: larger than the data"),
        (["trainer.accumulate=2", "trainer.batch_sizes={8: 5}"], "multiple of trainer.accumulate"),
        (["trainer.fade=1.0"], "trainer.fade=1.0"),
        (["trainer.stage_images=0"], "trainer.stage_images=0"),
    ],
)
def test_mistakes(make, words, message):
    with pytest.raises(ConfigError, match=message):
        make(*words)


def test_a_network_that_cannot_grow_is_refused(make_trainer):
    with pytest.raises(ConfigError, match="generator and discriminator cannot grow.*model=progan"):
        make_trainer("model=dcgan", *narrow("dcgan"), "trainer=progressive")


@pytest.mark.parametrize("model", MODELS)
def test_images_of_another_size_say_which_to_set(make_trainer, model):
    with pytest.raises(ConfigError, match="images of 28x28.*power of two.*data.size=32"):
        make_trainer(f"model={model}", data=tiny_data(size=28))


OPTIONS = (
    "augment=[diffaugment]",
    "penalty=[r1,r2,bcr,feature_matching]",
    "trainer.n_critic=2",
    "trainer.precision=bfloat16",
    "trainer.ema=null",
    "model.conditional=true",
    "trainer.reuse_fakes=true",
)


@pytest.mark.parametrize("word", OPTIONS)
@pytest.mark.parametrize("model", MODELS)
def test_options_work_at_every_size(make, model, word):
    trainer = make(word, "trainer.batch_size=16", "trainer.stage_images=32", "trainer.images=80", model=model)
    trainer.fit()
    trainer.statistics.flush()  # raises if anything is not finite
    assert trainer.samples.draw_samples(0, 2).isfinite().all()

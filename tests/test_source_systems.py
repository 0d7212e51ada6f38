"""Systems whose condition is a picture: what goes together, and what is refused in one message."""

from dataclasses import replace

import pytest
import torch

from genlab.core import checkpoint
from genlab.core.errors import ConfigError
from genlab.data import InMemory, Split
from tests.conftest import data_of, narrow, pictured, tiny_data


@pytest.mark.parametrize("model", ["cgan", "cgan_conv", "cvae"])
def test_networks_that_are_told_classes_refuse_pictures(make_trainer, model):
    with pytest.raises(ConfigError, match="the condition of these data is a picture"):
        make_trainer(f"model={model}", *narrow(model), data=pictured())


def test_a_model_with_its_classes_needs_classes(make_trainer):
    with pytest.raises(ConfigError, match="data.task=null"):
        make_trainer("model=acgan", *narrow("acgan"), data=InMemory(tiny_data().train, task="edges"))


def test_an_unconditional_model_does_not_look_at_sources(make_trainer):
    trainer = make_trainer("model=dcgan", *narrow("dcgan"), data=pictured())
    trainer.take_step()
    assert trainer.samples.sample_conditions(0, 3) is None


def pix2pix(make_trainer, *words, data=None):
    return make_trainer("model=pix2pix", *narrow("pix2pix"), *words, data=data or pictured())


def test_the_l1_term_compares_partners(make_trainer):
    """A generator that gives the source, on pairs whose source is the image: no error, but for the adversarial term."""
    images = pictured(size=16).train.images
    trainer = pix2pix(make_trainer, data=InMemory(Split(images, images), flip=True, crop=12))
    trainer.model.generator.forward = lambda z, source: source.clone().requires_grad_()
    losses = trainer.compute_losses(trainer.main_phases["generator"], next(iter_draws(trainer)))
    assert losses.terms["l1"].abs().max() < 1e-4
    trainer.model.generator.forward = lambda z, source: (source + 0.5).requires_grad_()
    assert torch.allclose(
        trainer.compute_losses(trainer.main_phases["generator"], next(iter_draws(trainer))).terms["l1"],
        torch.tensor(50.0),
    )


def iter_draws(trainer):
    from genlab.trainers.turns import micro_batches

    return micro_batches(trainer.main_phases["generator"], trainer.players["generator"], trainer.engine)


def test_samples_are_made_from_the_sources_of_the_test_split(make_trainer):
    data = pictured()
    trainer = pix2pix(make_trainer, data=data)
    sources = data.test.labels.float() / 127.5 - 1
    assert torch.allclose(trainer.samples.sample_conditions(0, 20), torch.cat([sources, sources[:4]]), atol=1e-6)
    whole = trainer.samples.draw_samples(0, 16)
    assert torch.equal(trainer.samples.draw_samples(0, 16), whole)
    assert torch.allclose(trainer.samples.draw_samples(5, 3), whole[5:8], atol=1e-6)
    assert torch.allclose(trainer.samples.draw_samples(0, 16, sources), whole, atol=1e-6)
    assert not torch.allclose(replace(trainer.samples, seed=1).draw_samples(0, 16), whole)  # other noise


OPTIONS = {
    "replay": ("trainer.replay=16",),
    "accumulate": ("trainer.accumulate=2",),
    "reuse_fakes": ("trainer.reuse_fakes=true",),
    "gradient_penalty": ("penalty=[l1,gradient_penalty]", "model.discriminator.norm=instance"),
    "r1": ("penalty=[l1,r1,lecam]", "penalty.r1.every=2"),
    "wasserstein": ("loss=wasserstein", "trainer.clip_weights=0.01"),
    "hinge": ("loss=hinge", "model.discriminator.norm=none", "model.spectral_norm=[discriminator]"),
    "relativistic": ("loss=relativistic_average", "trainer.flip_labels=0.1"),
    "least_squares": ("loss=least_squares", "augment=[instance_noise]"),
    "feature_matching": ("penalty=[l1,feature_matching]",),
    "no_noise": ("model.generator.dropout=0",),
    "told_generator": ("model.conditional=[generator]", "augment=[diffaugment]"),
    "bfloat16": ("trainer.precision=bfloat16",),
}


@pytest.mark.parametrize("words", OPTIONS.values(), ids=OPTIONS)
def test_it_goes_with_what_other_gans_go_with(make_trainer, words):
    trainer = pix2pix(make_trainer, *words, data=pictured(crop=8, flip=True))
    for _ in range(3):
        trainer.take_step()
    trainer.statistics.flush()  # raises if anything is not finite
    assert trainer.samples.draw_samples(0, 2).shape == (2, 1, 8, 8)


@pytest.mark.parametrize("task", ["edges", "inpainting", "denoising", "rotation"])
def test_it_trains_on_pairs_made_on_the_way(make_trainer, task):
    trainer = pix2pix(make_trainer, data=tiny_data(3, 12, task=task))
    trainer.fit()
    assert trainer.samples.draw_samples(0, 2).isfinite().all()


@pytest.mark.parametrize(
    ("words", "data", "message"),
    [
        ((), tiny_data(), "data.task=edges"),
        ((), InMemory(Split(tiny_data().train.images)), "data.task=edges, or data=pairs"),
        (("augment=[diffaugment]",), pictured(), "augment=diffaugment moves images"),
        (("augment=[ada]",), pictured(), "augment=ada moves images"),
        (("penalty=[l1,cr]",), pictured(), "penalty=cr moves images"),
        (("model.conditional=false",), pictured(), "no sources|makes an image from a picture|data.task=edges"),
        (("penalty=[auxiliary_classification]",), pictured(), "needs a discriminator that has `classify`"),
    ],
)
def test_what_does_not_go_together_is_refused(make_trainer, words, data, message):
    with pytest.raises(ConfigError, match=message):
        pix2pix(make_trainer, *words, data=data)


def test_l1_needs_a_model_that_is_told_the_picture(make_trainer):
    with pytest.raises(ConfigError, match="penalty=l1 compares"):
        make_trainer("model=dcgan", *narrow("dcgan"), "penalty=[l1]", data=pictured())


TRANSLATORS = ("super_resolution", "segmentation_to_image", "pix2pix_hd")
SHARED = {
    "as_it_comes": (),
    "accumulate": ("trainer.accumulate=2", "trainer.reuse_fakes=true"),
    "losses": ("loss=relativistic_average", "trainer.flip_labels=0.1", "trainer.adversarial_weight=1"),
    "penalties": ("+penalty=lecam", "trainer.adversarial_weight=0.5", "trainer.top_k=0.5"),
    "bfloat16": ("trainer.precision=bfloat16", "trainer.replay=16", "trainer.adversarial_weight=1"),
    "unconditional_discriminator": ("model.conditional=[generator]", "augment=[instance_noise]"),
    "told_discriminator": ("model.conditional=true", "trainer.adversarial_weight=1"),
    "slopes": ("penalty=[r1,r2]", "model.discriminator.norm=none", "trainer.precision=float64"),
}


@pytest.mark.parametrize("words", SHARED.values(), ids=SHARED)
@pytest.mark.parametrize("model", TRANSLATORS)
def test_they_go_with_what_other_gans_go_with(make_trainer, model, words):
    trainer = make_trainer(f"model={model}", *narrow(model), *words, data=data_of(model, 3, 16))
    for _ in range(3):
        trainer.take_step()
    trainer.statistics.flush()  # raises if anything is not finite
    assert trainer.samples.draw_samples(0, 2).shape == (2, 3, 16, 16)


def test_the_generator_learns_from_its_penalties_alone_until_the_loss_has_a_weight(make_trainer):
    trainer = make_trainer("model=super_resolution", *narrow("super_resolution"), "trainer.precision=float64")
    phase, seen = trainer.main_phases["generator"], []
    trainer.model.discriminator.register_forward_hook(lambda *_: seen.append(1))
    first = phase.loss(phase, next(iter_draws(trainer)))
    assert set(first.terms) == {"mse"} and not seen
    trainer.images = trainer.total_images // 2
    second, draws = phase.loss(phase, next(iter_draws(trainer))), next(iter_draws(trainer))
    made = trainer.model.generator(trainer.model.latent.draw(draws), trainer.stream.labels("generator", 0, draws))
    expected = 1e-3 * trainer.loss.generator(trainer.model.discriminator(made))
    torch.testing.assert_close(second.terms["adversarial"], expected)
    assert torch.equal(second.terms["mse"], first.terms["mse"])


@pytest.mark.parametrize("data", ["given", "made"])
def test_label_maps_are_shown_to_a_u_net_one_hot(make_trainer, data):
    stored = pictured(source_classes=4)
    stored.pool.labels.remainder_(4)
    trainer = pix2pix(make_trainer, data=stored if data == "given" else tiny_data(task="segments"))
    classes = trainer.spec.condition.classes
    assert trainer.model.generator.downs[0][0].in_channels == classes == (4 if data == "given" else 3)
    trainer.take_step()
    assert trainer.samples.sample_conditions(0, 2).shape == (2, classes, 8, 8)


def test_partners_whose_maps_are_compared_are_not_moved_apart(make_trainer):
    words = ("model=pix2pix_hd", *narrow("pix2pix_hd"), "model.conditional=[generator]", "augment=[diffaugment]")
    with pytest.raises(ConfigError, match="augment=diffaugment moves each in its own way"):
        make_trainer(*words)
    make_trainer(*words, "penalty=[l1]").take_step()


def test_a_global_network_is_trained_first_and_then_enhanced(make_trainer, tmp_path):
    words = ("model=pix2pix_hd", *narrow("pix2pix_hd"), "model.discriminator.scales=1")
    small = make_trainer(*words, "model.generator.enhancers=0", "trainer.images=8")
    small.fit()
    path = tmp_path / "checkpoints" / "1.pt"
    checkpoint.save(path, small.parts, config=small.config, fingerprint="")
    large = make_trainer(*words, data=data_of("pix2pix_hd", 1, 16))
    checkpoint.load_weights({f"network/{name}": player.module for name, player in large.players.items()}, str(path))
    large.restart_average()
    for one, other in zip(
        small.model.generator.coarse.parameters(), large.ema.network.coarse.parameters(), strict=True
    ):
        assert torch.equal(one, other)
    large.take_step()
    assert large.samples.draw_samples(0, 2).shape == (2, 1, 16, 16)

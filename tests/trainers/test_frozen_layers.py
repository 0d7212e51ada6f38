"""FreezeD: the layers next to the image stay, bit for bit, and all others learn."""

import pytest
import torch

from genlab.core.errors import ConfigError
from genlab.trainers.frozen_layers import blank_input, layers_in_order
from tests.conftest import NARROW, narrow, tiny_data
from tests.test_resume import resumes_to_the_same_bits

# With batch normalisation; a projected class and spectral norm; a wrapped network; images beside maps of a class;
# residual stages; an energy; fully connected; a discriminator that is looked ahead of.
MODELS = ["dcgan", "biggan", "acgan", "cgan_conv", "r3gan", "began", "gan", "unrolled_gan", "stylegan2"]
FROM = "init_from=outputs/somewhere"


def layers_of(trainer):
    shown = blank_input(trainer.spec, trainer.model.conditional, trainer.device, trainer.samples.dtype)
    return layers_in_order(trainer.model.discriminator, *shown)


@pytest.mark.parametrize("model", MODELS)
def test_frozen_layers_stay_and_others_learn(model, make_trainer):
    words = (f"model={model}", *narrow(model), "trainer.freeze_discriminator=2", FROM, "trainer.images=24")
    trainer = make_trainer(*words, data=tiny_data(size=16))
    layers = layers_of(trainer)
    before = [[weight.detach().clone() for weight in layer.weights] for layer in layers]
    trainer.fit()
    stayed = [all(map(torch.equal, weights, layer.weights)) for weights, layer in zip(before, layers, strict=True)]
    assert stayed[:2] == [True, True] and not any(stayed[2:]), [layer.name for layer in layers]
    trainer.total_images = 40
    trainer.fit()  # nothing frozen was released at the end of the first run
    assert trainer.images == 40 and all(map(torch.equal, before[0], layers[0].weights))


@pytest.mark.parametrize("model", MODELS)
def test_every_weight_belongs_to_one_layer(model, make_trainer):
    trainer = make_trainer(f"model={model}", *narrow(model))
    found = [id(weight) for layer in layers_of(trainer) for weight in layer.weights]
    heads = getattr(trainer.model.discriminator, "classifier", torch.nn.Identity()).parameters()  # no logits of theirs
    assert sorted([*found, *map(id, heads)]) == sorted(map(id, trainer.model.discriminator.parameters()))


def test_a_network_that_grows_counts_from_its_largest_image(make_trainer):
    """Its first stages do not use what is frozen, and it does not change once they do."""
    words = ("model=stylegan", *narrow("stylegan"), "trainer.freeze_discriminator=3", FROM, "trainer.stage_images=16")
    trainer = make_trainer(*words, "trainer.batch_size=8", "trainer.images=48")
    player, network = trainer.players["discriminator"], trainer.model.discriminator
    moving = {id(weight) for weight in player.parameters}
    frozen = {name: weight.clone() for name, weight in network.named_parameters() if id(weight) not in moving}
    assert {name.rsplit(".", 1)[0] for name in frozen} == {"from_images.1.0", "blocks.0.0", "blocks.0.3"}
    trainer.fit()
    assert trainer.side == 8 and all(
        torch.equal(weight, network.get_parameter(name)) for name, weight in frozen.items()
    )


def test_pictures_are_conditions_too(make_trainer):
    trainer = make_trainer("model=pix2pix", *narrow("pix2pix"), "trainer.freeze_discriminator=1", FROM)
    assert len(trainer.players["discriminator"].parameters) < len(list(trainer.model.discriminator.parameters()))


class Plain(torch.nn.Sequential):
    def forward(self, images, condition):
        return super().forward(images)


def test_layers_count_from_the_image_with_what_follows_them():
    second = torch.nn.Conv2d(4, 4, 3)
    network = Plain(torch.nn.Conv2d(1, 4, 3), torch.nn.BatchNorm2d(4), torch.nn.ReLU(), second)
    layers = layers_in_order(network, torch.zeros(2, 1, 8, 8), None)
    assert [layer.name for layer in layers] == ["0", "3"]
    assert [weight.shape for weight in layers[0].weights] == [(4, 1, 3, 3), (4,), (4,), (4,)]
    assert not network[1].num_batches_tracked and network.training  # looking changes nothing


def test_spectral_norm_still_estimates_what_a_frozen_layer_multiplies_with(make_trainer):
    words = ("model=sngan", *narrow("sngan"), "trainer.freeze_discriminator=1", FROM)
    trainer = make_trainer(*words, "trainer.images=64")
    trainer.fit()
    norm = next(module for module in trainer.model.discriminator.modules() if hasattr(module, "parametrizations"))
    assert torch.linalg.matrix_norm(norm.weight.flatten(1), 2).item() == pytest.approx(1, abs=0.05)


def test_frozen_weights_are_not_clipped(make_trainer):
    words = ("model=wgan", *narrow("wgan"), "trainer.freeze_discriminator=1", FROM)
    trainer = make_trainer(*words, "trainer.clip_weights=1e-4", "trainer.images=8")
    trainer.fit()
    first, *others = layers_of(trainer)
    assert first.weights[0].abs().max() > 1e-3
    assert all(weight.abs().max() <= 1e-4 for layer in others for weight in layer.weights)


@pytest.mark.parametrize("model", ["dcgan", "biggan"])
def test_it_resumes_to_the_same_bits(model, make_trainer, tmp_path):
    words = (f"model={model}", *narrow(model), "trainer.freeze_discriminator=2", FROM, "trainer.images=96")
    resumes_to_the_same_bits(lambda: make_trainer(*words, data=tiny_data(size=16)), tmp_path)


def test_frozen_layers_have_no_moments(make_trainer):
    trainer = make_trainer("model=dcgan", *NARROW, "trainer.freeze_discriminator=1", FROM, "trainer.images=8")
    trainer.fit()
    frozen = {id(weight) for weight in layers_of(trainer)[0].weights}
    assert not any(id(weight) in frozen for weight in trainer.players["discriminator"].optimizer.state)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("trainer.freeze_discriminator=2", FROM), "freeze_discriminator=2: this discriminator has 2 layers"),
        (("trainer.freeze_discriminator=1",), "would stay as random as they start"),
        (("trainer.freeze_discriminator=-1", FROM), "trainer.freeze_discriminator=-1"),
    ],
)
def test_what_cannot_be_frozen_is_refused(words, said, make_trainer):
    with pytest.raises(ConfigError, match=said):
        make_trainer("model=dcgan", *NARROW, *words)


def test_a_discriminator_of_codes_is_refused(make_trainer):
    with pytest.raises(ConfigError, match="sees codes, not images"):
        make_trainer("model=aae", *narrow("aae"), "trainer.freeze_discriminator=1", FROM)

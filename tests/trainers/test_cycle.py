"""Two translators and their judges: one step is the paper's, and whatever a GAN may have goes with it."""

import pytest
import torch

from genlab.callbacks.scores import source_of
from genlab.callbacks.translations import draw_translations
from genlab.core.errors import ConfigError
from genlab.core.pixels import to_uint8
from genlab.data import InMemory, Split
from genlab.metrics import Evaluation, Pixels
from genlab.metrics.scores.pair_distances import L1
from genlab.trainers.turns import micro_batches
from tests.callbacks.test_translations import cells
from tests.conftest import narrow, pictured, tiny_data, unpaired
from tests.test_resume import resumes_to_the_same_bits

SYSTEM = ("model=cyclegan", *narrow("cyclegan"), "model.generator.blocks=1")


def made(make_trainer, *words, data=None):
    return make_trainer(*SYSTEM, *words, data=data or unpaired())


def draws_of(trainer, player):
    (draws,) = micro_batches(trainer.main_phases[player], trainer.players[player], trainer.engine)
    return draws


def turns(trainer, player):
    """There and back."""
    phase, draws = trainer.main_phases[player], draws_of(trainer, player)
    return [trainer.begin_turn(phase, draws), trainer.begin_turn(trainer.backward_phase(phase), draws.of("back"))]


def weights(network):
    return torch.cat([parameter.detach().flatten() for parameter in network.parameters()])


def test_either_kind_is_the_source_of_the_other(make_trainer):
    data = unpaired(channels=3)
    there, back = turns(made(make_trainer, "penalty=[cycle]", data=data), "generator")
    kinds = [
        {tuple(row) for row in split.flatten(1).tolist()} for split in (data.train.images, data.other.train.images)
    ]

    def of(pictures):
        return {tuple(row) for row in ((pictures + 1) * 127.5).round().byte().flatten(1).tolist()}

    assert of(there.real) <= kinds[0] and of(there.condition) <= kinds[1]
    assert of(back.real) <= kinds[1] and of(back.condition) <= kinds[0]
    assert there.fake.shape == there.real.shape == (8, 3, 8, 8) and back.fake.shape == (8, 1, 8, 8)


def test_kinds_of_the_same_number_come_in_orders_of_their_own(make_trainer):
    """Or partners would meet in every batch where both sets hold the same names."""
    data = InMemory(pictured().pool._replace(labels=None), other=InMemory(Split(pictured().pool.images)))
    there, _ = turns(made(make_trainer, data=data), "generator")
    assert not (there.real == there.condition).flatten(1).all(1).any()


def paper(trainer, player):
    """Equations 1 to 3, section 5.2 and the halved objective of section 4, in plain PyTorch, of the same pictures."""
    generators, judges = trainer.model.generator, trainer.model.discriminator
    there, back = turns(trainer, player)
    z = torch.zeros(8, 0)
    total = 0
    for turn, make, unmake, judge in (
        (there, generators.there, generators.back, judges.there),
        (back, generators.back, generators.there, judges.back),
    ):
        x, y = turn.condition, turn.images(turn)
        image = make(z, x)
        if player == "generator":
            total = total + ((judge(image) - 1) ** 2).mean()
            total = total + 10 * (unmake(z, image) - x).abs().mean() + 5 * (make(z, y) - y).abs().mean()
        else:
            total = total + ((judge(y) - 1) ** 2).mean() / 2 + (judge(image.detach()) ** 2).mean() / 2
    return total


@pytest.mark.parametrize("player", ["generator", "discriminator"])
def test_a_turn_follows_the_papers_gradient(make_trainer, player):
    trainer = made(make_trainer, "trainer.precision=float64", "trainer.reuse_fakes=false", "trainer.replay=null")
    network = trainer.players[player].module
    expected = torch.autograd.grad(paper(trainer, player), list(network.parameters()))
    trainer.take_turns(player)
    for gradient, parameter in zip(expected, network.parameters(), strict=True):
        torch.testing.assert_close(parameter.grad, gradient, rtol=1e-8, atol=1e-12)


def test_terms_of_both_ways_are_watched(make_trainer):
    """G halves and F adds a quarter: closed forms of every term, of the pictures that were drawn."""
    trainer = made(make_trainer, "loss=hinge")
    there, back = turns(trainer, "generator")
    generators = trainer.model.generator
    generators.there.forward = lambda z, pictures: pictures / 2
    generators.back.forward = lambda z, pictures: pictures + 0.25
    losses = trainer.compute_losses(trainer.main_phases["generator"], draws_of(trainer, "generator"))
    x, y = there.condition, there.real
    expected = {
        "cycle": 10 * (0.25 - x / 2).abs().flatten(1).mean(1),
        "identity": 5 * (y / 2).abs().flatten(1).mean(1),
        "back/cycle": 10 * ((back.condition + 0.25) / 2 - back.condition).abs().flatten(1).mean(1),
        "back/identity": torch.full((8,), 5 * 0.25),
    }
    for name, values in expected.items():
        torch.testing.assert_close(losses.terms[name], values, atol=1e-5, rtol=1e-5)
    assert losses.terms.keys() == expected.keys() | {"adversarial", "back/adversarial"}
    judged = trainer.compute_losses(trainer.main_phases["discriminator"], draws_of(trainer, "discriminator"))
    assert judged.stats.keys() == {f"{way}{kind}_logits" for way in ("", "back/") for kind in ("real", "fake")}


def test_a_step_moves_both_networks_of_each_player_in_turn(make_trainer):
    trainer = made(make_trainer)
    networks = {
        f"{name}/{way}": getattr(player.module, way)
        for name, player in trainer.players.items()
        for way in ("there", "back")
    }
    before = {name: weights(network) for name, network in networks.items()}
    trainer.take_turns("generator")
    moved = {name for name, network in networks.items() if not torch.equal(before[name], weights(network))}
    assert moved == {"generator/there", "generator/back"}
    assert all(parameter.grad is None for parameter in trainer.model.discriminator.parameters())
    middle = {name: weights(network) for name, network in networks.items()}
    trainer.take_turns("discriminator")
    moved = {name for name, network in networks.items() if not torch.equal(middle[name], weights(network))}
    assert moved == {"discriminator/there", "discriminator/back"} and trainer.images == 8


def test_discriminators_see_what_was_just_made_and_histories_of_their_own_kind(make_trainer):
    trainer = made(make_trainer, "penalty=[cycle]", "trainer.replay=12", data=unpaired(channels=3))
    made_now = [turn.fake_batch.images for turn in turns(trainer, "generator")]
    trainer.take_turns("generator")
    shown = [turn.fake for turn in turns(trainer, "discriminator")]
    for images, seen in zip(made_now, shown, strict=True):
        torch.testing.assert_close(images, seen)
    trainer = made(make_trainer, "penalty=[cycle]", "trainer.replay=12", data=unpaired(channels=3))
    trainer.take_step()
    there, back = trainer.replay, trainer.opponents_back.replay
    assert there.filled == back.filled == 8
    assert there.history.images.shape == (12, 3, 8, 8) and back.history.images.shape == (12, 1, 8, 8)
    there.history.images.fill_(0.25)
    back.history.images.fill_(-0.25)
    for turn, value in zip(turns(trainer, "discriminator"), (0.25, -0.25), strict=True):
        assert (turn.fake == value).all((1, 2, 3)).tolist() == [False, True] * 4


OPTIONS = {
    "accumulate": ("trainer.accumulate=2",),
    "several_turns": ("trainer.reuse_fakes=false", "trainer.n_critic=2", "trainer.n_generator=2"),
    "no_history": ("trainer.replay=null", "trainer.ema=null"),
    "batch_of_one": ("trainer.batch_size=1",),
    "gradient_penalty": ("penalty=[cycle,gradient_penalty]", "loss=wasserstein"),
    "lazy": ("penalty=[cycle,r1,lecam,historical_averaging,spectral]", "penalty.r1.every=2"),
    "lazy_cycle": ("penalty=[cycle,identity]", "penalty.cycle.every=2"),
    "relativistic": ("loss=relativistic_average", "trainer.flip_labels=0.1"),
    "feature_matching": ("penalty=[cycle,feature_matching]", "trainer.top_k=0.5"),
    "ada": ("augment=[ada]", "augment.ada.every=1"),
    "diffaugment": ("augment=[diffaugment,instance_noise]", "penalty=[cycle,identity,cr]"),
    "clipped": ("trainer.clip_weights=0.05", "trainer.clip_gradients=1.0"),
    "spectral_norm": ("model.spectral_norm=[discriminator]", "model.discriminator.norm=none"),
    "batch_norm": ("model.generator.norm=batch", "model.discriminator.norm=batch"),
    "bfloat16": ("trainer.precision=bfloat16",),
    "unet": (
        "~model.generator.blocks", "model.generator.norm=instance",
        "model.generator._target_=genlab.models.translation.unet.UNet",
    ),
}  # fmt: skip


@pytest.mark.parametrize("words", OPTIONS.values(), ids=OPTIONS)
def test_it_goes_with_what_other_gans_go_with(make_trainer, words):
    trainer = made(make_trainer, *words, data=unpaired(size=12, crop=8, flip=True))
    for _ in range(3):
        trainer.take_step()
    found = trainer.statistics.flush()  # raises if anything is not finite
    assert {name for name in found if name.startswith("generator/back/")}
    assert trainer.samples.draw_samples(0, 2).shape == (2, 1, 8, 8)


def test_accumulation_changes_nothing(make_trainer):
    words = ("trainer.precision=float64", "optimizer=sgd", "trainer.images=32", "trainer.replay=12")
    one, two = (made(make_trainer, *words, f"trainer.accumulate={pieces}") for pieces in (1, 4))
    for trainer in (one, two):
        trainer.fit()
    torch.testing.assert_close(weights(one.model), weights(two.model), rtol=1e-7, atol=1e-10)
    torch.testing.assert_close(
        one.opponents_back.replay.history.images, two.opponents_back.replay.history.images, rtol=1e-6, atol=1e-8
    )


def test_it_resumes_to_the_same_bits(make_trainer, tmp_path):
    """Both histories and both states of a penalty are saved; of a batch of seven, three or four images give way."""
    words = ("penalty=[cycle,lecam,r1]", "penalty.r1.every=2", "augment=[ada]", "trainer.batch_size=7")
    resumes_to_the_same_bits(lambda: made(make_trainer, "trainer.images=96", *words), tmp_path)


def test_both_states_are_parts(make_trainer):
    trainer = made(make_trainer, "penalty=[cycle,lecam]")
    assert {"replay", "back/replay", "penalty/lecam", "back/penalty/lecam"} <= trainer.parts.keys()
    trainer.take_step()
    lecam, other = trainer.penalties["lecam"], trainer.penalties_back["lecam"]
    assert lecam.anchors is not None and not torch.equal(lecam.anchors, other.anchors)


def test_samples_are_made_from_test_pictures(make_trainer):
    data = unpaired(channels=3)
    trainer = made(make_trainer, "penalty=[cycle]", data=data)
    sources = data.other.test.images.float() / 127.5 - 1
    assert torch.allclose(trainer.samples.sample_conditions(0, 20), torch.cat([sources, sources[:4]]), atol=1e-6)
    images = data.test.images.float() / 127.5 - 1
    with torch.no_grad(), trainer.samples.sampling() as generator:
        expected = generator.there(torch.zeros(4, 0), sources[:4]), generator.back(torch.zeros(4, 0), images[:4])
    torch.testing.assert_close(trainer.samples.draw_samples(0, 4), expected[0])
    torch.testing.assert_close(trainer.samples.draw_samples(0, 4, images[:4], back=True), expected[1])


def test_pictures_show_both_ways(make_trainer):
    """Pictures, what they become, and what these become; then images likewise."""
    data = unpaired(channels=3)
    trainer = made(make_trainer, "penalty=[cycle]", data=data)
    shown = cells(draw_translations(trainer, 2, 4), 12, 4)
    for block in range(2):
        rows = slice(4 * block, 4 * block + 4)
        start, lines = 4 * block, shown[6 * block : 6 * block + 6]
        assert torch.equal(lines[0], data.other.test.images[rows].expand(-1, 3, -1, -1))
        assert torch.equal(lines[3], data.test.images[rows])
        images = trainer.samples.draw_samples(start, 4)
        pictures = trainer.samples.draw_samples(start, 4, data.test.images[rows].float() / 127.5 - 1, back=True)
        expected = {
            1: images,
            2: trainer.samples.draw_samples(start, 4, images, back=True),
            4: pictures,
            5: trainer.samples.draw_samples(start, 4, pictures),
        }
        for line, values in expected.items():
            difference = lines[line].int() - to_uint8(values).expand(-1, 3, -1, -1).int()
            assert difference.abs().max() <= 1, line


def evaluated(trainer, data):
    evaluation = Evaluation(Pixels(), {"l1": L1()}, images=20, batch_size=4, split="test")
    evaluation.check(data, trainer.samples)
    return {
        record.metric: record.value
        for record in evaluation.run(source_of(trainer.samples, trainer.images), data, device="cpu")
    }


def test_aligned_pictures_are_measured_with_their_partners(make_trainer):
    data = unpaired()
    trainer = made(make_trainer, data=data)
    found = evaluated(trainer, data)
    targets, sources = (split.images.float() for split in (data.test, data.other.test))
    images = to_uint8(trainer.samples.draw_samples(0, 16)).float()
    assert found["l1"] == pytest.approx((images - targets).abs().mean().item() / 127.5, abs=1e-4)
    assert found["l1_identity"] == pytest.approx((sources - targets).abs().mean().item() / 127.5, rel=1e-5)
    with pytest.raises(ConfigError, match="no partners .data.aligned=true"):
        evaluated(trainer, unpaired(aligned=False))


PAIRS = InMemory(pictured().train, test=pictured().test)


@pytest.mark.parametrize(
    ("words", "data", "message"),
    [
        ((), tiny_data(), "between two kinds of pictures, and the data have one kind"),
        ((), PAIRS, "without partners, and these data are pairs. Choose data=unpaired"),
        ((), tiny_data(task="edges"), "these data are pairs"),
        ((), pictured(source_classes=256), "label maps and images"),
        ((), unpaired(channels=3), "penalty=identity shows images of 3 channels .* penalty=.cycle."),
        (("penalty=[l1]",), unpaired(), "penalty=l1 compares what is made of a picture with its partner"),
        (("penalty=[cycle,auxiliary_classification]",), unpaired(), "needs a discriminator that has `classify`"),
        (("penalty=[cycle,path_length]",), unpaired(), "a generator that has .*`synthesis`"),
        (
            ("trainer=alternating",),
            unpaired(),
            "Alternating trains networks that go one way, and this model's go either",
        ),
        (("trainer=unrolled",), unpaired(), "Unrolled trains networks that go one way"),
        (("trainer.freeze_discriminator=1", "init_from=x"), unpaired(), "there are two discriminators here"),
        (("trainer.reuse_fakes=true", "trainer.n_critic=2"), unpaired(), "trainer.reuse_fakes: needs"),
        (("optimizer=adam_autoencoder",), unpaired(), "the model's players are"),
    ],
)
def test_what_does_not_go_together_is_refused(make_trainer, words, data, message):
    with pytest.raises(ConfigError, match=message):
        made(make_trainer, *words, data=data)


@pytest.mark.parametrize("model", ["dcgan", "pix2pix"])
def test_other_models_refuse_its_trainer(make_trainer, model):
    with pytest.raises(ConfigError, match="Cycle trains networks that go either way, and this model's go one way"):
        make_trainer(f"model={model}", *narrow(model), "trainer=cycle", data=pictured())


def test_other_models_refuse_its_data_and_penalties(make_trainer):
    with pytest.raises(ConfigError, match="have no partners. Choose model=cyclegan"):
        make_trainer("model=pix2pix", *narrow("pix2pix"), data=unpaired())
    with pytest.raises(ConfigError, match="needs a model that translates either way"):
        make_trainer("model=pix2pix", *narrow("pix2pix"), "penalty=[cycle]", data=pictured())

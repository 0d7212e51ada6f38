"""The history of generated images: what goes in, what comes out, and that a turn may be cut into pieces."""

from copy import deepcopy

import pytest
import torch

from genlab.core import checkpoint
from genlab.core.errors import ConfigError
from genlab.core.random import Draws
from genlab.losses.turn import Generated
from genlab.trainers.replay import Replay, evenly_spaced_rows
from genlab.trainers.turns import micro_batches
from tests.conftest import NARROW_MLP

BATCH = 8


def draws(turn, start=0, stop=BATCH):
    return Draws((0, "discriminator", turn), BATCH, start, stop, torch.device("cpu"))


def batch(turn, start=0, stop=BATCH):
    """Images, latents and conditions whose every value tells their turn and row."""
    names = 100.0 * turn + torch.arange(start, stop)
    return Generated(names.view(-1, 1, 1, 1).expand(-1, 2, 3, 3).contiguous(), names.view(-1, 1), names.long())


def play(replay, turn, pieces=1):
    """What the discriminator is shown in a turn."""
    shown, size = [], BATCH // pieces
    for start in range(0, BATCH, size):
        part, new = draws(turn, start, start + size), batch(turn, start, start + size)
        shown.append(replay.mix_in(new, part))
        replay.add(new, part)
    replay.end_turn()
    return Generated(*(torch.cat(parts) for parts in zip(*shown, strict=True)))


def names(images):
    assert (images == images[:, :1, :1, :1]).all()  # whole images, never mixed up
    return images[:, 0, 0, 0]


def test_the_first_turn_shows_new_images_alone_and_fills_the_history():
    replay = Replay(BATCH, size=20)
    shown = play(replay, 1)
    assert torch.equal(shown.images, batch(1).images) and torch.equal(shown.condition, batch(1).condition)
    assert replay.filled == BATCH and torch.equal(names(replay.history.images[:BATCH]), names(batch(1).images))


@pytest.mark.parametrize("share", [0.0, 0.25, 0.5, 1.0])
def test_later_turns_show_a_share_of_earlier_images_with_their_own_conditions_and_latents(share):
    replay = Replay(BATCH, size=20, share=share)
    for turn in range(1, 6):
        shown = play(replay, turn)
        found = names(shown.images)
        assert torch.equal(found.long(), shown.condition) and torch.equal(found, shown.latents[:, 0])
        old = found < 100 * turn
        assert old.sum() == (share * BATCH if turn > 1 else 0)
        assert torch.equal(found[~old], names(batch(turn).images)[~old])  # the others stay in their rows
    assert replay.filled == 20


@pytest.mark.parametrize(("size", "share"), [(1, 0.5), (8, 0.3), (3, 0.5)])
def test_a_share_that_is_no_whole_number_is_kept_over_the_turns(size, share):
    """2,000 turns: within three deviations of a count that is one of two neighbours."""
    replay, whole = Replay(size, size=20, share=share), int(size * share)
    counts = [
        replay.replaced_count(Draws((0, "discriminator", turn), size, 0, size, torch.device("cpu")))
        for turn in range(2000)
    ]
    assert set(counts) == {whole, whole + 1}
    assert abs(sum(counts) / 2000 - size * share) < 3 * 0.5 / 2000**0.5
    rows = [len(evenly_spaced_rows(count, size, 0, size, torch.device("cpu"))) for count in (whole, whole + 1)]
    assert rows == [whole, whole + 1]


def test_of_a_batch_of_one_every_other_image_is_an_earlier_one():
    replay = Replay(1, size=5)
    old = 0
    for turn in range(200):
        draws, name = (
            Draws((0, "discriminator", turn), 1, 0, 1, torch.device("cpu")),
            torch.full((1, 1, 1, 1), float(turn)),
        )
        new = Generated(name, name[:, 0, 0], None)
        old += int(replay.mix_in(new, draws).images < turn)
        replay.add(new, draws)
        replay.end_turn()
    assert 70 < old < 130 and replay.filled == 5
    assert replay.history.images.min() > 100  # they are replaced in turn


def test_a_full_history_gives_up_as_many_random_images_as_come_in():
    replay = Replay(BATCH, size=32, share=0.5)
    for turn in range(1, 5):
        play(replay, turn)
    before = names(replay.history.images).clone()
    play(replay, 5)
    after = names(replay.history.images)
    assert (after != before).sum() == BATCH / 2 and (after[after != before] >= 500).all()
    assert torch.equal(after.long(), replay.history.condition)


@pytest.mark.parametrize(("size", "share"), [(8, 1.0), (11, 0.5), (100, 0.3)])
def test_places_are_different_and_all_equally_likely(size, share):
    replay = Replay(BATCH, size=size, share=share)
    count = int(BATCH * share)
    found = torch.stack([replay.choose_places(draws(turn), count) for turn in range(4000)])
    assert all(len(row.unique()) == count for row in found[:200])
    expected = 4000 * count / size
    often = found.flatten().bincount(minlength=size) - expected
    assert often.abs().max() < 5 * expected**0.5


@pytest.mark.parametrize("pieces", [2, 4, 8])
@pytest.mark.parametrize("share", [0.5, 0.3])
def test_a_turn_in_pieces_is_the_whole_turn(pieces, share):
    """Accumulation, and ranks, which hold a piece each."""
    whole, cut = Replay(BATCH, size=20, share=share), Replay(BATCH, size=20, share=share)
    for turn in range(1, 8):
        for one, other in zip(play(whole, turn), play(cut, turn, pieces), strict=True):
            assert torch.equal(one, other)
    assert torch.equal(whole.history.images, cut.history.images)


def test_old_images_are_drawn_from_the_whole_history():
    replay = Replay(BATCH, size=16, share=1.0)
    for turn in (1, 2):
        play(replay, turn)
    chosen = torch.cat([names(replay.mix_in(batch(9), draws(turn)).images) for turn in range(100)])
    assert len(chosen.unique()) == 16


def test_a_loaded_history_goes_on_as_the_saved_one():
    replay, twin = Replay(BATCH, size=20), Replay(BATCH, size=20)
    for turn in (1, 2, 3):
        play(replay, turn)
    twin.load_state_dict(deepcopy(replay.state_dict()))
    for turn in (4, 5):
        for one, other in zip(play(replay, turn), play(twin, turn), strict=True):
            assert torch.equal(one, other)


def test_points_and_no_conditions():
    replay = Replay(BATCH, size=8)
    for turn in (1, 2, 3):
        new = Generated(torch.full((BATCH, 2), float(turn)), torch.zeros(BATCH, 1), None)
        shown = replay.mix_in(new, draws(turn))
        replay.add(new, draws(turn))
        replay.end_turn()
        assert shown.condition is None and shown.images.shape == (BATCH, 2)
        assert (new.images == turn).all()  # the new ones themselves are left alone


def test_a_history_smaller_than_a_batch_is_refused():
    with pytest.raises(ConfigError, match="trainer.replay=7"):
        Replay(BATCH, size=7)


PLAIN = ("model=gan", *NARROW_MLP, "model.generator.norm=none")
SYSTEM = ("model=cgan", "trainer.images=48", "trainer.replay=20", "trainer.precision=float64")


def test_accumulation_changes_nothing(make_trainer):
    """The discriminator sees the same images, however a turn is cut."""
    found = []
    for pieces in (1, 4):
        trainer = make_trainer(*PLAIN, *SYSTEM[1:], "optimizer=sgd", f"trainer.accumulate={pieces}")
        trainer.fit()
        found.append(trainer)
    one, other = (dict(trainer.model.named_parameters()) for trainer in found)
    torch.testing.assert_close(one, other, rtol=1e-6, atol=1e-9)
    torch.testing.assert_close(found[0].replay.history.images, found[1].replay.history.images)


def test_the_discriminator_is_told_the_classes_of_earlier_images(make_trainer):
    trainer = make_trainer(*SYSTEM, "trainer.batch_size=8")
    trainer.take_step()
    (draws,) = micro_batches(trainer.main_phases["discriminator"], trainer.players["discriminator"], trainer.engine)
    trainer.replay.history.images.fill_(0.25)
    trainer.replay.history.condition.fill_(9)
    turn = trainer.begin_turn(trainer.main_phases["discriminator"], draws)
    earlier = (turn.fake == 0.25).all((1, 2, 3))
    assert earlier.tolist() == [False, True] * 4
    assert (turn.fake_condition[earlier] == 9).all()
    assert torch.equal(turn.fake_condition[~earlier], turn.condition[~earlier])
    alone = trainer.model.discriminator(turn.fake, turn.fake_condition)
    torch.testing.assert_close(turn.fake_logits, alone)


def test_killed_and_resumed_equals_never_stopped(make_trainer, tmp_path):
    whole, first, second = (make_trainer(*SYSTEM, "penalty=[r2]", "penalty.r2.every=2") for _ in range(3))
    whole.fit()
    first.fit(lambda: first.images >= 24)
    path = tmp_path / "checkpoints" / "1.pt"
    checkpoint.save(path, first.parts, config=first.config, fingerprint=first.data.fingerprint)
    checkpoint.restore(second.parts, checkpoint.read(path), config=second.config, fingerprint=second.data.fingerprint)
    second.fit()
    for one, other in zip(whole.replay.history, second.replay.history, strict=True):
        assert torch.equal(one, other)
    for name, tensor in whole.model.state_dict().items():
        assert torch.equal(tensor, second.model.state_dict()[name]), name


def test_generated_images_change_what_is_learnt(make_trainer):
    """With a history the discriminator goes another way from the second turn on."""
    plain, replaying = (make_trainer(*PLAIN, replay) for replay in ("trainer.replay=null", SYSTEM[2]))
    weights = []
    for trainer in (plain, replaying):
        trainer.take_step()
        weights.append(deepcopy(trainer.model.state_dict()))
        trainer.take_step()
    assert all(torch.equal(tensor, weights[1][name]) for name, tensor in weights[0].items())
    assert not torch.equal(plain.model.discriminator.last.weight, replaying.model.discriminator.last.weight)


def test_lazy_turns_in_float32_take_images_that_mixed_precision_made(make_trainer):
    trainer = make_trainer(*PLAIN, SYSTEM[2], "trainer.precision=bfloat16", "penalty=[r2]", "penalty.r2.every=1")
    replay, images = trainer.replay, torch.ones(8, 1, 8, 8)
    trainer.take_step()
    for dtype in (torch.bfloat16, torch.float32):
        new = Generated(images.to(dtype), torch.ones(8, 100), None)
        assert replay.mix_in(new, draws(1)).images.dtype == dtype


def test_reused_images_keep_their_latents_and_classes(make_trainer):
    """The discriminator is told what the generator was, not what its own real images are."""
    trainer = make_trainer("model=cgan", "trainer.reuse_fakes=true")
    player = trainer.players["generator"]
    (draws,) = micro_batches(trainer.main_phases["generator"], player, trainer.engine)
    made = trainer.begin_turn(trainer.main_phases["generator"], draws)
    trainer.take_turns("generator")
    (draws,) = micro_batches(trainer.main_phases["discriminator"], trainer.players["discriminator"], trainer.engine)
    turn = trainer.begin_turn(trainer.main_phases["discriminator"], draws)
    assert torch.equal(turn.latents, made.latents) and torch.equal(turn.fake_condition, made.condition)
    assert not torch.equal(turn.fake_condition, turn.condition)

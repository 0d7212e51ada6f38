"""Networks that memory cannot hold are refused with the keys that size them, before their weights are filled."""

import pytest

from genlab.build import memory
from genlab.build.instantiate import dataset
from genlab.core.errors import ConfigError
from tests.conftest import choices, composed, data_of, narrow, replace_words, worded

HUGE = [
    ("dcgan", "model.discriminator.width=1000000000"),
    ("dcgan", "model.latent.size=1000000000"),
    ("gan", "model.generator.widths=[1000000000, 8]"),
    ("vqvae", "model.number=1000000000"),
    ("sngan", "model.generator.width=1000000000"),  # its layers read their numbers as they are made
]


def counts(node, key):
    """Yield each whole number of a config, and each list of such, by key."""
    for name, value in node.items():
        if isinstance(value, dict):
            yield from counts(value, f"{key}.{name}")
        elif memory.largest(value) and name not in ("power", "group", "attention", "depth", "cuts"):
            yield f"{key}.{name}", isinstance(value, list)


@pytest.mark.parametrize(("model", "word"), HUGE)
def test_the_key_that_makes_networks_too_large_is_named(make_trainer, model, word):
    with pytest.raises(ConfigError) as caught:
        make_trainer(f"model={model}", *replace_words(narrow(model), word.replace(" ", "")))
    assert str(caught.value).startswith(word) and "Set a smaller number." in str(caught.value)


@pytest.mark.slow
@pytest.mark.parametrize("model", choices("model"))
def test_every_count_of_a_model_is_bounded_by_memory(make_trainer, model):
    for key, is_list in counts(composed(f"model={model}")["model"], "model"):
        word = f"{key}={'[1e9]' if is_list else '1e9'}"
        data = worded() if model == "text_gan" else data_of(model)
        try:
            make_trainer(f"model={model}", *replace_words(narrow(model), word), data=data)
        except ConfigError as error:
            assert key in str(error), word


def test_what_training_keeps_beside_the_weights_must_fit_too(make_trainer, monkeypatch):
    words = ("model=gan", *narrow("gan"))
    weights = sum(memory.count_bytes(net.parameters()) for net in make_trainer(*words).model.players.values())
    monkeypatch.setattr(memory, "memory_of", lambda device: 6 * weights)
    make_trainer(*words)
    monkeypatch.setattr(memory, "memory_of", lambda device: 3 * weights)
    with pytest.raises(ConfigError, match=r"model.latent.size=100: the networks need 0 GiB"):
        make_trainer(*words)


def test_images_that_memory_cannot_hold_are_refused():
    with pytest.raises(ConfigError, match=r"data.size=1000000000: the images need more memory than there is here"):
        dataset(composed("data=mnist", "data.size=1000000000")["data"])


def test_several_large_keys_are_named_together():
    words = ("model=dcgan", "model.generator.width=6000", "model.discriminator.width=9000", "data.size=5000")
    named = memory.largest_counts(composed(*words))
    assert named == "model.generator.width=6000 and model.discriminator.width=9000 and data.size=5000"


def test_an_optimizer_that_takes_no_plain_step_is_refused(make_trainer):
    words = ("~optimizer.generator", "+optimizer.generator={_target_:torch.optim.SparseAdam,lr:0.1}")
    with pytest.raises(ConfigError, match="optimizer.generator: SparseAdam cannot train these networks"):
        make_trainer("model=gan", *narrow("gan"), *words)


def test_an_error_that_is_its_own_cause_is_looked_through_once():
    """As where the cause of an error of Hydra's is raised from that error."""
    error = ConfigError("model.latent: has no code.")
    error.__cause__ = ValueError("in between")
    error.__cause__.__cause__ = error
    assert not memory.is_too_large(error)


def test_a_mistake_in_a_nested_part_is_told(make_trainer):
    words = ("model.latent.categorical=[]", "model.latent.continuous=0")
    with pytest.raises(ConfigError, match="has no code"):
        make_trainer("model=infogan", *narrow("infogan"), *words)

"""What differs between a run and a command: a few lines, and one sentence for another model."""

import pytest

from genlab.core.config_differences import describe_other_model, differences, refuse_differences
from genlab.core.errors import ConfigError
from tests.conftest import composed


def model(*words):
    return composed(*words)["model"]


def test_a_run_of_another_model_is_refused_in_few_lines():
    found = differences(composed("model=dcgan"), composed("model=stylegan2"))
    with pytest.raises(ConfigError) as caught:
        refuse_differences(found, "RUN")
    lines = str(caught.value).splitlines()
    assert len(lines) == 5 and "dcgan.Generator" in lines[2] and lines[3].endswith("more keys")
    assert "change=" not in str(caught.value)


def test_weights_of_another_model_are_refused_in_one_sentence():
    said = describe_other_model(model("model=dcgan"), model("model=vae"), ValueError("lacks layers"))
    assert said.startswith("holds another model, of models.GAN") and "this run is one of models.VAE" in said
    assert "\n" not in said and "lacks" not in said


def test_weights_of_other_sizes_are_refused_with_words_that_fit():
    before, words = model("model=gan", "model.generator.widths=[7,9]"), "model.generator.widths=[7,9]"
    said = describe_other_model(before, model("model=gan"), ValueError("it lacks layers.9"))
    assert said == f"does not fit this model: it lacks layers.9. It was trained with '{words}': set these."
    assert before == model("model=gan", words)

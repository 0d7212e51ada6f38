"""What Python says of a call is told in a user's words, with the class that does not fit."""

import pytest

from genlab.build.arguments import explain_call

NODE = {"_target_": "genlab.models.GAN", "generator": {"_target_": "mine.Net", "_partial_": True}}
CALLS = [  # (Python's words, genlab's)
    (
        "Net.__init__() got an unexpected keyword argument 'spec'",
        "mine.Net does not fit here: it is given `spec`",
    ),
    ("Net.__init__() takes 2 positional arguments but 3 were given", "it takes 1 without names, and is given 2."),
    (
        "Net.__init__() takes from 1 to 2 positional arguments but 4 were given",
        "it takes 1 without names, and is given 3",
    ),
    (
        "Net.__init__() missing 1 required positional argument: 'width'",
        "width is needed by mine.Net, and not given.",
    ),
    ("GAN.__init__() got multiple values for argument 'size'", "genlab.models.GAN does not fit here: it takes other"),
]


@pytest.mark.parametrize(("words", "said"), CALLS)
def test_a_call_that_does_not_fit_names_the_class(words, said):
    assert said in explain_call(TypeError(words), NODE)


def test_what_torch_says_stands_in_brackets():
    said = explain_call(RuntimeError("negative dimension -1"), NODE)
    assert said == "cannot be built with these values (negative dimension -1)."

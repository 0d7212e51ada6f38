"""Values that an optimizer of torch does not take are refused with their keys."""

import pytest

from genlab.build.arguments import check_node
from genlab.build.instantiate import optimizer
from genlab.build.memory import numbers_kept
from genlab.core.errors import ConfigError

KEY = "optimizer.generator"
REFUSED = [  # (class of torch.optim, arguments, words of the message)
    ("Adam", {"lr": -1}, f"{KEY}.lr=-1: expected a number, 0 or more"),
    (
        "Adam",
        {"betas": [0.5, 1]},
        f"{KEY}.betas=[0.5, 1]: expected a list of 2 values, each a number, 0 or more, below 1",
    ),
    ("AdamW", {"eps": -1e-8}, f"{KEY}.eps=-1e-08: expected"),
    ("SGD", {"weight_decay": -1}, f"{KEY}.weight_decay=-1: expected"),
    ("SGD", {"momentum": -1}, f"{KEY}.momentum=-1: expected"),
    ("RMSprop", {"alpha": -1}, f"{KEY}.alpha=-1: expected"),
    ("Adadelta", {"rho": 2}, f"{KEY}.rho=2: expected"),
    ("Rprop", {"etas": [2, 1]}, f"{KEY}.etas=[2, 1]: expected"),
    ("SGD", {"lr": 0.1, "nesterov": True}, f"{KEY}: Nesterov momentum requires"),
    ("Adafactor", {"eps": [-1, 1]}, f"{KEY}: epsilon1 should be"),
    ("Adam", {"differentiable": True}, f"{KEY}: cannot be built with these values (`fused` does not"),
    ("LBFGS", {}, f"{KEY}: LBFGS cannot train these networks (its step takes other arguments)"),
]


@pytest.mark.parametrize(("name", "arguments", "message"), REFUSED, ids=[f"{row[0]} {row[1]}" for row in REFUSED])
def test_a_value_out_of_range_is_refused_with_its_key(name, arguments, message):
    with pytest.raises(ConfigError) as caught:
        node = check_node({"_target_": f"torch.optim.{name}"} | arguments, KEY)
        numbers_kept(optimizer(node, KEY), KEY)
    assert message in str(caught.value) and "packages" not in str(caught.value)


def test_a_rate_of_zero_is_taken():
    assert numbers_kept(optimizer(check_node({"_target_": "torch.optim.Adam", "lr": 0}, KEY), KEY), KEY) == 2

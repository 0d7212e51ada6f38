"""Lists without brackets on command lines that have no sweeps."""

import pytest

from genlab.cli.comma_lists import bracket_list, quote_values
from genlab.cli.composition import compose
from genlab.core.errors import ConfigError


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("classes=cat,dog", "classes=[cat,dog]"),
        ("classes=[cat,dog]", "classes=[cat,dog]"),
        ("words=bold three,seven", "words=[bold three,seven]"),
        ("words='bold, three'", "words='bold, three'"),
        ("mode.plus=[0,8],[1,9]", "mode.plus=[[0,8],[1,9]]"),
        ("data.root=a.zip,b.zip", "data.root=[a.zip,b.zip]"),
        ("to='a,b.png'", "to='a,b.png'"),
        ("classes=cat,", "classes=cat,"),  # Hydra's own message tells what is wrong
    ],
)
def test_lists_get_brackets(word, expected):
    assert bracket_list(word) == expected


@pytest.mark.parametrize("word", ["run=a,b", "seed=0,1", "device=cpu,cuda", "classes=range(3)", "mode=grid,classes"])
def test_a_list_for_one_value_is_refused(word):
    with pytest.raises(ConfigError, match="runs once and takes one value"):
        bracket_list(word)


@pytest.mark.parametrize(
    ("word", "quoted"),
    [
        ("classes=ünï 犬,dog", 'classes=["ünï 犬",dog]'),
        ("classes=a=b,2", 'classes=["a=b",2]'),
    ],
)
def test_a_word_that_lacks_quotes_is_shown_with_them(word, quoted):
    with pytest.raises(ConfigError, match="stand in quotes") as caught:
        compose("sample", ["run=r", word])
    assert f"'{quoted}'" in str(caught.value)
    assert quote_values("classes=cat,") is None
    key = word.partition("=")[0].rpartition(".")[2]
    assert (compose("sample", ["run=r", quoted]) | compose("sample", ["run=r", quoted])["data"])[key]


def test_a_report_takes_no_data():
    with pytest.raises(ConfigError, match="data.root: a report reads no data"):
        compose("report", ["runs=r", "data.root=new"])


def test_groups_and_values_compose():
    config = compose("evaluate", ["run=r", "metrics=fid,kid", "data.root=a,b"])
    assert set(config["metrics"]["metrics"]) == {"fid", "kid"} and config["data"]["root"] == ["a", "b"]

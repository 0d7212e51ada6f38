"""The menu: every YAML composes, choices leave no residue, and who wins over whom."""

import inspect
from itertools import combinations

import pytest
from hydra.utils import get_object
from omegaconf import OmegaConf

from genlab import train
from genlab.build import arguments
from genlab.build import instantiate as build
from genlab.build.arguments import make
from genlab.cli import composition, menu
from genlab.core.errors import ConfigError
from tests.conftest import CONFIGS, TINY, choices, composed, data_of, needed, read, tiny_data

YAMLS = sorted(CONFIGS.rglob("*.yaml"))
PACKAGED = [path for path in YAMLS if path.parent.name in ("model", "experiment") or "@package" in path.read_text()]


BUNDLED = (
    "mnist",
    "mnist_32",
    "mnist_100_labels",
    "mnist_edges",
    "mnist_low_resolution",
    "mnist_masks",
    "mnist_unpaired",
    "mnist_words",
    "ring8",
    "grid25",
    "swiss_roll",
    "two_moons",
    "blobs",
)
EXTRAS = {"wandb", "mlflow"}  # choices that need a package of the same name, which is optional
GROUPS = ["model", "loss", "optimizer", "trainer", "metrics", "callbacks"]


FITTING = {"gaussian": "vae", "denoising_masking": "denoising_autoencoder"}  # choices that no model pulls in


def user_of(group, name):
    """A model that the choice goes with: itself, one that pulls it in, or the plain GAN."""
    pulled = {model: read("model", model)["defaults"] for model in choices("model")}
    users = [model for model, defaults in pulled.items() if {f"/{group}": name} in defaults]
    return name if group == "model" else FITTING.get(name) or next(iter(users), "gan")


@pytest.mark.parametrize(("group", "name"), [(group, name) for group in GROUPS for name in choices(group)])
def test_every_choice_composes_and_builds(group, name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    if name in EXTRAS:
        pytest.importorskip(name)
    quiet = [word for word in TINY if not word.startswith(f"{group}=")]
    words = {"points": ["data=ring8"], "stacked_mnist": ["data=stacked_mnist", "data.images=100"]}.get(name, [])
    model = user_of(group, name)
    data = data_of(model) if group != "metrics" else None
    chosen = dict.fromkeys([f"model={model}", f"{group}={name}"])
    build.trainer(composed(*quiet, *words, *chosen, *needed(model)), tmp_path, data)


@pytest.mark.parametrize("name", choices("data"))
def test_every_data_set_composes(name, tmp_path):
    """Those that are bundled are built too; the others' files are written by their own tests."""
    config = composed(*[word for word in TINY if word != "metrics=none"], "model=gan", f"data={name}")
    if name in BUNDLED:
        build.trainer(config, tmp_path)
    assert "_target_" in config["data"] and "_target_" in config["metrics"]


@pytest.mark.parametrize("name", choices("experiment"))
def test_every_experiment_composes_and_builds(name, tmp_path):
    data = tiny_data(3, 32) if name == "own_pictures" else None  # which the user names
    build.trainer(composed(f"experiment={name}", "trainer.device=cpu", *needed(name)), tmp_path, data)


@pytest.mark.parametrize("path", PACKAGED, ids=str)
def test_package_header_is_the_first_line(path):
    """After any other comment Hydra ignores it, and all lands under `model.`"""
    assert path.read_text().splitlines()[0] == "# @package _global_"


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("model/*.yaml")), ids=str)
def test_a_model_writes_only_under_model(path):
    assert set(OmegaConf.load(path)) == {"defaults", "model"}


@pytest.mark.parametrize("name", choices("model"))
def test_every_discriminator_can_be_spectrally_normalised(name):
    model = read("model", name)["model"]
    assert ("discriminator" in model) == ("spectral_norm" in model)


@pytest.mark.parametrize("group", [path.name for path in CONFIGS.iterdir() if path.is_dir()])
def test_no_two_choices_are_the_same(group):
    nodes = {path.stem: OmegaConf.to_container(OmegaConf.load(path)) for path in CONFIGS.glob(f"{group}/*.yaml")}
    same = [pair for pair in combinations(nodes, 2) if nodes[pair[0]] == nodes[pair[1]]]
    assert not same


@pytest.mark.parametrize("path", [path for path in PACKAGED if path.parent.name == "data"], ids=str)
def test_a_data_set_that_chooses_its_metrics_writes_only_under_data(path):
    chosen = OmegaConf.load(path)
    assert set(chosen) == {"defaults", "data"}
    assert [set(entry) for entry in chosen.defaults] == [{"override /metrics"}]


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("penalty/*.yaml")), ids=str)
def test_a_penalty_file_holds_one_key_that_its_name_begins_with(path):
    (key,) = OmegaConf.load(path)
    assert path.stem.startswith(key)


@pytest.mark.parametrize("path", YAMLS, ids=str)
def test_every_yaml_describes_itself(path):
    assert len(menu.description(path)) > 10


def rounds(group):
    """(model, choice): each model and each choice at least once; a model writes under `model:`, so any pair will do."""
    models, names = choices("model"), choices(group)
    return [(models[i % len(models)], names[i % len(names)]) for i in range(max(len(models), len(names)))]


@pytest.mark.parametrize("group", ["loss", "optimizer"])
def test_choosing_a_group_leaves_no_residue(group):
    for model, name in rounds(group):
        assert composed(f"model={model}", f"{group}={name}")[group] == resolved(group, name), (model, name)


@pytest.mark.parametrize("group", ["penalty", "augment"])
def test_choosing_of_a_list_leaves_no_residue(group):
    for model, name in rounds(group):
        assert composed(f"model={model}", f"{group}=[{name}]")[group] == resolved(group, name), (model, name)


def resolved(group, name):
    """A YAML on top of those that it names."""
    node = read(group, name)
    bases = [base for base in node.pop("defaults", []) if base != "_self_"]
    return OmegaConf.to_container(OmegaConf.merge(*(resolved(group, base) for base in bases), node))


def test_penalties_are_a_list():
    assert composed("model=wgan_gp", "penalty=[]")["penalty"] == {}
    assert set(composed("model=dcgan", "penalty=[r1,r2]")["penalty"]) == {"r1", "r2"}
    assert set(composed("model=dcgan", "penalty=r1")["penalty"]) == {"r1"}
    assert set(composed("model=wgan_gp", "+penalty=r2")["penalty"]) == {"gradient_penalty", "r2"}


def test_the_command_line_beats_the_experiment_which_beats_the_model():
    name = "wgan_gp_paper"
    experiment = OmegaConf.load(CONFIGS / "experiment" / f"{name}.yaml")
    assert composed(f"experiment={name}")["trainer"]["images"] == experiment.trainer.images
    assert composed("model=dcgan", f"experiment={name}")["loss"]["_target_"].endswith("NonSaturating")
    assert composed(f"experiment={name}", "trainer.images=7")["trainer"]["images"] == 7
    assert composed(f"experiment={name}", "loss=hinge")["loss"]["_target_"].endswith("Hinge")


@pytest.mark.parametrize("word", ["model=stylegan2", "experiment=stylegan2_paper"])
def test_a_model_may_bring_data_of_a_size_that_it_can_make_and_the_command_line_wins(word):
    assert composed(word)["data"]["_target_"].endswith("PixelFaces")  # 32 pixels a side
    assert composed(word, "data=mnist")["data"]["size"] is None
    assert composed(word, "data=mnist", "data.size=64")["data"]["size"] == 64


def targets(node):
    if isinstance(node, dict):
        if "_target_" in node:
            yield node["_target_"]
        for child in node.values():
            yield from targets(child)


def test_every_argument_of_our_classes_has_a_type_that_can_be_checked():
    """A hint that cannot be resolved would silently go unchecked."""
    for path in YAMLS:
        for target in targets(OmegaConf.to_container(OmegaConf.load(path))):
            if not target.startswith("genlab."):
                continue
            for name, hint in arguments.accepted_arguments(get_object(target)).items():
                assert hint is not inspect.Parameter.empty and not isinstance(hint, str), f"{target}: {name}"


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("trainer.batch_size=0", "trainer.batch_size=0: expected a whole number, 1 or more"),
        ("trainer.batch_size=many", "trainer.batch_size=many: expected a whole number"),
        ("trainer.n_critic=0", "trainer.n_critic=0"),
        ("trainer.images=-5", "trainer.images=-5"),
        ("trainer.batch_size=65", "larger than the data"),
        ("trainer.device=tpu", "trainer.device=tpu: no such device"),
        ("trainer.precision=half", "trainer.precision=half"),
        ("penalty.gradient_penalty.weight=-1", "penalty.gradient_penalty.weight=-1"),
        ("optimizer.generator.lr=-1", "optimizer.generator.lr=-1: expected a number, 0 or more"),
        ("+optimizer.generator.speed=1", "optimizer.generator.speed: there is no such key"),
        ("+model.generator.widht=3", "model.generator.widht: there is no such key. Did you mean width?"),
        ("model.latent.size=0", "model.latent.size=0"),
        ("model.generator._target_=genlab.models.Nowhere", "cannot be imported"),
        ("trainer.clip_weights=0.1", "trainer.clip_weights=null"),
        ("model.discriminator.norm=batch", "model.discriminator.norm=layer"),
        ("+penalty.r1.weight=3", "penalty.r1: has values but no `_target_`"),
        ("+metrics.every=3", "metrics: has values but no `_target_`"),
        ("~optimizer.generator", "the model's players are"),
        ("~loss", "loss: this model's YAML chooses none. Its first line must be `# @package _global_`"),
        ("trainer.n_critic={}", "trainer.n_critic={}"),
        ("trainer.n_critic={_target_: genlab.losses.Hinge}", "expected a number, a staircase"),
        (
            "trainer.top_k={_target_: genlab.core.schedule.Line, start: 5, end: 1}",
            "trainer.top_k after 0% of the run=5.0",
        ),
        ("optimizer.generator.lr={0: 1, 500: 2}", "Learning rates change by a factor: optimizer.schedule"),
        ("+penalty._target_=genlab.losses.R1", "one key, the part's name"),
        (
            "+penalty.mine={_target_: genlab.losses.Hinge}",
            "expected a class derived from genlab.losses.penalties.Penalty",
        ),
        ("+callbacks.mine={_target_: genlab.losses.Hinge}", "derived from genlab.trainers.callback.Callback"),
        ("+penalty.r2={_target_: genlab.losses.LatentConsistency, on: []}", "penalty.r2.on=[]"),
    ],
)
def test_a_mistake_is_one_message_with_key_and_remedy(override, words, tmp_path):
    with pytest.raises(ConfigError) as error:
        build.trainer(composed(*TINY, "model=wgan_gp", override), tmp_path, tiny_data(size=16))
    assert words in str(error.value)


def test_a_model_without_a_trainer_is_one_message(tmp_path):
    config = composed(*TINY, "model=wgan_gp") | {"trainer": {"epochs": None}}
    with pytest.raises(ConfigError, match="trainer: this model's YAML chooses none"):
        build.trainer(config, tmp_path, tiny_data(size=16))


@pytest.mark.parametrize(
    ("words", "key", "expected"),
    [
        (["penalty=[r1_cosine]", "penalty.r1.weight={0: 1, 200: 2}"], "penalty.r1.weight", {0: 1, 200: 2}),
        (
            ["optimizer=adam", "optimizer.schedule={_target_: genlab.trainers.Linear, begin: 5}"],
            "optimizer.schedule",
            {"_target_": "genlab.trainers.Linear", "begin": 5},
        ),
        (["penalty=[r1]", "penalty.r1.weight={0: 1}"], "penalty.r1.weight", {0: 1}),
        (["model=gan", "model.generator={_target_: own.G}"], "model.generator", {"_target_": "own.G"}),
        (["callbacks.grid={every: 5}"], "callbacks.grid.every", 5),  # keys that are there: Hydra merges
    ],
)
def test_a_mapping_on_the_command_line_replaces_one_with_other_keys(words, key, expected):
    where = {"config_path": composition.CONFIGS, "config_name": "train"}
    config = composition.load_config(composition.replace_mappings(words, where), where)
    found = OmegaConf.select(config, key)
    assert (OmegaConf.to_container(found) if OmegaConf.is_config(found) else found) == expected


def test_an_error_in_own_code_names_its_place(tmp_path, monkeypatch):
    (tmp_path / "faulty_networks.py").write_text("def build(spec):\n    return spec.nothing\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ConfigError, match=r"has no attribute 'nothing' \(.*faulty_networks\.py, line 2\)"):
        make({"_target_": "faulty_networks.build"}, "model", tiny_data().spec)


MODEL = "# @package _global_\nmodel: {depth: 3}"


def test_explanations_know_the_users_own_folder(tmp_path, capsys):
    for group, name, text in (
        ("penalty", "mine", "mine: {}"),
        ("model", "own", "# @package _global_\nmodel: {depth: 3}"),
    ):
        (tmp_path / group).mkdir()
        (tmp_path / group / f"{name}.yaml").write_text(text)
    assert train.main(["--config-dir", str(tmp_path), "penalty=[mime]"]) == 2
    assert "Did you mean mine?" in capsys.readouterr().err
    assert train.main(["--config-dir", str(tmp_path), "model=own", "model.dept=3"]) == 2
    assert "Did you mean model.depth? Valid keys under model: depth." in capsys.readouterr().err


def test_whole_numbers_may_be_written_as_1e6(make_trainer):
    assert make_trainer("model=gan", "trainer.images=1e6").total_images == 1_000_000

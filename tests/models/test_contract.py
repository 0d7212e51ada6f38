"""Which parts of the contract each model that comes with genlab keeps, and that nobody asks elsewhere."""

import ast
import inspect
from pathlib import Path

import pytest
import torch
from omegaconf import OmegaConf
from torch import nn

import genlab
from genlab.build.arguments import make
from genlab.build.checks import refuse_models_without_the_contract
from genlab.core.errors import ConfigError
from genlab.models import contract, latent_contract, layer_contract
from genlab.models.autoencoders.codebook import UniformCodes
from genlab.models.latent import Normal
from genlab.models.layers.minibatch import MinibatchDeviation
from genlab.models.translation.multi_scale import balance_groups
from genlab.trainers import System
from tests.conftest import choices, data_of, needed, read, shrunk, tiny_data

PAGES = {"models/contract", "models/latent_contract", "models/layer_contract"}
ELSEWHERE = {  # asked of objects that are no model: of torch, Hydra, yaml and PIL, or of a user's function
    "build/advice": {"torch.cpu"},
    "build/targets": {"kind"},
    "cli/command": {"sys.flags"},
    "cli/explanations": {"cause"},
    "cli/menu_tree": {"yaml"},
    "cli/sweep": {"errors"},
    "core/foreign_files": {"os"},
    "core/trust": {"import_module(module)"},
    "core/validation": {"kind"},
    "core/yaml_file": {"yaml"},
    "data/storage/depth": {"image"},
    "data/storage/findings": {"image"},
    "exporting/sampler": {"module"},
    "metrics/extractors/custom": {"self.call", "named", "call"},
    "models/layers/weights": {"module", "layer"},
    "models/pretrained_features": {"network"},
    "models/pretrained_weights": {"unwrap_partial(network)"},
    "reports/run_files": {"yaml"},
    "reports/run_pictures": {"image"},
    "trainers/frozen_layers": {"module"},
}

ENCODER, VAE = {"EncodesImages"}, {"EncodesImages", "GivesPosterior"}
MODELS = {  # others offer nothing
    **dict.fromkeys(("aae", "autoencoder", "autoencoder_conv", "denoising_autoencoder", "linear_autoencoder"), ENCODER),
    **dict.fromkeys(("beta_vae", "cvae", "vae", "vae_conv", "vae_gan"), VAE),
    **dict.fromkeys(("acgan", "semi_supervised_gan"), {"ClassifiesImages"}),
    "pca": ENCODER | {"SolvedInClosedForm"},
    "vqvae": ENCODER | {"VectorQuantised"},
}
STYLES, MOVABLE = {"StyleBased"}, {"StyleBased", "MovableInput"}
GENERATORS = {
    "fastgan": {"MultiStage"},
    "pca": MODELS["pca"],  # which is its own generator
    "progan": {"Grows"},
    "stylegan": STYLES | {"Grows"},
    "stylegan2": STYLES,
    "stylegan3_r": MOVABLE,
    "stylegan3_t": MOVABLE,
    "text_gan": {"MultiStage", "AugmentsConditions"},
}
FEATURES, CLASSES = {"HasFeatures"}, {"HasFeatures", "ClassifiesFeatures", "ClassifiesImages"}  # of one method's name
DISCRIMINATORS = {  # others have features
    "cyclegan": set(),
    "progan": FEATURES | {"Grows"},
    "stylegan": FEATURES | {"Grows"},
    "acgan": CLASSES,
    "semi_supervised_gan": CLASSES,
    "fastgan": FEATURES | {"DecodesFeatures"},
    "infogan": FEATURES | {"GuessesCodes"},
    "pix2pix_hd": FEATURES | {"FeaturesByLayer"},
    "segmentation_to_image": FEATURES | {"FeaturesByLayer"},
}
UNIFORM = {"Latent", "VectorLatent", "Interpolates", "InterpolatesWithinLaw", "Searchable"}
LATENTS = {
    "Normal": UNIFORM | {"Truncates"},
    "NormalWithGenerator": UNIFORM | {"Truncates"},
    "Uniform": UNIFORM,
    "Coded": UNIFORM - {"InterpolatesWithinLaw"} | {"VariesCodes"},
    "EmptyLatent": {"Latent", "VectorLatent"},
    "UniformCodes": {"Latent"},
}
UNBOUNDED = {"fastgan", "progan", "projected_gan", "r3gan", "stylegan", "stylegan2", "stylegan3_r", "stylegan3_t"}
NOISY = {"fastgan", "projected_gan", "stylegan", "stylegan2"}
TRANSLATORS = {"cyclegan": 1, "pix2pix": 16, "pix2pix_hd": 8, "segmentation_to_image": 4, "super_resolution": 1}
CAPTIONED = {"autoencoder", "autoencoder_conv", "denoising_autoencoder", "linear_autoencoder", "vqvae"}
ONE_TOLD = dict.fromkeys(("acgan", "cyclegan", "super_resolution"), {"generator"})
BOTH_TOLD = {"biggan", "biggan_deep", "cgan", "cgan_conv", "text_gan", *TRANSLATORS} - ONE_TOLD.keys()
CONDITIONAL = BOTH_TOLD | ONE_TOLD.keys() | {"cvae"}


def protocols(*pages):
    for page in pages:
        for name, found in vars(page).items():
            if getattr(found, "_is_runtime_protocol", False) and found.__module__ == page.__name__:
                yield name, found


def offered(part, *pages):
    return {name for name, protocol in protocols(*pages) if isinstance(part, protocol)}


def made(name):
    node = {"model": read("model", name)["model"]}
    small = [f"model.{key}={value}" for key, value in shrunk(node["model"])]
    chosen = OmegaConf.from_dotlist([*small, *needed(name)])
    config = OmegaConf.to_container(OmegaConf.merge(node, chosen), resolve=True)
    data = data_of(name, size=16) if name in TRANSLATORS else tiny_data(size=16)
    return make(config["model"], "model", data.spec)


@pytest.mark.parametrize("name", choices("model"))
def test_each_model_offers_what_it_is_documented_to(name):
    model = made(name)
    assert isinstance(model, contract.Model) and isinstance(model.latent, latent_contract.Latent)
    assert offered(model, contract) == MODELS.get(name, set())
    assert offered(model.generator, contract) == GENERATORS.get(name, set())
    assert offered(model.latent, latent_contract) == LATENTS[type(model.latent).__name__]
    if "discriminator" in model.players:
        assert offered(model.discriminator, contract) == DISCRIMINATORS.get(name, FEATURES)
    assert contract.is_unbounded(model.generator) == (name in UNBOUNDED)
    assert layer_contract.has_noise(model.generator) == (name in NOISY)
    assert contract.side_multiple_of(model.generator) == TRANSLATORS.get(name)
    told = model.players.keys() if name in BOTH_TOLD else ONE_TOLD.get(name, set())
    assert model.conditioned_networks == told and model.conditional == (name in CONDITIONAL)
    assert bool(model.caption) == (name in CAPTIONED)
    assert model.translates_both_ways == (name == "cyclegan")
    assert model.discriminates_codes == (name == "aae")
    for part, page in ((model, contract), (model.generator, contract), (model.latent, latent_contract)):
        require_members_without_asking_modules(part, page)


def require_members_without_asking_modules(part, page):
    """From Python 3.12 on `isinstance` overlooks what `nn.Module.__getattr__` finds: submodules and buffers."""
    found = dict(protocols(page))
    for name in offered(part, page):
        for member in vars(found[name]).keys() | found[name].__annotations__.keys():
            assert member.startswith("_") or inspect.getattr_static(part, member, None) is not None, (name, member)


def test_every_part_of_the_contract_is_documented_and_offered_by_some_model():
    names = {name for name, _ in protocols(contract, latent_contract)}
    known = set().union(*MODELS.values(), *GENERATORS.values(), *DISCRIMINATORS.values(), *LATENTS.values())
    assert names == known
    assert all(inspect.getdoc(found) for _, found in protocols(contract, latent_contract, layer_contract))


def questions(file):
    """What `hasattr`, and `getattr` with a default, are asked of."""
    calls = (node for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Call))
    for call in calls:
        name = ast.unparse(call.func)
        if name == "hasattr" or (name == "getattr" and len(call.args) == 3):
            yield ast.unparse(call.args[0])


def test_only_the_contract_asks_models_what_they_have():
    root = Path(genlab.__file__).parent
    for file in root.rglob("*.py"):
        name = file.relative_to(root).with_suffix("").as_posix()
        assert name in PAGES or set(questions(file)) <= ELSEWHERE.get(name, set()), name


def test_a_model_that_does_not_derive_from_the_contract_is_refused():
    system = System(nn.Identity(), tiny_data(), None, {}, {}, {}, None)
    with pytest.raises(ConfigError, match=r"model is Identity.*genlab\.models\.contract\.Model"):
        refuse_models_without_the_contract(system)


def test_a_network_that_derives_from_nothing_takes_part():
    class Own(nn.Module):
        side_multiple, unbounded, noise_mode = 2, True, "training"

        def codes(self, images, condition=None):
            return images

    assert offered(Own(), contract, layer_contract) == {"EncodesImages", "AddsNoise"}
    assert contract.side_multiple_of(Own()) == 2 and contract.is_unbounded(Own())
    assert contract.side_multiple_of(nn.Identity()) is None and not contract.is_unbounded(nn.Identity())


def test_patches_count_as_their_discriminator_says():
    judge, logits = nn.Identity(), torch.tensor([[1.0, 2.0, 4.0], [0.0, 0.0, 3.0]])
    torch.testing.assert_close(contract.per_image(judge, logits), torch.tensor([7 / 3, 1.0]))
    judge.register_buffer("patch_weights", balance_groups([2, 1]))
    torch.testing.assert_close(contract.per_image(judge, logits), torch.tensor([2.75, 1.5]))
    assert torch.equal(contract.per_image(judge, logits[:, 0]), logits[:, 0])


def test_layers_that_mix_a_batch_are_found():
    assert layer_contract.mixes_batch(nn.Sequential(MinibatchDeviation()))
    assert layer_contract.mixes_batch(nn.BatchNorm1d(2)) and layer_contract.has_batch_norm(nn.BatchNorm1d(2))
    assert not layer_contract.mixes_batch(nn.LayerNorm(2)) and not layer_contract.has_batch_norm(MinibatchDeviation())


def test_latents_that_hold_anything_but_their_numbers_are_no_plain_vectors():
    z = torch.randn(2, 5)
    assert latent_contract.is_plain_vector(Normal(5), z)
    assert not latent_contract.is_plain_vector(Normal(4), z)  # with the number of a generator
    assert not latent_contract.is_plain_vector(Normal(5), z.long())
    assert not latent_contract.is_plain_vector(UniformCodes(4, (1, 5)), z)

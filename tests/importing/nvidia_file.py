"""Writes files as NVIDIA's PyTorch code lays them out, with random weights: records of `torch_utils.persistence`."""

import pickle
import sys
from collections import OrderedDict
from contextlib import contextmanager
from types import ModuleType

import torch


def _reconstruct_persistent_obj(meta):
    raise AssertionError("the file's own code was run")


class Module:
    """A module of the authors' code when it is pickled: its class's name and source beside its state."""

    def __init__(self, class_name, parameters=(), buffers=(), modules=(), **attributes):
        self.class_name = class_name
        self.state = attributes | {
            "_parameters": OrderedDict((k, torch.nn.Parameter(v)) for k, v in dict(parameters).items()),
            "_buffers": OrderedDict(buffers),
            "_modules": OrderedDict(modules),
            "_init_kwargs": attributes.get("_init_kwargs", {}),
        }

    def __reduce__(self):
        source = "raise SystemExit('code of a file was run')"
        meta = {"type": "class", "version": 6, "module_src": source, "class_name": self.class_name, "state": self.state}
        return _reconstruct_persistent_obj, (meta,)


@contextmanager
def authors_names():
    """Let the pickler find the function under the authors' name."""
    module = ModuleType("torch_utils.persistence")
    module._reconstruct_persistent_obj = _reconstruct_persistent_obj
    _reconstruct_persistent_obj.__module__ = module.__name__
    sys.modules |= {"torch_utils": ModuleType("torch_utils"), module.__name__: module}
    try:
        yield
    finally:
        for name in ("torch_utils", "torch_utils.persistence"):
            del sys.modules[name]


def dense(inputs, outputs, rate=1.0):
    parameters = {"weight": torch.randn(outputs, inputs) / rate, "bias": torch.randn(outputs)}
    return Module("FullyConnectedLayer", parameters, activation="lrelu", bias_gain=rate)


def mapping(latent, style, classes, depth, *, tracks=True):
    widths = [latent + (style if classes and latent else 0 if latent else style), *[style] * depth]
    modules = {"embed": dense(classes, style)} if classes else {}
    modules |= {f"fc{i}": dense(widths[i], widths[i + 1], 0.01) for i in range(depth)}
    return Module("MappingNetwork", buffers={"w_avg": torch.randn(style)} if tracks else {}, modules=modules)


def resample_filter():
    line = torch.tensor([1.0, 3.0, 3.0, 1.0]) / 8
    return {"resample_filter": torch.outer(line, line)}


def styled(inputs, outputs, style, side):
    return Module(
        "SynthesisLayer",
        {
            "weight": torch.randn(outputs, inputs, 3, 3),
            "noise_strength": torch.randn([]),
            "bias": torch.randn(outputs),
        },
        resample_filter() | {"noise_const": torch.randn(side, side)},
        {"affine": dense(style, inputs)},
    )


def generator(widths=(8, 8, 4), latent=6, style=5, classes=0, depth=2):
    """A generator of StyleGAN2 whose maps of 4, 8, ... pixels have these widths."""
    blocks = {}
    for level, width in enumerate(widths):
        side, before = 4 << level, widths[max(level - 1, 0)]
        to_image = Module(
            "ToRGBLayer",
            {"weight": torch.randn(3, width, 1, 1), "bias": torch.randn(3)},
            modules={"affine": dense(style, width)},
        )
        inner = {"conv0": styled(before, width, style, side)} if level else {}
        inner |= {"conv1": styled(width, width, style, side), "torgb": to_image}
        constant = {} if level else {"const": torch.randn(width, 4, 4)}
        blocks[f"b{side}"] = Module("SynthesisBlock", constant, resample_filter(), inner)
    inner = {"synthesis": Module("SynthesisNetwork", modules=blocks), "mapping": mapping(latent, style, classes, depth)}
    return Module("Generator", modules=inner)


def alias_free_generator(side=16, width=4, layers=3, latent=6, style=5, kernel=3, classes=0):
    """A generator of StyleGAN3 with layers of one width."""
    waves = Module(
        "SynthesisInput",
        {"weight": torch.randn(width, width)},
        {"transform": torch.eye(3), "freqs": torch.randn(width, 2), "phases": torch.rand(width)},
        {"affine": dense(style, 4)},
    )
    blocks = {"input": waves}
    for place in range(layers + 1):
        outputs, size = (3, 1) if place == layers else (width, kernel)
        blocks[f"L{place}_{side}_{outputs}"] = Module(
            "SynthesisLayer",
            {"weight": torch.randn(outputs, width, size, size), "bias": torch.randn(outputs)},
            {"magnitude_ema": torch.rand([]) + 0.5},
            {"affine": dense(style, width)},
            down_radial=kernel == 1 and place == 0,
            conv_clamp=256,
        )
    synthesis = Module("SynthesisNetwork", modules=blocks, num_critical=2, margin_size=5)
    inner = {"synthesis": synthesis, "mapping": mapping(latent, style, classes, 2)}
    return Module("Generator", modules=inner, _init_kwargs={"first_stopband": 2.83})


def conv(inputs, outputs, size, *, bias=True):
    biases = {"bias": torch.randn(outputs)} if bias else {}
    return Module(
        "Conv2dLayer",
        {"weight": torch.randn(outputs, inputs, size, size)} | biases,
        resample_filter(),
        activation="lrelu",
    )


def discriminator(widths=(8, 8, 4), classes=0):
    inner = {}
    for level in reversed(range(1, len(widths))):
        width, below = widths[level], widths[level - 1]
        first = {"fromrgb": conv(3, width, 1)} if level == len(widths) - 1 else {}
        layers = {"conv0": conv(width, width, 3), "conv1": conv(width, below, 3)}
        skip = {"skip": conv(width, below, 1, bias=False)}
        inner[f"b{4 << level}"] = Module("DiscriminatorBlock", modules=first | layers | skip)
    most = widths[0]
    last = {"mbstd": Module("MinibatchStdLayer", group_size=4), "conv": conv(most + 1, most, 3)}
    last |= {"fc": dense(16 * most, most), "out": dense(most, most if classes else 1)}
    labels = {"mapping": mapping(0, most, classes, 2, tracks=False)} if classes else {}
    return Module("Discriminator", modules=inner | labels | {"b4": Module("DiscriminatorEpilogue", modules=last)})


def write_file(path, make=generator, **options):
    """Write G, D and G_ema to a file; returns its path."""
    torch.manual_seed(0)
    classes, widths = options.get("classes", 0), options.get("widths", (8, 8, 4))
    networks = {"G": make(**options), "D": discriminator(widths, classes), "G_ema": make(**options)}
    with authors_names(), path.open("wb") as file:
        pickle.dump(networks | {"augment_pipe": None}, file, protocol=4)
    return path

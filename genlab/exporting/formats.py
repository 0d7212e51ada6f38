"""File formats that a generator is exported to: safetensors, TorchScript and ONNX."""

import json
import logging
import warnings
from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from genlab.core.errors import ConfigError
from genlab.exporting.sampler import Sampler

INPUT_NAMES = ("z", "condition")  # an unconditional model has the first alone
Network = Callable[..., Tensor]  # (z) or (z, condition) -> images


class Format(ABC):
    """Writes a sampler to a file, and reads it back to check that it gives the same images."""

    file: ClassVar[str]
    usage: ClassVar[str]  # Python code for the card

    def require_libraries(self) -> None:
        """Raise ConfigError if a library that the format needs is not installed."""
        return None

    @abstractmethod
    def write(self, sampler: Sampler, example: tuple[Tensor, ...], path: Path, facts: dict[str, Any]) -> None:
        """Write the sampler to `path`. `example` is a batch of inputs; `facts` hold the config and the data's spec."""

    @abstractmethod
    def read(self, path: Path) -> Network: ...


class Safetensors(Format):
    """Weights, with the config and the data's spec in the header, from which `load` builds the network."""

    file = "generator.safetensors"
    usage = "from genlab.exporting import load\n\ngenerator = load('generator.safetensors')\nimages = generator({})"

    def write(self, sampler: Sampler, example: tuple[Tensor, ...], path: Path, facts: dict[str, Any]) -> None:
        from safetensors.torch import save_file

        from genlab.core.tensor_file import checksum_of

        weights = {name: value.clone().contiguous() for name, value in sampler.state_dict().items()}
        header = json.dumps(facts)
        save_file(weights, path, metadata={"genlab": header, "sha256": checksum_of(header, weights)})

    def read(self, path: Path) -> Network:
        return load(path)


class TorchScript(Format):
    """A traced program, which torch.jit.load runs in Python and C++ without genlab."""

    file = "generator.pt"
    usage = "import torch\n\ngenerator = torch.jit.load('generator.pt')\nimages = generator({})"

    def write(self, sampler: Sampler, example: tuple[Tensor, ...], path: Path, facts: dict[str, Any]) -> None:
        with warnings.catch_warnings(), torch.no_grad():
            warnings.simplefilter("ignore")  # mistakes of the trace are found by the check afterwards
            traced = torch.jit.trace(sampler, example, check_trace=False)
            torch.jit.save(traced, str(path), _extra_files={"condition": describe_condition(sampler)})

    def read(self, path: Path) -> Network:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # newer versions of torch call torch.jit deprecated
            return torch.jit.load(path)


class ONNX(Format):
    """A graph from z and condition to images, for any batch size. Needs the extra `export`."""

    file = "generator.onnx"
    usage = (
        "import onnxruntime\n\nsession = onnxruntime.InferenceSession('generator.onnx')\n"
        "inputs = dict(zip([given.name for given in session.get_inputs()], [{}]))  # NumPy arrays\n"
        "(images,) = session.run(None, inputs)"
    )

    def require_libraries(self) -> None:
        try:
            import onnx  # noqa: F401
            import onnxruntime  # noqa: F401
            import onnxscript  # noqa: F401
        except ImportError as error:
            raise ConfigError(f"format=onnx: needs {error.name}. Install it: pip install genlab[export].") from error

    def write(self, sampler: Sampler, example: tuple[Tensor, ...], path: Path, facts: dict[str, Any]) -> None:
        batch = torch.export.Dim("batch")
        names = INPUT_NAMES[: len(example)]
        for library in ("onnxscript", "onnx_ir"):
            logging.getLogger(library).setLevel(logging.WARNING)  # they log every node
        with warnings.catch_warnings(), torch.no_grad():
            warnings.simplefilter("ignore")
            torch.onnx.export(
                sampler,
                example,
                path,
                input_names=names,
                output_names=["images"],
                dynamic_shapes=tuple({0: batch} for _ in example),
                dynamo=True,
                external_data=False,
                verbose=False,
            )
        self._add_condition(path, describe_condition(sampler))

    def _add_condition(self, path: Path, condition: str) -> None:
        """Write what `condition` means, with the names of classes, into the file's metadata."""
        import onnx

        graph = onnx.load(path)
        onnx.helper.set_model_props(graph, {"condition": condition})
        onnx.save(graph, path)

    def read(self, path: Path) -> Network:
        import onnxruntime

        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])

        def network(*given: Tensor) -> Tensor:
            names = [expected.name for expected in session.get_inputs()]
            values = {name: value.numpy() for name, value in zip(names, given, strict=True)}
            return torch.from_numpy(session.run(None, values)[0])

        return network


def describe_condition(sampler: Sampler) -> str:
    """Return what the generator is told of an image: kind, numbers and names; "" for nothing."""
    return "" if sampler.condition is None else sampler.condition.full_description


def load(path: str | Path, *, trust: Sequence[str] = ()) -> Sampler:
    """Load a file that `format=safetensors` wrote: (z, condition=None) -> images [N, C, H, W] in [-1, 1].

    The networks are built from the config in the file's header; `trust` names the packages that it may name beside
    genlab's own classes and torch's. Raises ConfigError for any other file.
    """
    from genlab.build import instantiate as build
    from genlab.core.network_limit import limit_of_export
    from genlab.core.renamed_paths import rename_targets
    from genlab.core.spec import Spec
    from genlab.core.tensor_file import read_safetensors
    from genlab.core.trust import require_trusted_run
    from genlab.core.weights import describe_misfit
    from genlab.data.blank_dataset import Blank

    try:
        facts, weights = read_safetensors(path, "genlab")
        facts["config"] = rename_targets(facts["config"])
        require_trusted_run(facts, path, trust)
        blank, seen = Blank(Spec.of(facts["spec"])), facts.get("images", 0)
        limit = limit_of_export(weights, path)
        sampler = Sampler(build.sample_stream(facts["config"], blank, seen=seen, limit=limit))
        sampler.load_state_dict(weights if "format" in facts else of_first_version(weights, sampler))
    except ConfigError:
        raise
    except RuntimeError as error:
        misfit = describe_misfit(sampler.state_dict(), weights)
        raise ConfigError(f"{path}: its weights do not fit the model that it names: {misfit}.") from error
    except Exception as error:  # what somebody wrote into a header raises nearly anything
        raise ConfigError(f"{path}: no file that genlab.export format=safetensors wrote ({error}).") from error
    return sampler


def of_first_version(weights: dict[str, Tensor], network: nn.Module) -> dict[str, Tensor]:
    """Return a state dict that layers convert when they load it: files of before the checkpoints' format 2."""
    state: Any = OrderedDict(weights)
    state._metadata = {name: {"version": 1} for name, _ in network.named_modules()}  # torch's own files have the same
    return state

"""The entry point that exports a generator: `python -m genlab.export run=outputs/... format=onnx`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from genlab.cli import command
from genlab.core.errors import ConfigError, RunError
from genlab.core.foreign_files import read_text
from genlab.core.whole_files import drop_link, write_atomically
from genlab.core.yaml_file import MAX_BYTES as MAX_CONFIG_BYTES

if TYPE_CHECKING:
    from genlab.exporting import Format, Sampler
    from genlab.trainers.sample_stream import TrainedRun

USAGE = """\
Exports a run's generator (averaged weights if it has any) to one file with a model card, README.md, beside it.

  python -m genlab.export run=outputs/wgan_gp-mnist/DATE_TIME                     for genlab.exporting.load
  python -m genlab.export run=outputs/... format=onnx                             needs: pip install genlab[export]
  python -m genlab.export run=outputs/... format=torchscript checkpoint=newest    torch.jit.load reads it
  python -m genlab.export run=outputs/... to=FOLDER

  run           a run directory
  format        safetensors (default), onnx, torchscript
  checkpoint    best (default; the newest if no scores were measured), newest, or a number of images
  to            a folder; by default export/FORMAT in the run directory

The file takes z [N, ...], and the condition [N] or [N, K] of a conditional model, and gives images in [-1, 1]. It is
run once, at two sizes of the batch, and compared with the generator before it is left there.
"""
REMEDY = "Export the weights: format=safetensors."
TOLERANCE = 1e-3  # of values in [-1, 1]: an eighth of a grey level; float32 in another order of sums


def job(config: dict[str, Any]) -> None:
    import torch

    from genlab.build import instantiate as build
    from genlab.build import runs
    from genlab.core.checkpoint import FORMAT
    from genlab.exporting import Format
    from genlab.exporting.card import model_card
    from genlab.exporting.sampler import Sampler, example_inputs

    form = build.make_kind(build.check_node(config["format"], "format"), Format, "format")
    form.require_libraries()
    which = runs.best_unless(config["checkpoint"], config["run"])
    run = runs.open_run(config["run"], checkpoint=which, device="cpu", named=config["data"], trust=config["trust"])
    sampler, example = Sampler(run), example_inputs(run, 0, 4)
    path = drop_link(folder_of(config, run, form) / form.file)
    facts = {"config": run.config, "spec": run.spec.facts(), "images": run.images, "format": FORMAT}
    try:
        form.write(sampler, example, path, facts)
    except Exception as error:  # tracers raise nearly anything
        path.unlink(missing_ok=True)
        raise RunError(
            f"{path.name}: this network cannot be written in that format: {first_line(error)} {REMEDY}"
        ) from error
    for given in (example, example_inputs(run, 4, 7), example_inputs(run, 11, 1)):
        with torch.no_grad():
            require_same_output(form, path, sampler, given)
    write_atomically(path.parent / "README.md", model_card(run, form, example, yaml_of(run)).encode())
    print(f"{path}\n{path.parent / 'README.md'}")


def folder_of(config: dict[str, Any], run: TrainedRun, form: Format) -> Path:
    from genlab.sampling.output_paths import make_folder

    own = run.run_dir / "export" / form.file.rpartition(".")[2]
    return make_folder(own if config["to"] is None else Path(config["to"]).expanduser())


def require_same_output(form: Format, path: Path, sampler: Sampler, given: tuple) -> None:
    """Remove the file and raise RunError if its images differ from the generator's."""
    expected = sampler(*given)
    try:
        found = form.read(path)(*given)
        away = float((found - expected).abs().max()) if found.shape == expected.shape else float("inf")
        problem = "" if away <= TOLERANCE * max(1.0, float(expected.abs().max())) else f"it is {away:.3g} away."
    except ConfigError:
        raise
    except Exception as error:  # runtimes raise nearly anything
        problem = first_line(error)
    if problem:
        path.unlink()
        raise RunError(
            f"{path.name}: does not give the generator's output for {len(given[0])} latents: {problem} {REMEDY}"
        )


def first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def yaml_of(run: TrainedRun) -> str:
    try:
        return read_text(run.run_dir / "config.yaml", MAX_CONFIG_BYTES)
    except (OSError, ValueError):
        return "# not in the run's directory\n"


def main(arguments: list[str]) -> int:
    return command.main("export", USAGE, job, arguments)


if __name__ == "__main__":
    command.start(main)

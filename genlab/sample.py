"""The entry point that shows what a trained run has learnt: `python -m genlab.sample run=outputs/... mode=grid`."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genlab.cli import command
from genlab.core.errors import ConfigError, GenlabError

if TYPE_CHECKING:
    from genlab.sampling import Loaded, Request
    from genlab.sampling.mode import Mode

USAGE = """\
Shows what a trained run has learnt; writes a picture to the run's pictures/, or to=PATH, and prints where.

  python -m genlab.sample run=outputs/wgan_gp-mnist/DATE_TIME                     a grid of samples
  python -m genlab.sample run=outputs/... mode=interpolate to=morph.gif           .gif, .mp4, or .png for strips
  python -m genlab.sample run=outputs/... mode=arithmetic 'mode.plus=[[0,8,16],[5,13]]' 'mode.minus=[[1,9]]'
  python -m genlab.sample run=outputs/... mode=save count=50000 to=samples.npz    .npz, .zip, or a folder of PNGs

  mode=grid          samples, row by row
  mode=classes       a column a class, a row a latent
  mode=interpolate   paths through the latents
  mode=walk          smooth loops through samples; mode.space=z or w
  mode=directions    a row a direction found in the weights, or in w: mode.method=components
  mode=style_mixing  coarse, middle and fine styles of some samples in others (style-based generators)
  mode=noise         the same samples without noise, with fixed and random noise (style-based generators)
  mode=arithmetic    sums and differences of samples, which are numbered as in mode=grid of the same seed, from 0
  mode=truncation    a row a threshold, or psi of styles; mode.thresholds=[2,1,0.5]
  mode=neighbours    samples beside the training images nearest to them; mode.features=pixels or extractor
  mode=reconstruct   real images, each with an autoencoder's version below
  mode=translate     your pictures, as a model like pix2pix translates them: input=FILE_OR_FOLDER to=FOLDER
                     (mode.back=true: the other way, of a model like cyclegan)
  mode=histogram     pixel values of samples over those of real images
  mode=save          samples by the thousand, for other tools
  mode=progress      a film of the training, from the grids that it saved: to=film.gif or .mp4; mode.seconds: of a grid

  checkpoint    best (default; the newest if no scores were measured), newest, or a number of images
  seed          of the latents; by default the run's own
  classes       what a conditional model shows: 3, or 0,1,2 in turn, or names as cat,dog; by default every class;
                attributes by name as Smiling,Male+Young: the second image has two; conditions=[...] is the same
  words         what a model that is told words shows: words='bold three', or words=['bold three',seven] in turn
  count         samples, where the mode counts them; batch_size: at a time; mode.rows, mode.columns: of a picture
  device        auto, cpu, cuda, mps; overwrite=true: a file that is there; real=true: open the run with its data
  data.root     where the run's data are now, or other data to open it with; data=NAME: another data set

All but neighbours, reconstruct and histogram work from the checkpoint alone, without the data. Data that changed since
training are refused unless they are named.
"""
PICTURES_FOLDER = "pictures"
MODE_KEYS = {"count": "does not count samples", "input": "reads no pictures"}  # and why other modes refuse them
log = logging.getLogger(__name__)


def job(config: dict[str, Any]) -> None:
    from genlab.sampling.output_paths import check_target, temporary_target

    mode, request = make_mode(config), request_of(config)
    to = config["to"]
    if config["overwrite"] and to is None:
        raise ConfigError("overwrite=true: is for a file that to=PATH names, and none is named. Leave it out.")
    path = None if to is None else check_target(str(to), mode.suffixes, overwrite=config["overwrite"])
    mode.refuse_ignored(path or Path(f"picture{mode.suffixes[0]}"))
    refuse_ignored(config, mode)
    loaded = open_for_mode(config | {"checkpoint": chosen_checkpoint(config, mode)}, mode)
    mode.check(loaded, request)
    path = path or default_path(loaded, mode, request)
    with temporary_target(path) as unfinished:
        mode.write(loaded, request, unfinished)
    if mode.takes and loaded.run.caption:
        log.info("know of these: %s", loaded.run.caption)
    print(path)


def refuse_ignored(config: dict[str, Any], mode: Mode) -> None:
    """Raise ConfigError for batch_size= where no samples are drawn, and checkpoint= where no model is used."""
    for key, is_used in (("batch_size", bool(mode.takes)), ("checkpoint", mode.uses_model)):
        if config[key] is not None and not is_used:
            raise ConfigError(f"{key}={config[key]}: has no effect on mode={mode.name}. Leave it out.")


def chosen_checkpoint(config: dict[str, Any], mode: Mode) -> str | int:
    from genlab.build.runs import best_unless

    return best_unless(config["checkpoint"] if mode.uses_model else "newest", config["run"])


def make_mode(config: dict[str, Any]) -> Mode:
    """Build the mode. Raises ConfigError for keys that it does not use."""
    from genlab.build import instantiate as build
    from genlab.build.run_extractor import extractor_of_run
    from genlab.sampling.mode import modes_that_use

    given = {key: config[key] for key in MODE_KEYS if config[key] is not None}
    for key in given.keys() - config["mode"].keys():
        raise ConfigError(
            f"{key}={config[key]}: this mode {MODE_KEYS[key]}. "
            f"It takes {', '.join('mode.' + key for key in config['mode'] if key != '_target_')}. "
            f"{key} is for {modes_that_use(key)}."
        )
    node = config["mode"] | given
    if node.get("extractor") == {}:
        node["extractor"] = extractor_of_run(Path(config["run"]).expanduser(), config["trust"])
    elif node.get("features") == "pixels":
        raise ConfigError(
            "metrics/extractor@mode.extractor: has no effect on mode.features=pixels. Set mode.features=extractor, or "
            "leave it out."
        )
    return build.make(build.check_node(node, "mode"), "mode")


def request_of(config: dict[str, Any]) -> Request:
    from genlab.sampling import Request
    from genlab.sampling.conditions import classes_or_words

    asked = classes_or_words(config["classes"], config["words"], config["conditions"], typed=True)
    return Request(seed=config["seed"], classes=asked)


def open_for_mode(config: dict[str, Any], mode: Mode) -> Loaded:
    """Open the run, with its data if the mode needs them, or can use them and they are available."""
    from genlab.build.run_data import build_data

    named = any(value is not None for value in config["data"].values())
    if mode.real is not None or config["real"] or named:
        return load_run(config, real=mode.real or config["real"])
    bare = load_run(config, real=False)  # raises for a mistake in the command
    try:
        build_data(bare.run.config, {})
    except (GenlabError, OSError) as error:
        log.warning("without real images, which cannot be had: %s", error)
        return bare
    return load_run(config, real=True)  # raises for data that changed


def load_run(config: dict[str, Any], *, real: bool) -> Loaded:
    from genlab.build.runs import open_run
    from genlab.sampling import Loaded

    options = {name: config[name] for name in ("checkpoint", "device", "trust")}
    run = open_run(config["run"], real=real, named=config["data"], **options)
    return Loaded(run) if config["batch_size"] is None else Loaded(run, batch_size=config["batch_size"])


def default_path(loaded: Loaded, mode: Mode, request: Request) -> Path:
    """Return a new path that names the mode, the position, the seed and the model's caption."""
    from genlab.sampling.output_paths import free_path

    run = loaded.run
    seed = run.seed if request.seed is None else request.seed
    drawn = [f"seed{seed}", *run.caption.replace(",", "").split()] if mode.takes else []
    name = "_".join([mode.name, f"{run.images:09d}", *drawn])
    return free_path(run.run_dir / PICTURES_FOLDER, name, mode.suffixes[0])


def main(arguments: list[str]) -> int:
    return command.main("sample", USAGE, job, arguments)


if __name__ == "__main__":
    command.start(main)

"""Text of `--help`: every choice of every group, with the first comment line of its YAML. Imports no torch."""

from pathlib import Path

GROUPS = (
    "model",
    "data",
    "loss",
    "penalty",
    "augment",
    "optimizer",
    "trainer",
    "metrics",
    "metrics/extractor",
    "callbacks",
)
USAGE = """\
genlab trains deep generative image models.

  python -m genlab.train model=wgan_gp data=mnist                      train; all is written to outputs/
  python -m genlab.train model=dcgan loss=hinge 'penalty=[r1]' seed=1  recombine, override anything
  python -m genlab.train -m model=dcgan,wgan,wgan_gp seed=0,1,2        a sweep: one run after another
  python -m genlab.train resume=outputs/wgan_gp-mnist/DATE_TIME        continue a run where it stopped
  tensorboard --logdir outputs                                         look at curves and samples
  genlab train, genlab sample, ...                                     the same in short; genlab completion --help: Tab
  python -m genlab.evaluate, .sample, .project, .export, .report       after training; each has --help

Choices (GROUP=NAME; penalty and augment take a list, as 'penalty=[r1,r2]'):
"""
KEYS = """\
Keys that are typed most (KEY=VALUE; all of them: --cfg job):
  trainer.images             duration: real images shown to the discriminator
  trainer.epochs             the same in rounds of the data, instead of trainer.images
  trainer.batch_size         images a turn; trainer.accumulate: backward passes it is split into
  trainer.n_critic           critic's turns a step, a number or {0: 5, 200000: 1}; trainer.n_generator
  trainer.clip_weights       bound on the critic's weights; trainer.clip_gradients: on gradients
  trainer.device             auto, cpu, cuda, mps; trainer.precision: float32, bfloat16, float64
  trainer.ema.halflife       of the averaged generator, in images; trainer.ema=null: no average
  trainer.max_time           seconds after which the run saves and exits
  optimizer.generator.lr     learning rate; optimizer.discriminator.betas, optimizer.autoencoder.lr, ...
  trainer.beta               weight of a VAE's KL divergence; trainer.kl_warmup, trainer.free_bits
  penalty.NAME.weight        strength; penalty.NAME.every: applied every so many turns
  data.size                  pixels a side; data.root, data.limit
  metrics.every              images between scores; metrics.images: samples a score
  callbacks.grid.every       images between sample grids; callbacks.checkpoint.every, .keep
  seed, resume, init_from    resume=RUN or auto; init_from=RUN takes over weights alone
  change=[KEY=VALUE]         other values for a resumed run: change=[optimizer.generator.lr=1e-4]
  dry_run=true               build everything, take two steps, say what the run will cost

Flags: -m sweeps, --cfg job prints the composed config, --config-dir DIR adds your own YAMLs.
Exit codes: 0 done, 2 a mistake in the command, 3 the run failed, 130 or 143 interrupted after saving.
"""


def menu_text() -> str:
    width = max(len(name) for group in GROUPS for name in choices(group))
    blocks = [
        "\n".join([f"  {group}="] + [f"    {name:{width}}  {line}" for name, line in choices(group).items()])
        for group in (*GROUPS, "experiment")
    ]
    return "\n".join([USAGE, "\n".join(blocks), "", KEYS])


def choices(group: str) -> dict[str, str]:
    """Return the description of every YAML in a group, by name."""
    return {path.stem: description(path) for path in sorted(folder_of(group).glob("*.yaml"))}


def folder_of(group: str) -> Path:
    import genlab.configs as configs

    return Path(configs.__path__[0], group)


def description(path: Path) -> str:
    comments = [line[1:].strip() for line in path.read_text(encoding="utf-8").splitlines() if line.startswith("#")]
    return next(line for line in comments if not line.startswith("@package"))


def none_of(group: str) -> str:
    """Return how a command says that it wants nothing of a group."""
    if group in ("penalty", "augment"):
        return f"For none: {group}=[]. "
    return f"For none: {group}=none. " if "none" in choices(group) else ""

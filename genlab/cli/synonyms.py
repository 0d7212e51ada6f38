"""Names that other programs use, and what they are called here: keys, choices, and words to type instead."""

import re
from collections.abc import Iterable

from genlab.cli import menu
from genlab.cli.repeated_words import MENU_LISTS


def table(text: str) -> dict[str, tuple[str, ...]]:
    """Read lines `what is meant: other names`; alternatives of what is meant stand between `|`."""
    rows = (line.rpartition(": ")[::2] for line in text.strip().splitlines())
    return {name: tuple(meant.strip().split(" | ")) for meant, names in rows for name in names.split()}


KEYS = table("""
    lr: learning_rate
    generator.lr: lr_g g_lr lrg glr learning_rate_g
    discriminator.lr: lr_d d_lr lrd dlr learning_rate_d
    betas: beta1 beta2 b1 b2 adam_betas adam_beta1 adam_beta2
    batch_size: batch bs batchsize bsize
    size: resolution image_size img_size imsize load_size crop_size
    device: gpu gpus cuda gpu_ids devices accelerator
    images: steps iterations iters max_steps num_steps total_steps niter kimg
    epochs: epoch n_epochs num_epochs max_epochs nepochs
    count: n num_samples samples n_samples
    root: data_dir data_path path dataroot data_root dataset_path
    flip: mirror horizontal_flip no_flip
    classes: class condition conditions label labels
    class: classes
    n_critic: critic_iters d_steps n_dis num_critic d_updates_per_step
    clip_weights: clip clip_value weight_clip
    halflife: ema_decay ema_beta ema_kimg
    replay: pool_size
    latent.size: z_dim nz latent_dim noise_dim dim_z z_size latent_size
    generator.width | generator.widths: ngf g_conv_dim
    discriminator.width | discriminator.widths: ndf d_conv_dim
    checkpoint.every: save_freq save_every save_interval snapshot save_epoch_freq snap checkpoint_interval
    grid.every: sample_interval sample_every display_freq
    log.every: print_freq log_interval log_every log_freq
    metrics.every: eval_every eval_interval eval_freq val_check_interval
    schedule: lr_policy scheduler lr_scheduler
    seed: random_seed manual_seed
    resume | checkpoint: ckpt ckpt_path load resume_from restore continue_train
    resume: checkpoint
    init_from: pretrained pretrained_path weights finetune
    dry_run: debug fast_dev_run
    data: dataset datamodule
    model: arch network architecture backbone
    loss: criterion loss_type gan_mode adv_loss objective
    augment: aug augmentation
    optimizer: optim opt
    metrics: metric
    callbacks: logger
    hydra.run.dir: out output output_dir out_dir run_dir save_dir outdir logdir log_dir name exp_name experiment_name
""")
WORDS = table("""
    trainer.precision=bfloat16: amp fp16 bf16 half mixed_precision use_amp
    penalty.gradient_penalty.weight: lambda_gp gp_weight gp_lambda
    penalty.r1.weight: gamma r1_gamma lambda_r1
    penalty.cycle.weight: lambda_a lambda_b lambda_cycle
    penalty.identity.weight: lambda_identity lambda_idt
    penalty.l1.weight: lambda_l1
    callbacks=wandb: use_wandb
    model.spectral_norm=[discriminator]: sn spectral_norm apply_d_sn
""")
NOT_NEEDED = {  # names of settings that genlab does without, and why
    **dict.fromkeys(("workers", "num_workers", "n_workers", "pin_memory"), "images are read once and kept in memory"),
    **dict.fromkeys(("num_classes", "n_classes", "channels", "nc", "in_channels"), "the data say so themselves"),
    **dict.fromkeys(("tensorboard", "verbose"), "every run writes curves for TensorBoard and a progress line"),
}
CHOICES = {
    "model": table("""
        stylegan3_t | stylegan3_r: stylegan3
        stylegan2 augment=[ada]: stylegan2ada
        segmentation_to_image: spade gaugan
        super_resolution: srgan
        progan: pggan progressivegan
        text_gan: stackgan attngan
        autoencoder: ae
        denoising_autoencoder: dae
        gan: vanilla vanillagan mlpgan
        cgan: conditionalgan
    """),
    "loss": table("""
        non_saturating | bernoulli: bce bcewithlogits crossentropy
        non_saturating: ns nsgan vanilla gan logistic
        least_squares | squared_error: mse l2
        least_squares: ls lsgan
        squared_error penalty=[l1]: l1
        wasserstein: wgan w
        wasserstein penalty=[gradient_penalty]: wgangp
        minimax: saturating
        relativistic_average: ragan rasgan rahinge relativistic
        relativistic_pairing: rpgan rsgan
    """),
    "penalty": table("""
        gradient_penalty: gp wgangp
        r1: zerogp r1gp
        path_length: plp ppl pathlengthregularization
        orthogonal: ortho
        feature_matching: fm
        perceptual: vgg lpips
        cycle: cycleconsistency
        identity: idt
        mse: l2
    """),
    "data": table("""
        cifar10 | cifar100: cifar
        fashion_mnist: fashion fmnist
        folder: imagefolder custom images own imagenet lsun ffhq
    """),
    "metrics": table("""
        inception_score: is inception
        prdc: precision recall precisionrecall density coverage
    """),
    "augment": table("""
        diffaugment: diffaug
        ada: adaaugment
    """),
    "callbacks": table("""
        default: tensorboard
        wandb: weightsandbiases
    """),
}


def squeeze(name: str) -> str:
    """Return a name without what people write differently: capitals, dashes and underscores."""
    return re.sub(r"[\W_]", "", name).lower()


def choices_meant(group: str, name: str, valid: list[str]) -> tuple[str, ...]:
    """Return the choices that a name stands for, with the words that go with them; none if that is unknown."""
    plain = squeeze(name)
    same = tuple(one for one in valid if squeeze(one) == plain)
    return same or CHOICES.get(group, {}).get(plain, ())


def word_meant(name: str, groups: Iterable[str] = menu.GROUPS) -> str:
    """Return what to type in place of a key that no config has, in a sentence; nothing if that is unknown."""
    name = name.lower()
    if name in NOT_NEEDED:
        return f"Leave it out: {NOT_NEEDED[name]}."
    if name in WORDS:
        return f"Did you mean {' or '.join(WORDS[name])}?"
    if name in KEYS:
        return ""
    if group := next((group for group in groups if name in menu.choices(group)), ""):
        return f"Did you mean {group}={f'[{name}]' if group in MENU_LISTS else name}?"
    if name in menu.choices("mode"):
        return f"That is of samples: python -m genlab.sample run=RUN mode={name}"
    return ""

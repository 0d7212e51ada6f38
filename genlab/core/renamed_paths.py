"""The modules that moved, so that configs saved before go on naming their classes."""

from typing import Any

MOVED = {  # (old room, new room): modules with configured classes that moved, as `name` or `name=new_name`
    ("callbacks", "callbacks"): (
        "accuracy=classification_accuracy discriminator_accuracy=classification_accuracy "
        "checkpoint=save_checkpoints encoding=encoder_statistics grid=sample_grid "
        "mlflow=trackers truncation=truncation_grid wandb=trackers"
    ),
    ("callbacks", "trainers"): "base=callback encoded=encoder",
    ("callbacks", "pictures"): "groups=sheet scatter",
    ("data.augment", "data.augment"): "base=augmentation",
    ("data", "data.sets"): (
        "celeba colour_sets folder grey_sets halves=unpaired_from_pairs mnist pairs points stacked_mnist "
        "torchvision_set unpaired"
    ),
    ("data.labels", "data.labels"): "words=word_reader",
    ("data", "data.labels"): "digit_words told=attribute_vectors words=word_reader",
    ("losses", "losses"): (
        "cycle=cycle_consistency divergences=f_divergences elbo=latent_terms statistics=batch_statistics"
    ),
    ("metrics", "metrics.scores"): (
        "accuracy birthday cas described=word_agreement distances divergences=histogram_divergences droplets elbo "
        "equivariance fid inception_score intra_fid kid likelihood lpips masks=mask_agreement memorisation modes "
        "moving=image_motion ms_ssim pairs=pair_distances points=point_distances ppl prdc pyramid=swd "
        "reconstruction=reconstruction_error swd"
    ),
    ("metrics", "metrics.extractors"): (
        "adapter=custom classifier digits=digit_classifier extractors=extractor inception own_classifier "
        "pixels=extractor"
    ),
    ("models", "models.autoencoders"): (
        "adversarial_autoencoder autoencoder codebook conv_coder dense_coder pca posterior=autoencoder vae_gan vqvae"
    ),
    ("models", "models.adversarial"): (
        "auxiliary=auxiliary_classifier began biggan biggan_deep dcgan discriminator "
        "energy=autoencoding_discriminator fastgan gan infogan mixture mlp noisy=noisy_discriminator "
        "projected=projected_gan r3gan resnet stacked=stackgan"
    ),
    ("models", "models.translation"): "cyclegan multi_scale patchgan pix2pix_hd resnet_translator spade srgan unet vgg",
    ("models", "models.style_based"): "growing progan style=style_generator stylegan stylegan2 stylegan3",
    ("core", "core"): "ramp=schedule",
    ("", "core"): "ramp=schedule",
    ("trainers", "trainers"): "frozen=frozen_layers inner=differentiable_optimizers sampling=sample_stream",
    ("", "cli"): "watch=hydra_callback",
}

CLASSES = {  # today's path of the module with the class's old name -> the class's name
    "genlab.callbacks.Accuracy": "ClassificationAccuracy",
    "genlab.callbacks.classification_accuracy.Accuracy": "ClassificationAccuracy",
    "genlab.cli.hydra_callback.Watch": "SweepRecorder",
    "genlab.data.sets.unpaired_from_pairs.Halves": "UnpairedFromPairs",
    "genlab.data.Words": "WordReader",
    "genlab.data.labels.word_reader.Words": "WordReader",
    "genlab.metrics.Adapter": "CustomExtractor",
    "genlab.metrics.extractors.custom.Adapter": "CustomExtractor",
    "genlab.models.Dealt": "NormalWithGenerator",
    "genlab.models.Nothing": "EmptyLatent",
    "genlab.models.latent.Dealt": "NormalWithGenerator",
    "genlab.models.latent.Nothing": "EmptyLatent",
}


def full_paths() -> dict[str, str]:
    """Return `MOVED` as dotted paths: module that an older config names -> module that holds its classes now."""
    paths = {}
    for (old_room, new_room), names in MOVED.items():
        for name in names.split():
            old, _, new = name.partition("=")
            paths[f"genlab.{old_room}.{old}".replace("..", ".")] = f"genlab.{new_room}.{new or old}"
    return paths


RENAMED = full_paths()


def rename_targets(node: Any) -> Any:
    """Return a copy of a config in which every `_target_` names a class where it is now."""
    if isinstance(node, dict):
        return {key: rename_targets(value) for key, value in node.items()} | renamed_target(node.get("_target_"))
    return [rename_targets(value) for value in node] if isinstance(node, list) else node


def renamed_target(path: Any) -> dict[str, str]:
    return {"_target_": current_path(path)} if isinstance(path, str) else {}


def current_path(path: str) -> str:
    """Return the dotted path of a class today: `genlab.ramp.Ramp` gives `genlab.core.schedule.Ramp`."""
    module, _, name = str(path).rpartition(".")
    module = RENAMED.get(module, module)
    return ".".join(filter(None, (module, CLASSES.get(f"{module}.{name}", name))))

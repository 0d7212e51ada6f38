"""Pixel faces from training to a picture, at a tiny size."""

import pytest
from omegaconf import OmegaConf

from genlab import sample, train
from genlab.build.run_extractor import extractor_of_run
from genlab.cli import command
from genlab.cli.composition import compose

TINY = (
    *(
        "data=pixel_faces",
        "data.size=8",
        "data.limit=64",
        "metrics.every=1000",
        "metrics.images=300",
    ),
    *("model=sngan", "model.generator.width=2", "model.discriminator.width=2", "model.conditional=true"),
    *("callbacks.grid=null", "trainer.batch_size=8", "trainer.images=8", "metrics=[attribute_accuracy]"),
)


def test_conditions_by_name_from_training_to_a_picture_and_a_score(tmp_path, capsys, monkeypatch):
    run = tmp_path / "run"
    assert train.main([*TINY, f"hydra.run.dir={run}"]) == 0
    assert "attribute_accuracy_dark_glasses" in (run / "metrics.jsonl").read_text()
    assert extractor_of_run(run) == {"_target_": "genlab.metrics.PixelFacesClassifier"}
    capsys.readouterr()
    for asked, code in (
        ("conditions=[glasses,hat]", 0),
        ("classes=dark_glasses,none", 0),
        ("conditions=[glasses,hat+nose]", 2),
        ("words='hat glasses'", 2),
    ):
        assert command.main("sample", sample.USAGE, sample.job, [f"run={run}", "device=cpu", asked]) == code
    said = capsys.readouterr()
    assert len(said.out.splitlines()) == 2
    assert "none is called nose" in said.err


@pytest.mark.parametrize(
    "data", ["pixel_faces", "pixel_faces_glasses", "pixel_faces_edges", "mnist_unpaired data@data.of=pixel_faces"]
)
def test_a_run_without_scores_is_evaluated_with_the_classifier_of_its_pictures(tmp_path, data):
    config = compose("train", [*f"data={data}".split(), "metrics=none"])
    (tmp_path / "config.yaml").write_text(OmegaConf.to_yaml(OmegaConf.create({"data": config["data"]})))
    assert extractor_of_run(tmp_path) == {"_target_": "genlab.metrics.PixelFacesClassifier"}

"""The extractor that a run's scores were measured with, for what looks at the run's samples later."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from genlab.build.runs import read_config
from genlab.core.trust import require_trusted

WITHOUT_SCORES = {"_target_": "genlab.metrics.Classifier"}
PIXEL_FACES = "genlab.data.sets.pixel_faces."  # the module of every class that reads them


def extractor_of_run(run_dir: Path, trust: Sequence[str] = ()) -> dict[str, Any]:
    """Return the extractor's config; of a run without scores that of its bundled data.

    Data of other kinds get MNIST's classifier, which checks what it reads.

    Raises ConfigError for an extractor that is not trusted.
    """
    if not (run_dir / "config.yaml").is_file():  # who opens the run says what is missing
        return WITHOUT_SCORES
    config = read_config(run_dir)
    found = (config.get("metrics") or {}).get("extractor") or extractor_of_data(config.get("data") or {})
    require_trusted({"metrics": {"extractor": found}}, run_dir / "config.yaml", trust)
    return found


def extractor_of_data(data: dict[str, Any]) -> dict[str, Any]:
    """Return the bundled extractor that reads these data, or pairs made of them (`data.of`)."""
    target = str((data.get("of") or data).get("_target_"))
    return {"_target_": "genlab.metrics.PixelFacesClassifier"} if target.startswith(PIXEL_FACES) else WITHOUT_SCORES

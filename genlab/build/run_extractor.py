"""The extractor that a run's scores were measured with, for what looks at the run's samples later."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from genlab.build.runs import read_config
from genlab.core.trust import require_trusted

WITHOUT_SCORES = {"_target_": "genlab.metrics.Classifier"}


def extractor_of_run(run_dir: Path, trust: Sequence[str] = ()) -> dict[str, Any]:
    """Return the extractor's config; of a run without scores that of MNIST's classifier, which checks what it reads.

    Raises ConfigError for an extractor that is not trusted.
    """
    if not (run_dir / "config.yaml").is_file():  # who opens the run says what is missing
        return WITHOUT_SCORES
    found = (read_config(run_dir).get("metrics") or {}).get("extractor") or WITHOUT_SCORES
    require_trusted({"metrics": {"extractor": found}}, run_dir / "config.yaml", trust)
    return found

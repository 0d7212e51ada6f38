"""What is said of the pictures that a trained model is given, which are read as those of training were."""

import logging

from genlab.data.storage.depth import SIXTEEN_BITS, Range, describe_range
from genlab.data.storage.file_notes import MOST_CLIPPED, describe_several, is_dark
from genlab.data.storage.findings import Findings

SAVE_ANEW = "save it with 8 bit, of which all values are used"
log = logging.getLogger(__name__)


def warn_of_inputs(findings: Findings, label: str) -> None:
    """Warn of files that hold several pictures, and of values that leave pictures dark or clipped."""
    for remark in describe_inputs(findings, findings.limits):
        log.warning("%s: %s", label, remark)


def describe_inputs(findings: Findings, limits: Range | None) -> list[str]:
    facts, deep = findings.facts(), {depth: found for depth, found in findings.depths.items() if found}
    said = [describe_several(facts["several"])] if facts["several"] else []
    said += [
        f"{depth} files hold {describe_range(*found)} of {describe_range(*SIXTEEN_BITS)} and are dark: {SAVE_ANEW}."
        for depth, found in deep.items()
        if not limits and is_dark(depth, found)
    ]
    if not limits:
        return said
    trained = f"the model was trained on files in which {describe_range(*limits)} are black to white"
    if facts.get("clipped", 0) > MOST_CLIPPED:
        said.append(f"{facts['clipped']:.0%} of the values are clipped, as {trained}.")
    if "8-bit" in findings.depths and limits[1] - limits[0] > 2 * 255:
        said.append(f"8-bit files reach 255 at most and are dark, as {trained}.")
    return said

"""What is said of the files of a data set: what was left out, the range of values, and when that means nothing."""

import logging
import math
from collections import Counter
from collections.abc import Mapping
from typing import Any

from genlab.core.errors import ConfigError
from genlab.data.notes import Notes
from genlab.data.storage.depth import DEEP_COLOUR, SIXTEEN_BITS, Range, describe_range, format_value, limits_of
from genlab.data.storage.file_kinds import OTHER_FORMATS, describe_left_out

NEEDED_FACTS = ("pixels", "depths", "several")  # of a table; older versions looked at none of them
MIN_SPAN = 128  # of 256 levels: pictures that use fewer are told to stretch
MOST_CLIPPED = 0.5  # of all values
SOURCE_KEY = "data.source_range"  # of pairs and unpaired pictures; the key `range` is of both
ONE_DEPTH = "Save all files with one depth: data.range is the same for all."
SPLITS = {"train": "training", "test": "test"}
Depths = Mapping[str, list[float]]  # depth of files -> lowest and highest value, none of 8 bit
log = logging.getLogger(__name__)


def check_range(limits: Range | None, key: str = "data.range") -> Range | None:
    """Return the range of a key as two floats. Raises ConfigError for one without values between its ends."""
    if limits is None:
        return None
    low, high = map(float, limits)
    if not -math.inf < low < high < math.inf:
        typed = ",".join(f"{value:g}" for value in (low, high))
        raise ConfigError(f"{key}=[{typed}]: expected [LOW,HIGH], what becomes black and white, LOW below HIGH.")
    return low, high


def notes_on(
    facts: Mapping[str, Any],
    *,
    root: object,
    left_out: Counter[str],
    limits: Range | None,
    remark: str = "",  # on the layout
    parts: Mapping[str, slice] | None = None,  # what is shown -> its channels; None: pictures of all channels
    key: str = "data.range",  # of these limits
    remedy: str = ONE_DEPTH,  # for files of several depths
) -> Notes:
    """Return what is to be said of a table's files. Raises ConfigError if all values of a split are equal."""
    warn_of_other_formats(left_out, root)
    spans = {
        (split, name): span
        for split, seen in facts["pixels"].items()
        for name, channels in (parts or {"": slice(None)}).items()
        if (span := span_of(seen["range"], channels))
    }
    unlike = "8-bit" in facts["depths"] and not limits  # sources and images may differ
    keys = {name: SOURCE_KEY if name == "source" and unlike else key for _, name in spans}
    for (split, name), span in spans.items():
        what = f"{SPLITS[split]} {name or 'picture'}"
        if span[0] == span[1]:
            raise ConfigError(describe_equal(what, span[0], facts["depths"], root, limits, keys[name]))
    narrow = [
        describe_narrow(f"{SPLITS[split]} {name or 'picture'}s", span, facts["depths"], limits, keys[name])
        for (split, name), span in spans.items()
        if span[1] - span[0] < MIN_SPAN - 1
    ]
    rows = [
        ("files", describe_files(left_out, facts["several"])),
        ("layout", remark),
        ("values", describe_values(spans, facts["depths"], limits, key)),
    ]
    return Notes(
        tuple((name, value) for name, value in rows if value),
        (*narrow, *advise_on_range(facts, limits, key, remedy), *describe_alike(facts)),
    )


def refuse_choice_by_value(depths: Depths, root: object) -> None:
    """Raise ConfigError if of equally deep files some would be read, and others not for the values they hold."""
    for depth, found in depths.items():
        limits = limits_of(depth)
        if limits and found and not limits[0] <= found[0] <= found[1] <= limits[1]:
            raise ConfigError(
                f"data.root={root}: {depth} files do not say which values are black and white. {suggest_range(depths)}"
            )


def span_of(found: list[list[int]], channels: slice) -> tuple[int, int] | None:
    """Return the lowest and the highest value of some channels; None: nothing was stored."""
    return (min(found[0][channels]), max(found[1][channels])) if found else None


def warn_of_other_formats(left_out: Counter[str], root: object) -> None:
    unread = Counter({kind: count for kind, count in left_out.items() if kind in OTHER_FORMATS})
    if unread:
        said = "data.root=%s: left out, as these formats are not read here: %s. Save them as PNG or JPEG."
        log.warning(said, root, describe_left_out(unread))


def describe_files(left_out: Counter[str], several: Mapping[str, int]) -> str:
    """Return what was left out, and which files hold more than is read; '': nothing."""
    said = [f"left out: {describe_left_out(left_out)}"] if left_out else []
    return "; ".join([*said, describe_several(several)] if several else said)


def describe_several(several: Mapping[str, int]) -> str:
    pages = ", ".join(f"{count:,} {kind}" for kind, count in several.items())
    return f"several pictures in a file, of which the first is read: {pages}"


def describe_values(
    spans: Mapping[tuple[str, str], tuple[int, int]], depths: Depths, limits: Range | None, key: str
) -> str:
    shown = [
        f"{'test ' * (split == 'test')}{name + 's ' if name else ''}{describe_range(*span)}"
        for (split, name), span in spans.items()
        if split == "train" or span != spans[("train", name)]
    ]
    deep = [f"{depth} files hold {describe_range(*found)}" for depth, found in depths.items() if found]
    deep += [f"{DEEP_COLOUR}: the higher 8 bits are read"] * (DEEP_COLOUR in depths)
    deep += ["others are 8-bit"] * ("8-bit" in depths and len(depths) > 1)
    return "; ".join([", ".join(shown) + " (of 0 to 255)", *deep, *([type_range(limits, key)] if limits else [])])


def describe_equal(what: str, value: int, depths: Depths, root: object, limits: Range | None, key: str) -> str:
    deep = [f"{depth} files hold {describe_range(*found)}" for depth, found in depths.items() if found]
    found = f" ({'; '.join([*deep, *([type_range(limits, key)] if limits else [])])})" if deep or limits else ""
    remedy = suggest_range(depths, limits, key) or (f"Choose another {key}. " if limits else "")
    return (
        f"data.root={root}: every value of every {what} is {value}{found}, from which nothing can be learnt. {remedy}"
        "Look at the files, or name another root."
    )


def describe_narrow(what: str, span: tuple[int, int], depths: Depths, limits: Range | None, key: str) -> str:
    said = f"{what} use the values {describe_range(*span)} of 0 to 255"
    if limits:
        return f"{said}: {type_range(limits, key)} is wider than what the files hold."
    if DEEP_COLOUR in depths:
        return f"{said}, the higher bytes of 16-bit colour: save the files with 8 bit of which all are used."
    shallow = "" if any(depths.values()) else f"{type_range(span, key)} makes these black and white."
    return f"{said}. {suggest_range(depths, key=key) or shallow}".rstrip()


def advise_on_range(facts: Mapping[str, Any], limits: Range | None, key: str, remedy: str) -> list[str]:
    """Return what is to be said of many clipped values, and of files that are dark beside those of another depth."""
    advice, depths = [], facts["depths"]
    if limits and facts.get("clipped", 0) > MOST_CLIPPED:
        said = (
            f"{facts['clipped']:.0%} of the values in the files lie beyond {type_range(limits, key)} and are clipped."
        )
        advice.append(f"{said} {suggest_range(depths, limits, key)}".rstrip())
    if "8-bit" not in depths or not any(depths.values()):
        return advice
    if limits and limits[1] - limits[0] > 2 * 255:
        return [*advice, f"8-bit files reach 255 at most and are dark in {type_range(limits, key)}. {remedy}"]
    dark = [depth for depth, found in depths.items() if found and is_dark(depth, found) and not limits]
    return advice + [
        f"{depth} files hold {describe_range(*depths[depth])} of {describe_range(*SIXTEEN_BITS)} and are dark beside "
        f"8-bit files. {remedy}"
        for depth in dark
    ]


def is_dark(depth: str, found: list[float]) -> bool:
    """Tell whether deep files use less than half of the values that their depth holds, from black on."""
    limits = limits_of(depth)
    return limits is not None and found[1] < limits[1] / 2


def suggest_range(depths: Depths, limits: Range | None = None, key: str = "data.range") -> str:
    """Return the range that fits what deep files hold, in words; '': there are none, or it is in effect already."""
    fitting = fitting_range(depths, limits)
    if fitting is None:
        return ""
    found = [value for values in depths.values() for value in values]
    held = describe_range(min(found), max(found))
    return f"Files hold {held}: {type_range(fitting, key)} makes {format_value(fitting[1])} white. "


def fitting_range(depths: Depths, limits: Range | None = None) -> Range | None:
    """Return the range that fits what deep files hold; None: there are none, or it is in effect already."""
    found = [value for values in depths.values() for value in values]
    if not found or min(found) == max(found):
        return None
    low, high = min(found), max(found)
    full = 2.0 ** max(int(high), 1).bit_length() - 1
    if low >= 0 and high == int(high) and high - low > full / 2:
        low, high = 0.0, full  # such as 4,095 of 12-bit values
    elif high != int(high):
        low, high = round_outwards(low, high)
    implied = {limits_of(depth) for depth, held in depths.items() if held}
    return None if {(low, high)} == ({limits} if limits else implied) else (low, high)


def round_outwards(low: float, high: float) -> tuple[float, float]:
    """Round to hundredths of the span's power of ten."""
    step = 10.0 ** (math.floor(math.log10(high - low)) - 1)
    return math.floor(low / step) * step, math.ceil(high / step) * step


def type_range(limits: Range, key: str = "data.range") -> str:
    """Return a range as it is typed."""
    return f"{key}=[{','.join(f'{value:.6g}' for value in limits)}]"


def describe_alike(facts: Mapping[str, Any]) -> list[str]:
    counts = facts["splits"]
    alike = [split for split, seen in facts["pixels"].items() if seen["alike"] and counts[split] > 1]
    return [f"all {counts[split]:,} {SPLITS[split]} pictures are equal." for split in alike]

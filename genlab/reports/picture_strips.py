"""Pictures as a page shows them: strips with a slider, capped by a rule that is told with them."""

from __future__ import annotations

from dataclasses import dataclass

from genlab.reports.run import Run
from genlab.reports.run_pictures import Picture, Series, most_within, picture, spread

REAL = "real"  # caption of the first real images, shown beside the samples


@dataclass(frozen=True)
class Strip:
    series: Series
    pictures: list[Picture]
    broken: list[str]  # files that are no pictures

    @property
    def note(self) -> str:
        """The rule, where frames were left out."""
        total, kept = len(self.series.frames), len(self.pictures) + len(self.broken)
        if kept == total:
            return ""
        if kept == 1:
            return f"The last of {total}; the others lie in {self.series.folder}/."
        return f"{kept} of {total}: the first, the last and evenly spaced ones; all lie in {self.series.folder}/."


@dataclass(frozen=True)
class Pictures:
    """Of one run."""

    samples: list[Strip]
    real: Strip | None
    others: list[Strip]

    @property
    def broken(self) -> list[str]:
        strips = [*self.samples, *([self.real] if self.real else []), *self.others]
        return [name for strip in strips for name in strip.broken]


def pictures_of(runs: list[Run], most: int) -> list[Pictures]:
    """Of one run up to `most` frames a kind; of several as many samples as fit the page, and the last of other kinds.

    Pictures of what is not samples are shown of several runs too, but never beyond the last frame.
    """
    series = [one for run in runs for one in run.series if len(runs) == 1 or is_samples(one)]
    within = most_within(series, most)
    return [_of(run, within, within if len(runs) == 1 else 1) for run in runs]


def is_samples(series: Series) -> bool:
    return series.folder == "samples" and series.caption != REAL


def _of(run: Run, most: int, most_of_others: int) -> Pictures:
    real = next((one for one in run.series if one[:2] == ("samples", REAL)), None)
    others = [one for one in run.series if one is not real and not is_samples(one)]
    return Pictures(
        samples=[strip(one, most) for one in run.series if is_samples(one)],
        real=strip(real, 1) if real else None,
        others=[strip(one, most_of_others) for one in others],
    )


def strip(series: Series, most: int) -> Strip:
    frames = spread(series.frames, most)
    drawn = [picture(frame) for frame in frames]
    broken = [f"{series.folder}/{frame.path.name}" for frame, one in zip(frames, drawn, strict=True) if one is None]
    return Strip(series, [one for one in drawn if one], broken)

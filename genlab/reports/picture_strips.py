"""Strips of a run's pictures, each with a slider, and a note where frames are left out."""

from dataclasses import dataclass

from genlab.reports.run import Run
from genlab.reports.run_pictures import Picture, Series, frames_within_budget, load_picture, select_frames

REAL_CAPTION = "real"  # of the real images that are shown beside the samples


@dataclass(frozen=True)
class Strip:
    series: Series
    pictures: list[Picture]
    broken: list[str]  # files that cannot be read as pictures

    @property
    def note(self) -> str:
        """Say which frames are shown if some are left out."""
        total, kept = len(self.series.frames), len(self.pictures) + len(self.broken)
        if kept == total:
            return ""
        if kept == 1:
            return f"The last of {total}; the others lie in {self.series.folder}/."
        return f"{kept} of {total}: the first, the last and evenly spaced ones; all lie in {self.series.folder}/."


@dataclass(frozen=True)
class Pictures:
    """The strips of one run."""

    samples: list[Strip]
    real: Strip | None
    others: list[Strip]

    @property
    def broken(self) -> list[str]:
        strips = [*self.samples, *([self.real] if self.real else []), *self.others]
        return [name for strip in strips for name in strip.broken]


def select_pictures(runs: list[Run], max_frames: int) -> list[Pictures]:
    """Load up to `max_frames` frames of each kind for a single run.

    For several runs: as many frames of samples as fit on the page, and the last frame of every other kind.
    """
    series = [kind for run in runs for kind in run.series if len(runs) == 1 or is_samples(kind)]
    max_samples = frames_within_budget(series, max_frames)
    return [_select_strips(run, max_samples, max_samples if len(runs) == 1 else 1) for run in runs]


def is_samples(series: Series) -> bool:
    return series.folder == "samples" and series.caption != REAL_CAPTION


def _select_strips(run: Run, max_frames: int, max_other_frames: int) -> Pictures:
    real = next((one for one in run.series if one[:2] == ("samples", REAL_CAPTION)), None)
    others = [one for one in run.series if one is not real and not is_samples(one)]
    return Pictures(
        samples=[load_strip(one, max_frames) for one in run.series if is_samples(one)],
        real=load_strip(real, 1) if real else None,
        others=[load_strip(one, max_other_frames) for one in others],
    )


def load_strip(series: Series, max_frames: int) -> Strip:
    frames = select_frames(series.frames, max_frames)
    drawn = [load_picture(frame) for frame in frames]
    broken = [f"{series.folder}/{frame.path.name}" for frame, one in zip(frames, drawn, strict=True) if one is None]
    return Strip(series, [one for one in drawn if one], broken)

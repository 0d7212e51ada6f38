import io

import pytest

from genlab.callbacks import Progress

VALUES = {
    "discriminator/adversarial": 1.2345678,
    "generator/adversarial": 0.8,
    "generator/lr": 2e-4,
    "speed/images_per_second": 12_345.6,
}


@pytest.fixture
def clock(monkeypatch):
    """A clock in seconds that the test moves."""
    now = [100.0]
    monkeypatch.setattr("genlab.callbacks.progress.time.monotonic", lambda: now[0])
    return now


@pytest.fixture
def progress(trainer, clock, monkeypatch):
    monkeypatch.setattr("genlab.callbacks.progress._on_terminal", lambda: False)
    progress = Progress(seconds=10)
    progress.start(trainer)
    return progress


def test_a_run_that_went_back_is_timed_from_there(trainer, clock, progress):
    clock[0] += 500
    progress.after_rollback(trainer.at(100))
    clock[0] += 5
    assert "0:00:40 left" in progress.line(trainer.at(200))


def test_a_plain_line_says_all(trainer, clock, progress, capsys):
    clock[0] += 5
    progress.scalars(trainer.at(200), {"score/fid": 12.345, "score/kid": 1.0})
    clock[0] += 5
    progress.scalars(trainer.at(400), VALUES)
    assert capsys.readouterr().out == (
        "[ 40.0%]  400 / 1,000 images  step 40  12,346 images/s  0:00:15 left  "
        "FID 12.35  KID 1  discriminator/adversarial 1.235  generator/adversarial 0.8\n"
    )


def test_plain_lines_keep_their_distance(trainer, clock, progress, capsys):
    for images in range(100, 700, 100):
        clock[0] += 4
        progress.tick(trainer.at(images))
    out = capsys.readouterr().out.splitlines()
    assert [line.split()[2] for line in out] == ["300", "600"]


def test_the_end_is_always_printed(trainer, progress, capsys):
    progress.finish(trainer.at(1_000))
    assert capsys.readouterr().out.startswith("[100.0%]  1,000 / 1,000 images")


def test_before_the_first_step_nothing_is_guessed(trainer, progress):
    assert progress.line(trainer) == "[  0.0%]  0 / 1,000 images  step 0  -:--:-- left"


@pytest.mark.parametrize("width", [80, 40])
def test_the_display_fits_the_terminal(trainer, clock, progress, width):
    from rich.console import Console

    trainer.total_images = 10_000_000
    clock[0] += 60
    progress.scalars(trainer.at(4_200_000), VALUES | {"score/fid": 12.345})
    console = Console(file=io.StringIO(), width=width, force_terminal=True, color_system=None)
    console.print(progress.display(trainer))
    lines = console.file.getvalue().splitlines()
    assert max(map(len, lines)) <= width
    assert " ".join(" ".join(lines).split()).endswith("FID 12.35")
    assert len(lines) == (3 if width == 80 else len(lines))


def test_a_terminal_gets_a_live_display_that_ends(trainer, monkeypatch, capsys):
    monkeypatch.setattr("genlab.callbacks.progress._on_terminal", lambda: True)
    progress = Progress()
    progress.start(trainer)
    progress.scalars(trainer.at(500), VALUES)
    print("a line above the display")
    progress.finish(trainer)
    out = capsys.readouterr().out
    assert progress._live is None
    assert "a line above the display" in out and "500 / 1,000 images" in out


def test_scoring_is_said_instead_of_a_time_left_that_nobody_knows(trainer, clock, progress, capsys):
    clock[0] += 50
    progress.announcement(trainer.at(1_024), "scoring 3,000 of 10,000 samples")
    assert capsys.readouterr().out == "[100.0%]  1,024 / 1,000 images  step 102  scoring 3,000 of 10,000 samples\n"
    progress.announcement(trainer, "scoring 3,250 of 10,000 samples")  # at once: no line of its own
    progress.announcement(trainer, "")
    progress.finish(trainer)
    assert capsys.readouterr().out == "[100.0%]  1,024 / 1,000 images  step 102\n"

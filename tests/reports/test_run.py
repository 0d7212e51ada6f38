import json

import pytest
from PIL import Image

from genlab.core.errors import ConfigError
from genlab.reports.page import render
from genlab.reports.run import read_run
from genlab.reports.run_directories import find_runs
from genlab.reports.run_pictures import Frame, find_series, frames_within_budget, load_picture, select_frames


def test_runs_are_found_at_any_depth_each_once_and_in_the_order_of_jobs(tmp_path, make_run):
    for name in ("sweep/10-gan-mnist", "sweep/9-gan-mnist", "gan-mnist/2026-01-02_03-04-05"):
        make_run(name)
    found = find_runs([str(tmp_path), str(tmp_path / "sweep")])
    assert [path.name for path in found] == ["2026-01-02_03-04-05", "9-gan-mnist", "10-gan-mnist"]


def test_links_to_runs_are_followed_and_circles_end(tmp_path, make_run):
    run = make_run("elsewhere/run")
    places = tmp_path / "chosen"
    places.mkdir()
    (places / "mine").symlink_to(run)
    (places / "circle").symlink_to(places)
    assert find_runs([str(places)]) == [places / "mine"]


@pytest.mark.parametrize("place", [".", "nowhere"])
def test_a_place_without_runs_is_an_error(tmp_path, place):
    with pytest.raises(ConfigError, match=f"runs={tmp_path}.*Give a"):
        find_runs([str(tmp_path / place)])


@pytest.mark.parametrize("name", ["config.yaml", "metrics.jsonl", "summary.json", "environment.json"])
@pytest.mark.parametrize("content", [b"", b"{", b"[1, 2]", b'{"images": "x"}\n', b"\xff\xfe\x00\n1\n", b"[" * 99_999])
def test_no_damaged_file_stops_a_report(make_run, name, content):
    folder = make_run(name="some")
    (folder / name).write_bytes(content)
    (folder / "samples" / "000002000.png").write_bytes(content)
    page = render([read_run(folder)], title="some")
    assert "samples/000002000.png: no readable picture" in page


def test_lost_lines_are_counted_and_the_others_used(make_run):
    folder = make_run()
    lines = (folder / "metrics.jsonl").read_text().splitlines()
    (folder / "metrics.jsonl").write_text("\n".join([lines[0], "dam", *lines[1:], '{"half']))
    run = read_run(folder)
    assert len(run.rows) == 3
    assert run.problems == ("metrics.jsonl: 1 of 6 lines cannot be read (the first is line 2); they are left out.",)


def test_the_state_of_a_run_is_named(make_run, tmp_path):
    assert read_run(make_run("done")).status.kind == "complete"
    running, failed, empty = make_run("running"), tmp_path / "failed", tmp_path / "empty"
    (running / "summary.json").unlink()
    failed.mkdir()
    (failed / "error.txt").write_text("ConfigError: no")
    empty.mkdir()
    (empty / "config.yaml").write_text("seed: 0\n")
    assert [read_run(path).status.kind for path in (running, failed, empty)] == ["unfinished", "failed", "empty"]
    assert "ConfigError: no" in render([read_run(failed), read_run(empty)], title="both")


def test_a_summary_from_before_a_resumption_is_not_believed(make_run):
    folder = make_run()
    with (folder / "metrics.jsonl").open("a") as file:
        file.write(json.dumps({"images": 4_000, "step": 4, "time": 8.0, "generator/adversarial": 1.0}) + "\n")
    assert read_run(folder).status.kind == "unfinished"


def test_health_warnings_are_shown_and_escaped(make_run):
    folder = make_run()
    warning = {"kind": "collapsed", "message": "all <images> alike", "images": 2_000}
    (folder / "summary.json").write_text(json.dumps({"images": 3_000, "health": [warning, "odd", {}]}))
    page = render([read_run(folder)], title="</script><script>")
    assert "all &lt;images&gt; alike" in page and "at 2,000 images" in page
    assert page.count("<script") == 2


def test_data_and_their_classes_are_shown_and_others_than_the_runs_are_said(make_run):
    folder = make_run(own_data=False)
    data = "photos: 69 images of 3 x 16 x 16, 3 classes (0: 1, 1: 10, 2: 2)"
    (folder / "summary.json").write_text(json.dumps({"images": 3_000, "data": data}))
    page = render([read_run(folder)], title="Data")
    assert data in page and "other data than the run" in page


def test_frames_are_spread_over_training_with_both_ends(tmp_path):
    frames = tuple(Frame(images, tmp_path / str(images)) for images in range(0, 1_001, 10))
    assert [frame.images for frame in select_frames(frames, 5)] == [0, 250, 500, 750, 1_000]
    assert [frame.images for frame in select_frames(frames, 1)] == [1_000]


def test_pictures_keep_within_a_budget_and_large_ones_are_scaled_down(make_run):
    folder = make_run()
    Image.new("RGB", (2_400, 100)).save(folder / "samples" / "000004000.png")
    (samples, *_) = find_series(folder)
    assert frames_within_budget([samples], 24) == 24 and frames_within_budget([samples], 24, budget=1) == 1
    assert load_picture(samples.frames[-1])[2:] == (1_200, 50)


def test_a_report_leaves_out_pictures_with_alpha_that_need_too_much_memory(tmp_path, monkeypatch):
    from PIL import Image

    from genlab.reports import run_pictures

    monkeypatch.setattr(run_pictures, "MAX_PIXELS", 1_000)
    Image.new("RGB", (30, 30)).save(tmp_path / "a.png")
    Image.new("RGBA", (30, 30)).save(tmp_path / "b.png")
    assert run_pictures.load_picture(run_pictures.Frame(0, tmp_path / "a.png"))
    assert run_pictures.load_picture(run_pictures.Frame(0, tmp_path / "b.png")) is None

import csv
import io
from base64 import b64decode
from dataclasses import replace

from genlab.reports import tables
from genlab.reports.curves import curve_data, thinned_indices
from genlab.reports.run import read_run


def test_thinning_keeps_ends_peaks_and_gaps():
    values = [float(n % 7) for n in range(50_000)]
    values[12_345], values[33_333], values[40_001] = 1e6, -1e6, None
    kept = thinned_indices(values, 600)
    assert {0, 12_345, 33_333, 40_001, 49_999} <= set(kept) and len(kept) < 620


def test_short_lines_stay_as_they_are(make_run):
    data = curve_data([read_run(make_run())])
    assert data["curves"][0]["lines"][0].y == [1, 2, 3] and not data["thinned"]


def test_the_table_of_a_long_run_can_be_saved_and_keeps_all_scores(make_run):
    rows = [{"images": n, "step": n, "time": 1.0, "loss": 1 / 3} for n in range(1, 90_000)]
    rows[77_776]["score/fid"] = 5.0
    run = replace(read_run(make_run()), rows=rows)
    table = tables.curves_csv([run])
    text = b64decode(table.uri.partition(",")[2]).decode()
    assert len(table.uri) < 2_000_000 and "one of" in table.note
    assert [row["images"] for row in csv.DictReader(io.StringIO(text)) if row["score/fid"]] == ["77777"]

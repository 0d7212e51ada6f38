import subprocess
import sys

import pytest

from genlab.cli.command import main
from genlab.report import USAGE, job
from tests.reports.conftest import write_run


def report(*words):
    return main("report", USAGE, job, list(words))


def test_a_page_is_written_beside_the_runs_or_where_it_is_asked_for(tmp_path, capsys):
    run = write_run(tmp_path / "sweep" / "0-gan")
    write_run(tmp_path / "sweep" / "1-gan", seed=1)
    assert report(f"runs={tmp_path}/sweep") == 0 and (tmp_path / "sweep" / "report.html").is_file()
    assert report(f"runs=[{run},{tmp_path}/sweep/1-gan]", f"to={tmp_path}/a/b.html") == 0
    assert "2 runs" in capsys.readouterr().out and (tmp_path / "a" / "b.html").is_file()


@pytest.mark.parametrize("words, told", [(["runs=nowhere"], "no such directory"), (["runs=."], "holds no run"),
    (["runs=.","grids=0"], "grids=0"), (["to=x.html"], "runs=...")])  # fmt: skip
def test_a_mistake_is_one_message(tmp_path, monkeypatch, capsys, words, told):
    monkeypatch.chdir(tmp_path)
    assert report(*words) == 2
    assert told in capsys.readouterr().err


def test_no_torch_is_loaded(tmp_path):
    run = write_run(tmp_path / "gan-0")
    code = f"from tests.test_report import report; report('runs={run}'); import sys; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split()[-1] == "False"

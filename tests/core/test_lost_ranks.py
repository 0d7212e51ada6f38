"""Two ranks started by hand: whatever befalls one, both end within a minute, with one message."""

import os
import signal
import socket
import subprocess
import sys
import time

import pytest

from tests.conftest import NARROW_MLP

SYSTEM = (
    "model=gan", "data=ring8", *NARROW_MLP, "trainer.batch_size=8", "metrics=none", "trainer.device=cpu",
    "callbacks.checkpoint.every=80", "callbacks.log.every=40", "trainer.images=4_000_000",
)  # fmt: skip
pytestmark = pytest.mark.slow


def start(folder, *, words=((), ()), before=((), ())):
    """Start two ranks in a folder, each with words of its own, below a command of its own."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    shared = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    return [
        subprocess.Popen(
            [*before[rank], sys.executable, "-m", "genlab.train", *SYSTEM, f"hydra.run.dir={folder}/run", *words[rank]],
            cwd=folder, env=os.environ | shared | {"RANK": str(rank)},
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        )
        for rank in (0, 1)
    ]  # fmt: skip


def wait_for_checkpoint(folder, ranks):
    deadline = time.monotonic() + 200
    while not list((folder / "run" / "checkpoints").glob("*.pt")):
        assert time.monotonic() < deadline and all(rank.poll() is None for rank in ranks)
        time.sleep(0.1)


def ends(ranks, seconds=60):
    """Return exit codes and messages of ranks that end within a minute."""
    told = [rank.communicate(timeout=seconds)[1] for rank in ranks]
    messages = [text[text.index("Error: ") :] for text in told if "Error: " in text]
    assert not any("Traceback" in text for text in told), told
    return [rank.returncode for rank in ranks], messages


@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGSTOP])
@pytest.mark.parametrize("victim", [0, 1])
def test_one_is_killed_or_stopped(tmp_path, sent, victim):
    ranks = start(tmp_path)
    try:
        wait_for_checkpoint(tmp_path, ranks)
        ranks[victim].send_signal(sent)
        codes, messages = ends([ranks[1 - victim]])
        assert codes == [3] and len(messages) == 1 and f"resume={tmp_path / 'run'}" in messages[0]
    finally:
        ranks[victim].kill()


@pytest.mark.parametrize(
    ("words", "codes", "said"),
    [
        ((), ["seed=1"], "seed: 0 on rank 0, 1 on rank 1"),
        ((), ["nonsense=1"], "nonsense: there is no such key"),
        (["trainer.accumulate=3"], ["trainer.accumulate=3"], "multiple of trainer.accumulate x ranks"),
    ],
    ids=["other_config", "one_mistaken", "both_mistaken"],
)
def test_other_words(tmp_path, words, codes, said):
    found, messages = ends(start(tmp_path, words=(words, codes)), seconds=150)
    assert len(messages) == 1 and said in messages[0] and set(found) <= {2, 3}


def test_a_full_disk(tmp_path):
    """Files of rank 0 may not exceed some kilobytes."""
    limit = ["bash", "-c", 'trap "" XFSZ; ulimit -f 20; exec "$@"', "-"]
    codes, messages = ends(start(tmp_path, before=(limit, ())), seconds=150)
    assert codes == [3, 3] and len(messages) == 1 and "kept" in messages[0]

"""A live run killed again and again ends with the tables that its journal leads to, and has heard everything once."""

import os
import signal
import socket
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
import yaml

from operators.framing.notice import decode_notice
from operators.simulator.files import FEED, INSTRUMENTS, PAIRS, write_session
from operators.simulator.parameters import SessionParameters
from operators.sources.journal_input import JournalInput
from schemas.market import RawKind
from tests.conftest import ROOT
from tests.operators.sources import log
from tests.recovery import processes, tables
from tests.recovery.live_server import LOCALHOST
from tests.recovery.session import OPERATORS, messages_of
from tests.recovery.text_sink import read_tables

PARAMETERS = SessionParameters(
    symbols=8, groups=2, pairs=8, messages=7_000, hours=0.1, seed=3, half_life=("10s", "20s")
)
SMALL = {"segment": 100_000}
PLAYING_S = 80
"""The session lasts longer than anybody is killed; then the rest of it is played at once."""

_KEPT = ("itch", "book", "spread", "bands", "trader", "limits", "venue", "portfolio")
_QUICK = {
    "spread": {
        "every": "20ms",
        "hedge": {"type": "rolling", "window": 8},
        "zscore": {"type": "rolling", "window": 5},
    },
    "bands": {"cooldown": "100ms", "entry": 1.0, "min_deviation": 0.0},
    "trader": {"patience": "50ms", "retry": "50ms"},
    "limits": {"rate": 100},
    "venue": {"latency": "2ms", "jitter": "1ms", "report": "1ms"},
    "portfolio": {"every": "500ms"},
}


@pytest.fixture(scope="module")
def session(tmp_path_factory) -> Path:
    return write_session(PARAMETERS, tmp_path_factory.mktemp("live") / "session")


def write_config(path, session, feeds, journal=None):
    """A configuration with a desk for each feed; the journals are beside it, or the only one is named."""
    desk = {"capital": 10_000_000, "pairs": str(session / PAIRS)}
    document = {
        "run": path.stem,
        "target": "chdb://clickhouse",
        "instruments": str(session / INSTRUMENTS),
        "desks": [
            {
                "id": name,
                **desk,
                "feeds": [{"id": "itch", **feed}],
                "journal": {"path": str(journal or name), **SMALL},
            }
            for name, feed in feeds.items()
        ],
        "operators": [operator | _QUICK.get(operator["id"], {}) for operator in OPERATORS if operator["id"] in _KEPT],
        "tables": {"quotes": {"every": "50ms"}, "spreads": {"every": "50ms"}},
        "runtime": {"frame": 64},
    }
    path.parent.mkdir(exist_ok=True)
    path.write_text(yaml.safe_dump(document, sort_keys=False))
    return path


def free_ports(count):
    socks = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(count)]
    for sock in socks:
        sock.bind((LOCALHOST, 0))
    ports = [sock.getsockname()[1] for sock in socks]
    for sock in socks:
        sock.close()
    return ports


@pytest.fixture
def server(session):
    """A server that plays the session, the lines it plays it on, and its ports for requests and logins."""
    lines = free_ports(2)
    speed = PARAMETERS.hours * 3600 / PLAYING_S
    command = [sys.executable, "-m", "tests.recovery.live_server", str(session / FEED), str(speed), *map(str, lines)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    yield process, lines, [int(port) for port in process.stdout.readline().split()]
    process.kill()
    process.communicate()


def lives(*arguments):
    command = [sys.executable, "-m", "tests.recovery.live_lives", *map(str, arguments)]
    return subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def heard(folder):
    """The messages of a journal, the notices among them, and how often the time that nobody listened was marked."""
    with closing(JournalInput(folder, ["itch"], 1000, None)) as source:
        entries = log.entries(source)
    said = [entry[4] for entry in entries if entry[2] == RawKind.MESSAGE]
    notices = [notice for message in said if (notice := decode_notice(message)) is not None]
    connects = sum(entry[2] == RawKind.CONNECT for entry in entries)
    return [message for message in said if message[:1] != b"\0"], notices, connects


def test_fifty_kills_of_two_desks_that_listen(session, server, tmp_path):
    check(session, server, tmp_path, kills=55, seed=1)  # five of these are stops


@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("seed", range(2, 7))
def test_many_kills_of_two_desks_that_listen(session, server, tmp_path, seed):
    check(session, server, tmp_path, kills=100, seed=seed)


def feeds_of(server):
    """What a desk for each protocol listens to."""
    _, lines, (replies, soup) = server
    mold = {"lines": [f"{LOCALHOST}:{line}" for line in lines], "server": f"{LOCALHOST}:{replies}", "patience": "1m"}
    login = {"server": f"{LOCALHOST}:{soup}", "username": "pair", "password": "secret"}
    return {"mold": {"format": "moldudp64", **mold}, "soup": {"format": "soupbintcp", **login}}


def check(session, server, folder, kills, seed):
    print(f"seed {seed}")
    feeds = feeds_of(server)
    config = write_config(folder / "live.yaml", session, feeds)
    running = lives(config, folder, kills, seed)
    assert running.stdout.readline() == "killed\n"
    os.kill(server[0].pid, signal.SIGUSR1)
    running.communicate("go on\n", timeout=60)
    assert running.returncode == 0

    sent = messages_of((session / FEED).read_bytes())
    for desk in feeds:
        messages, notices, connects = heard(folder / desk)
        assert messages == sent, desk
        assert {type(notice).__name__ for notice in notices} <= {"Began", "Recovered", "Over"}
        print(f"{desk}: {connects} times taken up")
        assert connects >= kills // 5  # the others were killed before they listened, or before anything had come

    replay = write_config(folder / "replay.yaml", session, {name: {"format": "journal"} for name in feeds})
    again = lives(replay, folder / "replay", 0, seed)
    again.communicate("go on\n", timeout=60)
    assert again.returncode == 0
    found, expected = read_tables(folder / "tables"), read_tables(folder / "replay" / "tables")
    assert found.keys() == expected.keys()
    for table, text in expected.items():
        assert found[table] == text, table
    assert found["mold/fills"].count("\n") > 5
    for desk in feeds:
        assert found[f"{desk}/quotes"].count("\n") > 50
        assert found[f"{desk}/feed_events"].count("\n") >= kills // 5


FULL = """
set -e
mount -t tmpfs -o size=200k tmpfs {folder}
{run} || echo "full $?"
mount -o remount,size=20m {folder}
{run} && echo "then $?"
cp -r {folder} {copy}
"""


def test_a_full_disk_stops_the_run_with_one_line_and_room_lets_it_go_on(session, server, tmp_path):
    fill_up(session, server, tmp_path)


@pytest.mark.soak
def test_tables_of_a_run_that_was_stopped_by_a_full_disk_are_those_of_its_journal(session, server, tmp_path):
    config = fill_up(session, server, tmp_path)
    replay = tmp_path / "replay" / "live.yaml"
    processes.run(write_config(replay, session, {"soup": {"format": "journal"}}, tmp_path / "copy"))
    found, expected = (tables.dump(tables.target_of(path), path.parent / "tables") for path in (config, replay))
    assert len(tables.column(found, "quotes", "seq")) > 20
    assert found.keys() == expected.keys()
    for table in found.keys() - {"runs"}:  # which say that one was live
        assert found[table] == expected[table], table


def fill_up(session, server, tmp_path):
    """For real: on a file system of 200 kB in a namespace of its own, which is then made larger."""
    if subprocess.run(["unshare", "-rm", "true"], capture_output=True, check=False).returncode:
        pytest.skip("no namespace can be had here to mount a small file system in")
    os.kill(server[0].pid, signal.SIGUSR1)
    soup = {"soup": feeds_of(server)["soup"]}
    config = write_config(tmp_path / "live.yaml", session, soup)
    (tmp_path / "soup").mkdir()
    flow = f"{sys.executable} -m bytewax.run \"flows.trade:build('{config}')\" -r {tmp_path / 'recovery'} -s 1 -b 0"
    script = FULL.format(folder=tmp_path / "soup", run=flow, copy=tmp_path / "copy")
    done = subprocess.run(
        ["unshare", "-rm", "sh", "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "full 2\n" in done.stdout
    assert "then 0\n" in done.stdout
    told = [line for line in done.stderr.splitlines() if line.startswith("pairflow: ")]
    assert len(told) == 1
    reason = "No space left on device; make room, and run the same command again: the run goes on from there"
    assert told[0].endswith(reason)
    assert "Traceback" not in done.stderr
    assert heard(tmp_path / "copy")[0] == messages_of((session / FEED).read_bytes())
    return config

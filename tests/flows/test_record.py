"""`pairflow record` and `pairflow instruments`, against a venue in a process of its own."""

import contextlib
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
import yaml
from pydantic import TypeAdapter

from flows.cli import main
from flows.record import as_yaml
from operators.sources.desk_input import DeskInput
from operators.sources.feed import feed_config
from schemas.instrument import Instrument
from tests.conftest import ROOT

SYMBOLS = ["BTCUSDT", "ETHUSDT"]
COMMAND = [sys.executable, "-c", "import sys; from flows.cli import main; sys.exit(main())"]


@pytest.fixture(autouse=True)
def _same_logs() -> Iterator[None]:
    """Logs go where they went before: the command has set them up for its own standard error."""
    yield
    structlog.reset_defaults()


@pytest.fixture(scope="module")
def address(data_path: Path) -> Iterator[str]:
    """Of a venue that plays its session in a second."""
    command = [sys.executable, "-m", "tests.operators.sources.websocket_server", "bybit_linear", str(data_path)]
    venue = subprocess.Popen([*command, "1", "1"], stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert venue.stdout is not None
    yield f"127.0.0.1:{int(venue.stdout.readline())}"
    venue.kill()
    venue.communicate()


def test_instruments_are_printed_as_a_configuration_has_them(address: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["instruments", "bybit_linear", *SYMBOLS, "--rest", f"http://{address}"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines == [
        "- {id: BTCUSDT@bybit_linear, venue: bybit_linear, symbol: BTCUSDT, tick: 0.1, lot: 0.001, currency: USDT}",
        "- {id: ETHUSDT@bybit_linear, venue: bybit_linear, symbol: ETHUSDT, tick: 0.01, lot: 0.01, currency: USDT}",
    ]


def test_decimals_keep_their_digits_and_come_back() -> None:
    terms = {"venue": "v", "symbol": "X/Y", "currency": "XBT", "multiplier": "0.01"}
    given = [Instrument.model_validate({"id": f"{tick}@v", "tick": tick, "lot": lot, **terms}) for tick, lot in
             (("0.00000001", "200"), ("1E-7", "1000"), ("5", "0.1"))]  # fmt: skip
    text = as_yaml(given)
    assert "tick: 0.00000001, lot: 200" in text
    assert "tick: 0.0000001," in text
    assert TypeAdapter(list[Instrument]).validate_python(yaml.safe_load(text)) == given


def test_what_is_recorded_is_replayed_by_the_stanza_that_is_printed(address: str, tmp_path: Path) -> None:
    arguments = ["record", "bybit_linear", *SYMBOLS, "--out", str(tmp_path), "--channels", "book,trades,ticker"]
    recorder = subprocess.Popen(
        [*COMMAND, *arguments, "--url", f"ws://{address}/", "--rest", f"http://{address}"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT,
    )  # fmt: skip
    path = tmp_path / "bybit_linear.jsonl.zst"
    deadline = time.monotonic() + 20
    while not (path.exists() and path.stat().st_size > 20_000) and time.monotonic() < deadline:
        time.sleep(0.05)
    recorder.send_signal(signal.SIGTERM)
    out, err = recorder.communicate(timeout=10)
    assert (recorder.returncode, err) == (0, "")
    summary, _, stanza = out.partition("\n\n")
    assert summary.startswith(f"{path}: ")
    described = yaml.safe_load(stanza)
    [instrument, _] = yaml.safe_load((tmp_path / described["instruments"]).read_text())
    [feed] = [feed_config(**feed) for feed in described["feeds"]]
    assert instrument["id"] == feed.instruments[0] == "BTCUSDT@bybit_linear"
    count = 0
    with contextlib.closing(DeskInput([(feed, tmp_path / feed.path)], 1000, None)) as source:
        while (frame := source.next()) is not None:
            count += len(frame.rows)
    assert count > 500


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["instruments", "krakn", "X"], "there is no venue 'krakn'; did you mean 'kraken'?"),
        (["instruments", "bybit_linear", "BTCUSD"], "bybit_linear lists no 'BTCUSD'; did you mean 'BTCUSDT'?"),
        (["record", "bybit_linear", "BTCUSDT", "--depth", "7"], "bybit_linear has no books of depth 7; write one of"),
        (["record", "bybit_linear", "BTCUSDT", "--for", "soon"], "'soon' is not a duration"),
        (["record", "bybit_linear", "BTCUSDT", "--channels", "bok"], "bok"),
        (["record", "bybit_linear", "BTCUSDT", "--url", "x"], "url: 'x' is no address; write wss://host/path"),
        (["record", "bybit_linear", "BTCUSDT", "--out", "/dev/null/x"], "correct the path, or make its folder"),
    ],
)
def test_what_cannot_be_done_is_one_line(
    address: str, arguments: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    assert main([*arguments, "--rest", f"http://{address}"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert message in err
    assert err.count("\n") == 1

"""The declared flow over a whole day of three US equities: every row used, every top that of the file."""

from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from flows.chain import Chain
from flows.config import Config, load
from flows.graph import build_graph
from flows.streams import SOURCE, Streams
from operators.sources.desk_input import DeskInput
from schemas.market import EventKind, FeedEventKind, RawKind
from schemas.record import Frame
from schemas.signal import SpreadState
from tests.conftest import ROOT

ROWS = {
    "bac-quotes": 476_855,
    "aig-quotes": 1_079_935,
    "ibm-quotes": 109_067,
    "bac-trades": 88_172,
    "aig-trades": 25_351,
    "ibm-trades": 24_293,
}
"""As counted in the files by other means."""

OPEN, CLOSE = 1_381_152_600 * 10**9, 1_381_176_000 * 10**9
"""2013-10-07, 09:30 and 16:00 in New York."""

KEPT = ("quotes", "events", "spreads", "feed_events")


@dataclass
class Replay:
    """What the flow made of the files."""

    config: Config
    rows: np.ndarray
    """Messages by feed."""
    causes: dict[str, list[Frame]] = field(default_factory=dict)
    streams: dict[str, list[Frame]] = field(default_factory=dict)
    tables: dict[str, int] = field(default_factory=dict)

    def all(self, port: str) -> Frame:
        return np.concatenate(self.streams[port])


@pytest.fixture(scope="module")
def replay(data_path: Path) -> Replay:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PAIRFLOW_DATA", str(data_path))
        config = load(ROOT / "config" / "equities_day.yaml")
    desk = config.desks[0]
    chain = Chain(build_graph(config), config.desk(desk.id))
    replay = Replay(config, np.zeros(len(desk.feeds), np.int64))
    with closing(DeskInput([(feed, config.feed_path(feed)) for feed in desk.feeds], 8_192, None, desk.id)) as source:
        while (raw := source.next()) is not None:
            messages = raw.rows[raw.rows["kind"] == RawKind.MESSAGE]
            replay.rows += np.bincount(messages["feed"], minlength=len(desk.feeds))
            for number in np.unique(messages["feed"]):
                own = messages["cause"][messages["feed"] == number]
                replay.causes.setdefault(desk.feeds[number].id, []).append(own.copy())
            streams: Streams = {SOURCE: raw}
            for step in chain.steps:
                step.run(streams)
            for (_, port), frame in streams.items():
                if port in KEPT and len(frame):
                    replay.streams.setdefault(port, []).append(frame.copy())
            for name, (_, rows) in chain.numbering.number(raw, streams).streams.items():
                replay.tables[name] = replay.tables.get(name, 0) + len(rows)
    return replay


def test_every_row_of_the_six_files_is_used(replay: Replay) -> None:
    feeds = [feed.id for feed in replay.config.desks[0].feeds]
    assert dict(zip(feeds, replay.rows.tolist(), strict=True)) == ROWS
    assert "dead_letters" not in replay.tables


@pytest.mark.parametrize("symbol", ["bac", "aig", "ibm"])
def test_the_top_after_every_row_is_what_the_file_said_last(replay: Replay, data_path: Path, symbol: str) -> None:
    told = table(data_path / "equities" / f"{symbol}_20131007_quote.zip", (1, 2, 3, 4, 7))
    told = told[told[:, 4] == 0]
    if symbol == "ibm":
        assert len(told) == ROWS["ibm-quotes"] - 1  # one is flagged as suspicious, and changes nothing
    instrument = replay.config.desk("equities").index[symbol.upper()]
    quotes = replay.all("quotes")
    quotes = quotes[quotes["instrument"] == instrument]
    causes = np.concatenate(replay.causes[f"{symbol}-quotes"])[: len(told)]
    shown = quotes[np.searchsorted(quotes["cause"], causes, side="right") - 1]
    for price, qty, column in (("bid", "bid_qty", 0), ("ask", "ask_qty", 2)):
        last = np.maximum.accumulate(np.where(told[:, column] > 0, np.arange(len(told)), -1))
        known = last >= 0
        assert np.array_equal(shown[price][known], told[last[known], column])
        assert np.array_equal(shown[qty][known], told[last[known], column + 1])


@pytest.mark.parametrize("symbol", ["bac", "aig", "ibm"])
def test_every_trade_has_its_price_quantity_and_time(replay: Replay, data_path: Path, symbol: str) -> None:
    told = table(data_path / "equities" / f"{symbol}_20131007_trade.zip", (0, 1, 2))
    instrument = replay.config.desk("equities").index[symbol.upper()]
    events = replay.all("events")
    trades = events[(events["kind"] == EventKind.TRADE) & (events["instrument"] == instrument)]
    found = np.stack([(trades["ts_event"] - OPEN) // 10**6 + 34_200_000, trades["price"], trades["qty"]], axis=1)
    assert np.array_equal(found, told)
    assert set(trades["side"].tolist()) == {-1}  # who took is not told


def test_three_spreads_over_the_day(replay: Replay) -> None:
    spreads = replay.all("spreads")
    day = spreads[(spreads["ts"] >= OPEN) & (spreads["ts"] < CLOSE)]
    for pair in range(3):
        own = day[day["pair"] == pair]
        usable = own[own["state"] == 0]
        assert len(usable) > 0.8 * len(own)
        minutes = np.unique((usable["ts"] - OPEN) // (60 * 10**9))
        assert len(minutes) > 330  # of 390
        assert not (own["state"] & SpreadState.COLD)[len(own) // 2 :].any()
    assert replay.tables["signals"] > 0


def test_clocks_of_one_market_agree(replay: Replay) -> None:
    assert replay.tables["clock_checks"] > 0
    assert FeedEventKind.CLOCK_SKEW not in replay.all("feed_events")["kind"]


def table(path: Path, columns: tuple[int, ...]) -> np.ndarray:
    return pd.read_csv(path, header=None, usecols=list(columns), dtype=np.int64).to_numpy()

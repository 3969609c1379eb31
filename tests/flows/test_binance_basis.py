"""The declared flow over real Binance sessions: every message used, every book right, a ledger that balances."""

import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from flows.chain import Chain
from flows.config import Config, load
from flows.graph import build_graph
from flows.streams import SOURCE, Streams
from operators.sources.desk_input import DeskInput
from schemas.integrity import AuditScope
from schemas.market import BookState, FeedEventKind, RawFrame
from schemas.record import Frame
from tests.conftest import ROOT

MESSAGES = 243_476
COMPARED = {"usdm-btc": 6_545, "usdm-eth": 6_579, "spot-btc": 3_448, "spot-eth": 3_432}
"""Depth updates with a quote of their own. The first few came before their snapshot and are applied with it;
`tests/operators/feeds/test_binance_recordings.py` compares those too: 6,547, 6,580, 3,449 and 3,432 in all."""

_ID = re.compile(rb'"u":(\d+)')
_TOP = re.compile(rb'"u":(\d+).*?"b":"([\d.]+)","B":"([\d.]+)","a":"([\d.]+)","A":"([\d.]+)"')


@dataclass
class Replay:
    """Everything the flow made of the recordings."""

    config: Config
    entries: int = 0
    depth: dict[int, list[tuple[int, int]]] = field(default_factory=dict)  # feed -> (cause, final id)
    tickers: dict[int, list[tuple[int, ...]]] = field(default_factory=dict)  # feed -> (id, bid, qty, ask, qty)
    quotes: list[Frame] = field(default_factory=list)
    rows: dict[str, list[Frame]] = field(default_factory=dict)

    def all(self, stream: str) -> Frame:
        return np.concatenate(self.rows[stream]) if stream in self.rows else np.empty(0)


def frames(config: Config) -> Iterator[RawFrame]:
    desk = config.desks[0]
    source = DeskInput([(feed, config.feed_path(feed)) for feed in desk.feeds], 2_048, None, desk.id)
    with closing(source):
        while (raw := source.next()) is not None:
            yield raw


def note_messages(replay: Replay, raw: RawFrame) -> None:
    desk = replay.config.desk("basis")
    for i, row in enumerate(raw.rows):
        feed, message = int(row["feed"]), raw.message(i)
        if b"depthUpdate" in message:
            found = _ID.search(message)
            assert found is not None
            replay.depth.setdefault(feed, []).append((int(row["cause"]), int(found[1])))
        elif b"bookTicker" in message:
            top = _TOP.search(message)
            assert top is not None
            inst = desk.instruments[desk.index[desk.feeds[feed].instruments[0]]]
            units = (inst.tick, inst.lot, inst.tick, inst.lot)
            values = [int(Decimal(text.decode()) / unit) for text, unit in zip(top.groups()[1:], units, strict=True)]
            replay.tickers.setdefault(feed, []).append((int(top[1]), *values))


@pytest.fixture(scope="module")
def replay(data_path: Path) -> Replay:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PAIRFLOW_DATA", str(data_path))
        config = load(ROOT / "config" / "binance_basis.yaml")
    chain = Chain(build_graph(config), config.desk("basis"))
    replay = Replay(config)
    for raw in frames(config):
        replay.entries += len(raw.rows)
        note_messages(replay, raw)
        streams: Streams = {SOURCE: raw}
        for step in chain.steps:
            step.run(streams)
        if ("book", "quotes") in streams:
            replay.quotes.append(streams["book", "quotes"].copy())
        for name, (_, rows) in chain.numbering.number(raw, streams).streams.items():
            replay.rows.setdefault(name, []).append(rows)
    return replay


def test_every_message_is_used(replay: Replay) -> None:
    assert replay.entries == MESSAGES + 1  # and the end of the input
    assert len(replay.all("dead_letters")) == 0
    gaps = replay.all("feed_events")
    assert not len(gaps) or not np.isin(gaps["kind"], [1, 9, 10]).any(), "a gap, a contradiction or a cut message"


def test_every_message_is_accounted_for_and_the_receivers_clock_is_found_slow(replay: Replay) -> None:
    audits, events = replay.all("audits"), replay.all("feed_events")
    run = audits[audits["scope"] == AuditScope.RUN]
    assert run["received"].tolist() == [93_954, 74_655, 41_249, 33_618]
    for name in ("recovered", "lost", "duplicated", "out_of_order", "rejected"):
        assert run[name].tolist() == [0, 0, 0, 0]
    skews = events[events["kind"] == FeedEventKind.CLOCK_SKEW]
    assert sorted(skews["feed"]) == [0, 1, 2, 3]
    assert (np.abs(skews["first"] + 1_270_000_000) < 2_000_000).all()
    assert skews["last"].tolist() == [0, 0, 0, 0]
    assert not np.isin(events["kind"], [FeedEventKind.STALE, FeedEventKind.FRESH]).any()


@pytest.mark.parametrize("feed", COMPARED)
def test_the_rebuilt_top_is_the_venues_own(replay: Replay, feed: str) -> None:
    desk = replay.config.desk("basis")
    number = [f.id for f in desk.feeds].index(feed)
    instrument = desk.index[desk.feeds[number].instruments[0]]
    quotes = np.concatenate(replay.quotes)
    quotes = quotes[quotes["instrument"] == instrument]
    tickers = replay.tickers[number]
    ids = np.array([t[0] for t in tickers])
    compared = 0
    for cause, final_id in replay.depth[number]:
        at = int(np.searchsorted(quotes["cause"], cause, side="right")) - 1
        ticker = int(np.searchsorted(ids, final_id, side="right")) - 1
        if at < 0 or ticker < 0 or quotes[at]["state"] & BookState.UNSYNCED:
            continue
        top = tuple(int(quotes[at][name]) for name in ("bid", "bid_qty", "ask", "ask_qty"))
        assert top == tickers[ticker][1:], f"{feed}: after the depth update with final id {final_id}"
        compared += 1
    assert compared == COMPARED[feed]


def test_it_trades_and_the_ledger_balances(replay: Replay) -> None:
    desk = replay.config.desk("basis")
    fills, positions, equity = (replay.all(name) for name in ("fills", "positions", "equity"))
    assert len(fills) > 20
    cash = 0
    held = dict.fromkeys(range(len(desk.instruments)), 0)
    for fill in fills:
        i, side, qty = int(fill["instrument"]), int(fill["side"]), int(fill["qty"])
        cash -= side * int(fill["price"]) * desk.instruments[i].tick_value * qty + int(fill["fee"])
        held[i] += side * qty
    last = {int(p["instrument"]): int(p["qty"]) for p in positions}
    assert held == {**dict.fromkeys(held, 0), **last}
    quotes = np.concatenate(replay.quotes)
    value = 0
    for i, qty in held.items():
        top = quotes[(quotes["instrument"] == i) & (quotes["state"] == 0)][-1]
        value += qty * int(top["bid"] + top["ask"]) * desk.instruments[i].tick_value // 2
    final = equity[-1]
    assert int(final["equity"]) == desk.capital + cash + value
    assert int(final["equity"]) == desk.capital + int(final["realised"] + final["unrealised"] - final["fees"])

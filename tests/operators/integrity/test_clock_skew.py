"""Stamps against the desk clock: of made-up venues, and of recorded ones."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from operators.feeds.binance import Binance
from operators.integrity.clock_skew import ClockSkew
from operators.integrity.skew import zone_minutes
from operators.integrity.skew_example import skew_example
from operators.operator import Desk, Feed, Operator
from operators.sources.desk_input import DeskInput
from schemas.instrument import Instrument
from schemas.market import EVENTS, FeedEventKind
from schemas.record import Frame
from tests.operators.feeds.binance_session import desk
from tests.operators.sources.log import recording_feed

DESK = replace(skew_example(0).desk, feeds=(Feed("x", ("A", "B")), Feed("y", ("B", "C")), Feed("z", ("D",))))
A, B, C, D = range(4)
NS_PER_S, HOUR_NS = 10**9, 3600 * 10**9
START = 1_700_000_000 * NS_PER_S


def told(events: Frame, desk: Desk = DESK, **parameters: Any) -> list[tuple[int, ...]]:
    """(cause, feed, instrument, ns, minutes) of what is told."""
    operator = ClockSkew(ClockSkew.Parameters.model_validate(parameters), desk)
    rows = operator.process({"events": events}).get("feed_events", ())
    assert {int(row["kind"]) for row in rows} <= {FeedEventKind.CLOCK_SKEW}
    return [tuple(int(row[name]) for name in ("cause", "feed", "instrument", "first", "last")) for row in rows]


def stamped(*skews_ns: int, instrument: int = A, causes: list[int] | None = None) -> Frame:
    """An event for each skew, a second apart; its stamp is the desk clock less the skew."""
    events = np.zeros(len(skews_ns), EVENTS.dtype)
    events["cause"] = causes or np.arange(1, len(skews_ns) + 1)
    events["ts"] = START + events["cause"] * NS_PER_S
    events["ts_event"] = events["ts"] - np.array(skews_ns)
    events["instrument"] = instrument
    return events


def test_the_median_of_each_window_is_told_when_it_moves_by_more_than_the_tolerance():
    skews = [900, 100, 200, 800, 700, 900, 900, 850, 100, 300, 250, 200]
    found = told(stamped(*skews), window=3, tolerance=500)
    assert found == [(6, 0, -1, 800, 0), (12, 0, -1, 250, 0)]


def test_a_message_is_one_sample_and_one_without_a_stamp_none():
    events = stamped(900, 5, 5, 900, 700, causes=[1, 1, 1, 2, 3])
    events["ts_event"][3] = 0
    assert told(events, window=2, tolerance=100) == [(3, 0, -1, 700, 0)]


def test_an_instrument_of_several_feeds_is_followed_by_itself():
    assert told(stamped(900, 900, instrument=B), window=2, tolerance=100) == [(2, -1, B, 900, 0)]
    assert told(stamped(900, 900, instrument=C), window=2, tolerance=100) == [(2, 1, -1, 900, 0)]


@pytest.mark.parametrize(
    ("hours", "minutes"), [(5, 300), (-9, -540), (5.5, 330), (0.2, 0), (-0.26, -30), (0.25, 30), (-24, -1440)]
)
def test_the_nearest_time_zone_is_named(hours: float, minutes: int):
    assert zone_minutes(int(hours * HOUR_NS)) == minutes


@pytest.mark.parametrize("seed", range(3))
def test_a_venue_whose_stamps_are_five_hours_behind_is_named_whatever_its_latency(seed: int):
    rng = np.random.default_rng(seed)
    latency = rng.exponential(0.3, 640) * NS_PER_S
    damaged = rng.random(640) < 0.3
    wild = rng.integers(-(10**17), 10**17, 640)
    skews = np.where(damaged, wild, 5 * HOUR_NS + latency).astype(np.int64)
    found = told(stamped(*skews.tolist(), instrument=D), tolerance=NS_PER_S)
    assert found[0][:3] == (64, 2, -1)
    assert {minutes for *_, minutes in found} == {300}
    assert abs(found[0][3] - 5 * HOUR_NS) < NS_PER_S


def decoded(operator: Operator, feed: Any) -> Frame:
    """The events of the first messages of a capture."""
    source, events = DeskInput([feed], 10_000, None), []
    for _ in range(2):
        frame = source.next()
        assert frame is not None
        events.append(operator.process({"raw": frame})["events"].copy())
    source.close()
    return np.concatenate(events)


@pytest.mark.parametrize("name", ["usdm_btcusdt", "usdm_ethusdt", "spot_btcusdt", "spot_ethusdt"])
def test_recorded_receive_times_that_lie_before_the_venues_own(data_path: Path, name: str):
    market, symbol = name.split("_")
    known = Instrument(id="I", venue="binance", symbol=symbol.upper(), tick="0.01", lot="0.00001", currency="USDT")
    desk_ = desk(known)
    operator = Binance(Binance.Parameters(market=market, feeds=("I",)), desk_)
    events = decoded(operator, recording_feed(data_path / "binance" / f"{name}_20240808.gz"))
    ((_, feed, _, skew, minutes),) = told(events, desk_, tolerance="200ms")
    assert (feed, minutes) == (0, 0)
    assert -1_271_000_000 < skew < -1_268_000_000
    events["ts_event"] -= 5 * HOUR_NS
    ((*_, skew, minutes),) = told(events, desk_, tolerance="200ms")
    assert minutes == 300
    assert -1_271_000_000 < skew - 5 * HOUR_NS < -1_268_000_000

"""What is read compiled and what is read by the venue's rules come to the same rows and the same state."""

import json
import random

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from operators.feeds.binance import Binance
from operators.feeds.bybit import Bybit
from operators.feeds.coinbase import Coinbase
from operators.feeds.definitions import bybit_instruments, coinbase_instruments, kraken_instruments
from operators.feeds.kraken import Kraken
from operators.feeds.okx import Okx
from operators.feeds.raw_log import raw_frame
from operators.operator import Desk, Feed
from operators.sources.desk_input import DeskInput
from operators.sources.feed import feed_config
from schemas.instrument import Instrument
from schemas.market import EventKind, RawKind
from tests.operators.feeds import test_coinbase, test_kraken
from tests.operators.feeds.both_ways import BothWays, cut, damaged
from tests.operators.feeds.recorded_session import bodies
from tests.operators.feeds.venue_session import instruments

VENUES = [Binance, Bybit, Coinbase, Kraken, Okx]
OKX = {"BTC-USDT": ("0.1", "0.000001"), "BTC-USD-220527": ("0.1", "1"), "UNI-USD-SWAP": ("0.001", "1")}


def stated(terms):
    return [
        Instrument(id=symbol, venue="v", symbol=symbol, tick=tick, lot=lot, currency="USD")
        for symbol, (tick, lot) in terms.items()
    ]


RECORDINGS = {
    "bybit": (Bybit, "BYBIT.ws.2", {}, lambda path: bybit_instruments(bodies(path, "bybit", "category=linear")[0])),
    "bybit spot": (Bybit, "BYBIT.ws.3", {}, lambda path: bybit_instruments(bodies(path, "bybit", "category=spot")[0])),
    "coinbase": (Coinbase, "COINBASE.ws.2", {}, lambda path: coinbase_instruments(bodies(path, "coinbase", "")[0])),
    "kraken": (
        Kraken, "KRAKEN.ws.50", {"depth": 1000}, lambda path: kraken_instruments(bodies(path, "kraken", "")[0], 1),
    ),
    "okx": (Okx, "OKX.ws.1", {}, lambda path: None),
}  # fmt: skip
READ = {"bybit": (2_546, 88), "bybit spot": (681, 32), "coinbase": (1_030, 38), "kraken": (4_321, 43), "okx": (410, 18)}
"""Messages, and those among them that no shape matches: answers, heartbeats, klines, what was before; too much."""


@pytest.mark.parametrize("name", RECORDINGS)
def test_recorded_sessions(data_path, name):
    cls, connection, parameters, defined = RECORDINGS[name]
    path = data_path / "websocket" / f"{name.split()[0]}.jsonl.zst"
    config = feed_config(id="f", format="session", path=path.name, connection=connection)
    source = DeskInput([(config, path)], 300, None)
    frames = list(iter(source.next, None))
    source.close()
    messages = [f.message(i) for f in frames for i in range(len(f.rows)) if f.rows["kind"][i] == RawKind.MESSAGE]
    said, definitions = b"".join(messages), defined(data_path)
    known = (
        [i for i in definitions.instruments if json.dumps(i.symbol).encode() in said] if definitions else stated(OKX)
    )
    desk = Desk("d", tuple(known), feeds=(Feed("f", tuple(i.id for i in known)),))
    both = BothWays(cls, {"feeds": ("f",), **parameters}, desk)
    for frame in frames:
        assert "dead_letters" not in both.process(frame)
    assert (len(messages), both.read) == READ[name]


@pytest.mark.parametrize(("market", "read"), [("spot", 4), ("usdm", 7)])
def test_recorded_binance(data_path, market, read):
    """Only what waits for the snapshot, or is around it, is read by the rules."""
    path = data_path / "binance" / f"{market}_btcusdt_20240808.gz"
    source = DeskInput([(feed_config(id="f", format="recording", path=path.name), path)], 5000, None)
    known = stated({"BTCUSDT": ("0.01", "0.00001") if market == "spot" else ("0.1", "0.001")})
    both = BothWays(
        Binance, {"feeds": ("f",), "market": market}, Desk("d", tuple(known), feeds=(Feed("f", ("BTCUSDT",)),))
    )
    for frame in iter(source.next, None):
        assert "dead_letters" not in both.process(frame)
    source.close()
    assert both.read == read


def replayed(cls, parameters, desk, raw, seed):
    """The log cut, damaged, and with each way going on from what the other knew."""
    rng = random.Random(seed)
    both = BothWays(cls, parameters, desk)
    for frame in cut(rng, damaged(rng, raw, 0.3)):
        both.process(frame)
        both.swap()
    return both


@pytest.mark.parametrize("cls", VENUES)
@settings(max_examples=20)
@given(seed=st.integers(0, 2**32 - 1))
def test_made_up_sessions_with_damaged_messages(cls, seed):
    made = cls.example(seed)
    raw = made.frames["raw"]
    both = replayed(cls, made.parameters, made.desk, raw, seed)
    assert 0 < both.read < 0.8 * len(raw.rows)


@settings(max_examples=20)
@given(seed=st.integers(0, 2**32 - 1))
def test_damaged_messages_of_the_first_version_of_kraken(seed):
    whole = {"as": [["1.2", "2", "9.5"]], "bs": [["1.0", "1", "9.5"]]}
    session = [
        test_kraken.first(whole),
        test_kraken.first({"a": [["1.2", "3.0", "2.125", "r"]], "c": test_kraken.crc("1.2 3.0", "1.0 1")}),
        test_kraken.first({"b": [["1.1", "0.5", "2.25"]], "c": test_kraken.crc("1.2 3.0", "1.1 0.5 1.0 1")}),
        test_kraken.first(
            {"a": [["1.2", "0.0", "3"]]}, {"b": [["1.1", "0", "3.5"]], "c": test_kraken.crc("", "1.0 1")}
        ),
    ]
    replay_of("X", Kraken, [message.replace(b" ", b"") for message in session], seed)


@settings(max_examples=20)
@given(seed=st.integers(0, 2**32 - 1))
def test_damaged_messages_of_binance_futures(seed):
    def update(previous, first, final):
        levels = '"b":[["1.0","0.5"],["0.9","0"]],"a":[["1.2","0.25"]]'
        ids = f'"U":{first},"u":{final},"pu":{previous}'
        return f'{{"e":"depthUpdate","E":7,"T":6,"s":"X",{ids},{levels}}}'.encode()

    best = '"s":"X","b":"1.0","B":"0.5","a":"1.2","A":"0"'
    session = [
        b'{"lastUpdateId":10,"E":5,"T":5,"bids":[["1.0","1"]],"asks":[["1.2","2"]]}',
        *(update(10 * i, 10 * i + 1, 10 * i + 10) for i in range(1, 20)),
        b'{"stream":"x@bookTicker","data":{"e":"bookTicker","u":8,%s,"T":5,"E":6}}'
        % best.replace('"0"', '"2"').encode(),
        b'{"e":"bookTicker","u":8,%s,"T":5,"E":6}' % best.encode(),
        b'{"e":"trade","E":6,"T":5,"s":"X","t":3,"p":"1.2","q":"0.25","X":"MARKET","m":false}',
        b'{"e":"trade","E":6,"T":5,"s":"X","t":3,"p":"1.2","q":"0.0005","X":"MARKET","m":true}',
    ]
    replay_of("X", Binance, session, seed, market="usdm")


def replay_of(symbols, cls, session, seed, **parameters):
    """A session twenty times, on a feed of instruments with ticks of 0.1 and lots of 0.001."""
    chosen = instruments(*symbols)
    desk = Desk("d", chosen, feeds=(Feed("f", tuple(i.id for i in chosen)),))
    raw = raw_frame([(0, message) for message in session * 20])
    both = replayed(cls, {"feeds": ("f",), **parameters}, desk, raw, seed)
    assert 0 < both.read < len(raw.rows)


@given(sides=st.lists(st.sampled_from(("bid", "offer")), max_size=30))
@example(sides=["offer", "bid"] * 2000)
def test_bids_come_before_asks_however_they_are_told_and_however_many(sides):
    chosen = instruments("X")
    both = BothWays(Coinbase, {"feeds": ("f",)}, Desk("d", chosen, feeds=(Feed("f", ("x",)),)))
    levels = [test_coinbase.level(side, f"{i + 1}.5", "1") for i, side in enumerate(sides)]
    told = test_coinbase.update(1, *levels)
    out = both.process(
        raw_frame([(0, test_coinbase.snapshot(0)), (0, told), (0, told.replace(b'_num":1', b'_num":2'))])
    )
    assert both.read == 0
    rows = out["events"]
    found = rows[(rows["cause"] == 2) & (rows["kind"] == EventKind.LEVEL)]["side"].tolist()
    assert found == sorted(int(side == "offer") for side in sides)


def test_a_message_that_reaches_beyond_the_frame_is_read_by_the_rules():
    chosen = instruments("X")
    both = BothWays(Coinbase, {"feeds": ("f",)}, Desk("d", chosen, feeds=(Feed("f", ("x",)),)))
    raw = raw_frame([(0, test_coinbase.snapshot(0))])
    raw.rows["size"] += 5
    both.process(raw)
    assert both.read == 1

"""Real recordings, and a simulated one made by others."""

import gzip
import struct
from collections import Counter
from pathlib import Path

import pytest

from operators.feeds import itch_encode as itch
from operators.feeds.itch_example import raw_frame
from schemas.market import EventKind as K
from schemas.market import FeedEventKind
from tests.operators.feeds.itch_reference import split
from tests.operators.feeds.itch_session import MIDNIGHT, following, run

NO_MORE = {"dead_letters": [], "feed_events": []}


def nasdaq(data_path: Path) -> list[bytes]:
    return list(split((data_path / "itch/nasdaq_real_first_1MiB.itch50").read_bytes()))


def test_the_start_of_a_real_day_for_a_few_stocks(data_path: Path) -> None:
    messages = nasdaq(data_path)
    whole = messages[:-1]
    counts = {"S": 1, "R": 8713, "H": 8707, "Y": 8707, "L": 9453}
    assert Counter(chr(m[0]) for m in whole) == counts
    assert len(whole) == 35_581
    produced = run(following(["AAPL", "GOOG", "MSFT"]), raw_frame(messages, feed=0), cuts=[1000, 1001, 20_000])
    assert Counter((event[7], event[8], event[6]) for event in produced["events"]) == Counter(
        (i, kind, 1) for i in range(3) for kind in (K.SYNC, K.STATUS)
    )
    tail = len(messages)
    assert [(c, reason) for c, _, _, reason, _ in produced["dead_letters"]] == [
        (tail, "message: expected at least a type, came 0 bytes")
    ]
    assert [(c, kind) for c, _, _, _, kind, *_ in produced["feed_events"]] == [(tail, FeedEventKind.TRUNCATED)]


def test_the_start_of_a_real_day_for_every_stock(data_path: Path) -> None:
    messages = nasdaq(data_path)[:-1]
    symbols = [m[11:19].decode().rstrip() for m in messages if m[:1] == b"R"]
    produced = run(following(symbols), raw_frame(messages, feed=0))
    events = produced.pop("events")
    assert produced == NO_MORE
    assert Counter(event[8] for event in events) == {K.SYNC: 8713, K.STATUS: 8707}
    clocks = [event[2] - MIDNIGHT for event in events]
    assert clocks == sorted(clocks)
    assert (clocks[0], clocks[-1]) == (0x0A4A4CEE5599, 0x0A4A8E931336)  # bytes of the file


PCAPS = {
    "AddOrderNoMPID": (b"A", 34199999894278, (23508286, 0, 873900, 1600, 0, K.ADD, 0)),
    "AddOrderWithMPID": (b"F", 34199999977782, (18923125, 0, 2555200, 100, 0, K.ADD, 1)),
    "NonCrossTrade": (b"P", 34200000684713, (0, 0, 1284600, 100, 0, K.TRADE, 0)),
    "OrderCancel": (b"X", 34200002394205, (33823232, 0, 0, 100, 0, K.CANCEL, 0)),
    "OrderDelete": (b"D", 34199999889645, (23442714, 0, 0, 0, 0, K.DELETE, 0)),
    "OrderExecuted": (b"E", 34199999934561, (23499418, 0, 0, 25, 0, K.EXECUTE, 0)),
    "OrderExecutedWithPrice": (b"C", 34200001163323, (19993566, 0, 224800, 4926, 0, K.EXECUTE, 0)),
    "OrderReplace": (b"U", 34199999836649, (15108479, 21361351, 1062600, 100, 0, K.REPLACE, 0)),
    "StockTradingAction": (b"H", 34215592125541, (0, 0, 0, 0, 0, K.STATUS, 0)),
}
CROSSES = [(34200000781447, (0, 0, 195600, 5577, 0, K.TRADE, 0)), (34200001163323, (0, 0, 224800, 5379, 0, K.TRADE, 0))]


@pytest.mark.parametrize("name", PCAPS)
def test_a_captured_message_of_each_decoded_type(data_path: Path, name: str) -> None:
    code, clock, body = PCAPS[name]
    message = captured(data_path, f"20230822/{name}")[0]
    assert message[:1] == code
    directory = itch.stock_directory(int.from_bytes(message[1:3], "big"), 0, "IT")
    produced = run(following(["IT"]), raw_frame([directory, message], feed=0))
    assert [(event[2] - MIDNIGHT, event[3:10]) for event in produced.pop("events")[1:]] == [(clock, body)]
    assert produced == NO_MORE


@pytest.mark.parametrize(
    ("name", "length"),
    [
        ("SystemEvent", 12),
        ("RegSHORestriction", 20),
        ("MarketParticipantPosition", 26),
        ("LULDAuctionCollar", 35),
        ("NetOrderImbalanceIndicator", 50),
    ],
)
def test_captured_messages_of_other_types_are_recognised_and_ignored(data_path: Path, name: str, length: int) -> None:
    messages = captured(data_path, f"20230822/{name}")
    assert {len(m) for m in messages} == {length}
    assert run(following(["IT"]), raw_frame(messages, feed=0)) == {"events": [], **NO_MORE}


def test_captured_crosses_that_traded_are_trades(data_path: Path) -> None:
    messages = captured(data_path, "20230822/CrossTrade")
    found = []
    for message in messages:
        directory = itch.stock_directory(int.from_bytes(message[1:3], "big"), 0, "IT")
        produced = run(following(["IT"]), raw_frame([directory, message], feed=0))
        found += [(event[2] - MIDNIGHT, event[3:10]) for event in produced.pop("events")[1:]]
        assert produced == NO_MORE
    assert found == CROSSES  # the other three opened without a trade


def test_a_captured_resumption_of_trading(data_path: Path) -> None:
    (message,) = captured(data_path, "/StockTradingActionMessage")
    produced = run(following(["AMC"]), raw_frame([itch.stock_directory(464, 0, "AMC"), message], feed=0))
    assert [event[2:10] for event in produced["events"][1:]] == [
        (MIDNIGHT + 34763322465824, 0, 0, 0, 1, 0, K.STATUS, 0)
    ]


def test_a_captured_packet_of_many_messages(data_path: Path) -> None:
    delete, *adds = captured(data_path, "/Multiple.Packets")
    directory = [itch.stock_directory(2737, 0, "IT"), itch.stock_directory(6514, 0, "META")]
    produced = run(following(["IT", "META"]), raw_frame([*directory, delete, *adds], feed=0))
    events = produced.pop("events")
    assert produced == NO_MORE
    assert events[2][3:10] == (23485802, 0, 0, 0, 0, K.DELETE, 0)
    assert Counter((m[:1], len(m)) for m in adds) == {(b"A", 36): 36, (b"F", 40): 2}
    assert {(event[2] - MIDNIGHT, event[7], event[8]) for event in events[3:]} == {(34238952381153, 1, K.ADD)}
    assert [event[3:7] for event in events[3:6]] == [
        (7942047, 0, 805200, 1),
        (7028607, 0, 3573300, 100),
        (70575, 0, 805000, 2),
    ]
    bids, asks = ([e[5] for e in events[3:] if e[9] == side] for side in (0, 1))
    assert max(bids) < min(asks)


def captured(data_path: Path, name: str) -> list[bytes]:
    """The messages of a capture: pcap records of Ethernet (VLAN-tagged), IPv4, UDP and MoldUDP64 headers."""
    version, _, file = name.partition("/")
    folder = "Nasdaq.Equities.TotalView.Itch.v5.0" + (f".{version}" if version else "")
    capture = (data_path / "itch/pcap" / folder / f"{file}.pcap").read_bytes()
    magic, at, messages = capture[:4], 24, []
    assert magic == b"\x4d\x3c\xb2\xa1"  # little-endian, nanoseconds
    while at < len(capture):
        (size,) = struct.unpack_from("<I", capture, at + 8)
        mold = capture[at + 16 : at + 16 + size][18 + 20 + 8 :]
        packet = list(split(mold[20:]))
        assert len(packet) == int.from_bytes(mold[18:20], "big")
        messages += packet
        at += 16 + size
    return messages


def test_orders_of_a_simulated_day_keep_their_stock_and_have_shares_enough(data_path: Path) -> None:
    stream = gzip.decompress((data_path / "itch/ritch_simulated_ex20101224.TEST_ITCH_50.gz").read_bytes())
    messages = list(split(stream, by_type=True))
    assert len(messages) == 12_012
    produced = run(following(["ALC", "BOB", "CHAR"]), raw_frame(messages, feed=0))
    events = produced.pop("events")
    assert produced == NO_MORE
    expected = {K.SYNC: 3, K.STATUS: 3, K.ADD: 5000, K.EXECUTE: 198, K.CANCEL: 45, K.DELETE: 1745}
    assert Counter(event[8] for event in events) == {**expected, K.REPLACE: 12, K.TRADE: 5000}
    assert missing(events) == 117  # the day was thinned to 5,000 orders, and lost these


def missing(events: list[tuple]) -> int:
    """Apply order events; counts references to orders never added, asserts that the others fit their order."""
    live: dict[int, tuple[int, int]] = {}
    unknown = 0
    for event in events:
        order, order_new, _, qty, instrument, kind, _ = event[3:10]
        if kind == K.ADD:
            assert order not in live
            live[order] = (instrument, qty)
        elif kind in (K.EXECUTE, K.CANCEL, K.DELETE, K.REPLACE):
            if order not in live:
                unknown += 1
                continue
            owner, left = live.pop(order)
            assert owner == instrument
            if kind == K.REPLACE:
                live[order_new] = (instrument, qty)
            elif kind != K.DELETE:
                assert left >= qty
                live.update({order: (instrument, left - qty)} if left > qty else {})
    return unknown

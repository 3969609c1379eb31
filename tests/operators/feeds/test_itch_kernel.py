"""The compiled decoder against the reference, on valid and on damaged messages."""

import re

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from operators.feeds import itch_encode as itch
from operators.feeds.itch_example import raw_frame
from schemas.market import EventKind, FeedEventKind, RawFrame
from tests.operators.feeds.itch_messages import random_messages
from tests.operators.feeds.itch_reference import LENGTHS, Decoded, Reference
from tests.operators.feeds.itch_session import DESK, DIRECTORY, MIDNIGHT, operator, run

DAY_NS = 86_400_000_000_000
CODES = ("event", "state", "action", "primary", "mode", "level", "qualifier", "market", "cross", "direction")
CODED = dict.fromkeys((*CODES, "variation", "interest", "eligibility"), "code")
_FIELD = re.compile(r"(?:., )?([a-z ]+): expected .+, came .+", re.DOTALL)


def assert_equals_reference(raw: RawFrame, cuts: list[int] | None = None) -> Decoded:
    produced = run(operator(), raw, cuts or [])
    log = [(int(row["cause"]), int(row["ts"]), raw.message(i)) for i, row in enumerate(raw.rows)]
    expected = Reference(DESK, 1, MIDNIGHT).decode(log)
    assert produced["events"] == expected.events
    assert [
        (c, CODED.get(field := _FIELD.fullmatch(reason)[1], field)) for c, _, _, reason, _ in produced["dead_letters"]
    ] == expected.rejects
    told = {cause: message for cause, _, message in log}
    assert all((feed, message) == (1, told[c]) for c, _, feed, _, message in produced["dead_letters"])
    admitted = [(c, i, kind, number) for c, _, _, i, kind, number, _ in produced["feed_events"]]
    truncated = [(c, i, FeedEventKind.TRUNCATED, 0) for c, i in expected.truncated]
    assert admitted == sorted(truncated + expected.remarks)
    return expected


locates = st.sampled_from([1, 1, 1, 2, 2, 3, 4, 5, 65_535])
clocks = st.integers(0, DAY_NS - 1) | st.sampled_from([0, DAY_NS - 1, DAY_NS, 2**48 - 1])
orders = st.integers(0, 2**64 - 1)
shares = st.integers(1, 500).map(lambda n: n * 10) | st.sampled_from([0, 1, 2**32 - 1])
prices = st.integers(1, 10**6).map(lambda n: n * 300) | st.sampled_from(
    [0, 1, 50, 2 * 10**9, 2 * 10**9 + 100, 2**32 - 1]
)
sides = st.sampled_from([b"B", b"S", b"B", b"S", b"b", b"\0"])
stocks = st.sampled_from(["AAPL", "MSFT", "ZVZZT", "OTHER", "AAPL", "\x1f", "\x7f", "", "A~ B"])
zeros = st.sampled_from([c for c in LENGTHS if c in "YLVWKJhQBINO"])
markets, actions = st.sampled_from([b"Q", b"B", b"X", b"Q", b"?"]), st.sampled_from([b"H", b"T", b"H", b"T", b"?"])

messages = st.one_of(
    st.builds(itch.system_event, clocks, st.sampled_from([b"O", b"C"])),
    st.builds(itch.stock_directory, locates, clocks, stocks),
    st.builds(itch.trading_action, locates, clocks, stocks, st.sampled_from([b"H", b"P", b"Q", b"T", b"?"])),
    st.builds(itch.add_order, locates, clocks, orders, sides, shares, stocks, prices),
    st.builds(itch.add_order, locates, clocks, orders, sides, shares, stocks, prices, attribution=st.just(b"GSCO")),
    st.builds(itch.order_executed, locates, clocks, orders, shares, orders),
    st.builds(itch.order_executed_with_price, locates, clocks, orders, shares, orders, prices),
    st.builds(itch.order_cancel, locates, clocks, orders, shares),
    st.builds(itch.order_delete, locates, clocks, orders),
    st.builds(itch.order_replace, locates, clocks, orders, orders, shares, prices),
    st.builds(itch.trade, locates, clocks, shares, stocks, prices, orders, side=sides),
    st.builds(
        lambda code, ts: code.encode() + bytes(4) + ts.to_bytes(6, "big") + bytes(LENGTHS[code] - 11), zeros, clocks
    ),
    st.builds(itch.operational_halt, locates, clocks, stocks, markets, actions),
    st.builds(itch.cross_trade, locates, clocks, shares | orders, stocks, prices, orders, cross=st.just(b"H")),
    st.builds(itch.broken_trade, locates | st.just(0), clocks, orders),
    st.builds(itch.circuit_breaker, clocks, st.sampled_from([b"1", b"2", b"3", b"4"])),
    random_messages("SYLWKJINO"),
)


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    message = bytearray(draw(messages))
    at = draw(st.integers(0, len(message) - 1))
    match draw(st.sampled_from(["change", "cut", "extend"])):
        case "change":
            message[at] = draw(st.integers(0, 255))
        case "cut":
            del message[at:]
        case "extend":
            message += draw(st.binary(min_size=1, max_size=40))
    return bytes(message)


@given(
    st.booleans(),
    st.lists(messages | messages | damaged() | st.binary(max_size=60), max_size=30),
    st.lists(st.integers(0, 34), max_size=6),
)
@settings(max_examples=400)
def test_any_messages_in_any_cut_decode_as_the_reference_does(known: bool, log: list[bytes], cuts: list[int]) -> None:
    raw = raw_frame(DIRECTORY * known + log, feed=1)
    assert_equals_reference(raw, [cut for cut in cuts if cut <= len(raw.rows)])


def test_each_of_100_000_damaged_messages_is_decoded_ignored_remarked_or_rejected_exactly_once() -> None:
    raw = _damaged_log(seed=20191230, count=100_000)
    expected = assert_equals_reference(raw)
    lost = {event[0] for event in expected.events if (event[8], event[6]) == (EventKind.SYNC, 0)}
    decoded = [event[0] for event in expected.events if event[0] not in lost]
    rejected = [cause for cause, _ in expected.rejects]
    assert lost <= set(rejected)
    remarked = [cause for cause, *_ in expected.remarks]
    assert sorted(decoded + rejected + expected.ignored + remarked) == raw.rows["cause"].tolist()
    assert min(len(decoded), len(rejected), len(expected.ignored), len(remarked), len(lost)) > 1000


def _damaged_log(seed: int, count: int) -> RawFrame:
    """Messages of all types for four stocks; half of them with one to three bytes changed, a tenth cut."""
    rng = np.random.default_rng(seed)
    pool = [
        message for i, stock in enumerate(("AAPL", "MSFT", "ZVZZT", "OTHER"), 1) for message in one_of_each(i, stock)
    ]
    raw = raw_frame(DIRECTORY + [pool[i] for i in rng.integers(0, len(pool), count)], feed=1)
    rows, data = raw.rows, raw.data.copy()
    changed = len(DIRECTORY) + np.flatnonzero(rng.random(count) < 0.5)
    for _ in range(3):
        at = rows["start"][changed] + (rng.random(len(changed)) ** 2 * rows["size"][changed]).astype(np.int64)
        data[at] = rng.integers(0, 256, len(changed))
        changed = changed[rng.random(len(changed)) < 0.5]
    cut = len(DIRECTORY) + np.flatnonzero(rng.random(count) < 0.1)
    rows["size"][cut] = (rng.random(len(cut)) * rows["size"][cut]).astype(np.int64)
    return RawFrame(rows, data)


def one_of_each(locate: int, stock: str) -> list[bytes]:
    ts = 36_000_000_000_000
    return [
        itch.trading_action(locate, ts, stock, b"T"),
        itch.add_order(locate, ts, 1, b"B", 100, stock, 30_000),
        itch.add_order(locate, ts, 2, b"S", 200, stock, 60_000, attribution=b"GSCO"),
        itch.order_executed(locate, ts, 1, 10, 1),
        itch.order_executed_with_price(locate, ts, 1, 10, 2, 30_000),
        itch.order_cancel(locate, ts, 1, 10),
        itch.order_delete(locate, ts, 1),
        itch.order_replace(locate, ts, 2, 3, 50, 30_000),
        itch.trade(locate, ts, 10, stock, 30_000, 3),
        itch.stock_directory(locate, ts, stock),
        itch.operational_halt(locate, ts, stock, b"Q", b"H"),
        itch.cross_trade(locate, ts, 1000, stock, 30_000, 4),
        itch.broken_trade(locate, ts, 3),
        itch.circuit_breaker(ts, b"2"),
        b"Y" + locate.to_bytes(2, "big") + bytes(8) + stock.ljust(8).encode() + b"1",
    ]

"""100,000 damaged messages: what is rejected is exactly what a slow, plain reading of the rules rejects."""

import random
from decimal import Decimal, InvalidOperation

import orjson
import pytest

from operators.feeds.raw_log import raw_frame
from schemas.market import EventKind
from tests.operators.feeds.binance_session import decoder, depth, snapshot, ticker, trade

TICK, LOT = Decimal("0.01"), Decimal("0.001")
VALUES = [None, True, 0, -1, 7, 2**63, 1.5, "", "x", "-1.00", "0.00", "1.005", "1e3", "9" * 20, [], {}, [["1.00", "1"]]]


def samples(market):
    """Messages as the venue sends them."""
    levels = [["1.00", "0.002"], ["0.99", "0.000"], ["0.98", "12.345"]]
    previous = 5 if market == "usdm" else None
    return [
        depth(6, 9, previous, bids=levels, asks=levels[:1]),
        depth(6, 9, previous, bids=levels[1:]),
        ticker(8),
        ticker(8, e="bookTicker", T=5, E=6),
        trade(),
        snapshot(7),
        b'{"result":null,"id":3}',
    ]


def mutated(rng, message):
    """One message with bytes or a field changed; at times cut short, doubled, or as it was."""
    fate = rng.randrange(10)
    if fate < 4:
        damaged = bytearray(message)
        for _ in range(rng.randint(1, 3)):
            damaged[rng.randrange(len(damaged))] = rng.choice(b'0123456789{}[]",:.-eEsubBaA \0\xff')
        return bytes(damaged)
    if fate == 4:
        return message[: rng.randrange(len(message))]
    if fate == 5:
        at = rng.randrange(len(message))
        return message[:at] + bytes(rng.randrange(256) for _ in range(rng.randint(1, 3))) + message[at:]
    if fate == 6:
        return message if rng.random() < 0.5 else message + message
    return restructured(rng, message)


def restructured(rng, message):
    """A field left out, or with any value at all."""
    whole = orjson.loads(message)
    part = whole.get("data", whole)
    key = rng.choice(list(part))
    if rng.random() < 0.3:
        del part[key]
    elif key in {"b", "bids"} and type(part[key]) is list and part[key]:
        part[key][rng.randrange(len(part[key]))] = rng.choice(
            [*VALUES, ["1.00", rng.choice(VALUES)], [rng.choice(VALUES), "1"]]
        )
    else:
        part[key] = rng.choice(VALUES)
    return orjson.dumps(whole)


def steps(value, step, is_total):
    """How many steps a decimal string is; None where the rules reject it."""
    if type(value) is not str or len(value) > 40 or value.strip() != value or set(value) - set("0123456789."):
        return None
    if value.startswith(".") or value.endswith("."):
        return None
    try:
        count = Decimal(value) / step
    except InvalidOperation:
        return None
    if count > 10**12 or (count != int(count) and not is_total):
        return None
    return 1 if 0 < count < 1 else int(count)


def is_id(value):
    return type(value) is int and 0 <= value < 2**63


def is_time(data, optional=False):
    value = data.get("T") if data.get("T") is not None else data.get("E", 0 if optional else None)
    return type(value) is int and 0 <= value < 2**63 // 10**6


def are_levels(levels):
    return type(levels) is list and all(
        type(level) is list
        and len(level) == 2
        and steps(level[0], TICK, False)
        and steps(level[1], LOT, True) is not None
        for level in levels
    )


def is_understood(message, market):
    """The rules of docs/binance.md, read slowly."""
    try:
        whole = orjson.loads(message)
    except ValueError:
        return False
    if type(whole) is not dict or type(data := whole.get("data", whole)) is not dict:
        return False
    kind = data.get("e")
    if kind == "bookTicker" or (kind is None and {"A", "B"} <= data.keys()):
        best = [(steps(data.get(p), TICK, False), steps(data.get(q), LOT, True)) for p, q in ("bB", "aA")]
        sides = all(None not in side and bool(side[0]) == bool(side[1]) for side in best)
        return sides and is_id(data.get("u")) and data.get("s") == "BTCUSDT" and is_time(data, optional=True)
    if kind == "trade":
        amounts = steps(data.get("p"), TICK, False) and steps(data.get("q"), LOT, False)
        named = data.get("s") == "BTCUSDT" and is_id(data.get("t")) and type(data.get("m")) is bool
        return bool(amounts) and named and is_time(data)
    if kind == "depthUpdate":
        ids = [data.get("U"), data.get("u"), *([data.get("pu")] if market == "usdm" else [])]
        if not all(map(is_id, ids)) or not ids[0] <= ids[1] or (market == "usdm" and not ids[2] < ids[0]):
            return False
        return data.get("s") == "BTCUSDT" and is_time(data) and are_levels(data.get("b")) and are_levels(data.get("a"))
    if kind is None and "lastUpdateId" in data:
        bare = data is whole and is_id(data["lastUpdateId"]) and is_time(data, optional=True)
        return bare and are_levels(data.get("bids")) and are_levels(data.get("asks"))
    return "id" in whole and "result" in whole and (whole["result"] is None or type(whole["result"]) is list)


@pytest.mark.parametrize(("market", "seed"), [("spot", 1), ("usdm", 2)])
def test_nothing_escapes_and_exactly_what_the_rules_reject_is_a_dead_letter(market, seed):
    rng = random.Random(seed)
    valid = samples(market)
    assert all(is_understood(message, market) for message in valid)
    messages = [mutated(rng, rng.choice(valid)) for _ in range(50_000)]
    operator, letters = decoder(market), {}
    for at in range(0, len(messages), 5000):
        produced = operator.process({"raw": raw_frame([(0, m) for m in messages[at : at + 5000]], at + 1)})
        for cause, _, feed, reason, content in produced["dead_letters"].tolist():
            assert cause not in letters
            assert (feed, content) == (0, messages[cause - 1])
            assert 5 < len(reason) < 300
            letters[cause] = reason
        events = produced["events"]
        assert (events["qty"] >= 0).all()
        assert (events["price"][events["kind"] == EventKind.LEVEL] > 0).all()
    expected = {i + 1 for i, message in enumerate(messages) if not is_understood(message, market)}
    disputed = letters.keys() ^ expected
    assert not disputed, [(messages[i - 1], letters.get(i)) for i in sorted(disputed)[:5]]
    assert 20_000 < len(letters) < 48_000

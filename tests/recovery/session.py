"""A small simulated session with some damage in it, and configurations that trade it.

The session is written once for all test processes. The thresholds are chosen so that its hour holds what can
happen to a desk: hundreds of trades, denials by several rules, partial fills, stops, unwinds, dead letters.
"""

import copy
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from operators.feeds import itch_encode as itch
from operators.simulator.files import FEED, INSTRUMENTS, PAIRS, write_session
from operators.simulator.parameters import SessionParameters

PARAMETERS = SessionParameters(
    symbols=24, groups=4, pairs=40, messages=40_000, hours=1, seed=5, half_life=("20s", "60s")
)
DESKS = ("alpha", "beta", "gamma")
SECOND_NS = 10**9
_HALTED, _CONTRADICTED = 3, 5
"""Stock locates: of the stock that is halted for a while, and of the one whose book is contradicted late."""
_UNKNOWN = 60_000
"""The locate of no stock."""


def make_session(directory: Path) -> Path:
    """Write the session, slightly damaged, into `directory`."""
    write_session(PARAMETERS, directory)
    feed = directory / FEED
    feed.write_bytes(framed(slightly_damaged(messages_of(feed.read_bytes()))))
    return directory


def messages_of(capture: bytes) -> list[bytes]:
    """The messages of a BinaryFILE."""
    messages, at = [], 0
    while at < len(capture):
        size = int.from_bytes(capture[at : at + 2], "big")
        messages.append(capture[at + 2 : at + 2 + size])
        at += 2 + size
    return messages


def framed(messages: list[bytes]) -> bytes:
    """Messages as a BinaryFILE."""
    return b"".join(len(m).to_bytes(2, "big") + m for m in messages)


def slightly_damaged(messages: list[bytes]) -> list[bytes]:
    """What no decoder can take behind one message in 200; one stock halts for a while, one contradicts itself late."""
    rng = random.Random(11)
    stock = next(m[11:19] for m in messages if m[:1] == b"R" and int.from_bytes(m[1:3], "big") == _HALTED).decode()
    extra = {i: _reject(rng, clock_of(messages[i])) for i in range(1_000, len(messages), 200)}
    third = len(messages) // 3
    extra[third] = itch.trading_action(_HALTED, clock_of(messages[third]), stock, b"H")
    extra[2 * third] = itch.trading_action(_HALTED, clock_of(messages[2 * third]), stock, b"T")
    late = len(messages) * 9 // 10
    extra[late] = itch.order_delete(_CONTRADICTED, clock_of(messages[late]), 999_999_999)
    return [m for i, message in enumerate(messages) for m in ([message, extra[i]] if i in extra else [message])]


def clock_of(message: bytes) -> int:
    """Nanoseconds since midnight that the message states."""
    return int.from_bytes(message[5:11], "big")


def _reject(rng: random.Random, ts: int) -> bytes:
    return rng.choice(
        (
            b"",
            rng.randbytes(2),
            itch.order_delete(_UNKNOWN, ts, 1),
            itch.add_order(_UNKNOWN, 25 * 3600 * SECOND_NS, 7, b"B", 100, "ANY", 10_000),
            itch.order_executed(_UNKNOWN, ts, 1, 100, 1)[:-3],
        )
    )


def heavily_damaged(messages: list[bytes], rng: random.Random, first: int, share: float) -> list[bytes]:
    """Everything that can happen to a capture, each to about a `share` of the messages from number `first` on."""
    damaged = list(messages[:first])
    for message in messages[first:]:
        ways = _WAYS if rng.random() < share * len(_WAYS) else ()
        damaged += rng.choice(ways)(message, rng) if ways else [message]
    for _ in range(int(share * len(messages))):
        i = rng.randrange(first, len(damaged) - 50)
        j = i + rng.randrange(1, 40)
        damaged[i], damaged[j] = damaged[j], damaged[i]
    last = damaged.pop()
    return [*damaged, last[: len(last) // 2]]


def _with(message: bytes, offset: int, field: bytes) -> bytes:
    return message[:offset] + field + message[offset + len(field) :] if message[:1] in b"AF" else message


_WAYS: list[Callable[[bytes, random.Random], list[bytes]]] = [
    lambda m, rng: [],  # a gap
    lambda m, rng: [m, m],
    lambda m, rng: [m[: rng.randrange(len(m))]],
    lambda m, rng: [m, rng.randbytes(rng.randrange(50))],
    lambda m, rng: [m, m[:1] + _UNKNOWN.to_bytes(2, "big") + m[3:]],
    lambda m, rng: [m + b"\0"],
    lambda m, rng: [_with(m, 32, (1_999_990_000).to_bytes(4, "big"))],  # 199,999 dollars: a bid crosses the book
    lambda m, rng: [_with(m, 32, (100).to_bytes(4, "big"))],  # one cent: an offer crosses the book
    lambda m, rng: [_with(m, 32, rng.randbytes(4))],  # most of them no whole cents
    lambda m, rng: [_with(m, 20, b"\xff\xff\xff\xff")],  # four billion shares
    lambda m, rng: [_with(m, 20, b"\0\0\0\0")],
    lambda m, rng: [_with(m, 19, b"X")],  # neither bid nor offer
    lambda m, rng: [m[:5] + rng.randbytes(6) + m[11:]],  # most of them later than any day
]


OPERATORS: list[dict[str, Any]] = [
    {"id": "itch", "type": "itch50", "input": "feeds", "feed": "itch", "date": "2026-01-05"},
    {"id": "book", "type": "book", "input": "itch"},
    {"id": "confidence", "type": "confidence", "input": "book"},
    {"id": "audit", "type": "audit", "input": ["feeds", "itch"]},
    {"id": "depth", "type": "depth", "input": "book", "levels": 3, "every": "30s"},
    {
        "id": "spread",
        "type": "spread",
        "input": "book",
        "price": "mid",
        "hedge": {"type": "rolling", "window": 120},
        "zscore": {"type": "rolling", "window": 60},
        "every": "1s",
    },
    {
        "id": "character",
        "type": "pair_statistics",
        "input": ["book", "spread"],
        "every": "5s",
        "window": 40,
        "step": 5,
    },
    {"id": "gate", "type": "cointegration", "input": "book", "every": "5s", "window": 60, "step": 10},
    {"id": "features", "type": "features", "input": ["itch", "book", "spread"], "every": "1m"},
    {
        "id": "model",
        "type": "model",
        "input": ["book", "features", "spread"],
        "model": [{"class": "river.preprocessing.StandardScaler"}, {"class": "river.linear_model.LogisticRegression"}],
        "target": {"type": "reverts", "exit": 0.3, "stop": 4.0, "horizon": "2m"},
        "shadows": [{"class": "river.naive_bayes.GaussianNB"}],
        "promote": {"outcomes": 20, "margin": 0.0},
        "drift": {
            "detector": {"class": "river.drift.ADWIN"},
            "size": 0.5,
            "then": "reset",
            "outcomes": 20,
        },
        "derive": {"pressure": "y_flow - x_flow"},
        "taker_bps": 0.1,
        "warm_up": 20,
        "validate_every": 50,
        "digest_every": 25,
        "save_every": 60,
    },
    {
        "id": "bands",
        "type": "bands",
        "input": "spread",
        "entry": 2.0,
        "exit": 0.3,
        "stop": 3.2,
        "cooldown": "20s",
        "notional": 60_000,
        "min_deviation": 0.05,
    },
    {
        "id": "trader",
        "type": "trader",
        "input": ["bands", "book"],
        "order": "limit",
        "price": "touch",
        "tif": "day",
        "patience": "1s",
        "retry": "2s",
    },
    {
        "id": "limits",
        "type": "limits",
        "input": ["trader", "book"],
        "position": 90_000,
        "order": 50_000,
        "gross": 600_000,
        "net": 200_000,
        "daily_loss": 500_000,
        "collar_bps": 50,
        "rate": 6,
    },
    {
        "id": "venue",
        "type": "simulated_venue",
        "input": ["limits", "book"],
        "latency": "200ms",
        "jitter": "100ms",
        "report": "100ms",
        "taker_bps": 0.1,
    },
    {"id": "portfolio", "type": "portfolio", "input": ["venue", "book"], "every": "1m"},
]


_SAMPLED = {"every": "20s"}


def write_config(
    path: Path,
    session: Path,
    *,
    run: str,
    desks: int,
    target: str = "",
    parameters: dict[str, Any] | None = None,
    quotes: dict[str, str] | str = _SAMPLED,
    **runtime: Any,
) -> Path:
    """A configuration of `desks` desks on the session; the target is a directory beside it unless it is named.

    `parameters` are changes to operators by id, `quotes` says how densely these are written, `runtime` is that section.
    """
    pairs = yaml.safe_load((session / PAIRS).read_text())
    share = {1: [pairs], 3: [pairs[:20], pairs[10:30], pairs[20:]]}[desks]
    operators = [copy.deepcopy(operator) | (parameters or {}).get(operator["id"], {}) for operator in OPERATORS]
    feed = {"id": "itch", "format": "itch50", "path": FEED, "date": "2026-01-05", "timezone": "America/New_York"}
    document = {
        "run": run,
        "target": target or "chdb://clickhouse",
        "data": str(session),
        "instruments": INSTRUMENTS,
        "desks": [
            {"id": name, "capital": 1_000_000 * (i + 1), "seed": 7 + i, "feeds": [feed], "pairs": share[i]}
            for i, name in enumerate(DESKS[:desks])
        ],
        "operators": operators,
        "tables": {"quotes": quotes, "spreads": _SAMPLED},
        "runtime": runtime,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(document, sort_keys=False))
    return path

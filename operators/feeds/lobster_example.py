"""A made-up pair of LOBSTER's files, as their rows stand in an input log."""

from decimal import Decimal

import numpy as np

from operators.feeds.lobster_book import CANCELLATION, DELETION, EXECUTION, HALT, HIDDEN_EXECUTION, SUBMISSION
from operators.feeds.raw_log import START_NS, arrived, raw_frame
from operators.operator import Desk, Example, Feed
from schemas.instrument import Instrument

_ROWS = 1_500
_DEPTH = 2
_EMPTY = 9_999_999_999

Row = tuple[int, int, int, int, int]


def lobster_example(seed: int) -> Example:
    """Two levels of a book with many orders, beside a feed of something else."""
    rng = np.random.default_rng(seed)
    terms = {"venue": "XNAS", "tick": Decimal("0.01"), "lot": Decimal(1), "currency": "USD"}
    desk = Desk(
        id="example",
        instruments=(Instrument(id="A", symbol="A", **terms), Instrument(id="B", symbol="B", **terms)),
        feeds=(Feed("other", ("B",)), Feed("files", ("A",))),
    )
    log: list[tuple[int, bytes]] = []
    for i, row in enumerate(lobster_rows(rng, _ROWS, _DEPTH)):
        if rng.random() < 0.05:
            log.append((0, rng.bytes(20)))
        message = (START_NS + i).to_bytes(8, "little") + row
        log += [(1, came) for came in arrived(rng, float(rng.random()), message)]
    return Example(desk, {"feeds": ["files"]}, {"raw": raw_frame(log)})


def lobster_rows(rng: np.random.Generator, count: int, depth: int) -> list[bytes]:
    """Per message about one of the `depth` best levels of a side its row, an end of line, and the book's row."""
    orders: dict[int, tuple[int, int, int]] = {}  # reference -> (direction, price, size)
    rows: list[bytes] = []
    number = 0
    while len(rows) < count:
        number += 1
        before = _best(orders, depth)
        message = _change(rng, orders, number)
        after = _best(orders, depth)
        if number < 40 or not (message[0] in (HIDDEN_EXECUTION, HALT) or _is_seen(message, before, after)):
            continue
        book = [str(v) for level in after for v in level]
        rows.append(
            ",".join([f"{34200 + number / 1000:.3f}", *map(str, message)]).encode() + b"\n" + ",".join(book).encode()
        )
    return rows


def _change(rng: np.random.Generator, orders: dict[int, tuple[int, int, int]], number: int) -> Row:
    """Something that happens to an order, and the message that tells it."""
    fate = rng.random()
    if fate < 0.02:
        return HIDDEN_EXECUTION, 0, int(rng.integers(1, 9)) * 100, 1_000_000, 1
    if fate < 0.025:
        return HALT, 0, 0, int(rng.choice([-1, 0, 1])), -1
    if len(orders) < 40 or fate < 0.4:
        direction = 1 if rng.random() < 0.5 else -1
        price = 1_000_000 - direction * int(rng.integers(1, 9)) * 100
        orders[number] = direction, price, int(rng.integers(1, 9)) * 100
        return SUBMISSION, number, orders[number][2], price, direction
    order = int(rng.choice(list(orders)))
    direction, price, size = orders.pop(order)
    kind = int(rng.choice([CANCELLATION, DELETION, EXECUTION]))
    taken = size if kind == DELETION else int(rng.integers(1, size // 100 + 1)) * 100
    if taken < size:
        orders[order] = direction, price, size - taken
    return kind, order, taken, price, direction


def _best(orders: dict[int, tuple[int, int, int]], depth: int) -> list[tuple[int, int, int, int]]:
    """(ask, size, bid, size), level by level."""
    totals: tuple[dict[int, int], dict[int, int]] = ({}, {})
    for direction, price, size in orders.values():
        side = totals[direction == 1]
        side[price] = side.get(price, 0) + size
    asks = sorted(totals[0].items()) + [(_EMPTY, 0)] * depth
    bids = sorted(totals[1].items(), reverse=True) + [(-_EMPTY, 0)] * depth
    return [(*ask, *bid) for ask, bid in zip(asks[:depth], bids[:depth], strict=True)]


def _is_seen(message: Row, before: list[tuple[int, int, int, int]], after: list[tuple[int, int, int, int]]) -> bool:
    """Whether the message is about a level that is shown before or after it."""
    place = 2 if message[4] == 1 else 0
    return any(level[place] == message[3] for level in (*before, *after))

"""Networks that lose, repeat, replay and reorder; sessions whose true books are known; and what must hold of both."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from operators.book.book import Book, BookParameters
from operators.feeds.venue_example import Book as TrueBook
from operators.feeds.venue_example import Writer
from operators.operator import Desk, Operator
from schemas.market import BookState, RawFrame
from tests.operators.feeds import binance_session
from tests.operators.framing.lossy import line

Levels = tuple[dict[int, int], dict[int, int]]
"""Lots by ticks, of bids and asks."""

SNAPSHOT_EVERY = 12


class Sent(NamedTuple):
    """A message as the venue sent it, its place, and the true book of its instrument behind it."""

    number: int
    instrument: int
    data: bytes
    book: Levels


def faulty(rng: random.Random, sent: Sequence[Any]) -> list[Any]:
    """What arrives: up to 30 % lost, up to half repeated, some up to 8 places late, stretches played again."""
    loss, repeats = rng.choice((0, 0.02, 0.1, 0.3)), rng.choice((0, 0.1, 0.5))
    arriving = line(rng, sent, loss, repeats, rng.choice((0, 0, 1.5, 8)))
    for _ in range(rng.choice((0, 0, 1, 3))):
        at = rng.randrange(1, len(arriving) + 1)
        start = rng.randrange(max(0, at - 30), at)
        arriving[at:at] = arriving[start:at]
    return arriving


def damaged(rng: random.Random, arriving: Sequence[Sent]) -> list[Sent]:
    """The same with, in one case of two, one message in fifty cut short, or with a price that is none."""
    share = rng.choice((0, 0.02))
    return [_damaged(rng, sent) if rng.random() < share else sent for sent in arriving]


def _damaged(rng: random.Random, sent: Sent) -> Sent:
    data = sent.data[: rng.randrange(len(sent.data))] if rng.random() < 0.3 else sent.data.replace(b'"100.', b'"1x0.')
    return sent if data == sent.data else Sent(-1, -1, data, ({}, {}))


def venue_session(rng: random.Random, writer: Writer, messages: int) -> list[Sent]:
    """Two instruments on one connection; a snapshot of each now and then, and trades and heartbeats between."""
    numpy_rng = np.random.default_rng(rng.randrange(2**32))
    books, sent = [TrueBook(), TrueBook()], []
    for number in range(messages):
        symbol = rng.randrange(2) if number > 1 else number
        book = books[symbol]
        before = [dict(book.side(side)) for side in (0, 1)]
        if number < 2 or number % SNAPSHOT_EVERY < 2:
            symbol, book = number % 2, books[number % 2]
            book.change(numpy_rng, 6 if number < 2 else 1)
            data = writer.snapshot(symbol, number, book.side(0), book.side(1))
        elif rng.random() < 0.85:
            book.change(numpy_rng, rng.choice((1, 1, 2)))
            data = writer.change(symbol, number, [_changes(before[s], book.side(s)) for s in (0, 1)], book)
        else:
            data = writer.idle(number)
            symbol = -1
        sent.append(Sent(number, symbol, data, _levels(book)))
    return sent


def binance(rng: random.Random, is_futures: bool, messages: int) -> list[Sent]:
    """One instrument: updates of one to three ids, and a snapshot now and then."""
    numpy_rng, book, sent = np.random.default_rng(rng.randrange(2**32)), TrueBook(), []
    final = 100
    book.change(numpy_rng, 6)
    for number in range(messages):
        if number % SNAPSHOT_EVERY == 1:
            data = binance_session.snapshot(final, book.side(0), book.side(1))
        else:
            before = [dict(book.side(side)) for side in (0, 1)]
            book.change(numpy_rng, 1)
            bids, asks = (_changes(before[side], book.side(side)) for side in (0, 1))
            first, previous = final + 1, final if is_futures else None
            final += rng.randint(1, 3)
            data = binance_session.depth(first, final, previous, bids=bids, asks=asks)
        sent.append(Sent(number, 0, data, _levels(book)))
    return sent


def _changes(before: dict[str, str], after: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    gone = before.keys() - dict(after).keys()
    return [level for level in after if before.get(level[0]) != level[1]] + [(p, "0.000") for p in sorted(gone)]


def _levels(book: TrueBook) -> Levels:
    bids, asks = ({_integer(p): _integer(q) for p, q in book.side(side)} for side in (0, 1))
    return bids, asks


def _integer(text: str) -> int:
    return int(text.replace(".", ""))


@dataclass
class Followed:
    """A decoder and a book behind it, and the levels and states that the book tells of."""

    decoder: Operator
    desk: Desk
    levels: dict[int, Levels] = field(default_factory=dict)
    states: dict[int, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.book = Book(BookParameters(orders=64, levels=64), self.desk)
        self.fresh = self.decoder.snapshot(), self.book.snapshot()
        self.restart()

    def restart(self) -> None:
        """As before the first message."""
        self.decoder.restore(self.fresh[0])
        self.book.restore(self.fresh[1])
        self.levels = {i: ({}, {}) for i in range(len(self.desk.instruments))}
        self.states = {i: int(BookState.UNSYNCED) for i in self.levels}

    def take(self, raw: RawFrame) -> None:
        """Take in an entry of the input log."""
        told = self.book.process({"events": self.decoder.process({"raw": raw}).get("events", ())})
        for _, _, price, qty, instrument, side in _rows(told, "levels"):
            if qty < 0:
                self.levels[instrument] = ({}, {})
            elif qty:
                self.levels[instrument][side][price] = qty
            else:
                del self.levels[instrument][side][price]
        for row in _rows(told, "quotes"):
            self.states[row[-2]] = row[-1]

    def is_whole(self, instrument: int) -> bool:
        """Whether the book says that it can be trusted."""
        return not self.states[instrument] & BookState.UNSYNCED


def _rows(told: Any, port: str) -> list[tuple[int, ...]]:
    return told[port].tolist() if port in told else []


@dataclass
class Outcome:
    """Over many seeds: how many books were compared, and at how many moments they were not to be trusted."""

    right: int = 0
    unsynced: int = 0

    def assert_both(self, seeds: int) -> None:
        """Faults that never cost a book its sync, or always, would show nothing."""
        assert min(self.right, self.unsynced) > 20 * seeds, self


def assert_right_or_unsynced(seed: int, followed: Followed, truth: dict[int, Levels], outcome: Outcome) -> None:
    """Every book is that of the newest message about it that came, or says that it is not whole."""
    for instrument, book in truth.items():
        if followed.is_whole(instrument):
            assert followed.levels[instrument] == book, f"seed {seed}, instrument {instrument}"
            outcome.right += 1
        else:
            outcome.unsynced += 1

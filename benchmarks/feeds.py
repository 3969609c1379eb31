"""A simulated ITCH session's bytes into events, books and depth, against the pure-Python parsers of the package index.

    python -m benchmarks.feeds

All of it in one process and on one thread, from bytes in memory, by processor time, the best of several rounds. A
parser makes an object of each message and keeps no book.
"""

import json
import tempfile
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from importlib.metadata import version
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from itch import USING_CPP_BACKEND
from itch.parser import MessageParser
from meatpy.itch50.itch50_message_reader import ITCH50MessageReader

from benchmarks.session import configuration, written_session
from flows.config import load
from operators.book.book import Book
from operators.book.depth import Depth
from operators.feeds.itch import Itch50
from operators.operator import Desk
from operators.sources.framing import frame_itch50
from schemas.instrument import Instrument
from schemas.market import EVENTS, LAST, RAW, EventKind, RawFrame

_MESSAGES = 1_000_000
_PARSED = 200_000
"""Messages that the parsers get: they need seconds for more."""
_FRAME = 32_768
_ROUNDS = 9

Bytes = np.ndarray[Any, np.dtype[np.uint8]]


def measured() -> dict[str, Any]:
    """Messages per second of each stage together with those before it; of the parsers; and the ratio to the fastest."""
    desk, capture = _session()
    data = capture[: _framed(capture, _MESSAGES)]
    ours = {
        "framing_per_s": _rate(lambda: sum(len(frame.rows) for frame in _frames(data))),
        "framing_and_decode_per_s": _rate(lambda: _run(desk, _frames(data), books=False)),
        "with_books_per_s": _rate(lambda: _run(desk, _frames(data))),
        "with_depth_of_5_per_s": _rate(lambda: _run(desk, _frames(data), depth=5)),
    }
    frames = [frame._replace(rows=frame.rows.copy()) for frame in _frames(data)]
    ours["decode_per_s"] = _rate(lambda: _run(desk, iter(frames), books=False))
    ours["decode_and_books_per_s"] = _rate(lambda: _run(desk, iter(frames)))
    parsers = _parsers(data[: _framed(data, _PARSED)].tobytes())
    fastest = max(parsers, key=lambda name: parsers[name])
    ratios = {
        "decode_ratio": ours["decode_per_s"] / parsers[fastest],
        "framing_and_decode_ratio": ours["framing_and_decode_per_s"] / parsers[fastest],
    }
    books = {f"books_{count:_}_instruments": _books(count) for count in (200, 8_000)}
    return {**ours, **ratios, "parsers": parsers, **books}


def _session() -> tuple[Desk, Bytes]:
    """The desk of the session, and more than enough of its bytes."""
    folder = written_session()
    with tempfile.TemporaryDirectory() as scratch:
        desk = load(configuration(Path(scratch), folder)).desk("bench")
    return desk, np.fromfile(folder / "session.itch", np.uint8, 64 * _MESSAGES)


def _frames(data: Bytes) -> Iterator[RawFrame]:
    """The input log, in frames whose rows are used again."""
    cursor, rows, ends = np.zeros(2, np.int64), np.empty(_FRAME, RAW.dtype), np.empty(_FRAME, np.int64)
    cause = 1
    while True:
        start = int(cursor[0])
        count = frame_itch50(data, False, cursor, 0, 0, cause, rows, ends)
        if not count:
            return
        yield RawFrame(rows[:count], data[start : int(cursor[0])])
        cause += count


def _framed(data: Bytes, messages: int) -> int:
    """How many bytes so many messages take."""
    rows, ends = np.empty(messages, RAW.dtype), np.empty(messages, np.int64)
    count = frame_itch50(data, False, np.zeros(2, np.int64), 0, 0, 1, rows, ends)
    return int(ends[count - 1])


def _run(desk: Desk, frames: Iterator[RawFrame], *, books: bool = True, depth: int = 0) -> int:
    itch = Itch50(Itch50.Parameters.model_validate({"feed": "itch", "date": "2026-01-05"}), desk)
    book, deep = Book(Book.Parameters(), desk), Depth(Depth.Parameters(levels=depth or 1), desk)
    messages = 0
    for frame in frames:
        messages += len(frame.rows)
        out = itch.process({"raw": frame})
        assert "dead_letters" not in out
        if books:
            out = book.process(out)
        if depth:
            deep.process(out)
    return messages


def _books(instruments: int) -> dict[str, float]:
    """Events per second of a million orders that join so many books, half of which leave again, and bytes per order.

    Of the book's tables, the most there are per live order while the books fill, from a tenth of the orders on.
    """
    terms: dict[str, Any] = {"venue": "V", "tick": Decimal("0.01"), "lot": Decimal(1), "currency": "USD"}
    desk = Desk("d", tuple(Instrument(id=f"I{i}", symbol=f"I{i}", **terms) for i in range(instruments)))
    rng = np.random.default_rng(1)
    adds = np.zeros(1_000_000, EVENTS.dtype)
    adds["kind"], adds["flags"], adds["order"] = EventKind.ADD, LAST, np.arange(1, len(adds) + 1)
    adds["instrument"], adds["side"] = rng.integers(0, instruments, len(adds)), rng.integers(0, 2, len(adds))
    adds["price"] = 10_000 + np.where(adds["side"] == 0, -1, 1) * rng.geometric(0.05, len(adds))
    adds["qty"] = rng.integers(1, 1_000, len(adds))
    deletes = adds[rng.permutation(len(adds))[: len(adds) // 2]]
    deletes["kind"] = EventKind.DELETE
    events = np.concatenate([adds, deletes])
    most = 0.0

    def run() -> int:
        nonlocal most
        book = Book(Book.Parameters(orders=1, levels=1), desk)
        for first in range(0, len(events), 10_000):
            book.process({"events": events[first : first + 10_000]})
            if len(adds) // 10 <= first < len(adds):
                most = max(most, book.tables.nbytes / (first + 10_000))
        return len(events)

    return {"events_per_s": _rate(run, 3), "bytes_per_live_order": most}


def _parsers(data: bytes) -> dict[str, float]:
    """Messages per second of each parser, by name and version."""
    assert not USING_CPP_BACKEND, "itchfeed parses in C++ where itchcpp is installed, too: set ITCH_NO_CPP=1"

    def itchfeed() -> int:
        return sum(1 for _ in MessageParser().parse_stream(data))

    def meatpy() -> int:
        return sum(1 for _ in ITCH50MessageReader()._read_messages(BytesIO(data)))

    return {f"{run.__name__} {version(run.__name__)}": _rate(run, 3) for run in (itchfeed, meatpy)}


def _rate(run: Callable[[], int], rounds: int = _ROUNDS) -> float:
    run()
    best = 0.0
    for _ in range(rounds):
        started_s = time.process_time()
        messages = run()
        best = max(best, messages / (time.process_time() - started_s))
    return best


if __name__ == "__main__":
    print(json.dumps(measured(), indent=2))

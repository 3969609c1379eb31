"""Rows of files, LEAN's and any other table's, as market events. docs/files.md tells how they are declared."""

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

import numpy as np

from operators.feeds.message_feed import FeedParameters, listed
from operators.feeds.rows_example import rows_example
from operators.feeds.rows_kernel import EVENTS_PER_ROW, FEED, FOLLOWED, REJECT, TOP, decode_rows
from operators.feeds.rows_reject import explain
from operators.kernel import State
from operators.operator import Desk, Example, Frames, Operator
from operators.registry import register
from operators.tables.row import WORDS_LENGTH, words
from schemas.errors import ConfigError, InvariantError
from schemas.market import DEAD_LETTERS, EVENTS, RAW, RawFrame
from schemas.record import Frame, Schema


@register("rows")
class Rows(Operator):
    """Decodes feeds that are files of rows, `lean` or `table`, into events of the instruments they list.

    Best prices become a book of one level a side, by LEVEL events; trades, levels and orders become events of their
    kind. A book is whole (SYNC 1) once both its sides were told, or with its first order or level. Every row becomes
    events, is passed over because it is of another instrument or left out by the table's `only`, or becomes one dead
    letter; where a rejected one could have changed a book, SYNC 0 follows.

    Raises ConfigError for an unknown feed or instrument and for symbols that cannot be told apart, InvariantError for
    a frame whose rows point outside of its bytes.
    """

    inputs: ClassVar[Mapping[str, Schema]] = {"raw": RAW}
    outputs: ClassVar[Mapping[str, Schema]] = {"events": EVENTS, "dead_letters": DEAD_LETTERS}
    Parameters = FeedParameters

    def __init__(self, parameters: FeedParameters, desk: Desk) -> None:
        super().__init__(parameters, desk)
        feeds = listed(desk, parameters.feeds, "rows")
        instruments: list[tuple[int, ...]] = []
        ranges = np.zeros(len(desk.feeds), FEED)
        for feed, numbers in feeds.items():
            ranges[feed] = len(instruments), len(numbers)
            instruments += _followed(desk, feed, numbers)
        tops = np.zeros(len(desk.instruments), TOP)
        tops["unsure"] = 3
        self._tables = State(
            tops=tops,
            feeds=ranges,
            instruments=np.array(instruments, FOLLOWED),
            events=np.zeros(0, EVENTS.dtype),
            rejects=np.zeros(0, REJECT),
        )
        self._most = max((EVENTS_PER_ROW, *map(len, feeds.values())))

    def process(self, frames: Frames) -> Frames:
        """Decode the messages of the operator's feeds; entries of other feeds and other kinds pass unseen."""
        raw: Any = frames.get("raw")
        if raw is None or len(raw.rows) == 0:
            return {}
        count = len(raw.rows)
        self._make_room("events", EVENTS_PER_ROW * count + self._most)
        self._make_room("rejects", count)
        row, decoded, rejected = decode_rows(self._tables.ctx, raw.rows, raw.data, 0, 0, 0)
        while 0 <= row < count:
            self._make_room("events", 2 * len(self._tables["events"]))
            row, decoded, rejected = decode_rows(self._tables.ctx, raw.rows, raw.data, row, decoded, rejected)
        if row < 0:
            raise self._outside(raw, -1 - row)
        produced = {"events": self._tables["events"][:decoded]} if decoded else {}
        if rejected:
            produced["dead_letters"] = self._letters(raw, self._tables["rejects"][:rejected])
        return produced

    def snapshot(self) -> Any:
        """What was told of each instrument."""
        return self._tables["tops"].copy()

    def restore(self, state: Any) -> None:
        """Know what a snapshot knew."""
        self._tables["tops"][:] = state

    @classmethod
    def example(cls, seed: int) -> Example:
        """Quotes, trades and orders of several instruments on several feeds, some of them damaged."""
        return rows_example(seed)

    def _make_room(self, name: str, rows: int) -> None:
        if rows > len(self._tables[name]):
            self._tables.grow(name, 1 << (rows - 1).bit_length())

    def _letters(self, raw: RawFrame, rejects: Frame) -> Frame:
        letters = []
        for row, reason, instrument in rejects.tolist():
            entry = raw.rows[row]
            definition = self.desk.instruments[instrument] if instrument >= 0 else None
            said, text = explain(reason, raw.message(row), definition)
            letters.append((int(entry["cause"]), int(entry["ts"]), int(entry["feed"]), said, text))
        return DEAD_LETTERS.rows(letters)

    def _outside(self, raw: RawFrame, row: int) -> InvariantError:
        cause, start, size = (int(raw.rows[name][row]) for name in ("cause", "start", "size"))
        return InvariantError(
            f"desk {self.desk.id!r}, operator 'rows', input {cause}: "
            f"its message is {size} bytes from {start}, but the frame has {len(raw.data)}"
        )


def _followed(desk: Desk, feed: int, numbers: Iterable[int]) -> list[tuple[int, ...]]:
    """The instruments of a feed as rows of FOLLOWED, by symbol."""
    owners: dict[tuple[int, int], int] = {}
    for number in numbers:
        instrument = desk.instruments[number]
        symbol = instrument.symbol.encode()
        if len(symbol) > WORDS_LENGTH:
            raise ConfigError(
                f"rows: instrument {instrument.id!r} has symbol {instrument.symbol!r}; rows tell symbols apart by at "
                f"most {WORDS_LENGTH} bytes"
            )
        if words(symbol) in owners:
            other = desk.instruments[owners[words(symbol)]].id
            raise ConfigError(
                f"rows: feed {desk.feeds[feed].id!r} lists {other!r} and {instrument.id!r}, both with symbol "
                f"{instrument.symbol!r}; keep one"
            )
        owners[words(symbol)] = number
    terms = desk.instruments
    return [(*key, n, terms[n].tick_nanos, terms[n].lot_nanos) for key, n in sorted(owners.items())]

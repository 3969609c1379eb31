"""Entries of FIX market data messages: of which instrument each is, and what it says, read before any is applied."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from operators.feeds.fix_book import FixBook
from operators.feeds.fix_fields import Grouped, Moments, nearest_day, number, reference, time_of_day
from operators.feeds.fix_levels import CHANGE, DELETE, NEW, UNSAID, LevelEntry
from operators.feeds.multiples import MalformedError, shown
from operators.feeds.told_book import Moment, ToldBook
from operators.framing import fix_tags as tags

BID, OFFER, TRADE, INDEX_VALUE, EMPTY_BOOK = "0", "1", "2", "3", "J"
"""MDEntryType (269) that mean something here; an empty book came with 5.0."""

_RESTING = {"1": 1, "2": 0}
"""Side of the order that a buyer, or a seller, took from, by AggressorSide."""
_AGGRESSOR_AT_CME = "5797"
_TRADE_ACTIONS = (NEW, CHANGE, DELETE)


class MdEntry(NamedTuple):
    """What one entry says. `level` is set for a bid or an offer, `ticks` and `lots` for a trade or a value."""

    book: FixBook
    type: str
    action: str
    report: int
    """RptSeq, or UNSAID."""
    at: Moment
    level: LevelEntry | None = None
    side: int = 0
    ticks: int = 0
    lots: int = 0


class EntryReader:
    """Reads the entries of one connection's messages. `tag` is the field that names an instrument."""

    def __init__(
        self, feed: int, tag: str, books: Mapping[str, FixBook], moments: Moments,
        find: Callable[[object, str], ToldBook | None],
    ) -> None:  # fmt: skip
        self._feed, self._tag, self._books, self._moments, self._find = feed, tag, books, moments, find

    def subjects(self, told: Grouped) -> list[FixBook | None]:
        """Whose each entry is: the instrument it names, the one that has its id, or the one of the entry before.

        None where it is of no concern. Raises MalformedError where there is no telling.
        """
        before = [self.subject(told.head)] if self._tag in told.head else []
        found: list[FixBook | None] = []
        for entry in told.entries:
            symbol, entry_id = entry.get(self._tag), entry.get(tags.MD_ENTRY_ID)
            if symbol is not None:
                book = self._books.get(symbol) or self.subject(entry)
            elif entry_id is not None and (known := [b for b in self._books.values() if b.levels.knows(entry_id)]):
                book = known[0]
            elif before:
                book = before[0]
            elif entry_id is not None and any(b.told.teller != self._feed for b in self._books.values()):
                book = None  # it may be of a book that is not whole
            else:
                raise MalformedError("instrument: expected one in the first entry, came none")
            found.append(book)
            before = [book]
        return found

    def subject(self, fields: Mapping[str, str]) -> FixBook | None:
        """The book of the instrument that a field names; None where it is of no concern."""
        told = self._find(fields.get(self._tag), "instrument")
        return None if told is None else self._books[told.symbol]

    def read(self, entry: Mapping[str, str], book: FixBook, is_whole: bool, at: Moment) -> MdEntry:
        """What an entry says, of a full refresh (`is_whole`) or a change. Raises MalformedError; changes nothing."""
        action = NEW if is_whole else entry.get(tags.MD_UPDATE_ACTION, "")
        if not action:
            raise MalformedError("MDUpdateAction: expected, came none")
        report = number(entry[tags.RPT_SEQ], "RptSeq") if tags.RPT_SEQ in entry else UNSAID
        kind = entry.get(tags.MD_ENTRY_TYPE)
        if kind in (BID, OFFER) or (kind is None and book.levels.has_ids):
            level = self._level(entry, book, action, UNSAID if kind is None else int(kind), is_whole)
            return MdEntry(book, BID, action, report, at, level)
        if kind == TRADE and not is_whole:
            return self._trade(entry, book, action, report, self._when(entry, at))
        if kind == INDEX_VALUE and action != DELETE:
            ticks = book.told.nearest(_said(entry.get(tags.MD_ENTRY_PX), "MDEntryPx"))
            return MdEntry(book, kind, action, report, self._when(entry, at), ticks=ticks)
        if kind is None:
            raise MalformedError("MDEntryType: expected, came none")
        return MdEntry(book, kind, action, report, at)

    def _level(self, entry: Mapping[str, str], book: FixBook, action: str, side: int, is_whole: bool) -> LevelEntry:
        levels, told = book.levels, book.told
        if action not in levels.actions or (side == UNSAID and action == NEW):
            raise MalformedError(f"MDUpdateAction: expected {', '.join(sorted(levels.actions))}, came {shown(action)}")
        if not is_whole:
            told.is_told_by(self._feed)
        entry_id, position = entry.get(tags.MD_ENTRY_ID, ""), UNSAID
        if levels.has_ids and not entry_id:
            raise MalformedError("MDEntryID: expected, as `entries: id` says, came none")
        if levels.has_positions:
            place = entry.get(tags.MD_PRICE_LEVEL) or entry.get(tags.MD_ENTRY_POSITION_NO)
            if place is not None or not is_whole:
                position = number(place, "MDPriceLevel or MDEntryPositionNo")
        price, size = entry.get(tags.MD_ENTRY_PX), entry.get(tags.MD_ENTRY_SIZE)
        ticks = lots = UNSAID
        if action in levels.priced or (action == CHANGE and price is not None):
            ticks = told.ticks(_said(price, "MDEntryPx"))
        if action in levels.sized or (action == CHANGE and size is not None):
            lots = told.lots(_said(size, "MDEntrySize"))
        return LevelEntry(action, side, entry_id, position, ticks, lots)

    def _trade(self, entry: Mapping[str, str], book: FixBook, action: str, report: int, when: Moment) -> MdEntry:
        if action not in _TRADE_ACTIONS:
            raise MalformedError(f"MDUpdateAction: expected 0, 1 or 2 of a trade, came {shown(action)}")
        when = when._replace(order=reference(entry.get(tags.TRADE_ID) or entry.get(tags.MD_ENTRY_ID)))
        if action == DELETE:
            return MdEntry(book, TRADE, action, report, when)
        price, size = (_said(entry.get(tag), name) for tag, name in _TRADED)
        ticks, lots = book.told.amount(price, size, "trade")
        if not ticks:
            raise MalformedError("trade: expected price and quantity above 0, came 0")
        side = _RESTING.get(entry.get(tags.AGGRESSOR_SIDE) or entry.get(_AGGRESSOR_AT_CME, ""), 0)
        return MdEntry(book, TRADE, action, report, when, None, side, ticks, lots)

    def _when(self, entry: Mapping[str, str], at: Moment) -> Moment:
        """The entry's own time: of its own date, or of the day that it must be, seen from when it was sent."""
        text = entry.get(tags.MD_ENTRY_TIME)
        if text is None:
            return at
        time, date = time_of_day(text, "MDEntryTime"), entry.get(tags.MD_ENTRY_DATE)
        moment = nearest_day(time, at.ts_event) if date is None else self._moments.day(date, "MDEntryDate") + time
        return Moment(at.cause, at.ts, moment, at.order)


_TRADED = ((tags.MD_ENTRY_PX, "MDEntryPx"), (tags.MD_ENTRY_SIZE, "MDEntrySize"))


def _said(text: str | None, name: str) -> str:
    if text is None:
        raise MalformedError(f"{name}: expected, came none")
    return text

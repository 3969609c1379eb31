"""FIX market data, versions 4.4 and 5.0 to 5.0SP2: books, trades, values and statuses. docs/fix.md tells how."""

from collections.abc import Iterable
from typing import Any, ClassVar

from operators.feeds.fix_book import FixBook
from operators.feeds.fix_entries import BID, EMPTY_BOOK, INDEX_VALUE, TRADE, EntryReader, MdEntry
from operators.feeds.fix_example import fix_example
from operators.feeds.fix_fields import Grouped, Moments, grouped, message, number
from operators.feeds.fix_levels import UNSAID
from operators.feeds.fix_numbers import Numbers
from operators.feeds.fix_parameters import FixParameters
from operators.feeds.fix_status import security_status, session_status
from operators.feeds.multiples import MalformedError, shown
from operators.feeds.told_book import Moment, ToldBook
from operators.feeds.venue_feed import Connection, VenueFeed
from operators.framing import fix_tags as tags
from operators.framing.fix_note import SENT
from operators.operator import Example
from operators.registry import register
from schemas.market import FeedEventKind, TradingStatus

_BEGIN_STRINGS = ("FIX.4.4", "FIXT.1.1")
_APPL_VERSIONS = {"6": "4.4", "7": "5.0", "8": "5.0SP1", "9": "5.0SP2"}
_OF_NO_CONCERN = tags.ADMIN | {tags.SECURITY_LIST, tags.SECURITY_DEFINITION, tags.MARKET_DATA_REQUEST, "B", "x", "c"}
"""Types that change no book: the session's, definitions, requests, news. A Reject is told of by itself."""
_REJECTS = {
    tags.REJECT: ("Reject", tags.SESSION_REJECT_REASON),
    tags.BUSINESS_REJECT: ("BusinessMessageReject", "380"),
    tags.MARKET_DATA_REJECT: ("MarketDataRequestReject", tags.MD_REQ_REJ_REASON),
}


class FixConnection(Connection):
    """Decodes one session, or one log. Its books are whole from a full refresh on, while no number is missing."""

    def __init__(self, feed: int, parameters: FixParameters, *rest: Any) -> None:
        super().__init__(feed, parameters, *rest)
        self._tag = tags.SYMBOL if parameters.identified_by == "symbol" else tags.SECURITY_ID
        self._ignores_others = parameters.others == "ignored"
        self._ours = frozenset(parameters.ours)
        self._numbers, self._moments = Numbers(), Moments()
        self._fix_books = {symbol: FixBook(feed, book, parameters.levels()) for symbol, book in self.books.items()}
        self._entries = EntryReader(feed, self._tag, self._fix_books, self._moments, self.book)
        self._stakes: list[ToldBook] = []

    def decode(self, payload: memoryview, cause: int, ts: int) -> None:
        """Write the events of one message. Where it is rejected, the books that it spoke of are not whole any more."""
        self._stakes, self._is_used = [], True
        try:
            self.tell(payload, cause, ts)
        except MalformedError:
            for book in self._stakes:
                if book.teller == self.feed:
                    book.lose(Moment(cause, ts, 0, 0))
            raise

    def connect(self, cause: int, ts: int) -> None:
        """The connection was opened: the sequence goes on, but the books must be told anew."""
        super().connect(cause, ts)
        self._forget_reports()

    def tell(self, payload: memoryview, cause: int, ts: int) -> None:
        """Write the events of one message."""
        if payload[: len(SENT)] == SENT:
            return
        if not self._numbers.last:
            self._stakes = list(self.books.values())  # without numbers nothing else tells that one is missing
        fields = message(payload)
        head = dict(reversed(fields))  # of a field that is there twice the first counts
        if head.get(tags.SENDER_COMP_ID) in self._ours:
            return
        kind = head[tags.MSG_TYPE]
        _check_version(head)
        at = Moment(cause, ts, self._moments.read(head.get(tags.SENDING_TIME, ""), "SendingTime"), 0)
        self._stakes = []
        if not self._is_next(kind, head, at):
            return
        if kind in (tags.SNAPSHOT, tags.INCREMENTAL):
            self._stakes = list(self.books.values())
            told = grouped(fields, tags.NO_MD_ENTRIES)
            if tags.TRANSACT_TIME in told.head:
                at = at._replace(ts_event=self._moments.read(told.head[tags.TRANSACT_TIME], "TransactTime"))
            if kind == tags.SNAPSHOT:
                self._refresh(told, at)
            else:
                self._change(told, at)
        elif kind == tags.SECURITY_STATUS:
            book = self.book(head.get(self._tag), "instrument")
            self._tell_status([book] if book else [], security_status(head), at)
        elif kind == tags.SESSION_STATUS:
            self._tell_status(self.books.values(), session_status(head), at)
        elif kind in _REJECTS:
            name, tag = _REJECTS[kind]
            text = f"{head.get(tag, 'none')} {head.get(tags.TEXT, '')}"
            raise MalformedError(f"{name}: expected the venue to take what it was sent, came reason {shown(text)}")
        elif kind not in _OF_NO_CONCERN:
            raise MalformedError(f"MsgType: expected W, X, f, h, y, d or one of the session, came {shown(kind)}")

    def book(self, symbol: object, name: str) -> ToldBook | None:
        """The book of an instrument; None where it is of no concern."""
        known = self.books.get(symbol) if type(symbol) is str else None
        if known is not None or (self._ignores_others and type(symbol) is str):
            return known
        return super().book(symbol, name)

    def snapshot(self) -> Any:
        """The state apart from what the books themselves keep."""
        return super().snapshot(), dict(self._numbers.last), [book.snapshot() for book in self._fix_books.values()]

    def restore(self, state: Any) -> None:
        """Take up the state of a snapshot."""
        known, numbers, books = state
        super().restore(known)
        self._numbers.last = dict(numbers)
        for book, levels in zip(self._fix_books.values(), books, strict=True):
            book.restore(levels)

    def _is_next(self, kind: str, head: dict[str, str], at: Moment) -> bool:
        """Whether the message is new, by its numbers; what never came before it is told."""
        verdict = self._numbers.follow(kind, head)
        if n := verdict.repeated:
            self.feed_events.append((at.cause, at.ts, self.feed, -1, FeedEventKind.DUPLICATE, n, n))
        for first, last in verdict.gaps:
            self.feed_events.append((at.cause, at.ts, self.feed, -1, FeedEventKind.GAP, first, last))
        if verdict.gaps or verdict.is_reset:
            self.lose_all(at)
        if verdict.is_reset:
            self._forget_reports()
        return not verdict.repeated

    def _forget_reports(self) -> None:
        for book in self._fix_books.values():
            book.last = 0

    def _refresh(self, told: Grouped, at: Moment) -> None:
        """A full refresh of one instrument: the whole book, where it says anything of a book."""
        book = self._entries.subject(told.head)
        self._stakes = [book.told] if book else []
        if book is None:
            return
        entries = [self._entries.read(entry, book, True, at) for entry in told.entries]
        entries.sort(key=lambda entry: entry.level.position if entry.level else 0)
        stated = number(told.head.get(tags.RPT_SEQ, "0"), "RptSeq")
        if not book.begins(max([stated, *(entry.report for entry in entries)])):
            return
        if not entries or any(entry.type in (BID, EMPTY_BOOK) for entry in entries):
            book.empty()
        self._apply(entries)
        book.end_message(at)

    def _change(self, told: Grouped, at: Moment) -> None:
        """Changes, of any number of instruments."""
        subjects = self._entries.subjects(told)
        self._stakes = [book.told for book in subjects if book]
        pairs = zip(told.entries, subjects, strict=True)
        entries = [self._entries.read(entry, book, False, at) for entry, book in pairs if book]
        seen: set[str] = set()
        applied = []
        for entry in entries:
            is_first = entry.book.told.symbol not in seen
            seen.add(entry.book.told.symbol)
            if entry.report == UNSAID or entry.book.follows(entry.report, is_first, at):
                applied.append(entry)
        self._apply(applied)
        for book in dict.fromkeys(entry.book for entry in applied):
            book.end_message(at)

    @staticmethod
    def _apply(entries: list[MdEntry]) -> None:
        for entry in entries:
            if entry.level is not None:
                entry.book.apply(entry.level, entry.at)
            elif entry.type == INDEX_VALUE and entry.ticks:
                entry.book.told.value(entry.ticks, entry.at)
            elif entry.type == EMPTY_BOOK:
                entry.book.empty()
            elif entry.type == TRADE:
                entry.book.trade(entry.action, entry.ticks, entry.lots, entry.side, entry.at)

    @staticmethod
    def _tell_status(books: Iterable[ToldBook], status: TradingStatus | None, at: Moment) -> None:
        if status is not None:
            for book in books:
                book.status(status, at)


@register("fix")
class Fix(VenueFeed):
    """Decodes books, trades, values and statuses of FIX; `order` of a trade is its id, where that is a number."""

    Parameters = FixParameters
    connection: ClassVar[type[Connection]] = FixConnection

    @classmethod
    def example(cls, seed: int) -> Example:
        """Two instruments with numbered messages: losses, repetitions, damage, full refreshes and reconnections."""
        return fix_example(seed)


def _check_version(head: dict[str, str]) -> None:
    if head[tags.BEGIN_STRING] not in _BEGIN_STRINGS:
        raise MalformedError(
            f"BeginString: expected {' or '.join(_BEGIN_STRINGS)}, came {shown(head[tags.BEGIN_STRING])}"
        )
    version = head.get(tags.APPL_VER_ID) or head.get(tags.DEFAULT_APPL_VER_ID, "9")
    if version not in _APPL_VERSIONS:
        known = ", ".join(f"{code} ({name})" for code, name in _APPL_VERSIONS.items())
        raise MalformedError(f"ApplVerID: expected {known}, came {shown(version)}")

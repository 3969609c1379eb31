"""Feeds of venues that tell of several instruments on one connection, each book by a snapshot and changes behind it."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

from pydantic import Field

from operators.feeds.event_rows import EventRows
from operators.feeds.message_feed import FeedEventRow, FeedParameters
from operators.feeds.multiples import MalformedError, shown
from operators.feeds.price_window import PriceWindow
from operators.feeds.scanned_feed import ScannedFeed, Scanner
from operators.feeds.shape import Shape
from operators.feeds.told_book import NOBODY, Moment, ToldBook
from operators.operator import Desk, Parameters
from schemas.errors import ConfigError
from schemas.market import FeedEventKind


class VenueParameters(FeedParameters):
    """Which feeds, and what on them is of no concern."""

    ignored: tuple[str, ...] = Field(
        default=(), description="symbols of the venue that the feeds carry and the desk has no use for"
    )


class Connection(ABC):
    """Decodes what comes on one connection. Of a venue's own a subclass says `tell`, and keeps `number`, if any."""

    def __init__(
        self, feed: int, parameters: Any, books: Sequence[ToldBook], rows: EventRows, feed_events: list[FeedEventRow]
    ) -> None:
        self.feed = feed
        self.number = -1
        """The connection's number of the last message; -1 where it has none."""
        self.books = {book.symbol: book for book in books}
        self.listed = list(books)
        self.rows, self.feed_events = rows, feed_events
        self._ignored = frozenset(parameters.ignored)
        self.is_used = False
        """Whether anything has come on the connection."""
        self.at_stake: ToldBook | None = None
        """The book that a message is about to change: where the message is rejected, it lacks something."""

    @abstractmethod
    def tell(self, payload: memoryview, cause: int, ts: int) -> None:
        """Write the events of one message. Raises MalformedError, having written nothing but SYNC 0."""

    def take(self, step: Sequence[int], scanner: Scanner) -> bool:
        """Write the events of a message of a known shape; False, and nothing done, where `decode` is to read it."""
        return False

    def decode(self, payload: memoryview, cause: int, ts: int) -> None:
        """Write the events of one message. Raises MalformedError, having written nothing but SYNC 0."""
        self.at_stake, self.is_used = None, True
        try:
            self.tell(payload, cause, ts)
        except MalformedError:
            if self.at_stake is not None and self.at_stake.teller == self.feed:
                self.at_stake.lose(Moment(cause, ts, 0, 0))
            raise

    def connect(self, cause: int, ts: int) -> None:
        """The connection was opened: from the second time on, its books must be told anew."""
        if self.is_used:
            self.feed_events.append((cause, ts, self.feed, -1, FeedEventKind.RECONNECT, 0, 0))
        self.is_used = True
        self.number = -1
        self.lose_all(Moment(cause, ts, 0, 0))
        for book in self.books.values():
            if book.teller == NOBODY:
                book.latest = 0

    def disconnect(self, cause: int, ts: int) -> None:
        """The connection was lost: what its books have become is not known."""
        self.lose_all(Moment(cause, ts, 0, 0))

    def lose_all(self, at: Moment) -> None:
        """No book that this connection tells of is whole any more."""
        for book in self.books.values():
            if book.teller == self.feed:
                book.lose(at)

    def book(self, symbol: object, name: str) -> ToldBook | None:
        """The book of a symbol; None where it is ignored."""
        if type(symbol) is str:
            if symbol in self.books:
                return self.books[symbol]
            if symbol in self._ignored:
                return None
        listed = ", ".join(self.books)
        raise MalformedError(f"{name}: expected {listed[:100]} or a symbol to be ignored, came {shown(symbol)}")

    def agrees(self, book: ToldBook, stated: int, found: int, at: Moment) -> bool:
        """Whether a checksum is the one the venue states; if not, the book is lost."""
        if stated != found:
            book.admit(self.feed, FeedEventKind.CHECKSUM, stated, found, at)
            book.lose(at)
        return stated == found

    def break_off(self, book: ToldBook, first: int, last: int, at: Moment) -> None:
        """Messages `first` to `last` of a book never came; or, where there are none, one came that should not have."""
        kind = FeedEventKind.GAP if first <= last else FeedEventKind.INCONSISTENT
        book.admit(self.feed, kind, first, last, at)
        book.lose(at)

    def write_trades(self, trades: Iterable[tuple[ToldBook | None, Any, Any, int, Moment]]) -> None:
        """Trades of one message: (book, price, quantity, side of the resting order, when); all or none of them."""
        amounts = []
        for book, price, quantity, side, at in trades:
            if book is not None:
                ticks, lots = book.amount(price, quantity, "trade")
                if not ticks:
                    raise MalformedError("trade: expected price and quantity above 0, came 0")
                amounts.append((book, ticks, lots, side, at))
        for book, ticks, lots, side, at in amounts:
            book.trade(ticks, lots, side, at)

    def snapshot(self) -> Any:
        """The state apart from the books."""
        return self.is_used, self.number

    def restore(self, state: Any) -> None:
        """Take up the state of a snapshot."""
        self.is_used, self.number = state


class VenueFeed(ScannedFeed):
    """Decodes the connections of one venue.

    Every message becomes events, is ignored as the protocol has it, or becomes one dead letter. A book that
    lacks something gets SYNC 0, and stands so until the next snapshot.

    Raises ConfigError for an unknown feed, and for one that lists no instruments, or two of one symbol.
    """

    version = 2
    connection: ClassVar[type[Connection]]
    """What decodes one connection."""
    has_windows: ClassVar[bool] = False
    """Whether the venue's rules need the levels themselves."""
    Parameters: ClassVar[type[Parameters]] = VenueParameters

    def __init__(self, parameters: Any, desk: Desk) -> None:
        self._books: dict[int, ToldBook] = {}
        super().__init__(parameters, desk)

    def _shapes(self) -> Sequence[Shape]:
        """None: every message is read by itself."""
        return ()

    def _decoder(self, feed: int, instruments: list[int]) -> Connection:
        name, who = self.desk.feeds[feed].id, type(self).__name__.lower()
        symbols = [self.desk.instruments[number].symbol for number in instruments]
        if not symbols:
            raise ConfigError(f"{who}: feed {name!r} lists no instruments; name those it speaks of under `instruments`")
        twice = [symbol for i, symbol in enumerate(symbols) if symbol in symbols[:i]]
        if twice:
            raise ConfigError(f"{who}: feed {name!r} lists two instruments with the symbol {twice[0]!r}; keep one")
        books = [self._book(number) for number in instruments]
        return self.connection(feed, self.parameters, books, self._rows, self._feed_events)

    def _book(self, number: int) -> ToldBook:
        if number not in self._books:
            window = PriceWindow() if self.has_windows else None
            instrument = self.desk.instruments[number]
            self._books[number] = ToldBook(number, instrument, self._rows, self._feed_events, window)
        return self._books[number]

    def snapshot(self) -> Any:
        """The state of every connection and every book."""
        return super().snapshot(), [book.snapshot() for book in self._books.values()]

    def restore(self, state: Any) -> None:
        """Take up the state of a snapshot."""
        super().restore(state[0])
        for book, known in zip(self._books.values(), state[1], strict=True):
            book.restore(known)

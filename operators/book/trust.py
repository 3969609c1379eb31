"""How far a book can be trusted: whether its feed vouches for it, an event contradicted it, and it trades."""

from enum import IntEnum
from typing import Any

from operators.book.rows import write_feed_event
from operators.book.state import DONE
from operators.kernel import kernel
from schemas.market import BookState, EventKind, FeedEventKind, TradingStatus


class Sync(IntEnum):
    """How far an instrument's book can be trusted."""

    NEVER = 0  # its feed has not yet said that the book is whole
    WHOLE = 1
    LOST = 2  # its feed said that messages were missed
    CONTRADICTED = 3  # an event did not fit; an empty book would be right again


_NEVER, WHOLE, _LOST, _CONTRADICTED = int(Sync.NEVER), int(Sync.WHOLE), int(Sync.LOST), int(Sync.CONTRADICTED)
_REPLACE, _TRADING = int(EventKind.REPLACE), int(TradingStatus.TRADING)
_RESET, _RESYNC, _INCONSISTENT = int(FeedEventKind.RESET), int(FeedEventKind.RESYNC), int(FeedEventKind.INCONSISTENT)
_HALT, _RESUME = int(FeedEventKind.HALT), int(FeedEventKind.RESUME)
_HALTED, _STALE = int(BookState.HALTED), int(BookState.STALE)


@kernel
def contradict(out: Any, event: Any, book: Any) -> int:
    """An event that does not fit the book: report it, and believe the book no more."""
    offending = event.order_new if event.kind == _REPLACE else event.qty
    write_feed_event(out, event, book, _INCONSISTENT, (event.order, offending))
    if book.sync == WHOLE:
        book.sync = _CONTRADICTED
    return DONE


@kernel
def sync(out: Any, event: Any, book: Any) -> None:
    """SYNC: the feed says whether the book is whole."""
    if event.qty == 1:
        if book.sync in (_LOST, _CONTRADICTED):
            write_feed_event(out, event, book, _RESYNC, (0, 0))
        book.sync = WHOLE
    elif book.sync != _NEVER:
        book.sync = _LOST


@kernel
def status(out: Any, event: Any, book: Any) -> None:
    """STATUS: trading halts, or resumes."""
    halted = 0 if event.qty == _TRADING else _HALTED
    if halted != book.barred & _HALTED:
        book.barred ^= _HALTED
        write_feed_event(out, event, book, _HALT if halted else _RESUME, (0, 0))


@kernel
def silence(event: Any, book: Any) -> None:
    """SILENCE: nothing was heard of the instrument for too long, or it was heard of again; its feed has told so."""
    book.barred = book.barred & ~_STALE if event.qty == 0 else book.barred | _STALE


@kernel
def reset(out: Any, event: Any, book: Any) -> None:
    """CLEAR: an empty book contradicts nothing, though it does not make up for missed messages."""
    write_feed_event(out, event, book, _RESET, (0, 0))
    if book.sync == _CONTRADICTED:
        write_feed_event(out, event, book, _RESYNC, (0, 0))
        book.sync = WHOLE

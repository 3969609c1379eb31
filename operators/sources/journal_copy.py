"""Captures written down once as a journal, to be read as often as wanted."""

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from operators.sources.base_feed import CapturedFeed
from operators.sources.desk_input import DeskInput
from operators.sources.journal import Journal, Logged
from schemas.errors import CaptureError
from schemas.market import RawKind

_AT_ONCE = 8192


def write_journal(feeds: Sequence[tuple[CapturedFeed, Path]], folder: Path) -> None:
    """Make a journal of a desk's captures: the same input log, read much faster than packets are taken apart.

    Raises CaptureError where a capture cannot be read, or `folder` holds a journal already; JournalError.
    """
    ids = [feed.id for feed, _ in feeds]
    with closing(DeskInput(feeds, _AT_ONCE, None)) as source, closing(Journal(folder, ids)) as journal:
        if journal.cause:
            raise CaptureError(f"there is a journal in {folder} already; remove it, or choose another folder")
        while (frame := source.next()) is not None:
            if journal.is_full:
                journal.begin_segment((None,) * len(ids))
            rows = frame.rows[["ts", "kind", "feed"]].tolist()
            journal.append(Logged(ts, RawKind(kind), feed, frame.message(i)) for i, (ts, kind, feed) in enumerate(rows))

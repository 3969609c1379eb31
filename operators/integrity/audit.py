"""The completeness of what was received, by feed and hour."""

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from operators.integrity.audit_example import audit_example
from operators.integrity.tally import DONE, ENDED, HOUR_NS, TALLY, admit, receive
from operators.kernel import State
from operators.operator import Desk, Example, Frames, Operator, Parameters
from operators.registry import register
from schemas.integrity import AUDITS, AuditScope
from schemas.market import DEAD_LETTERS, FEED_EVENTS, RAW
from schemas.record import Frame, Schema

_NO_FEED_EVENTS = np.empty(0, FEED_EVENTS.dtype)


@register("audit")
class Audit(Operator):
    """Counts, feed by feed, what was received, recovered, lost, duplicated, out of order and rejected.

    An hour is one of the desk clock. Its rows, one for every feed of the desk, come with the first entry of a later
    hour, or with the end of the input; hours without any entry have none. The end gives one more row per feed, of
    the whole input. Numbers are the venue's own: where it numbers updates rather than messages (Binance), `lost`
    counts those; where it numbers nothing (Kraken, ITCH out of a file), nothing can be known to be lost.
    """

    inputs: ClassVar[Mapping[str, Schema]] = {"raw": RAW, "feed_events": FEED_EVENTS, "dead_letters": DEAD_LETTERS}
    outputs: ClassVar[Mapping[str, Schema]] = {"audits": AUDITS}
    optional = frozenset({"dead_letters"})
    Parameters = Parameters

    def __init__(self, parameters: Any, desk: Desk) -> None:
        super().__init__(parameters, desk)
        feeds = len(desk.feeds)
        self._state = State(hour=np.zeros(feeds, TALLY), now=np.full(1, -1, np.int64), run=np.zeros(feeds, TALLY))
        self._since = -1

    @classmethod
    def example(cls, seed: int) -> Example:
        """Two feeds over some hours, with gaps, repetitions and dead letters."""
        return audit_example(seed)

    def process(self, frames: Frames) -> Frames:
        """Count one cut of the input log and what decoders made of it."""
        raw: Any = frames.get("raw")
        admitted: Any = frames.get("feed_events", _NO_FEED_EVENTS)
        letters: Any = frames.get("dead_letters", DEAD_LETTERS.empty)
        if raw is None or len(raw.rows) == 0:
            self._take(admitted, letters)
            return {}
        if self._since < 0:
            self._since = int(raw.rows["ts"][0])
        audits: list[tuple[int, ...]] = []
        why, i = receive(self._state.ctx, raw.rows, raw.data, 0)
        while why != DONE:
            cause, ts = int(raw.rows["cause"][i]), int(raw.rows["ts"][i])
            through = cause if why == ENDED else cause - 1
            admitted, letters = self._take_through(through, admitted, letters)
            audits += self._close_hour(cause, ts)
            if why == ENDED:
                audits += _rows(cause, ts, self._since, self._state["run"], AuditScope.RUN)
            why, i = receive(self._state.ctx, raw.rows, raw.data, i + (why == ENDED))
        self._take(admitted, letters)
        return {"audits": AUDITS.rows(audits)} if audits else {}

    def snapshot(self) -> Any:
        """All counts, and since when."""
        return self._state.snapshot(), self._since

    def restore(self, state: Any) -> None:
        """Go on from a snapshot."""
        tables, self._since = state
        self._state.restore(tables)

    def _take_through(self, cause: int, admitted: Frame, letters: Frame) -> tuple[Frame, Frame]:
        """Count what entries up to `cause` led to; returns the rest."""
        n, m = (int(np.searchsorted(rows["cause"], cause, side="right")) for rows in (admitted, letters))
        self._take(admitted[:n], letters[:m])
        return admitted[n:], letters[m:]

    def _take(self, admitted: Frame, letters: Frame) -> None:
        if len(admitted):
            admit(self._state.ctx, admitted)
        if len(letters):
            feeds = letters["feed"][letters["feed"] >= 0]
            self._state["hour"]["rejected"] += np.bincount(feeds, minlength=len(self.desk.feeds))

    def _close_hour(self, cause: int, ts: int) -> list[tuple[int, ...]]:
        """The rows of the hour that is over; the next entry begins another."""
        hour, run, now = self._state["hour"], self._state["run"], self._state["now"]
        rows = _rows(cause, ts, int(now[0]) * HOUR_NS, hour, AuditScope.HOUR)
        for name in TALLY.names or ():
            run[name] += hour[name]
        hour[:], now[0] = 0, -1
        return rows


def _rows(cause: int, ts: int, since: int, tallies: Frame, scope: AuditScope) -> list[tuple[int, ...]]:
    return [(cause, ts, since, *tally, feed, scope) for feed, tally in enumerate(tallies.tolist())]

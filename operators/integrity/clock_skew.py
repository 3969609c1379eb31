"""How far the desk clock and the venues' own stamps are apart."""

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from pydantic import Field

from operators.integrity.skew import SKEW, TERMS, follow_stamps
from operators.integrity.skew_example import skew_example
from operators.kernel import State
from operators.operator import Desk, Example, Frames, Operator, Parameters
from operators.registry import register
from schemas.market import EVENTS, FEED_EVENTS
from schemas.parameter_types import Duration
from schemas.record import Frame, Schema


class ClockSkewParameters(Parameters):
    """How many messages make an estimate, and what is still no skew."""

    window: int = Field(default=64, ge=1, le=100_000, description="messages with a stamp that make an estimate")
    tolerance: Duration = Field(
        default=5 * 10**8, gt=0, description="an estimate further than this from the last one told is told"
    )


@register("clock_skew")
class ClockSkew(Operator):
    """Follows what the desk clock is ahead of the stamps of each feed, and tells when that moves.

    Of every message with a stamp `ts - ts_event` is a sample, taken once per feed: from its first event whose
    instrument no other feed of the desk speaks of. (Instruments of several feeds are followed by themselves, and
    told of as such, for nobody knows whose their events are.) The median of each `window` samples is an estimate. It is
    robust: up to half of a window may be late, or have damaged stamps. The first one further than `tolerance` from 0,
    and then each further than that from the last one told, gives a CLOCK_SKEW feed event: `first` is the estimate in
    ns, negative where the desk clock is behind the stamps; `last` the time zone that would explain it: minutes, a
    multiple of 30, 0 where the estimate is within 15 minutes. A venue that stamps New York time as UTC in winter
    gives +300, one that stamps Tokyo time -540.

    Nothing is corrected: desks run on the desk clock, and a skew harms who joins by stamps.
    """

    inputs: ClassVar[Mapping[str, Schema]] = {"events": EVENTS}
    outputs: ClassVar[Mapping[str, Schema]] = {"feed_events": FEED_EVENTS}
    Parameters = ClockSkewParameters

    def __init__(self, parameters: ClockSkewParameters, desk: Desk) -> None:
        super().__init__(parameters, desk)
        source_of, feed_of, instrument_of = _sources(desk)
        terms = np.array([(parameters.window, parameters.tolerance)], TERMS)
        self._desk_tables = State(
            terms=terms,
            source_of=np.array(source_of, np.int64),
            feed_of=np.array(feed_of, np.int64),
            instrument_of=np.array(instrument_of, np.int64),
            rows=np.zeros(64, FEED_EVENTS.dtype),
        )
        self._state = State(
            skews=np.zeros(len(feed_of), SKEW), samples=np.zeros(len(feed_of) * parameters.window, np.int64)
        )

    @classmethod
    def example(cls, seed: int) -> Example:
        """Three feeds, one right, one that drifts, one five hours off."""
        return skew_example(seed)

    def process(self, frames: Frames) -> Frames:
        """Take a sample of every message of `events`."""
        events: Any = frames.get("events")
        if events is None or len(events) == 0:
            return {}
        if len(events) > len(self._desk_tables["rows"]):
            self._desk_tables.replace("rows", np.zeros(2 * len(events), FEED_EVENTS.dtype))
        count = follow_stamps(self._desk_tables.ctx, self._state.ctx, events)
        return {"feed_events": self._desk_tables["rows"][:count]} if count else {}

    def snapshot(self) -> dict[str, Frame]:
        """The last estimate told of each feed, and the samples since."""
        return self._state.snapshot()

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue from a snapshot of an operator with the same parameters on the same desk."""
        self._state.restore(state)


def _sources(desk: Desk) -> tuple[list[int], list[int], list[int]]:
    """Whose clock each instrument's events show: number of the source; feed (or -1) and instrument (or -1) of each."""
    spoken_by: list[list[int]] = [[] for _ in desk.instruments]
    for number, feed in enumerate(desk.feeds):
        for index in [desk.index[i] for i in feed.instruments] or range(len(desk.instruments)):
            spoken_by[index].append(number)
    numbers: dict[tuple[int, int], int] = {}
    source_of = []
    for index, feeds in enumerate(spoken_by):
        source = (feeds[0], -1) if len(feeds) == 1 else (-1, index)
        source_of.append(numbers.setdefault(source, len(numbers)))
    return source_of, [feed for feed, _ in numbers], [instrument for _, instrument in numbers]

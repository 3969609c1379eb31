"""Feeds that have said nothing for too long: what is known of their instruments is old."""

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from pydantic import Field, field_validator

from operators.integrity.hearing import CHANGE, CLOCK, HEARD, listen, most_changes
from operators.integrity.silence_example import silence_example
from operators.kernel import State
from operators.operator import Desk, Example, Frames, Operator, Parameters
from operators.registry import register
from schemas.errors import ConfigError
from schemas.market import EVENTS, FEED_EVENTS, LAST, RAW, EventKind, FeedEventKind
from schemas.parameter_types import Duration
from schemas.record import Frame, Schema

_STALE, _SILENCE = int(FeedEventKind.STALE), int(EventKind.SILENCE)


class SilenceParameters(Parameters):
    """How long is too long."""

    after: Duration | dict[str, Duration] = Field(
        description="a feed that says nothing for longer is silent; or feed -> duration, other feeds may be silent"
    )

    @field_validator("after")
    @classmethod
    def _is_some_time(cls, value: int | dict[str, int]) -> int | dict[str, int]:
        times = value.values() if isinstance(value, dict) else (value,)
        if not times or min(times) <= 0:
            raise ValueError("expected durations longer than nothing, such as 5s, or feed -> duration for some feeds")
        return value


@register("silence")
class Silence(Operator):
    """Stands between decoders and `book`, and tells it which instruments nothing was heard of for too long.

    A feed is heard with every message, heartbeats included; clock ticks and reconnections are none. It falls
    silent at the first entry of the input log, of whatever feed, that comes more than `after` behind its last
    message (behind the first entry, if it has never spoken). From there on the quotes of every instrument it
    speaks of carry STALE, before anything else of that entry is told, and nothing trades on them. When all watched
    feeds of an instrument have spoken again, its next quote is fresh: that of the next message about itself. A
    silence that nobody saw, for no other entry came meanwhile, is told in `feed_events` alone.

    Events pass as they come.

    Raises ConfigError for a feed that the desk does not have.
    """

    inputs: ClassVar[Mapping[str, Schema]] = {"raw": RAW, "events": EVENTS}
    outputs: ClassVar[Mapping[str, Schema]] = {"events": EVENTS, "feed_events": FEED_EVENTS}
    Parameters = SilenceParameters

    def __init__(self, parameters: SilenceParameters, desk: Desk) -> None:
        super().__init__(parameters, desk)
        feeds = np.zeros(len(desk.feeds), HEARD)
        feeds["after"] = _limits(parameters, desk)
        everyone = range(len(desk.instruments))
        self._spoken_of = [[desk.index[i] for i in feed.instruments] or list(everyone) for feed in desk.feeds]
        self._state = State(feeds=feeds, clocks=np.zeros(1, CLOCK), changes=np.zeros(0, CHANGE))
        self._silences = [0] * len(desk.instruments)
        """Of each instrument: how many of its feeds are silent."""

    @classmethod
    def example(cls, seed: int) -> Example:
        """Three feeds, two of them of a shared instrument, that fall silent now and then."""
        return silence_example(seed)

    def process(self, frames: Frames) -> Frames:
        """Follow the entries of the input log."""
        raw: Any = frames.get("raw")
        events: Any = frames.get("events", EVENTS.empty)
        if raw is None or len(raw.rows) == 0:
            return {"events": events} if len(events) else {}
        room = most_changes(len(raw.rows), len(self.desk.feeds))
        if room > len(self._state["changes"]):
            self._state.replace("changes", np.zeros(2 * room, CHANGE))
        count = listen(self._state.ctx, raw.rows)
        if count == 0:
            return {"events": events}
        marks, feed_events = self._told(raw.rows, self._state["changes"][:count].tolist())
        joined = np.concatenate([marks, events])
        return {"events": joined[np.argsort(joined["cause"], kind="stable")], "feed_events": feed_events}

    def snapshot(self) -> Any:
        """When each feed was heard, and what is silent."""
        return self._state["feeds"].copy(), self._state["clocks"].copy(), list(self._silences)

    def restore(self, state: Any) -> None:
        """Take up a snapshot of an operator with the same parameters on the same desk."""
        feeds, clocks, silences = state
        self._state["feeds"][:], self._state["clocks"][:] = feeds, clocks
        self._silences = list(silences)

    def _told(self, rows: Any, changes: list[tuple[int, int, int, int, int]]) -> tuple[Frame, Frame]:
        """Events about instruments, and feed events."""
        events, feed_events = [], []
        for row, feed, kind, since, is_told in changes:
            cause, ts = int(rows["cause"][row]), int(rows["ts"][row])
            feed_events.append((cause, ts, feed, -1, kind, since, ts - since))
            is_silent = int(kind == _STALE)
            for instrument in self._spoken_of[feed] if is_told else ():
                self._silences[instrument] += 1 if is_silent else -1
                if self._silences[instrument] == is_silent:
                    events.append((cause, ts, 0, 0, 0, 0, is_silent, instrument, _SILENCE, 0, LAST * is_silent))
        return EVENTS.rows(events), FEED_EVENTS.rows(feed_events)


def _limits(parameters: SilenceParameters, desk: Desk) -> list[int]:
    """How long each feed of the desk may be silent, ns; 0: for ever."""
    ids = [feed.id for feed in desk.feeds]
    if isinstance(parameters.after, int):
        return [parameters.after] * len(ids)
    for name in parameters.after:
        if name not in ids:
            known = ", ".join(ids) or "none"
            raise ConfigError(f"silence: feed {name!r} is not a feed of desk {desk.id!r}; known: {known}")
    return [parameters.after.get(name, 0) for name in ids]

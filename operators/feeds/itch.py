"""NASDAQ TotalView-ITCH 5.0: messages in, market events out. docs/itch.md tells the protocol as decoded here."""

import datetime
from collections.abc import Mapping, Sequence
from math import gcd
from typing import Any, ClassVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
from pydantic import Field, field_validator

from operators import operator
from operators.feeds.itch_example import itch_example
from operators.feeds.itch_kernel import NEVER_DEFINED, REJECT, SCALE, decode
from operators.feeds.itch_layout import LOCATES, PRICE_UNITS, code_table, layout_table, plain_table
from operators.feeds.itch_reject import Reason, explain, is_truncated
from operators.feeds.itch_remark import Remark, remark, remark_on
from operators.framing.notice import Began, decode_notice
from operators.framing.refused import Refused
from operators.kernel import State
from operators.operator import Desk, Example, Frames, Operator
from operators.registry import register
from schemas.errors import ConfigError, InvariantError
from schemas.instrument import Instrument
from schemas.market import DEAD_LETTERS, EVENTS, FEED_EVENTS, LAST, RAW, EventKind, FeedEventKind, RawFrame
from schemas.record import DECIMAL_SCALE, Frame, Schema

_NANOS = 10**DECIMAL_SCALE
_STOCK_LENGTH = 8


class Itch50Parameters(operator.Parameters):
    """Which feed, and what its timestamps count from."""

    feed: str = Field(description="id of the desk's feed that carries ITCH 5.0")
    date: datetime.date = Field(description="session date: timestamps count from its midnight")
    timezone: str = Field(default="America/New_York", description="timezone of that midnight")

    @field_validator("timezone")
    @classmethod
    def _is_known(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError):
            raise ValueError(f"{value!r} is not a timezone; write one like America/New_York or UTC") from None
        return value

    @property
    def midnight_ns(self) -> int:
        """Midnight of the session date, ns UTC."""
        midnight = datetime.datetime.combine(self.date, datetime.time(), ZoneInfo(self.timezone))
        return int(midnight.timestamp()) * 10**9


@register("itch50")
class Itch50(Operator):
    """Decodes the ITCH 5.0 messages of one feed into events of the instruments the feed lists (all, if it lists none).

    A stock directory message ties a stock locate to an instrument by `Instrument.symbol` and declares its book
    whole (SYNC 1). Every message is decoded, ignored, or becomes one dead letter; where a rejected one could have
    changed the book of an instrument, SYNC 0 follows, so that nothing trades on it; where messages were lost on their
    way, all followed instruments get one. Broken trades, circuit breakers and what was lost become feed events.

    Raises ConfigError for an unknown feed or instrument and for symbols that ITCH cannot carry or tell apart,
    InvariantError for a frame whose rows point outside of its bytes.
    """

    version = 2
    inputs: ClassVar[Mapping[str, Schema]] = {"raw": RAW}
    outputs: ClassVar[Mapping[str, Schema]] = {
        "events": EVENTS,
        "dead_letters": DEAD_LETTERS,
        "feed_events": FEED_EVENTS,
    }
    Parameters = Itch50Parameters

    def __init__(self, parameters: Itch50Parameters, desk: Desk) -> None:
        super().__init__(parameters, desk)
        self._feed = _feed_index(desk, parameters.feed)
        followed = _followed(desk, self._feed)
        self._tables = State(
            instrument_of=np.full(LOCATES, NEVER_DEFINED, np.int32),
            locate_of=np.full(len(desk.instruments), -1, np.int32),
            session=np.array([self._feed, parameters.midnight_ns], np.int64),
            layouts=layout_table(),
            symbols=_symbols(desk, followed),
            followed=np.array(followed, np.int32),
            scales=np.array([_scale(instrument) for instrument in desk.instruments], SCALE),
            events=np.zeros(0, EVENTS.dtype),
            rejects=np.zeros(0, REJECT),
            codes=code_table(),
            halts=np.zeros(len(desk.instruments), np.int32),
            plains=plain_table(),
        )
        self._make_room(64)

    def process(self, frames: Frames) -> Frames:
        """Decode the messages of the operator's feed; entries of other feeds and other kinds pass unseen."""
        raw: Any = frames.get("raw")
        if raw is None or len(raw.rows) == 0:
            return {}
        if len(raw.rows) > self._room:
            self._make_room(len(raw.rows))
        decoded, rejected = decode(self._tables.ctx, raw.rows, raw.data)
        if decoded < 0:
            raise self.outside(raw, rejected)
        return self.finish(raw, decoded, rejected)

    def finish(self, raw: RawFrame, decoded: int, rejected: int) -> dict[str, Frame]:
        """The rows by port, `decode` having returned that it filled so many rows of its tables."""
        produced = {"events": self.events[:decoded]} if decoded else {}
        if rejected:
            produced |= self._explained(raw, self._tables["rejects"][:rejected], self.events[:decoded])
        return produced

    def replace_events(self, events: Frame) -> None:
        """Have these rows in the event table, in the place of those that `decode` has just put there."""
        if len(events) > self._room:
            self._make_room(len(events))
        self.events[: len(events)] = events

    @property
    def context(self) -> int:
        """What the kernel `decode` gets."""
        return self._tables.ctx

    def snapshot(self) -> Any:
        """What each locate stands for, up to the last one defined, and what halts each instrument."""
        instrument_of = self._tables["instrument_of"]
        defined = np.flatnonzero(instrument_of != NEVER_DEFINED)
        return instrument_of[: defined[-1] + 1 if len(defined) else 0].copy(), self._tables["halts"].copy()

    def restore(self, state: Any) -> None:
        """Know the locates of a snapshot, and no others."""
        state, self._tables["halts"][:] = state
        instrument_of, locate_of = self._tables["instrument_of"], self._tables["locate_of"]
        instrument_of[:] = NEVER_DEFINED
        instrument_of[: len(state)] = state
        locate_of[:] = -1
        located = np.flatnonzero(instrument_of >= 0)
        locate_of[instrument_of[located]] = located

    @classmethod
    def example(cls, seed: int) -> Example:
        """A session of two followed stocks and one other, shared with another feed, with malformed messages."""
        return itch_example(seed)

    def _make_room(self, rows: int) -> None:
        self._room = 1 << (rows - 1).bit_length()
        self._tables.grow("events", self._room)
        self._tables.grow("rejects", self._room)
        self.events = self._tables["events"]

    def outside(self, raw: RawFrame, row: int) -> InvariantError:
        """What is wrong with a row of a frame that points outside of its bytes."""
        cause, start, size = (int(raw.rows[name][row]) for name in ("cause", "start", "size"))
        return InvariantError(
            f"desk {self.desk.id!r}, operator 'itch50', input {cause}: "
            f"its message is {size} bytes from {start}, but the frame has {len(raw.data)}"
        )

    def _explained(self, raw: RawFrame, rejects: Frame, events: Frame) -> dict[str, Frame]:
        """The rows of what the kernel left to explain; `events` are those it decoded."""
        letters, admitted, losses = [], [], []
        for row, reason, instrument in rejects.tolist():
            message, entry = raw.message(row), raw.rows[row]
            cause, ts = int(entry["cause"]), int(entry["ts"])
            found = self._explain(reason, message, instrument)
            if found is None:
                continue
            if not isinstance(found, Refused):
                admitted.append((cause, ts, self._feed, instrument, *found))
                if found[0] is FeedEventKind.GAP:
                    losses += self._losses(cause, ts)
                continue
            letters.append((cause, ts, self._feed, *found))
            if is_truncated(reason, message):
                admitted.append((cause, ts, self._feed, instrument, FeedEventKind.TRUNCATED, 0, 0))
        frames = {"dead_letters": DEAD_LETTERS.rows(letters), "feed_events": FEED_EVENTS.rows(admitted)}
        if losses:
            lost = EVENTS.rows(losses)
            frames["events"] = np.insert(events, np.searchsorted(events["cause"], lost["cause"]), lost)
        return {port: frame for port, frame in frames.items() if len(frame)}

    def _explain(self, reason: int, message: bytes, instrument: int) -> Refused | Remark | None:
        """A dead letter, a feed event, or nothing."""
        if reason == Reason.REMARK:
            return remark(message)
        notice = decode_notice(message) if reason == Reason.NOTICE else None
        if isinstance(notice, Began):
            return None
        if isinstance(notice, Refused):
            return notice
        if notice is not None:
            return remark_on(notice)
        definition = self.desk.instruments[instrument] if instrument >= 0 else None
        return Refused(explain(reason, message, definition), message)

    def _losses(self, cause: int, ts: int) -> list[tuple[int, ...]]:
        """SYNC 0 for every instrument of the feed: any of them may have changed."""
        followed = self._tables["followed"].tolist()
        return [(cause, ts, 0, 0, 0, 0, 0, instrument, EventKind.SYNC, 0, LAST) for instrument in followed]


def _feed_index(desk: Desk, feed: str) -> int:
    ids = [known.id for known in desk.feeds]
    if feed not in ids:
        raise ConfigError(f"itch50: feed {feed!r} is not a feed of desk {desk.id!r}; known: {', '.join(ids) or 'none'}")
    return ids.index(feed)


def _followed(desk: Desk, feed: int) -> list[int]:
    """Indices of the instruments that the feed speaks of."""
    listed = desk.feeds[feed].instruments
    unknown = [name for name in listed if name not in desk.index]
    if unknown:
        raise ConfigError(f"itch50: feed {desk.feeds[feed].id!r} lists {unknown[0]!r}, which desk {desk.id!r} has not")
    return [desk.index[name] for name in listed] if listed else list(range(len(desk.instruments)))


def _symbols(desk: Desk, followed: Sequence[int]) -> Frame:
    """The stock field of each followed instrument as the integer that its eight bytes are, big-endian."""
    owners: dict[str, str] = {}
    for instrument in (desk.instruments[i] for i in followed):
        symbol = instrument.symbol
        if not (symbol.isascii() and symbol.isprintable() and len(symbol) <= _STOCK_LENGTH):
            raise ConfigError(f"itch50: instrument {instrument.id!r} has symbol {symbol!r}; ITCH has 1 to 8 characters")
        if symbol in owners:
            raise ConfigError(f"itch50: instruments {owners[symbol]!r} and {instrument.id!r} are both {symbol!r}")
        owners[symbol] = instrument.id
    return np.array([int.from_bytes(symbol.ljust(_STOCK_LENGTH).encode()) for symbol in owners], np.int64)


def _scale(instrument: Instrument) -> tuple[float, ...]:
    """A row of SCALE."""
    price_quantum = _NANOS // PRICE_UNITS
    price, lot = gcd(price_quantum, instrument.tick_nanos), gcd(_NANOS, instrument.lot_nanos)
    price_div, lot_div = instrument.tick_nanos // price, instrument.lot_nanos // lot
    return price_quantum // price, price_div, _NANOS // lot, lot_div, 1 / price_div, 1 / lot_div

"""Market data: the input log, normalised events, book levels and quotes."""

from enum import IntEnum, IntFlag
from typing import NamedTuple

import numpy as np

from schemas.record import Column, Frame, Kind, Schema, schema


class RawKind(IntEnum):
    """What one entry of the input log is."""

    MESSAGE = 0  # bytes of a feed
    TICK = 1  # the clock advanced and nothing else happened
    END = 2  # the recorded input is over: everything pending falls due
    CONNECT = 3  # the feed's connection was opened: what it says from here on stands by itself
    DISCONNECT = 4  # the feed's connection was lost: nothing it said is sure to hold still


RAW = Schema(
    "raw",
    "The input log of a desk: every message in one total order. `cause` is the entry's own number.",
    (
        Column("cause", Kind.SEQ, "position in the input log, from 1"),
        Column("ts", Kind.TIME, "desk clock"),
        Column("kind", Kind.ENUM, "message, clock tick, end of input, connection opened or lost", RawKind),
        Column("feed", Kind.FEED, "index of the desk's feed, -1 for ticks and end"),
        Column("start", Kind.ID, "offset of the message's first byte in the frame's data"),
        Column("size", Kind.ID, "length of the message in bytes"),
    ),
)


class RawFrame(NamedTuple):
    """A cut of a desk's input log: `rows` of schema RAW and the bytes they point into (uint8, read-only)."""

    rows: Frame
    data: np.ndarray[tuple[int], np.dtype[np.uint8]]
    desk: str = ""

    def message(self, i: int) -> bytes:
        """The bytes of row `i`."""
        start, size = int(self.rows["start"][i]), int(self.rows["size"][i])
        return self.data[start : start + size].tobytes()


class Side(IntEnum):
    """A side of the book."""

    BID = 0
    ASK = 1


class EventKind(IntEnum):
    """What a normalised market event does to a book."""

    ADD = 1  # order `order` of `qty` at `price` joins `side`
    EXECUTE = 2  # order `order` loses `qty` by execution (price filled in where the feed states it)
    CANCEL = 3  # order `order` loses `qty` by cancellation
    DELETE = 4  # order `order` leaves
    REPLACE = 5  # order `order` leaves, `order_new` of `qty` at `price` joins the same side
    LEVEL = 6  # the total at `price` on `side` is now `qty` (0: the level is gone)
    CLEAR = 7  # the book of the instrument is empty
    TRADE = 8  # a trade that touched no displayed order
    QUOTE = 9  # the venue's own best price on `side` (price, qty), not applied to the book
    STATUS = 10  # `qty` is a TradingStatus
    SYNC = 11  # `qty` 1: the book is whole from here on; 0: it no longer is
    SILENCE = 12  # `qty` 1: nothing was heard of the instrument for too long; 0: it was heard of again
    VALUE = 13  # what the venue computes and nobody can trade at, such as an index: `price`, to the nearest tick


class TradingStatus(IntEnum):
    """Whether an instrument trades."""

    HALTED = 0
    TRADING = 1


LAST = 1
"""Bit of `events.flags`: the last event of its message for its instrument; a quote may follow."""

EVENTS = schema(
    "events",
    "Normalised market events, one or more per message.",
    Column("ts_event", Kind.TIME, "the venue's own time, 0 where it states none"),
    Column("order", Kind.ID, "the venue's order reference (as int64), 0 where there is none"),
    Column("order_new", Kind.ID, "the reference of the order that replaces it"),
    Column("price", Kind.PRICE, "ticks"),
    Column("qty", Kind.QUANTITY, "lots"),
    Column("instrument", Kind.INSTRUMENT, "index of the instrument"),
    Column("kind", Kind.ENUM, "what happened", EventKind),
    Column("side", Kind.FLAGS, "0 bid, 1 ask (of the resting order); -1 of a trade: not known"),
    Column("flags", Kind.FLAGS, "bit 0: last event of its message for this instrument"),
)

LEVELS = schema(
    "levels",
    "New totals of single price levels: what a venue replica needs to follow the book.",
    Column("price", Kind.PRICE, "ticks"),
    Column("qty", Kind.QUANTITY, "lots now at the level; 0: gone; -1: the instrument's whole book is cleared"),
    Column("instrument", Kind.INSTRUMENT, "index of the instrument"),
    Column("side", Kind.FLAGS, "0 bid, 1 ask"),
)


class BookState(IntFlag):
    """Why a quote must not be traded on; 0 is tradable."""

    OK = 0
    UNSYNCED = 1  # messages were missed or contradicted the book
    HALTED = 2
    CROSSED = 4  # bid at or above ask
    EMPTY = 8  # a side has no orders
    STALE = 16  # its feed has said nothing for too long


QUOTES = schema(
    "quotes",
    "Top of the book, whenever a message changed it or its state.",
    Column("ts_event", Kind.TIME, "the venue's own time"),
    Column("bid", Kind.PRICE, "best bid, ticks (0 with no bid)"),
    Column("ask", Kind.PRICE, "best ask, ticks (0 with no ask)"),
    Column("bid_qty", Kind.QUANTITY, "lots at the best bid"),
    Column("ask_qty", Kind.QUANTITY, "lots at the best ask"),
    Column("instrument", Kind.INSTRUMENT, "index of the instrument"),
    Column("state", Kind.FLAGS, "BookState bits; 0 is tradable"),
    by="instrument",
)


DEPTH = schema(
    "depth",
    "What stands in the first levels of a book: their totals, and the prices these point to.",
    Column("instrument", Kind.INSTRUMENT, "index of the instrument"),
    Column("levels", Kind.COUNT, "levels of a side that were looked at, the best ones; a side may have fewer"),
    Column("bid_qty", Kind.QUANTITY, "lots bid in them"),
    Column("ask_qty", Kind.QUANTITY, "lots asked in them"),
    Column("imbalance", Kind.FLOAT, "(bid_qty - ask_qty) / (bid_qty + ask_qty), 0 of an empty book"),
    Column("microprice", Kind.FLOAT, "best bid and ask weighted by each other's lots, currency; 0 with a side empty"),
    Column("depth_price", Kind.FLOAT, "the same of the mean prices of the levels, by lots, and of their totals"),
    Column("state", Kind.FLAGS, "BookState bits of the last quote; 0 is tradable"),
    by="instrument",
)

DEPTH_LEVELS = schema(
    "depth_levels",
    "The levels behind a row of `depth` (the same `cause` and `instrument`), the best first.",
    Column("instrument", Kind.INSTRUMENT, "index of the instrument"),
    Column("level", Kind.COUNT, "1 is the best"),
    Column("bid", Kind.PRICE, "ticks, 0 where there are fewer bids"),
    Column("ask", Kind.PRICE, "ticks, 0 where there are fewer asks"),
    Column("bid_qty", Kind.QUANTITY, "lots at this bid"),
    Column("ask_qty", Kind.QUANTITY, "lots at this ask"),
)


class FeedEventKind(IntEnum):
    """What a feed admits about itself."""

    GAP = 1  # messages `first`..`last` never came
    DUPLICATE = 2  # messages `first`..`last` came again and were ignored
    RESET = 3  # a snapshot replaced the book
    RESYNC = 4  # the book is whole again
    HALT = 5
    RESUME = 6
    CROSSED = 7  # bid at or above ask after a whole message
    UNCROSSED = 8
    INCONSISTENT = 9  # a message contradicts the book: unknown order, more executed than there was
    TRUNCATED = 10  # the capture ends inside a message
    CHECKSUM = 11  # the book's checksum is `last`, the venue states `first`
    RECONNECT = 12  # the feed's connection was opened anew
    RECOVERED = 13  # messages `first`..`last` came late, in their place
    BROKEN_TRADE = 14  # the venue took back execution number `first`
    CIRCUIT_BREAKER = 15  # the whole market fell through level `first`; halts of the instruments follow
    STALE = 16  # the feed, last heard at `first` (ns UTC), has said nothing for `last` ns
    OUT_OF_ORDER = 17  # message `first` came after message `last`, whose place is behind it, and was ignored
    CLOCK_SKEW = 18  # the desk clock is `first` ns ahead of the venue's stamps; `last`: of which minutes of time zone
    FRESH = 19  # the feed, silent since `first` (ns UTC), speaks again after `last` ns
    REPEATED = 20  # `first` messages came again since the feed last said so, and were ignored


FEED_EVENTS = schema(
    "feed_events",
    "When and how the data was not whole.",
    Column("feed", Kind.FEED, "feed, where one is to blame"),
    Column("instrument", Kind.INSTRUMENT, "instrument, where one is concerned"),
    Column("kind", Kind.ENUM, "what happened", FeedEventKind),
    Column("first", Kind.ID, "first venue sequence number or order concerned"),
    Column("last", Kind.ID, "last one concerned"),
)

DEAD_LETTERS = schema(
    "dead_letters",
    "Messages that could not be understood, with their bytes.",
    Column("feed", Kind.FEED, "the feed it came from"),
    Column("reason", Kind.TEXT, "what was expected and what came"),
    Column("bytes", Kind.BYTES, "the message as received"),
)

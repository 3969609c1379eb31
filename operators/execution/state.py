"""The state of the closed loop: what is in each table, and their numbers behind `ctx`.

Money is int64 quanta of 1e-8. `mid2` is bid + ask in ticks, so that half a tick stays exact;
`half_tick_value` is what one lot gains when `mid2` rises by one.
"""

from enum import IntEnum

import numpy as np


class Table(IntEnum):
    """Order of the tables in the loop's `State`."""

    DESK = 0
    INSTRUMENTS = 1
    PAIRS = 2
    ORDERS = 3
    PENDING = 4
    SENT_TIMES = 5
    LEVELS = 6
    LADDERS = 7
    TRADER = 8
    LIMITS = 9
    VENUE = 10
    PORTFOLIO = 11


DESK = np.dtype(
    [
        ("next_order", "i8"),
        ("next_trade", "i8"),
        ("next_fill", "i8"),
        ("next_tie", "i8"),  # breaks ties between pending items of one time
        ("pending", "i8"),  # items in the heap
        ("free_order", "i8"),  # head of the list of free order slots, -1: none
        ("free_orders", "i8"),
        ("resting", "i8"),  # orders resting at the venue
        ("sent", "i8"),  # orders sent so far
        ("capital", "i8"),
        ("realised", "i8"),
        ("unrealised", "i8"),
        ("fees", "i8"),
        ("gross", "i8"),
        ("net", "i8"),
        ("committed", "i8"),  # value at mid of every trade's legs and entries under way, without netting trades
        ("working_net", "i8"),  # signed value of the entries under way
        ("day_ends", "i8"),
        ("day_equity", "i8"),  # equity at the day's first event
        ("equity_due", "i8"),  # time of the next equity row
        ("clock_due", "i8"),  # the earlier of the two
        ("seed", "i8"),
        ("deepest", "i8"),  # most levels any ladder has had
        ("by_quotes", "i8"),  # 1: the venue has only quotes to go by
    ],
    align=True,
)

INSTRUMENT = np.dtype(
    [
        ("half_tick_value", "i8"),
        ("bid", "i8"),
        ("ask", "i8"),
        ("mid2", "i8"),  # of the last tradable quote; 0: none yet
        ("qty", "i8"),
        ("cost", "i8"),
        ("realised", "i8"),
        ("fees", "i8"),
        ("committed", "i8"),  # lots in every trade's legs and in entries under way, without netting trades
        ("first_resting", "i8"),  # head of the list of orders resting at the venue, -1: none
        ("state", "i4"),
    ],
    align=True,
)


class Phase(IntEnum):
    """Where a pair's trade stands."""

    FLAT = 0
    ENTERING = 1
    OPEN = 2
    EXITING = 3


PAIR = np.dtype(
    [
        ("lot_ratio", "f8"),  # units in a lot of y over units in a lot of x
        ("trade", "i8"),
        ("qty_y", "i8"),
        ("qty_x", "i8"),
        ("y", "i4"),
        ("x", "i4"),
        ("phase", "i4"),
        ("live", "i4"),  # orders not yet done
        ("exit", "i4"),  # the reason to leave, 0: none
        ("retrying", "i4"),
    ],
    align=True,
)

ORDER = np.dtype(
    [
        ("id", "i8"),  # 0: free slot
        ("trade", "i8"),
        ("price", "i8"),
        ("qty", "i8"),
        ("open", "i8"),  # lots open as the desk knows it
        ("at_venue", "i8"),  # lots open at the venue
        ("lot_value", "i8"),  # value of a lot when it was sent
        ("next", "i8"),  # in the list of free slots, or of the instrument's resting orders; -1: last
        ("pair", "i4"),
        ("instrument", "i4"),
        ("side", "i4"),
        ("type", "i4"),
        ("tif", "i4"),
        ("reason", "i4"),
        ("leg", "i4"),  # 0 is y, 1 is x
        ("resting", "i4"),
    ],
    align=True,
)


class Due(IntEnum):
    """What happens when a pending item falls due."""

    ARRIVAL = 1  # an order reaches the venue
    CANCEL_ARRIVAL = 2  # so does the wish to cancel it
    ACCEPTED = 3  # the desk learns that ...
    FILLED = 4
    CANCELLED = 5
    REJECTED = 6
    RETRY = 7  # time to try to leave a pair again


PENDING = np.dtype(
    [
        ("ts", "i8"),
        ("tie", "i8"),
        ("slot", "i8"),  # order slot, or pair for RETRY
        ("order", "i8"),  # id the slot must still hold
        ("price", "i8"),
        ("qty", "i8"),
        ("ts_venue", "i8"),
        ("due", "i4"),
        ("liquidity", "i4"),
    ],
    align=True,
)

TRADER = np.dtype(
    [
        ("retry_ns", "i8"),
        ("patience_ns", "i8"),
        ("cross_ticks", "i8"),
        ("type", "i4"),
        ("tif", "i4"),
        ("join", "i4"),
        ("log_prices", "i4"),
    ],
    align=True,
)

LIMITS = np.dtype(
    [
        ("position", "i8"),
        ("order", "i8"),
        ("gross", "i8"),
        ("net", "i8"),
        ("daily_loss", "i8"),
        ("rate_ns", "i8"),
        ("collar_bps", "f8"),
    ],
    align=True,
)

VENUE = np.dtype(
    [
        ("latency_ns", "i8"),
        ("jitter_ns", "i8"),
        ("report_ns", "i8"),
        ("taker_ppm", "i8"),
        ("maker_ppm", "i8"),
        ("per_lot", "i8"),
    ],
    align=True,
)

PORTFOLIO = np.dtype([("every_ns", "i8")], align=True)

I8 = np.dtype(np.int64)

"""The state of a session under way: what is in each table, and their numbers behind `ctx`."""

from enum import IntEnum

import numpy as np

from operators.kernel import State
from operators.simulator.generator import seeded
from operators.simulator.market import Market
from operators.simulator.parameters import SessionParameters


class Table(IntEnum):
    """Order of the tables in the session's `State`."""

    SESSION = 0
    GENERATOR = 1
    GROUPS = 2
    MEMBERS = 3
    ORDERS = 4
    DEPTHS = 5
    COUNTS = 6


SESSION = np.dtype(
    [
        ("now", "i8"),  # time of the last message, ns since midnight
        ("end", "i8"),  # messages of the present phase come before this
        ("left", "i8"),  # messages of the present phase still to come
        ("opening", "i8"),  # orders of the opening books still to come
        ("symbol", "i8"),  # member whose book is being put right, -1: none
        ("next_ref", "i8"),
        ("next_match", "i8"),
        ("levels", "i8"),
        ("orders_max", "i8"),
        ("depth", "i8"),  # ticks
        ("telling", "f8"),  # how far sizes lean, 0 to 1
    ]
)

ORDER = np.dtype([("ref", "i8"), ("key", "i4"), ("qty", "i4")])
"""A live order. `key` is the price of a bid and minus the price of an ask: the best order has the largest."""


def initial_state(parameters: SessionParameters, market: Market) -> State:
    """The state before the first order.

    ORDERS holds `orders_max` slots for every side of every member (side `2 * member + side`), by
    descending priority from the last used slot down; DEPTHS counts the slots used.
    """
    session = np.zeros(1, SESSION)
    session["symbol"] = -1
    session["next_ref"] = session["next_match"] = 1
    session["levels"] = parameters.levels
    session["orders_max"] = parameters.orders_max
    session["depth"] = parameters.depth_ticks
    session["telling"] = parameters.telling
    sides = 2 * parameters.symbols
    return State(
        session=session,
        generator=seeded(parameters.seed),
        groups=market.groups.copy(),
        members=market.members.copy(),
        orders=np.zeros(sides * parameters.orders_max, ORDER),
        depths=np.zeros(sides, np.int64),
        counts=np.zeros(128, np.int64),
    )

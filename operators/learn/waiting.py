"""The tables of examples whose outcome is not known yet, as the kernels of the model operator see them."""

import numpy as np

PREDICT, LEARN = 0, 1
NO_EXAMPLE = -1

TARGET_TERMS = np.dtype(
    [
        ("exit", "f8"),
        ("stop", "f8"),
        ("min_gain_bps", "f8"),
        ("taker_bps", "f8"),
        ("horizon", "i8"),
        ("notional", "i8"),
    ],
    align=True,
)
"""The target: z levels (-inf, inf: none), least gain (-inf: any), fee of a fill, ns, 1 where hedges count value."""

TOP = np.dtype([("bid", "f8"), ("ask", "f8")], align=True)
"""An instrument's last tradable quote, in currency. Zeros: not quoted yet."""

QUEUE_ENDS = np.dtype([("base", "i8"), ("head", "i8"), ("tail", "i8")], align=True)
"""Numbers of examples: that of slot 0, of the oldest that may be open, and of the next one to be made."""

OPEN = np.dtype(
    [
        ("deadline", "i8"),  # last clock at which it may come true, ns
        ("next", "i8"),  # number of the next open example of its queue; NO_EXAMPLE: none
        ("queue", "i8"),  # 2 * pair + (1 where z is below 0); NO_EXAMPLE: decided
        ("ratio", "f8"),  # units of x per unit of y in the trade against the deviation
        ("cash", "f8"),  # what entering it brings, of one unit of y, in currency
        ("gross", "f8"),  # what it trades, both legs; 0: a leg was not quoted
    ],
    align=True,
)

QUEUE = np.dtype([("first", "i8"), ("last", "i8")], align=True)
"""Numbers of the oldest and newest open example; `first` is NO_EXAMPLE in an empty queue."""

STEP = np.dtype(
    [
        ("kind", "i8"),  # PREDICT or LEARN
        ("row", "i8"),  # PREDICT: the row of features
        ("number", "i8"),  # of the example; NO_EXAMPLE where the row makes none
        ("outcome", "i8"),  # LEARN: 1 it came true, 0 it did not
        ("cause", "i8"),
        ("ts", "i8"),
        ("pair", "i8"),
        ("gain_bps", "f8"),  # LEARN: of the trade, after costs; 0 where a leg was not quoted
    ],
    align=True,
)
"""What is to be done with a model, in this order."""

"""Pairs: spreads and the signals drawn from them."""

from enum import IntEnum, IntFlag

from schemas.record import Column, Kind, schema


class SpreadState(IntFlag):
    """Why a spread must not be acted on; 0 is usable."""

    OK = 0
    COLD = 1  # fewer samples than the windows need
    LEG = 2  # a leg's quote is not tradable
    DEGENERATE = 4  # no variance, or a singular regression
    STALE = 8  # a leg's last tradable quote is too old


SPREADS = schema(
    "spreads",
    "One row per pair whose leg changed: spread = y - hedge * x - intercept, on mid prices.",
    Column("spread", Kind.FLOAT, "residual, in price units (or log-price units)"),
    Column("hedge", Kind.FLOAT, "units of x per unit of y"),
    Column("intercept", Kind.FLOAT, "regression intercept"),
    Column("mean", Kind.FLOAT, "mean of the spread over its window"),
    Column("deviation", Kind.FLOAT, "standard deviation of the spread over its window"),
    Column("z", Kind.FLOAT, "(spread - mean) / deviation"),
    Column("pair", Kind.PAIR, "index of the pair"),
    Column("state", Kind.FLAGS, "SpreadState bits; 0 is usable"),
    by="pair",
)


SPREAD_QUOTES = schema(
    "spread_quotes",
    "What a spread could be sold (bid) and bought (ask) at, crossing both legs at their best; one per row of spreads.",
    Column("bid", Kind.FLOAT, "y at its bid against x at its ask (hedge below 0: at its bid), in the spread's units"),
    Column("ask", Kind.FLOAT, "y at its ask against x at its bid (hedge below 0: at its ask)"),
    Column("y_age", Kind.FLOAT, "seconds since the last tradable quote of y"),
    Column("x_age", Kind.FLOAT, "seconds since the last tradable quote of x"),
    Column("pair", Kind.PAIR, "index of the pair"),
    Column("state", Kind.FLAGS, "SpreadState bits of the spread; 0 is usable"),
    by="pair",
)


class StatisticsState(IntFlag):
    """What the statistics of a pair lack."""

    OK = 0
    STILL = 1  # a leg or the spread did not move: what cannot be computed is 0
    DRIFTING = 2  # the spread does not revert: there is no half-life, and it is 0


PAIR_STATISTICS = schema(
    "pair_statistics",
    "How a pair has behaved over its last samples.",
    Column("correlation", Kind.FLOAT, "of the changes of the legs' log mids from sample to sample"),
    Column("reversion", Kind.FLOAT, "AR(1) coefficient of the spread"),
    Column("half_life", Kind.FLOAT, "of a deviation of the spread, samples: -ln 2 / ln reversion"),
    Column("hurst", Kind.FLOAT, "Hurst exponent of the spread: below 1/2 reverting, above trending"),
    Column("pair", Kind.PAIR, "index of the pair"),
    Column("state", Kind.FLAGS, "StatisticsState bits; 0 is whole"),
    by="pair",
)


class Gate(IntEnum):
    """Whether a pair may be entered."""

    CLOSED = 0
    OPEN = 1


GATES = schema(
    "gates",
    "Tests of pairs: whether they may be entered. Leaving is always allowed.",
    Column("statistic", Kind.FLOAT, "test statistic, 0 where there is none"),
    Column("p_value", Kind.FLOAT, "probability of it without cointegration, 1 where there is none"),
    Column("critical", Kind.FLOAT, "the statistic's critical value at 5 % for this many samples"),
    Column("hedge", Kind.FLOAT, "units of x per unit of y (or their logarithms) in the test's regression"),
    Column("lags", Kind.COUNT, "lagged changes in the test's regression"),
    Column("pair", Kind.PAIR, "index of the pair"),
    Column("state", Kind.ENUM, "closed or open from here on", Gate),
    by="pair",
)


class Membership(IntEnum):
    """Whether a pair is of the traded set."""

    RETIRED = 0
    PROMOTED = 1


TRADED_PAIRS = schema(
    "traded_pairs",
    "Pairs that discovery promotes into the traded set and retires from it, with the screening's figures of them.",
    Column("statistic", Kind.FLOAT, "test statistic of cointegration, 0 where there is none"),
    Column("p_value", Kind.FLOAT, "probability of it without cointegration, 1 where there is none"),
    Column("adjusted", Kind.FLOAT, "the same in view of all pairs tested: the false discovery rate that would find it"),
    Column("correlation", Kind.FLOAT, "of the changes of the legs' log mids from sample to sample"),
    Column("distance", Kind.FLOAT, "root mean square of the gap between the log mids, both from the window's start"),
    Column("hedge", Kind.FLOAT, "value of x per value of y in the test's regression"),
    Column("lags", Kind.COUNT, "lagged changes in the test's regression"),
    Column("pair", Kind.PAIR, "index of the pair"),
    Column("state", Kind.ENUM, "promoted or retired from here on", Membership),
    by="pair",
)

SCREENINGS = schema(
    "screenings",
    "What each screening of all pairs came to.",
    Column("threshold", Kind.FLOAT, "p-values up to this are discoveries at the false discovery rate wanted"),
    Column("instruments", Kind.COUNT, "instruments whose samples are whole"),
    Column("tested", Kind.COUNT, "pairs of them, all of which count against the rate"),
    Column("found", Kind.COUNT, "discoveries"),
    Column("promoted", Kind.COUNT, "pairs promoted here"),
    Column("retired", Kind.COUNT, "pairs retired here"),
    Column("traded", Kind.COUNT, "pairs of the traded set from here on"),
)

LEGS_MAX = 5
"""Instruments of a basket at most."""

BASKETS = schema(
    "baskets",
    "Tests of baskets: whether a combination of their instruments reverts.",
    Column("statistic", Kind.FLOAT, "Johansen's trace statistic of no cointegration, 0 where there is none"),
    Column("p_value", Kind.FLOAT, "probability of it or more without cointegration, 1 where there is none"),
    Column("critical", Kind.FLOAT, "the statistic's critical value at 5 %"),
    *(
        Column(f"weight_{i}", Kind.FLOAT, f"of instrument {i} in the combination that reverts most; |weights| sum to 1")
        for i in range(1, LEGS_MAX + 1)
    ),
    Column("basket", Kind.TEXT, "the basket's id"),
    Column("rank", Kind.COUNT, "relations found at 5 %, one after the other"),
    Column("lags", Kind.COUNT, "lagged changes in the test's regressions"),
    Column("state", Kind.ENUM, "closed or open from here on", Gate),
)

CORRELATIONS = schema(
    "correlations",
    "One row per pair whose leg changed: how the legs have moved together.",
    Column(
        "correlation", Kind.FLOAT, "of the changes of the legs' log mids from sample to sample; 0 where there is none"
    ),
    Column("pair", Kind.PAIR, "index of the pair"),
    Column("state", Kind.FLAGS, "SpreadState bits; 0 is usable"),
    by="pair",
)


class Action(IntEnum):
    """What the decision wants of a pair."""

    ENTER = 1
    EXIT = 2
    STOP = 3


SIGNALS = schema(
    "signals",
    "Decisions on pairs. `side` is the position in the spread that is entered or left.",
    Column("spread", Kind.FLOAT, "spread at the decision"),
    Column("z", Kind.FLOAT, "z-score at the decision"),
    Column("hedge", Kind.FLOAT, "hedge ratio to trade at"),
    Column("notional", Kind.MONEY, "gross notional of both legs wanted, 0 for exits"),
    Column("pair", Kind.PAIR, "index of the pair"),
    Column("action", Kind.ENUM, "enter, exit or stop", Action),
    Column("side", Kind.SIDE, "buy: long y, short x"),
)

"""What we did: orders, verdicts, order events, fills, positions, equity."""

from enum import IntEnum

from schemas.record import Column, Kind, schema


class OrderType(IntEnum):
    """How an order is priced."""

    MARKET = 1
    LIMIT = 2


class TimeInForce(IntEnum):
    """How long an order lives."""

    IOC = 1  # what does not fill at once is cancelled
    DAY = 2  # rests until filled, cancelled or the input ends


class Reason(IntEnum):
    """Why an order was sent."""

    ENTRY = 1
    EXIT = 2
    STOP = 3
    UNWIND = 4  # the other leg did not fill


ORDERS = schema(
    "orders",
    "Every order the desk wanted, before risk; its verdict says whether it left.",
    Column("order_id", Kind.ID, "number of the order on this desk, from 1; the client order id"),
    Column("trade_id", Kind.ID, "number of the pair trade both legs belong to"),
    Column("price", Kind.PRICE, "limit price in ticks, 0 for market orders"),
    Column("qty", Kind.QUANTITY, "lots"),
    Column("pair", Kind.PAIR, "pair traded"),
    Column("instrument", Kind.INSTRUMENT, "leg traded"),
    Column("side", Kind.SIDE, "buy or sell"),
    Column("type", Kind.ENUM, "market or limit", OrderType),
    Column("tif", Kind.ENUM, "time in force", TimeInForce),
    Column("reason", Kind.ENUM, "why", Reason),
)


class Rule(IntEnum):
    """The pre-trade rule that decided."""

    PASSED = 0
    UNTRADABLE = 1  # the instrument's book is unsynced, halted, stale, crossed or empty
    POSITION = 2
    NOTIONAL = 3
    GROSS = 4
    NET = 5
    COLLAR = 6
    RATE = 7
    DAILY_LOSS = 8
    OTHER_LEG = 9  # the other leg of the trade was denied


VERDICTS = schema(
    "verdicts",
    "One row per order: passed, or the first rule that denied it, with what was seen and what is allowed.",
    Column("order_id", Kind.ID, "order judged"),
    Column("observed", Kind.FLOAT, "the value the rule looked at, in the rule's units"),
    Column("limit", Kind.FLOAT, "the value allowed, in the rule's units"),
    Column("instrument", Kind.INSTRUMENT, "instrument of the order"),
    Column("passed", Kind.COUNT, "1 passed, 0 denied"),
    Column("rule", Kind.ENUM, "the rule that decided", Rule),
)


class OrderEventKind(IntEnum):
    """Steps in an order's life, as the desk learns of them."""

    SENT = 1
    DENIED = 2
    ACCEPTED = 3
    PARTIALLY_FILLED = 4
    FILLED = 5
    CANCELLED = 6  # by us, by IOC, or by the end of the input
    REJECTED = 7  # by the venue
    SKIPPED = 8  # a signal that led to no order: size below one lot, or the pair is still busy


ORDER_EVENTS = schema(
    "order_events",
    "The order state machine, one row per transition.",
    Column("order_id", Kind.ID, "order concerned, 0 for skipped signals"),
    Column("qty", Kind.QUANTITY, "lots of this event"),
    Column("remaining", Kind.QUANTITY, "lots still open after it"),
    Column("instrument", Kind.INSTRUMENT, "instrument of the order"),
    Column("kind", Kind.ENUM, "what happened", OrderEventKind),
)


class Liquidity(IntEnum):
    """Whether a fill took or gave liquidity."""

    TAKER = 1
    MAKER = 2


FILLS = schema(
    "fills",
    "Executions, as the desk learns of them. `price`, `qty` and `fee` are exact.",
    Column("ts_venue", Kind.TIME, "when the venue executed"),
    Column("fill_id", Kind.ID, "number of the fill on this desk, from 1"),
    Column("order_id", Kind.ID, "order filled"),
    Column("trade_id", Kind.ID, "pair trade it belongs to"),
    Column("price", Kind.PRICE, "ticks"),
    Column("qty", Kind.QUANTITY, "lots"),
    Column("fee", Kind.MONEY, "fee paid (negative: rebate)"),
    Column("pair", Kind.PAIR, "pair traded"),
    Column("instrument", Kind.INSTRUMENT, "instrument"),
    Column("side", Kind.SIDE, "buy or sell"),
    Column("liquidity", Kind.ENUM, "taker or maker", Liquidity),
)

POSITIONS = schema(
    "positions",
    "The position of an instrument after each of its fills.",
    Column("qty", Kind.QUANTITY, "lots held, negative when short"),
    Column("cost", Kind.MONEY, "what the open position cost (signed: negative when short)"),
    Column("realised", Kind.MONEY, "realised profit and loss before fees, average-cost method"),
    Column("fees", Kind.MONEY, "fees paid so far"),
    Column("instrument", Kind.INSTRUMENT, "instrument"),
    by="instrument",
)

EQUITY = schema(
    "equity",
    "The desk's account, after each fill, once per interval and at the end of the input.",
    Column("equity", Kind.MONEY, "capital + realised + unrealised - fees"),
    Column("realised", Kind.MONEY, "realised profit and loss before fees"),
    Column("unrealised", Kind.MONEY, "unrealised profit and loss at mid"),
    Column("fees", Kind.MONEY, "fees paid"),
    Column("gross", Kind.MONEY, "sum of absolute position values at mid"),
    Column("net", Kind.MONEY, "sum of signed position values at mid"),
)

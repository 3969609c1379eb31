"""Whether the data was whole: what each feed received and what it lost."""

from enum import IntEnum

from schemas.record import Column, Kind, schema


class AuditScope(IntEnum):
    """What the counts of an audit are of."""

    HOUR = 1  # one hour of the desk clock
    RUN = 2  # the whole input


AUDITS = schema(
    "audits",
    "What became of each feed's messages: a row per hour in which the desk received anything, and one at the end.",
    Column("since", Kind.TIME, "beginning of the hour, or of the input"),
    Column("received", Kind.ID, "messages that came, whatever became of them"),
    Column("recovered", Kind.ID, "of those: came late, but were put in their place"),
    Column("lost", Kind.ID, "the venue's numbers that never came in their place: messages, or update ids"),
    Column("duplicated", Kind.ID, "messages that came again, other copies on a second line among them"),
    Column("out_of_order", Kind.ID, "messages that came too late to be put in their place"),
    Column("rejected", Kind.ID, "messages, and packets, that could not be understood"),
    Column("feed", Kind.FEED, "feed"),
    Column("scope", Kind.ENUM, "hour or run", AuditScope),
)

CONFIDENCE = schema(
    "confidence",
    "Whether an instrument can be traded on, whenever that changes. States are BookState bits: 0 is tradable; "
    "1 unsynced, 2 halted, 4 crossed, 8 a side is empty, 16 its feed is silent.",
    Column("since", Kind.TIME, "when the state before began, 0 where it is the first"),
    Column("instrument", Kind.INSTRUMENT, "instrument"),
    Column("state", Kind.FLAGS, "BookState bits from here on"),
    Column("was", Kind.FLAGS, "BookState bits until here"),
)

CLOCK_CHECKS = schema(
    "clock_checks",
    "How two instruments that should move together do so, at the shift of their stamps at which they do most.",
    Column("shift_ns", Kind.ID, "what has to be added to the instrument's stamps for that, ns; 0: its clock agrees"),
    Column("correlation", Kind.FLOAT, "of their returns, bar by bar, at that shift"),
    Column("unshifted", Kind.FLOAT, "the same as the stamps are"),
    Column("bars", Kind.ID, "bars in which both moved, at that shift"),
    Column("instrument", Kind.INSTRUMENT, "index of the instrument"),
    Column("reference", Kind.INSTRUMENT, "index of the instrument it is compared with"),
    by="instrument",
)

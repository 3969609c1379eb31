"""What is found out about the clocks of feeds."""

from schemas.record import Column, Kind, schema

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

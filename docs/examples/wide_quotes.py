"""An operator of one's own, whole: a row whenever an instrument's quoted spread is the widest so far.

Try it:     pairflow check --operator docs.examples.wide_quotes:WideQuotes
Use it:     operators: [..., {id: wide, type: "docs.examples.wide_quotes:WideQuotes", input: book, at_least: 3}]
Write it:   tables: {wide_quotes: on}
"""

import numpy as np
from pydantic import Field

from operators.operator import Operator, Parameters
from schemas.market import QUOTES
from schemas.record import Column, Kind, schema

WIDE_QUOTES = schema(
    "wide_quotes",
    "The widest quoted spread of an instrument so far.",
    Column("instrument", Kind.INSTRUMENT, "index of the instrument"),
    Column("width", Kind.PRICE, "ask minus bid, ticks"),
    by="instrument",
)


class WideQuotes(Operator):
    """Tells when an instrument's quoted spread is the widest so far."""

    inputs = {"quotes": QUOTES}
    outputs = {"wide": WIDE_QUOTES}

    class Parameters(Parameters):
        """What counts as wide."""

        at_least: int = Field(default=2, ge=1, description="narrower spreads are never told, ticks")

    def __init__(self, parameters, desk):
        super().__init__(parameters, desk)
        self.restore(np.full(len(desk.instruments), parameters.at_least - 1))

    def process(self, frames):
        """One row per record, in the order of the quotes."""
        found = []
        for q in frames.get("quotes", QUOTES.empty):
            i, width = q["instrument"], q["ask"] - q["bid"]
            if q["state"] == 0 and width > self.widest[i]:
                self.widest[i] = width
                found.append((q["cause"], q["ts"], i, width))
        return {"wide": WIDE_QUOTES.rows(found)} if found else {}

    def snapshot(self):
        """The widest spread of every instrument, ticks."""
        return self.widest.copy()

    def restore(self, state):
        """Go on from a snapshot."""
        self.widest = state.copy()

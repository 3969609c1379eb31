"""Operators that only declare: enough for configurations and graphs, and quick to load."""

from pydantic import Field

from operators.operator import Desk, Operator, Parameters
from schemas.errors import ConfigError
from schemas.market import DEAD_LETTERS, EVENTS, LEVELS, QUOTES, RAW
from schemas.parameter_types import Duration
from schemas.record import Column, Kind, schema
from schemas.signal import SIGNALS, SPREADS

ALARMS = schema("alarms", "A user's own rows.", Column("instrument", Kind.INSTRUMENT, "where"), by="instrument")
NOTES = schema("notes", "A user's own rows without a key.", Column("size", Kind.FLOAT, "how much"))
OTHER_QUOTES = schema("quotes", "Not pairflow's quotes.", Column("bid", Kind.FLOAT, "in currency"))


class Fake(Operator):
    """Does nothing."""

    def process(self, frames):
        return {}

    def snapshot(self):
        return None

    def restore(self, state):
        pass


class Decoder(Fake):
    inputs = {"raw": RAW}
    outputs = {"events": EVENTS, "dead_letters": DEAD_LETTERS}


class Book(Fake):
    """Keeps a book."""

    inputs = {"events": EVENTS}
    outputs = {"quotes": QUOTES, "levels": LEVELS}


class Spread(Fake):
    inputs = {"quotes": QUOTES}
    outputs = {"spreads": SPREADS}

    class Parameters(Parameters):
        window: int = Field(default=10, gt=1, description="samples")
        every: Duration = Field(default=10**9, gt=0, description="interval")
        scale: float = Field(default=1.0, description="factor")


class Bands(Fake):
    inputs = {"spreads": SPREADS, "levels": LEVELS}
    optional = frozenset({"levels"})
    outputs = {"signals": SIGNALS}

    class Parameters(Parameters):
        entry: float = Field(gt=0, description="enter at this z-score")

    def __init__(self, parameters: Parameters, desk: Desk) -> None:
        super().__init__(parameters, desk)
        if not desk.pairs:
            raise ConfigError(f"desk {desk.id!r} has no pairs")


class Compare(Fake):
    inputs = {"fast": SPREADS, "slow": SPREADS}
    outputs = {"alarms": ALARMS}


class Split(Fake):
    inputs = {"quotes": QUOTES}
    outputs = {"near": QUOTES, "far": QUOTES}


class Smooth(Fake):
    inputs = {"spreads": SPREADS}
    outputs = {"spreads": SPREADS}


class Notes(Fake):
    inputs = {"quotes": QUOTES}
    outputs = {"notes": NOTES}


class Impostor(Fake):
    inputs = {"quotes": QUOTES}
    outputs = {"quotes": OTHER_QUOTES}


class Fragile(Fake):
    inputs = {"quotes": QUOTES}
    outputs = {"alarms": ALARMS}

    def __init__(self, parameters: Parameters, desk: Desk) -> None:
        raise ZeroDivisionError("division by zero")


FAKES = {
    cls.__name__.lower(): cls
    for cls in (Decoder, Book, Spread, Bands, Compare, Split, Smooth, Notes, Impostor, Fragile)
}

"""An operator beside itself: with the shapes of its venue, and reading every message by the venue's rules."""

import random
import re
from typing import Any

import numpy as np

from operators.feeds.message_feed import Decoder
from operators.feeds.scanned_feed import ScannedFeed
from operators.operator import Desk
from schemas.market import RawFrame, RawKind

ODD = (
    "0", "00", "007", "0.0", "1.", ".5", "1.5", "1e3", "-1", "-0", "+1", " 1", "1 ", "", "null", "1_0", "\\u0031", "٣",
    "123456789012345678", "1234567890123456789", "9223372036854", "1000000000000.01", "0.0000000001", "1.0000000000",
    "1.00000000001", "99.995", "1" * 41, "4294967296", "2147483648",
)  # fmt: skip
"""What stands in the place of a number: some of it is plain, some is rejected, some is read by the rules alone."""
WORDS = [
    (b"bid", b"offer"),
    (b"update", b"snapshot"),
    (b"delta", b"snapshot"),
    (b"true", b"false"),
    (b"Z", b""),
    (b"Size", b"Price"),
]
_NUMBER = re.compile(rb"[0-9][0-9.]*")


class BothWays:
    """Compares rows and state after every frame. `read` counts the messages that no shape led to the rows of."""

    def __init__(self, cls: type[ScannedFeed], parameters: Any, desk: Desk) -> None:
        self.read = 0
        whole = self

        class Counting(cls):  # type: ignore[misc, valid-type]
            def _entry(self, decoder: Decoder, cause: int, ts: int, kind: int, *rest: Any) -> None:
                whole.read += kind == RawKind.MESSAGE
                super()._entry(decoder, cause, ts, kind, *rest)

        plain = type(cls.__name__, (cls,), {"is_scanned": False})
        Counting.__name__ = cls.__name__
        self._operators = [made(cls.Parameters.model_validate(parameters), desk) for made in (Counting, plain)]

    def process(self, raw: RawFrame) -> dict[str, Any]:
        """What comes out of both."""
        scanned, plain = (dict(operator.process({"raw": raw})) for operator in self._operators)
        assert scanned.keys() == plain.keys()
        for port, rows in scanned.items():
            assert rows.tolist() == plain[port].tolist(), port
        assert self._operators[0].snapshot() == self._operators[1].snapshot()
        return scanned

    def swap(self) -> None:
        """Each goes on from what the other knows."""
        states = [operator.snapshot() for operator in self._operators]
        for operator, state in zip(self._operators, reversed(states), strict=True):
            operator.restore(state)


def cut(rng: random.Random, raw: RawFrame) -> list[RawFrame]:
    """The same log in frames of random lengths."""
    ends = sorted(rng.sample(range(1, len(raw.rows)), 5))
    return [RawFrame(raw.rows[a:b], raw.data) for a, b in zip([0, *ends], [*ends, len(raw.rows)], strict=True)]


def damaged(rng: random.Random, raw: RawFrame, share: float) -> RawFrame:
    """The same log, a share of its messages with a number, a word, a byte or the spacing changed."""
    messages = [raw.message(i) for i in range(len(raw.rows))]
    messages = [_damaged(rng, m) if m and rng.random() < share else m for m in messages]
    rows = raw.rows.copy()
    rows["size"] = [len(message) for message in messages]
    rows["start"] = np.cumsum(rows["size"]) - rows["size"]
    return RawFrame(rows, np.frombuffer(b"".join(messages), np.uint8))


def _damaged(rng: random.Random, message: bytes) -> bytes:
    fate, at = rng.random(), rng.randrange(len(message))
    numbers = list(_NUMBER.finditer(message))
    if fate < 0.5 and numbers:
        place = rng.choice(numbers)
        return message[: place.start()] + rng.choice(ODD).encode() + message[place.end() :]
    if fate < 0.7:
        old, new = rng.choice(WORDS)
        return message.replace(old, new, 1) if rng.random() < 0.5 else message.replace(new, old, 1)
    if fate < 0.85:
        return (
            message[:at]
            + rng.choice((b" ", b"\\", b'"', b"]", b",", b"\xff", b"\x1f", b"0"))
            + message[at + rng.randrange(2) :]
        )
    if fate < 0.9:
        return message[:at]
    if fate < 0.95:
        return message + rng.choice((b" ", b"}", message))
    return message[:at] + message[at:].replace(b'":', b'" :', 1)

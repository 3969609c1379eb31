"""Binance's decimal strings as exact integers."""

import re
from decimal import Decimal

from schemas.record import DECIMAL_SCALE

LIMIT = 10**12
"""More ticks, or lots, than this are a mistake."""

_REMEMBERED = 4096
_PLAIN = re.compile(r"([0-9]{1,30})(?:\.([0-9]{1,30}))?")


class MalformedError(Exception):
    """A message cannot be understood; says which field, what was expected, what came."""


def shown(value: object) -> str:
    """A value as reasons quote it: short, whatever it is."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


class Multiples(dict[str, int]):
    """`multiples["61837.63000000"]`: how many steps that is, exactly. Raises MalformedError.

    Most prices and quantities come again and again: the last few thousand are remembered.
    """

    def __init__(self, name: str, step_name: str, step_nanos: int) -> None:
        super().__init__()
        self._name, self._step_name, self._step_nanos = name, step_name, step_nanos

    def __missing__(self, text: object) -> int:
        steps = self._parse(text)
        if len(self) >= _REMEMBERED:
            self.clear()
        self[str(text)] = steps
        return steps

    def _parse(self, text: object) -> int:
        match = _PLAIN.fullmatch(text) if isinstance(text, str) else None
        if match is None:
            raise MalformedError(f"{self._name}: expected a plain decimal string, not negative, came {shown(text)}")
        whole, fraction = match[1], match[2] or ""
        beyond = fraction[DECIMAL_SCALE:].strip("0")
        nanos = int(whole + fraction[:DECIMAL_SCALE].ljust(DECIMAL_SCALE, "0"))
        steps, rest = divmod(nanos, self._step_nanos)
        if rest or beyond:
            step = Decimal(self._step_nanos).scaleb(-DECIMAL_SCALE).normalize()
            raise MalformedError(
                f"{self._name}: expected a multiple of the {self._step_name} {step:f}, came {shown(text)}"
            )
        if steps > LIMIT:
            raise MalformedError(f"{self._name}: expected at most 1e12 {self._step_name}s, came {shown(text)}")
        return steps

"""Decimal strings as exact integers: how many ticks, how many lots."""

from decimal import Decimal
from fractions import Fraction

from schemas.record import DECIMAL_SCALE

LIMIT = 10**12
"""More ticks, or lots, than this are a mistake."""

_REMEMBERED = 8192
_LONGEST = 40
_UNIT = 10**DECIMAL_SCALE


class MalformedError(Exception):
    """A message cannot be understood; says which field, what was expected, what came."""


def shown(value: object) -> str:
    """A value as reasons quote it: short, whatever it is."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


class Multiples(dict[str, int]):
    """`multiples["61837.63000000"]`: how many steps that is, exactly. Raises MalformedError.

    With `is_total`, what is not a multiple is rounded down, though not to nothing: venues show old
    orders of sizes that today's lot does not allow, and what exceeds whole lots cannot be traded.

    Most prices and quantities come again and again: the last few thousand are remembered.
    """

    def __init__(self, name: str, step_name: str, step_nanos: int, is_total: bool = False) -> None:
        super().__init__()
        self._name, self._step_name, self._step_nanos, self._is_total = name, step_name, step_nanos, is_total
        self._ratios: dict[int, tuple[int, int]] = {}

    def __missing__(self, text: str) -> int:
        number, over = self._fraction(text)
        steps, rest = divmod(number, over)
        if rest:
            if not self._is_total:
                step = Decimal(self._step_nanos).scaleb(-DECIMAL_SCALE).normalize()
                expected = f"a multiple of the {self._step_name} {step:f}"
                raise MalformedError(f"{self._name}: expected {expected}, came {shown(text)}")
            steps = max(steps, 1)
        self._check(steps, text)
        if len(self) >= _REMEMBERED:
            self.clear()
        self[text] = steps
        return steps

    def nearest(self, text: str) -> int:
        """How many steps, rounded to the nearest, halves up: of what is computed, and so need not be a multiple."""
        number, over = self._fraction(text)
        steps = (2 * number + over) // (2 * over)
        self._check(steps, text)
        return steps

    def _fraction(self, text: object) -> tuple[int, int]:
        """(n, d) such that it is n / d steps, exactly."""
        if not isinstance(text, str) or len(text) > _LONGEST or not text.isascii():
            raise self._not_plain(text)
        digits, behind = text.replace(".", "", 1), text.find(".") + 1
        places = len(text) - behind if behind else 0
        if not digits.isdigit() or behind == 1 or (behind and not places):
            raise self._not_plain(text)
        times, over = self._ratios.get(places) or self._ratio(places)
        return int(digits) * times, over

    def _check(self, steps: int, text: object) -> None:
        if steps > LIMIT:
            raise MalformedError(f"{self._name}: expected at most 1e12 {self._step_name}s, came {shown(text)}")

    def _ratio(self, places: int) -> tuple[int, int]:
        """(n, d) such that digits with `places` of them behind the point are n / d steps each."""
        ratio = Fraction(_UNIT, self._step_nanos * 10**places)
        self._ratios[places] = ratio.numerator, ratio.denominator
        return self._ratios[places]

    def _not_plain(self, text: object) -> MalformedError:
        return MalformedError(f"{self._name}: expected a plain decimal string, not negative, came {shown(text)}")

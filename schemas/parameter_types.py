"""Types that parameters and configuration share: durations and money, written as people write them."""

import re
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field

from schemas.record import MONEY_QUANTUM

_UNITS_NS = {"ns": 1, "us": 10**3, "ms": 10**6, "s": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9, "d": 86400 * 10**9}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ns|us|ms|s|m|h|d)")


def duration_ns(value: Any) -> int:
    """'250ms', '1.5s', '2h' as nanoseconds. Raises ValueError for anything else."""
    match = _DURATION.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        raise ValueError(f"{value!r} is not a duration; write a number and a unit, such as 250ms, 1s or 5m")
    return int(Decimal(match[1]) * _UNITS_NS[match[2]])


def _checked_duration(text: str) -> str:
    duration_ns(text)
    return text


def money_quanta(value: Any) -> int:
    """A decimal amount of currency as int64 quanta of 1e-8. Raises ValueError where it does not fit."""
    try:
        quanta = Decimal(str(value)) * MONEY_QUANTUM
    except InvalidOperation:
        raise ValueError(f"{value!r} is not an amount of money") from None
    if not quanta.is_finite() or quanta != quanta.to_integral_value() or abs(quanta) >= 10**18:
        raise ValueError(f"{value!r} is not an amount of money between -1e10 and 1e10 with at most 8 decimal places")
    return int(quanta)


_DURATION_JSON = Field(json_schema_extra={"type": "string", "pattern": _DURATION.pattern})

Duration = Annotated[int, BeforeValidator(lambda v: v if type(v) is int else duration_ns(v)), _DURATION_JSON]
"""Nanoseconds in memory; '250ms', '1s', '5m' in YAML. (An int is taken to be nanoseconds already.)"""

TimeSpan = Annotated[str, AfterValidator(_checked_duration), _DURATION_JSON]
"""A duration as it was written, beside a number that counts something else; `duration_ns` gives its length."""

Money = Annotated[int, BeforeValidator(money_quanta), Field(json_schema_extra={"type": "number"})]
"""Quanta of 1e-8 in memory; a plain amount such as 25000 in YAML."""

"""Whether an instrument, or all of a session, trades, as FIX says it."""

from collections.abc import Mapping

from operators.framing import fix_tags as tags
from schemas.market import TradingStatus

_TRADING, _HALTED = TradingStatus.TRADING, TradingStatus.HALTED

_SECURITY = {
    "1": _HALTED,  # the opening is delayed
    "2": _HALTED,
    "3": _TRADING,  # resumed
    "4": _HALTED,  # neither opened nor resumed
    "17": _TRADING,  # the session begins
    "18": _HALTED,  # the session has ended
    "21": _HALTED,  # before the opening
    "22": _HALTED,  # opening rotation
    "23": _TRADING,  # fast market
    "24": _HALTED,  # before an auction
    "25": _HALTED,  # auction
    "26": _HALTED,  # after the close
}
"""SecurityTradingStatus (326). Others tell of imbalances and indications, and leave it as it is."""

_SESSION = {"1": _HALTED, "2": _TRADING, "3": _HALTED, "4": _HALTED, "5": _HALTED}
"""TradSesStatus (340): halted; open; closed; before the opening; before the closing."""


def security_status(fields: Mapping[str, str]) -> TradingStatus | None:
    """What a SecurityStatus says of its instrument; None where it leaves that as it is."""
    return _SECURITY.get(fields.get(tags.SECURITY_TRADING_STATUS, ""))


def session_status(fields: Mapping[str, str]) -> TradingStatus | None:
    """What a TradingSessionStatus says of every instrument; None where it leaves that as it is."""
    return _SESSION.get(fields.get(tags.TRAD_SES_STATUS, ""))

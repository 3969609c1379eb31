"""Instruments as venues define them over FIX: security lists and definitions in, definitions pairflow can use out."""

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal, InvalidOperation

from operators.feeds.definitions import Definitions, Terms, define
from operators.feeds.fix_fields import grouped, message
from operators.feeds.multiples import MalformedError
from operators.framing import fix_tags as tags
from schemas.errors import ConfigError

_LOTS = (tags.ROUND_LOT, "1231", tags.MIN_TRADE_VOL)
"""RoundLot, MinLotSize, MinTradeVol: the first that is said counts."""


def fix_instruments(
    messages: Iterable[bytes], venue: str, tick: Decimal | None = None, lot: Decimal | None = None,
    currency: str | None = None, tag: str = tags.SYMBOL,
) -> Definitions:  # fmt: skip
    """From SecurityList (y) and SecurityDefinition (d), the last word on each instrument; `tag` names it.

    `tick`, `lot` and `currency` stand for what the venue does not say (MinPriceIncrement, RoundLot, Currency). With
    all three, the instruments of messages of market data (W, X) are defined as well. Other messages, and damaged
    ones, are passed over. Raises ConfigError where no instrument is spoken of.
    """
    told: dict[str, Mapping[str, str]] = {}
    for data in messages:
        for fields in _instruments(data):
            symbol = fields.get(tag)
            if symbol is not None and (tags.MD_ENTRY_TYPE not in fields or symbol not in told):
                told[symbol] = fields
    found = Definitions([], {})
    for symbol, fields in sorted(told.items()):
        try:
            define(venue, _terms(symbol, fields, tick, lot, currency), found)
        except LookupError as e:
            found.left_out[symbol] = str(e.args[0])
        except (InvalidOperation, ValueError):
            found.left_out[symbol] = "its terms are not those of an instrument"
    if not told:
        raise ConfigError(f"{venue}: expected messages that speak of instruments, y, d, W or X, came none")
    return found


def _terms(
    symbol: str, fields: Mapping[str, str], tick: Decimal | None, lot: Decimal | None, currency: str | None
) -> Terms:
    """What the fields say, or what stands for it. Raises LookupError for what nothing says."""
    if tags.MIN_PRICE_INCREMENT in fields:
        tick = Decimal(fields[tags.MIN_PRICE_INCREMENT])
    said = [fields[name] for name in _LOTS if name in fields]
    if said:
        lot = Decimal(said[0])
    currency = fields.get(tags.CURRENCY, currency)
    if tick is None:
        raise LookupError("nothing says its MinPriceIncrement (969)")
    if lot is None:
        raise LookupError("nothing says its RoundLot (561)")
    if currency is None:
        raise LookupError("nothing says its Currency (15)")
    return Terms(symbol, tick, lot, currency, Decimal(fields.get(tags.CONTRACT_MULTIPLIER, "1")))


def _instruments(data: bytes) -> Iterator[Mapping[str, str]]:
    """The fields of every instrument that a message speaks of."""
    try:
        fields = message(memoryview(data))
        kind = fields[1][1]
        if kind in (tags.SECURITY_DEFINITION, tags.SNAPSHOT):
            yield dict(fields) | ({tags.MD_ENTRY_TYPE: ""} if kind == tags.SNAPSHOT else {})
        elif kind in (tags.SECURITY_LIST, tags.INCREMENTAL):
            count = tags.NO_RELATED_SYM if kind == tags.SECURITY_LIST else tags.NO_MD_ENTRIES
            yield from grouped(fields, count).entries
    except MalformedError:
        return

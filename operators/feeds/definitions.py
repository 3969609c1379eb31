"""Instruments as venues define them over REST: the body of a reply in, the definitions pairflow can use out.

Ticks are the venue's own. So are lots, save that one tick of one lot must be worth an even number of money
quanta (1e-8): where it is not, the lot is ten times the venue's, or a hundred times, and so on.
"""

from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any, NamedTuple

import orjson
import yaml

from schemas.errors import ConfigError
from schemas.instrument import Instrument
from schemas.record import DECIMAL_SCALE, MONEY_QUANTUM


class Definitions(NamedTuple):
    """What a venue lists: the instruments, and why which symbols are not among them."""

    instruments: list[Instrument]
    left_out: dict[str, str]

    def yaml(self) -> str:
        """The instruments as the `instruments` of a configuration."""
        listed = [i.model_dump(mode="json", exclude_defaults=True) for i in self.instruments]
        return yaml.safe_dump(listed, sort_keys=False, default_flow_style=None, width=200)


class Terms(NamedTuple):
    """What a venue says of an instrument, in its own words."""

    symbol: str
    tick: Decimal
    lot: Decimal
    currency: str
    multiplier: Decimal = Decimal(1)


_Listed = Iterable[Terms | tuple[str, str]]
"""Terms of instruments; or a symbol, and why it is left out."""

_INVERSE = "an inverse contract: its value is not proportional to its price"
_NOT_TRADING = "it does not trade now"


def kraken_instruments(body: bytes, version: int = 2) -> Definitions:
    """From `/0/public/AssetPairs`. Version 1 of the websocket says XBT and XDG for BTC and DOGE.

    Raises ConfigError where `body` is not such a reply.
    """

    def listed(reply: Any) -> _Listed:
        for pair in reply["result"].values():
            if "wsname" not in pair:
                continue  # not on the websocket
            base, _, quote = pair["wsname"].partition("/")
            if version == 2:
                base, quote = (_KRAKEN_NAMES.get(asset, asset) for asset in (base, quote))
            tick = Decimal(pair.get("tick_size", _step(pair["pair_decimals"])))
            lot = _step(pair["lot_decimals"]) * pair["lot_multiplier"]
            yield Terms(f"{base}/{quote}", tick, lot, quote)

    return _defined("kraken", body, listed)


_KRAKEN_NAMES = {"XBT": "BTC", "XDG": "DOGE"}


def okx_instruments(body: bytes) -> Definitions:
    """From `/api/v5/public/instruments`, of any instType. Raises ConfigError where `body` is not such a reply."""

    def listed(reply: Any) -> _Listed:
        for i in reply["data"]:
            symbol = i["instId"]
            if i["instType"] not in ("SPOT", "SWAP", "FUTURES"):
                yield symbol, f"an instrument of type {i['instType']}"
            elif i["ctType"] == "inverse":
                yield symbol, _INVERSE
            elif i["state"] != "live":
                yield symbol, _NOT_TRADING
            elif i["instType"] == "SPOT":
                yield Terms(symbol, Decimal(i["tickSz"]), Decimal(i["lotSz"]), i["quoteCcy"])
            else:
                size = Decimal(i["ctVal"]) * Decimal(i["ctMult"])
                yield Terms(symbol, Decimal(i["tickSz"]), Decimal(i["lotSz"]), i["settleCcy"], size)

    return _defined("okx", body, listed)


def coinbase_instruments(body: bytes) -> Definitions:
    """From `/api/v3/brokerage/market/products`. Raises ConfigError where `body` is not such a reply."""

    def listed(reply: Any) -> _Listed:
        for product in reply["products"]:
            symbol = product["product_id"]
            if product["trading_disabled"]:
                yield symbol, _NOT_TRADING
            elif product["product_type"] == "SPOT":
                tick, lot = Decimal(product["price_increment"]), Decimal(product["base_increment"])
                yield Terms(symbol, tick, lot, product["quote_currency_id"])
            else:
                yield symbol, f"a product of type {product['product_type']}"

    return _defined("coinbase", body, listed)


def bybit_instruments(body: bytes) -> Definitions:
    """From `/v5/market/instruments-info`, of any category. Raises ConfigError where `body` is not such a reply."""

    def listed(reply: Any) -> _Listed:
        category = reply["result"]["category"]
        for i in reply["result"]["list"]:
            symbol = i["symbol"]
            if category not in ("spot", "linear"):
                yield symbol, _INVERSE if category == "inverse" else f"an instrument of category {category}"
            elif i["status"] != "Trading":
                yield symbol, _NOT_TRADING
            else:
                lots = i["lotSizeFilter"]
                lot = Decimal(lots["basePrecision" if category == "spot" else "qtyStep"])
                currency = i["quoteCoin" if category == "spot" else "settleCoin"]
                yield Terms(symbol, Decimal(i["priceFilter"]["tickSize"]), lot, currency)

    return _defined("bybit", body, listed)


def binance_instruments(body: bytes) -> Definitions:
    """From `exchangeInfo` of spot, USDⓈ-M or COIN-M. Raises ConfigError where `body` is not such a reply."""

    def listed(reply: Any) -> _Listed:
        for i in reply["symbols"]:
            symbol = i["symbol"]
            filters = {f["filterType"]: f for f in i["filters"]}
            if "contractSize" in i:
                yield symbol, _INVERSE
            elif i["status"] != "TRADING":
                yield symbol, _NOT_TRADING
            else:
                tick, lot = Decimal(filters["PRICE_FILTER"]["tickSize"]), Decimal(filters["LOT_SIZE"]["stepSize"])
                yield Terms(symbol, tick, lot, i.get("marginAsset", i["quoteAsset"]))

    return _defined("binance", body, listed)


def _defined(venue: str, body: bytes, listed: Callable[[Any], _Listed]) -> Definitions:
    found = Definitions([], {})
    try:
        for terms in listed(orjson.loads(body)):
            if isinstance(terms, Terms):
                define(venue, terms, found)
            else:
                found.left_out[terms[0]] = terms[1]
    except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError) as e:
        raise ConfigError(
            f"{venue}: expected a reply that lists instruments, came {bytes(body[:60])!r} ({type(e).__name__}: {e}); "
            "docs/crypto.md says which request gives it"
        ) from None
    return found


def define(venue: str, terms: Terms, found: Definitions) -> None:
    """Add an instrument to what was found, or why it is left out."""
    tick, lot = terms.tick.normalize(), terms.lot.normalize()
    smallest = _step(DECIMAL_SCALE)
    if tick <= 0 or lot <= 0 or tick % smallest or lot % smallest:
        found.left_out[terms.symbol] = f"tick {tick:f} or lot {lot:f} is not a multiple of {smallest:f}"
        return
    while (tick * lot * terms.multiplier * MONEY_QUANTUM) % 2:
        lot *= 10
    found.instruments.append(
        Instrument(
            id=f"{terms.symbol}@{venue}", venue=venue, symbol=terms.symbol, tick=Decimal(f"{tick:f}"),
            lot=Decimal(f"{lot.normalize():f}"), currency=terms.currency, multiplier=terms.multiplier,
        )
    )  # fmt: skip


def _step(decimals: int) -> Decimal:
    return Decimal(1).scaleb(-decimals)

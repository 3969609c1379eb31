"""Operators by name. A user's own is named by dotted path (`package.module:Class`) or by entry point."""

from collections.abc import Callable
from importlib import import_module
from importlib.metadata import entry_points
from typing import TypeVar

from operators.operator import Component
from schemas.errors import ConfigError

T = TypeVar("T", bound=type[Component])

ENTRY_POINT_GROUP = "pairflow.operators"

_BUILT_IN_MODULES = (
    "operators.feeds.binance",
    "operators.feeds.kraken",
    "operators.feeds.okx",
    "operators.feeds.coinbase",
    "operators.feeds.bybit",
    "operators.feeds.fix",
    "operators.feeds.itch",
    "operators.feeds.rows",
    "operators.integrity.silence",
    "operators.integrity.audit",
    "operators.integrity.clock_skew",
    "operators.feeds.lobster",
    "operators.book.book",
    "operators.integrity.clock_check",
    "operators.book.depth",
    "operators.integrity.confidence",
    "operators.pairs.spread",
    "operators.pairs.pair_statistics",
    "operators.pairs.cointegration",
    "operators.pairs.correlation",
    "operators.pairs.baskets",
    "operators.pairs.discovery",
    "operators.pairs.traded_spread",
    "operators.learn.features",
    "operators.learn.model",
    "operators.signals.bands",
    "operators.execution.trader",
    "operators.risk.limits",
    "operators.execution.venue",
    "operators.portfolio.portfolio",
)

_registered: dict[str, type[Component]] = {}


def register(name: str) -> Callable[[T], T]:
    """Class decorator: make an operator known under `name`."""

    def add(cls: T) -> T:
        known = _registered.get(name)
        if known is not None and (known.__module__, known.__qualname__) != (cls.__module__, cls.__qualname__):
            raise ConfigError(f"two operators are called {name!r}: {known.__qualname__} and {cls.__qualname__}")
        _registered[name] = cls
        return cls

    return add


def built_in() -> dict[str, type[Component]]:
    """Every operator registered by pairflow itself, by name."""
    for module in _BUILT_IN_MODULES:
        import_module(module)
    return dict(sorted(_registered.items()))


def find(name: str) -> type[Component]:
    """The operator class called `name`: built in, by entry point, or by dotted path `module:Class`.

    Raises ConfigError when there is none, naming what is known.
    """
    known = built_in()
    if name in known:
        return known[name]
    for point in entry_points(group=ENTRY_POINT_GROUP, name=name):
        return _operator_class(point.load(), name)
    if ":" not in name and "." not in name:
        raise ConfigError(f"unknown operator type {name!r}; known: {', '.join(known)}, or a path like module:Class")
    module_name, _, class_name = name.partition(":") if ":" in name else name.rpartition(".")
    try:
        module = import_module(module_name)
    except ImportError as e:
        raise ConfigError(f"operator type {name!r}: cannot import {module_name!r} ({e})") from e
    if not hasattr(module, class_name):
        raise ConfigError(f"operator type {name!r}: module {module_name!r} has no {class_name!r}")
    return _operator_class(getattr(module, class_name), name)


def _operator_class(found: object, name: str) -> type[Component]:
    if isinstance(found, type) and issubclass(found, Component):
        return found
    raise ConfigError(f"operator type {name!r} is {found!r}, not a subclass of operators.operator.Operator")

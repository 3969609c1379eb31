"""Whether the parts of a configuration fit each other: ids are unique, what is named exists."""

from collections.abc import Sequence
from typing import Any

from flows.settings import RESERVED_IDS, DeskConfig, OperatorConfig
from flows.wording import MisplacedError, hint
from flows.yaml_lines import KeyPath
from operators.sources.base_feed import CapturedFeed
from schemas.instrument import Instrument, Pair, every_pair


def desk_instruments(desk: DeskConfig, instruments: Sequence[Instrument]) -> tuple[Instrument, ...]:
    """The instruments of a desk: those its feeds list, in configured order; all where a feed lists none."""
    if not all(feed.instruments for feed in desk.feeds):
        return tuple(instruments)
    listed = {name for feed in desk.feeds for name in feed.instruments}
    return tuple(instrument for instrument in instruments if instrument.id in listed)


def desk_pairs(desk: DeskConfig, instruments: Sequence[Instrument]) -> tuple[Pair, ...]:
    """The pairs of a desk with these instruments: those it lists, or every two of them."""
    return every_pair(tuple(instruments)) if desk.every_pair else desk.pairs


def check_references(
    instruments: Sequence[Instrument], desks: Sequence[DeskConfig], operators: Sequence[OperatorConfig]
) -> None:
    """Raise MisplacedError at the first part that is there twice or names something that is not there."""
    _check_unique("instrument", instruments, ("instruments",))
    _check_unique("desk", desks, ("desks",))
    _check_unique("operator", operators, ("operators",))
    for i, operator in enumerate(operators):
        if operator.id in RESERVED_IDS:
            message = f"the id {operator.id!r} is taken by pairflow itself; choose another"
            raise MisplacedError(("operators", i, "id"), message)
    for i, desk in enumerate(desks):
        _check_desk(desk, instruments, ("desks", i))
    _check_journals(desks)


def _check_unique(what: str, items: Sequence[Any], path: KeyPath) -> None:
    first: dict[str, int] = {}
    for i, item in enumerate(items):
        if item.id in first:
            message = f"two {what}s are called {item.id!r} (number {first[item.id] + 1} and {i + 1}); rename one"
            raise MisplacedError((*path, i, "id"), message)
        first[item.id] = i


def _check_desk(desk: DeskConfig, instruments: Sequence[Instrument], path: KeyPath) -> None:
    _check_unique("feed", desk.feeds, (*path, "feeds"))
    _check_unique("pair", desk.pairs, (*path, "pairs"))
    known = [instrument.id for instrument in instruments]
    for i, feed in enumerate(desk.feeds):
        for j, name in enumerate(feed.instruments):
            if name not in known:
                message = f"there is no instrument {name!r}{hint(name, known)}"
                raise MisplacedError((*path, "feeds", i, "instruments", j), message)
    _check_sources(desk, path)
    own = desk_instruments(desk, instruments)
    _check_currency(desk, own, path)
    _check_legs(desk, {i.id for i in own}, known, path)


def _check_sources(desk: DeskConfig, path: KeyPath) -> None:
    """A desk listens, reads its journal, or reads captures: one of these for all its feeds."""
    first = desk.feeds[0]
    for i, feed in enumerate(desk.feeds):
        if feed.source != first.source:
            message = (
                f"feed {feed.id!r} is {feed.source} and feed {first.id!r} is {first.source}: a desk is live as a "
                "whole or recorded as a whole; make two desks of it"
            )
            raise MisplacedError((*path, "feeds", i, "format"), message)
    is_capture = isinstance(first, CapturedFeed)
    if desk.journal is None and not is_capture:
        purpose = "is written to first" if desk.is_live else "is read from"
        message = f"desk {desk.id!r} has no journal, which {purpose}; add one, such as `journal: {{path: {desk.id}}}`"
        raise MisplacedError(path, message)
    if desk.journal is not None and is_capture:
        message = f"desk {desk.id!r} reads captures, which need no journal; remove it, or let its feeds be live"
        raise MisplacedError((*path, "journal"), message, key=True)


def _check_journals(desks: Sequence[DeskConfig]) -> None:
    """No journal is written by one desk and known to another."""
    first: dict[str, int] = {}
    for i, desk in enumerate(desks):
        if desk.journal is None:
            continue
        j = first.setdefault(desk.journal.path, i)
        if i != j and (desk.is_live or desks[j].is_live):
            message = f"desks {desks[j].id!r} and {desk.id!r} have the same journal; give each its own"
            raise MisplacedError(("desks", i, "journal", "path"), message)


def _check_currency(desk: DeskConfig, own: Sequence[Instrument], path: KeyPath) -> None:
    for instrument in own[1:]:
        if instrument.currency != own[0].currency:
            message = (
                f"desk {desk.id!r} has instruments in two currencies: {own[0].id!r} in {own[0].currency}, "
                f"{instrument.id!r} in {instrument.currency}; make a desk for each, and list the `instruments` "
                "of its feeds"
            )
            raise MisplacedError(path, message)


def _check_legs(desk: DeskConfig, own: set[str], known: Sequence[str], path: KeyPath) -> None:
    for i, pair in enumerate(desk.pairs):
        for leg in ("y", "x"):
            name = getattr(pair, leg)
            if name not in known:
                message = f"there is no instrument {name!r}{hint(name, known)}"
            elif name not in own:
                message = f"instrument {name!r} is in no feed of desk {desk.id!r}; add it to a feed's `instruments`"
            else:
                continue
            raise MisplacedError((*path, "pairs", i, leg), message)

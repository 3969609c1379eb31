"""Who has models of its own: the desk, its groups of pairs, or its pairs."""

from dataclasses import dataclass

from operators.learn.parameters import ModelParameters
from operators.operator import Desk
from schemas.errors import ConfigError


@dataclass(frozen=True)
class Owners:
    """`names` of the owners, `of` which pair belongs to which, and the `group` that each pair is validated in."""

    scope: str
    names: tuple[str, ...]
    of: tuple[int, ...]
    group: tuple[str, ...]

    def pair(self, owner: int) -> int:
        """The owner's pair, -1 where it has several."""
        return owner if self.scope == "pair" else -1

    def label(self, owner: int) -> str:
        """The owner's group; empty where it is none, and the group of a pair."""
        return {"desk": "", "group": self.names[owner], "pair": self.group[owner]}[self.scope]


def owners_of(parameters: ModelParameters, desk: Desk) -> Owners:
    """Raises ConfigError where a group holds a pair of no desk.

    A pair of another desk of the same configuration is no mistake only where this desk has some pair of the group.
    """
    groups = parameters.groups or {}
    group_of = {pair: name for name, pairs in groups.items() for pair in pairs}
    ids = [pair.id for pair in desk.pairs]
    known = set(ids)
    for name, pairs in groups.items():
        if not known & set(pairs):
            raise ConfigError(
                f"groups: {name!r} holds no pair of desk {desk.id!r} ({', '.join(pairs) or 'none'}); "
                f"it has {', '.join(ids[:5])}{', …' if len(ids) > 5 else ''}"
            )
    group = tuple(group_of.get(pair, "") for pair in ids)
    if parameters.scope == "desk":
        return Owners("desk", ("",), (0,) * len(ids), group)
    if parameters.scope == "pair":
        return Owners("pair", tuple(ids), tuple(range(len(ids))), group)
    names = tuple(dict.fromkeys(group))
    return Owners("group", names, tuple(names.index(g) for g in group), group)

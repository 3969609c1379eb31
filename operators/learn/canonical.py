"""Bytes of a model that depend on its state alone: equal in every process, before and after a restart."""

import hashlib
import io
import pickle
import random
from typing import Any

import numpy as np

_BY_VALUE = (str, bytes, int, float, complex, tuple, frozenset, np.dtype)


_PythonPickler: Any = pickle._Pickler  # the one written in Python: it can be told what to share


class _Unseeded:
    """In the place of a generator that nobody seeded: River's distributions hold one that only sampling uses."""

    def __reduce__(self) -> tuple[Any, ...]:
        return (random.Random, (0,))


class _Pickler(_PythonPickler):  # type: ignore[misc]
    """Writes immutable values out wherever they occur, and sets in order.

    Pickle writes an object once and refers to it from then on. Whether two equal strings are one object is chance,
    and no longer so after a restart; of lists, dicts and instances it is part of the state.
    """

    dispatch = dict(_PythonPickler.dispatch)

    def memoize(self, obj: Any) -> None:
        """Remember only what is told apart by identity."""
        if not isinstance(obj, _BY_VALUE):
            super().memoize(obj)

    def reducer_override(self, obj: Any) -> Any:
        """Leave out chance that came from outside."""
        held = getattr(obj, "__dict__", None)
        if type(held) is not dict or held.get("seed", 0) is not None or "_rng" not in held:
            return NotImplemented
        made, arguments, state, *rest = obj.__reduce_ex__(5)
        return (made, arguments, state | {"_rng": _Unseeded()}, *rest)

    def _save_set(self, obj: Any) -> None:
        self.save_reduce(type(obj), (sorted(obj, key=repr),), obj=obj)

    dispatch[set] = dispatch[frozenset] = _save_set


def canonical_bytes(value: Any) -> bytes:
    """A pickle of `value` that `pickle.loads` reads."""
    out = io.BytesIO()
    _Pickler(out, 5).dump(value)
    return out.getvalue()


def digest_of(data: bytes) -> int:
    """The first 63 bits of the SHA-256."""
    return int.from_bytes(hashlib.sha256(data).digest()[:8], "big") >> 1

"""What a file of models says of itself, and whether it fits where it is to be used."""

import json
import pickle
import sys
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any, NamedTuple

from operators.learn.canonical import canonical_bytes, digest_of
from operators.learn.parameters import ModelParameters
from schemas.errors import ConfigError

FORMAT = 1
_ADVICE = {
    "format": "export the models again with this version of pairflow",
    "river": "install that version of River, or let the models learn anew without `start`",
    "python": "run that version of Python, or let the models learn anew without `start`",
    "models": "declare the models as they were exported, or drop `start`",
    "target": "declare the target as it was, or drop `start`: they have learned the answers to another question",
    "features": "derive the features that they have learned, in the same order, or drop `start`",
    "owners": "give the scope, groups and pairs that they were exported with, or use scope desk",
}
"""What to do about each entry of a header that is not as it must be."""


class Stored(NamedTuple):
    """A file of models: its header, and the models pickled."""

    header: dict[str, Any]
    state: bytes


def header_of(parameters: ModelParameters, names: Sequence[str], owners: Sequence[str]) -> dict[str, Any]:
    """What models of these parameters must have been. `owners` are the pairs or groups that have one, in order."""
    return {
        "format": FORMAT,
        "river": version("river"),
        "python": f"{sys.version_info[0]}.{sys.version_info[1]}",
        "models": [[s.model_dump(mode="json", by_alias=True) for s in steps] for steps in parameters.candidates],
        "target": parameters.target.model_dump(mode="json")
        | {"taker_bps": parameters.taker_bps, "hedge": parameters.hedge},
        "features": list(names),
        "owners": list(owners),
    }


def stored_bytes(header: str, state: bytes) -> bytes:
    """The file: the header as one line of JSON, then the pickle."""
    return header.encode() + b"\n" + state


def header_in(data: bytes, path: str) -> dict[str, Any]:
    """What a file of models says of itself, its digest included. Raises ConfigError where it is none."""
    line, _, state = data.partition(b"\n")
    try:
        header = json.loads(line)
    except ValueError:
        header = None
    if not isinstance(header, dict) or "format" not in header:
        raise ConfigError(f"{path} is no file of models; write one with `pairflow model export`")
    return header | {"digest": f"{digest_of(state):016x}"}


def read_stored(data: bytes, path: str, digest: str) -> Stored:
    """A file of models, still pickled. Raises ConfigError where it is none, or not the one meant."""
    header, state = header_in(data, path), data.partition(b"\n")[2]
    found = header["digest"]
    if found != digest:
        raise ConfigError(
            f"start: {path} holds models of digest {found}, not {digest}; export them again, or write the digest "
            "of these if you trust who made them: reading them runs what they say"
        )
    return Stored(header, state)


def check_header(found: dict[str, Any], wanted: dict[str, Any], path: str) -> None:
    """Raise ConfigError at the first entry that differs, with what to do."""
    for name, expected in wanted.items():
        if found.get(name) != expected:
            raise ConfigError(
                f"start: {path} was exported with {name} {json.dumps(found.get(name))}, here it is "
                f"{json.dumps(expected)}; {_ADVICE[name]}"
            )


def packed(learners: Any) -> bytes:
    """Learners as bytes, the same in every process."""
    return canonical_bytes(learners)


def unpacked(state: bytes, path: str) -> Any:
    """Learners from the bytes of `packed`. Raises ConfigError where they cannot be read."""
    try:
        return pickle.loads(state)
    except Exception as e:
        raise ConfigError(f"start: {path} cannot be read: {type(e).__name__} ({e}); export the models again") from e

"""Addresses as people write them."""

from typing import Annotated, Any, NamedTuple

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema


class Endpoint(NamedTuple):
    """Where somebody listens: a host, by name or number, and a port."""

    host: str
    port: int


def parse_endpoint(value: Any) -> Endpoint:
    """`host:port`. Raises ValueError for anything else."""
    if isinstance(value, Endpoint):
        return value
    host, colon, port = value.rpartition(":") if isinstance(value, str) else ("", "", "")
    if not (colon and host and port.isascii() and port.isdigit() and int(port) < 1 << 16):
        raise ValueError(f"{value!r} is not an address; write host:port, such as 233.54.12.111:26477")
    return Endpoint(host, int(port))


Address = Annotated[
    Endpoint,
    BeforeValidator(parse_endpoint),
    PlainSerializer(lambda endpoint: f"{endpoint.host}:{endpoint.port}", return_type=str),
    WithJsonSchema({"type": "string", "pattern": r"^.+:\d+$"}),
]
"""An Endpoint; `host:port` in YAML."""

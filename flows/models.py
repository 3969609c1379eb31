"""The models that a run has learned, from its table `models`."""

import json
from typing import NamedTuple

from flows.config import Config
from operators.learn.inventory import stored_bytes
from operators.sinks.query import query
from schemas.errors import ConfigError


class Models(NamedTuple):
    """A file of models, and whose they are."""

    desk: str
    examples: int
    digest: str
    data: bytes


def newest_models(config: Config, desk: str | None = None, fingerprint: int | None = None) -> Models:
    """The last row of `models` of a desk. Raises ConfigError where there is none, or several operators have written."""
    chosen = _desk(config, desk)
    where = f"run = '{config.run}' AND desk = '{chosen}'"
    known = [int(row["fingerprint"]) for row in _rows(config, f"SELECT DISTINCT fingerprint FROM models WHERE {where}")]
    if not known:
        raise ConfigError(
            f"run {config.run!r}, desk {chosen!r}: there are no models; give the model operator `save_every`, run, and "
            "export again"
        )
    if fingerprint is None and len(known) > 1:
        raise ConfigError(f"several operators have learned: name one, --fingerprint {' or '.join(map(str, known))}")
    if fingerprint is not None and fingerprint not in known:
        raise ConfigError(f"no models of fingerprint {fingerprint}; there are {', '.join(map(str, known))}")
    wanted = known[0] if fingerprint is None else fingerprint
    columns = "examples, digest, header, hex(state) AS state"
    (row,) = _rows(
        config, f"SELECT {columns} FROM models WHERE {where} AND fingerprint = {wanted} ORDER BY seq DESC LIMIT 1"
    )
    data = stored_bytes(row["header"], bytes.fromhex(row["state"]))
    return Models(chosen, int(row["examples"]), f"{int(row['digest']):016x}", data)


def _desk(config: Config, desk: str | None) -> str:
    if desk is None and len(config.desks) > 1:
        raise ConfigError(f"name a desk: --desk {' or '.join(d.id for d in config.desks)}")
    return config.desk(config.desks[0].id if desk is None else desk).id


def _rows(config: Config, sql: str) -> list[dict[str, str]]:
    return [json.loads(line) for line in "".join(query(config.target, sql, "json")).splitlines() if line]

"""Where the tables are: a directory of the embedded engine, or a server. Shown without its password."""

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from schemas.errors import ConfigError

_FORMS = "write chdb:///absolute/directory, or clickhouse://user:password@host:port/database (clickhouses:// for TLS)"
_DEFAULT_PORTS = {"clickhouse": 8123, "clickhouses": 8443}


@dataclass(frozen=True)
class Address:
    """A target's address, taken apart."""

    dsn: str
    label: str
    """How people see it: no user, no password."""
    directory: Path | None = None
    """Of the embedded engine; None for servers."""
    secret: str = ""

    @classmethod
    def parse(cls, dsn: str) -> "Address":
        """Read a DSN. Raises ConfigError, which never repeats the DSN itself, where it is none."""
        try:
            parts = urlsplit(dsn)
            port = parts.port
        except ValueError:
            raise ConfigError(f"the ClickHouse target is not an address; {_FORMS}") from None
        if parts.scheme == "chdb":
            if parts.netloc or not parts.path.strip("/"):
                raise ConfigError(f"the embedded ClickHouse needs the absolute path of a directory; {_FORMS}")
            directory = Path(parts.path).resolve()
            return cls(dsn, f"chdb://{directory}", directory)
        if parts.scheme not in _DEFAULT_PORTS or not parts.hostname:
            raise ConfigError(f"the ClickHouse target is not an address; {_FORMS}")
        label = f"{parts.hostname}:{port or _DEFAULT_PORTS[parts.scheme]}"
        return cls(dsn, label, secret=unquote(parts.password or ""))

    @property
    def secure(self) -> bool:
        """Whether the connection is encrypted."""
        return self.dsn.startswith("clickhouses:")

    def __repr__(self) -> str:
        return f"Address({self.label!r})"

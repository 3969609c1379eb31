"""Reading and writing files of models."""

from pathlib import Path

from schemas.errors import ConfigError


def read_model_file(path: Path) -> bytes:
    """The whole file. Raises ConfigError where it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as e:
        raise ConfigError(f"start: cannot read {path}: {e.strerror}; export it with `pairflow model export`") from e


def write_model_file(path: Path, data: bytes) -> None:
    """Write it whole or not at all. Raises ConfigError where it cannot be written."""
    part = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(data)
        part.replace(path)
    except OSError as e:
        raise ConfigError(f"cannot write {path}: {e.strerror}") from e

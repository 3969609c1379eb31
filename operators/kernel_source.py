"""Which source a kernel is made of: its module, and all that this imports from pairflow."""

import ast
import hashlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[1]
_PACKAGES = ("schemas", "operators")


def source_digest(file: Path) -> str:
    """A digest of the source in `file` and in every module of schemas/ and operators/ it imports, however far off."""
    found: set[Path] = set()
    ahead = [file.resolve()]
    while ahead:
        path = ahead.pop()
        if path not in found:
            found.add(path)
            ahead.extend(_imports(path)[1])
    digest = hashlib.sha256()
    for path in sorted(found):
        digest.update(_imports(path)[0])
    return digest.hexdigest()[:16]


@cache
def _imports(file: Path) -> tuple[bytes, frozenset[Path]]:
    """A module's source, and the files of the modules that it imports."""
    source = file.read_bytes()
    return source, frozenset(path for name in _names(ast.parse(source)) for path in _files(name))


def _names(tree: ast.Module) -> Iterator[str]:
    """The dotted names of all that may be a module."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _files(name: str) -> Iterator[Path]:
    parts = name.split(".")
    if parts[0] in _PACKAGES:
        path = _ROOT.joinpath(*parts)
        yield from (found for found in (path.with_suffix(".py"), path / "__init__.py") if found.is_file())

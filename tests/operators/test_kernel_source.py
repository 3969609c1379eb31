"""Machine code is kept by the source it depends on."""

from pathlib import Path

from operators import kernel_source
from operators.kernel_source import source_digest
from tests.conftest import ROOT


def test_it_changes_with_whatever_is_imported(tmp_path: Path, monkeypatch) -> None:
    package = tmp_path / "operators"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "near.py").write_text("from operators.far import VALUE\n")
    (package / "far.py").write_text("VALUE = 1\n")
    (package / "other.py").write_text("VALUE = 1\n")
    kernel = tmp_path / "kernel.py"
    kernel.write_text("import numpy\nfrom operators import near\n")
    monkeypatch.setattr(kernel_source, "_ROOT", tmp_path)

    def digest() -> str:
        kernel_source._imports.cache_clear()
        return source_digest(kernel)

    before = digest()
    (package / "other.py").write_text("VALUE = 2\n")
    assert digest() == before
    (package / "far.py").write_text("VALUE = 2\n")
    assert digest() != before


def test_kernels_of_one_part_do_not_hang_on_another() -> None:
    spread, book = (source_digest(ROOT / "operators" / name) for name in ("pairs/touch.py", "book/apply.py"))
    assert spread != book

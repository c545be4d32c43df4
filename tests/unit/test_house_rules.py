"""Medicine is data: no condition or finding id, and no dose, stands in Python; and the packaging holds what it says."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from soleus.knowledge.load import load_knowledge

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "soleus"


def _strings(path: Path) -> set[str]:
    """String constants of a module, docstrings aside."""
    tree = ast.parse(path.read_text())
    docs = {
        id(n.body[0].value)
        for n in ast.walk(tree)
        if isinstance(n, ast.Module | ast.ClassDef | ast.FunctionDef) and n.body and isinstance(n.body[0], ast.Expr)
    }
    return {n.value for n in ast.walk(tree) if isinstance(n, ast.Constant) and isinstance(n.value, str) and id(n) not in docs}


def test_no_condition_finding_or_care_id_in_python() -> None:
    knowledge = load_knowledge()
    ids = set(knowledge.conditions) | set(knowledge.findings) | set(knowledge.care) | set(knowledge.rules)
    found = {(path.name, text) for path in SOURCE.rglob("*.py") for text in _strings(path) if text in ids}
    assert found == set()


def test_locks_hold_hashes_and_no_address() -> None:
    for name in ("run", "test"):
        text = (ROOT / "requirements" / f"{name}.txt").read_text()
        pins = re.findall(r"^[a-z0-9-]+==", text, re.MULTILINE)
        assert len(pins) > 5
        assert text.count("--hash=sha256:") >= len(pins)
        assert "://" not in text


def test_lock_names_what_the_project_needs() -> None:
    project = (ROOT / "pyproject.toml").read_text()
    block = re.search(r"^dependencies = \[(.*)\]", project, re.MULTILINE)
    assert block is not None
    needed = {re.match(r"[a-z0-9-]+", d.strip(' "')).group() for d in block[1].split(",")}  # type: ignore[union-attr]
    locked = set(re.findall(r"^([a-z0-9-]+)==", (ROOT / "requirements/run.txt").read_text(), re.MULTILINE))
    assert needed <= locked

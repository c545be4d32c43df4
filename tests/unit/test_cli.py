"""The command line as a user runs it: what it prints, where, and its exit code."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from soleus.cli.assess import example_file

ROOT = Path(__file__).parents[2]


def soleus(*arguments: str, given: bytes | None = None, **environment: str) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "soleus.cli.main", *arguments]
    return subprocess.run(
        command, input=given or b"", capture_output=True, env={**os.environ, "COLUMNS": "100", **environment}, check=False
    )


def fails(result: subprocess.CompletedProcess[bytes], *parts: str, code: int = 2) -> None:
    error = result.stderr.decode()
    assert result.returncode == code, error
    assert result.stdout == b"", "no partial output"
    assert "Traceback" not in error
    for part in parts:
        assert part in error


@pytest.fixture
def case_file(tmp_path: Path) -> Any:
    def write(text: str | bytes, name: str = "case.yaml") -> str:
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return str(path)

    return write


def test_without_a_terminal_the_example_is_assessed() -> None:
    result = soleus()
    text = result.stdout.decode()
    assert result.returncode == 0
    assert "bundled example" in text
    assert "soleus interview" in text


def test_report_says_what_to_do_first() -> None:
    text = soleus("assess", str(example_file())).stdout.decode()
    order = ["Make an ordinary appointment", "Why", "What may be causing it", "What to do now", "When to seek care sooner", "Sources"]
    places = [text.find(part) for part in order]
    assert places == sorted(places)
    assert -1 not in places


def test_in_an_emergency_nothing_comes_before_what_to_do(case_file: Any) -> None:
    text = soleus(
        "assess", case_file("age: 41\nsex: male\nanswers: {one_leg_swollen: yes, breathless_new: yes, long_travel: yes}\n")
    ).stdout.decode()
    order = [
        "Call an ambulance now",
        "Do not drive yourself",
        "Why",
        "What has to be ruled out",
        "Blood clot that has moved to the lungs",
        "What may be causing it",
    ]
    places = [text.find(part) for part in order]
    assert places == sorted(places)
    assert -1 not in places
    assert "Treatments, from home to hospital" not in text


def test_json_is_one_object_of_the_published_schema() -> None:
    result = soleus("assess", str(example_file()), "--format", "json")
    document = json.loads(result.stdout)
    schema = json.loads((ROOT / "docs/schemas/assessment.schema.json").read_text())
    jsonschema.validate(document, schema)
    shares = [c["probability"] for c in document["differential"]]
    assert shares == sorted(shares, reverse=True)
    assert sum(shares) == pytest.approx(1)


def test_same_case_same_bytes() -> None:
    first, second = (soleus("assess", str(example_file()), "--format", "json").stdout for _ in range(2))
    assert first == second


def test_standard_input_several_files_and_json_lines(case_file: Any) -> None:
    plain = b"age: 50\nsex: male\nanswers: {one_leg_swollen: yes}\n"
    assert json.loads(soleus("assess", "-", "--format", "json", given=plain).stdout)["urgency"] == "same_day"
    lines = b'{"age": 50, "sex": "male", "id": "a"}\n{"age": 50, "sex": "male", "id": "b"}\n'
    for result in (
        soleus("assess", "-", "--format", "json", given=lines),
        soleus("assess", case_file(lines, "cases.jsonl"), "--format", "json"),
    ):
        assert [json.loads(line)["id"] for line in result.stdout.splitlines()] == ["a", "b"]
    both = soleus("assess", case_file(plain), str(example_file()), "--format", "json")
    assert len(both.stdout.splitlines()) == 2


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("age: 50\nsex: male\nanswers:\n  feverr: yes\n", ["line 4: answers.feverr: unknown finding; did you mean fever"]),
        ("age: 50\nsex: male\nanswers: {fever: maybe}\n", ["answers.fever: got 'maybe'; allowed: yes, no, unknown"]),
        (
            "age: 50\nsex: male\nanswers: {diabetes: type_9}\n",
            ["answers.diabetes: got 'type_9'; allowed: none, prediabetes, type_1, type_2"],
        ),
        ("age: 150\nsex: male\n", ["line 1: age: got 150; allowed: 0 to 120 (years), or unknown"]),
        ("age: old\nsex: man\n", ["age: got 'old'", "sex: got 'man'; allowed: male, female, unknown"]),
        ("sex: male\n", ["age: missing"]),
        ("age: 50\nsex: male\nanswers: {temperature: 38 K}\n", ["answers.temperature: got the unit 'K'", "units: °C, °F"]),
        ("age: 50\nsex: male\nanswers: {temperature: 200}\n", ["answers.temperature: got 200; allowed: "]),
        ("age: 50\nage: 51\nsex: male\n", ["line 2: duplicate key 'age'; first given on line 1"]),
        ("age: 50\nsex: male\nweight: 80\n", ["line 3: unknown field 'weight'; allowed: age, sex, id"]),
        ("age: 50\nsex: male\nsetting: ship\n", ["setting: got 'ship'; allowed: at_home"]),
        ("age: [50\n", ["not valid YAML"]),
        ("- 1\n", ["a case is a mapping"]),
        ("", ["a case is a mapping"]),
        ("age: 50\nsex: male\nanswers: {pain_relief: {standing_still: yes, nothing: yes}}\n", ["standing_still is both so and not so"]),
        (b"age: 50\nsex: m\xe4nnlich\n", ["not UTF-8"]),
    ],
)
def test_bad_input_is_one_clear_message(case_file: Any, text: str | bytes, parts: list[str]) -> None:
    fails(soleus("assess", case_file(text)), *parts)


def test_a_huge_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "huge.yaml"
    with path.open("wb") as file:
        file.truncate(100_000_000)
    fails(soleus("assess", str(path)), "too large; a case may have at most 1,000,000 bytes")


def test_a_missing_file_and_one_bad_line(case_file: Any) -> None:
    fails(soleus("assess", "nowhere.yaml"), "nowhere.yaml: cannot be read")
    lines = case_file('{"age": 50, "sex": "male"}\n{"age": 50,\n', "cases.jsonl")
    fails(soleus("assess", lines), "line 2: not valid JSON")
    twice = case_file('{"age": 50, "sex": "male", "age": 3}\n', "twice.jsonl")
    fails(soleus("assess", twice), "duplicate key 'age'")


def test_one_bad_file_among_good_ones_prints_nothing(case_file: Any) -> None:
    fails(soleus("assess", str(example_file()), case_file("age: x\nsex: male\n")), "age: got 'x'")


def test_knowledge_commands() -> None:
    assert soleus("kb", "check").stdout.startswith(b"OK. Checked 59 conditions, 59 complete conditions, ")
    assert len(soleus("kb", "list", "conditions").stdout.splitlines()) == 59
    assert b"Narrowed leg arteries" in soleus("kb", "show", "intermittent_claudication").stdout
    assert len(soleus("kb", "version").stdout.strip()) == 64
    fails(soleus("kb", "show", "deep_vein_trombosis"), "did you mean deep_vein_thrombosis")


def test_version_needs_neither_numpy_nor_pydantic() -> None:
    code = "import sys; sys.argv = ['soleus', '--version']\nfrom soleus.cli.main import main\nmain()"
    program = f"import sys\ntry:\n exec({code!r})\nfinally:\n print({{'numpy', 'pydantic'}} & set(sys.modules))"
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert result.stdout.splitlines()[-1] == "set()"


def test_a_broken_knowledge_base_names_file_line_and_field(tmp_path: Path) -> None:
    import shutil

    from soleus.knowledge.load import default_folder

    folder = tmp_path / "kb"
    shutil.copytree(default_folder(), folder)
    path = folder / "conditions" / "cellulitis.yaml"
    text = path.read_text()
    number = next(i for i, line in enumerate(text.splitlines(), 1) if line.startswith("urgency:"))
    path.write_text(text.replace("urgency: same_day", "urgency: whenever", 1))
    result = soleus("kb", "check", "--folder", str(folder))
    fails(result, f"conditions/cellulitis.yaml, line {number}: urgency: allowed: self_care", "got 'whenever'", code=1)


def test_published_schemas_are_current() -> None:
    for what in ("case", "assessment", "condition", "finding", "rule", "care"):
        published = (ROOT / f"docs/schemas/{what}.schema.json").read_bytes()
        assert soleus("kb", "schema", what).stdout == published, f"run 'make schemas': {what}"


def test_a_place_that_cannot_be_written_is_one_line_and_no_traceback(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", "utf-8")
    arguments = ("--vignettes", str(ROOT / "tests/vignettes"), "--date", "2026-01-31")
    result = soleus("evaluate", "report", str(tmp_path / "file" / "out"), *arguments)
    assert result.returncode == 2
    assert result.stderr.decode().splitlines() == [f"{tmp_path / 'file' / 'out'}: not a directory"]

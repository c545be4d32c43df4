"""The commands for the people who edit the knowledge base, run on a copy of it."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from soleus.cli.main import cli
from soleus.delivery.fhirpath import to_fhirpath
from soleus.delivery.rule_words import in_words
from soleus.errors import InputError
from soleus.knowledge.check import check
from soleus.knowledge.load import default_folder, load_knowledge

ROOT = Path(__file__).resolve().parent.parent.parent
GUIDE = (ROOT / "docs/knowledge.md").read_text("utf-8")


def kb(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["kb", *arguments])


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return Path(shutil.copytree(default_folder(), tmp_path / "kb"))


def test_the_worked_example_of_the_guide_works(copy: Path) -> None:
    findings, question, source, rule = re.findall(r"```yaml\n(.*?)```", GUIDE, flags=re.DOTALL)
    made = kb("new", "condition", "lyme_arthritis", "--date", "2026-11-24", "--folder", str(copy))
    assert made.exit_code == 0, made.output
    path = copy / "conditions/lyme_arthritis.yaml"
    assert made.output.strip() == str(path)
    assert check(load_knowledge(copy)).faults == ()
    load_knowledge.cache_clear()
    path.write_text(path.read_text("utf-8") + findings + "  tick_bite: {value: 0.6, source: made_up_2026, n: 80}\n", "utf-8")
    for name, text in (("findings/clot_risk.yaml", question), ("sources/venous.yaml", source), ("rules/infection.yaml", rule)):
        (copy / name).write_text((copy / name).read_text("utf-8").rstrip() + "\n" + text, "utf-8")
    knowledge = load_knowledge(copy)
    assert check(knowledge).faults == ()
    assert knowledge.conditions["lyme_arthritis"].findings["tick_bite"].sources == ("made_up_2026",)
    changed = kb("diff", str(default_folder()), str(copy))
    assert changed.exit_code == 0, changed.output
    for line in (
        "conditions: lyme_arthritis is new: Lyme arthritis",
        "findings: tick_bite is new: a tick bite in the last year",
        "rules: swollen_knee_after_a_tick is new: A knee that swells after a tick bite should be seen within days, "
        "as the germ can be treated.",
        "sources: made_up_2026 is new: A made-up study for this example",
    ):
        assert line in changed.output.splitlines()


def test_new_refuses_what_is_there_and_what_is_no_id(copy: Path) -> None:
    there = kb("new", "condition", "deep_vein_thrombosis", "--date", "2026-11-24", "--folder", str(copy))
    assert isinstance(there.exception, InputError)
    assert there.exception.faults == (
        "deep_vein_thrombosis: there is such a condition already; 'soleus kb show deep_vein_thrombosis' shows it",
    )
    for odd, day in (
        ("No Id", "2026-11-24"),
        ("a: b", "2026-11-24"),
        ("cause", "2026-11-24"),
        ("lyme", "2026-13-45"),
        ("lyme", "20261124"),
    ):
        refused = kb("new", "condition", odd, "--date", day, "--folder", str(copy))
        assert isinstance(refused.exception, InputError), odd
        assert not (copy / f"conditions/{odd}.yaml").exists()


def test_diff_says_in_words_which_number_changed_and_which_cases_move(copy: Path) -> None:
    path = copy / "conditions/peripheral_artery_disease.yaml"
    text = path.read_text("utf-8")
    old = re.search(r"\n  night_pain: .*", text)
    assert old is not None
    changed = "\n  night_pain: {value: {none: 0.01, short_attacks: 0.01, lasting_pain: 0.98}, basis: judgement, weight: 8}"
    priors = re.sub(r"by_setting: \{.*?\}", "by_setting: {at_home: 0.9, primary_care: 0.9, emergency_department: 0.9, "
                    "sports_clinic: 0.9, vascular_clinic: 0.9}", text.replace(old.group(0), changed), count=1)  # fmt: skip
    path.write_text(priors, "utf-8")
    result = kb("diff", str(default_folder()), str(copy), "--vignettes", str(ROOT / "tests/vignettes"))
    assert result.exit_code == 0, result.output
    name = load_knowledge().findings["night_pain"].name
    assert re.search(rf"share of “{name}: .*” in Lower-extremity .*: 0\.\d+ -> 0\.98 \(judgement\)", result.output)
    assert re.search(r"prior of Lower-extremity .*, primary_care: 0\.\d+ -> 0\.9\n", result.output)
    moved = re.search(r"(\d+) cases change their answer", result.output)
    assert moved is not None
    assert int(moved.group(1)) == len(re.findall(r"^\S+: .* -> .*\(right: ", result.output, flags=re.MULTILINE)) >= 1


def test_diff_of_the_same_is_nothing(copy: Path) -> None:
    result = kb("diff", str(default_folder()), str(copy))
    assert result.output == "0 changes.\n"


def test_diff_sees_a_definition_that_rules_use_and_an_option_that_is_gone(copy: Path) -> None:
    path = copy / "rules/definitions.yaml"
    path.write_text(path.read_text("utf-8").replace("{any: [breathless_new, chest_pain_new, ", "{any: [breathless_new, "), "utf-8")
    path = copy / "conditions/peripheral_artery_disease.yaml"
    path.write_text(re.sub(r"heart_attack_in_3_months: [\d.]+, ", "", path.read_text("utf-8"), count=1), "utf-8")
    result = kb("diff", str(default_folder()), str(copy))
    assert "definitions: lung_signs: changed when" in result.output
    assert re.search(r"^rules: \w+: fires in other cases than before", result.output, flags=re.MULTILINE)
    assert re.search(r"in Lower-extremity .*: [\d.]+ -> gone \(judgement\)", result.output)


def test_explain_gives_value_basis_source_and_effect() -> None:
    knowledge = load_knowledge()
    number = knowledge.conditions["peripheral_artery_disease"].findings["pain_triggers.walking"]
    result = kb("explain", "peripheral_artery_disease", "pain_triggers")
    assert result.exit_code == 0, result.output
    assert f"share pain_triggers.walking: {number.value:g}" in result.output
    assert f"a study, counts as {number.weight:g} people" in result.output
    assert (knowledge.sources[number.sources[0]].authors or "") in result.output.replace("\n", " ")
    assert "latent pattern: exertion" in result.output
    for arguments in (("no_such", "pain_triggers"), ("peripheral_artery_disease", "no_such")):
        assert isinstance(kb("explain", *arguments).exception, InputError)


def test_coverage_counts_every_number_once() -> None:
    knowledge = load_knowledge()
    expected = sum(len(c.findings) + len(c.risk) + len(c.prevalence) for c in knowledge.conditions.values())
    expected += sum(f.background is not None for f in knowledge.findings.values())
    result = kb("coverage")
    rows = [re.split(r"\s*│\s*", line.strip("│ ")) for line in result.output.splitlines() if line.startswith("│")]
    counted = [row for row in rows if row[0] in ("background", "odds ratio", "prevalence", "share") and row[1].isdigit()]
    assert len(counted) == 4
    assert sum(int(row[1]) + int(row[2]) for row in counted) == expected


def test_whatever_rests_on_a_retracted_source_is_listed(copy: Path) -> None:
    path = next(p for p in sorted((copy / "sources").glob("*.yaml")) if "- id: leng1992" in p.read_text("utf-8"))
    entries = yaml.safe_load(path.read_text("utf-8"))
    for entry in entries:
        if entry["id"] == "leng1992":
            entry |= {"standing": "retracted", "standing_note": "made up for a test"}
    path.write_text(yaml.safe_dump(entries, allow_unicode=True), "utf-8")
    faults = check(load_knowledge(copy)).faults
    assert any("leng1992: is retracted, but share peripheral_artery_disease: pain_triggers.walking rests on it" in f for f in faults)
    listed = kb("coverage", "--folder", str(copy))
    assert "retracted: leng1992: made up for a test" in listed.output
    assert "share peripheral_artery_disease: pain_triggers.walking" in listed.output


def test_rule_gives_urgency_reason_words_and_sources() -> None:
    knowledge = load_knowledge()
    rule = next(r for r in knowledge.rules.values() if len(r.sources) > 1)
    result = kb("rule", rule.id)
    assert result.exit_code == 0, result.output
    lines = result.output.splitlines()
    assert lines[:2] == [f"{knowledge.levels[rule.urgency].name} ({rule.urgency.name})", rule.reason]
    assert f"It fires if:\n{in_words(knowledge.rule_when[rule.id], knowledge)}\n\nSources:\n" in result.output
    for source in rule.sources:
        assert knowledge.sources[source].title in result.output
    judged = next(r for r in knowledge.rules.values() if not r.sources)
    assert kb("rule", judged.id).output.endswith("\nIt rests on judgement.\n")


def test_rule_as_fhirpath() -> None:
    knowledge = load_knowledge()
    for rule, when in knowledge.rule_when.items():
        assert kb("rule", rule, "--as", "fhirpath").output == to_fhirpath(when, knowledge) + "\n"


def test_a_rule_that_is_not_there() -> None:
    for wrong, fault in (
        ("clot_in_lungs", "no rule 'clot_in_lungs' in the knowledge base; did you mean clot_in_lung or lung_clot_seen?"),
        ("xyz", "no rule 'xyz' in the knowledge base; 'soleus kb list rules' shows what there is"),
    ):
        refused = kb("rule", wrong)
        assert isinstance(refused.exception, InputError)
        (given,) = refused.exception.faults
        assert given.startswith(fault[:60])
        assert ("did you mean clot_in_lung" in given) == (wrong == "clot_in_lungs")


RULE = """
- id: a_new_rule
  urgency: same_day
  when: {when}
  reason: A reason that is long enough to be read.
  basis: judgement
"""


@pytest.mark.parametrize(
    ("when", "says", "cure"),
    [
        ("one_leg_swolen", "no finding 'one_leg_swolen'", "did you mean one_leg_swollen"),
        ("pain_severity", "pain_severity is a number, not yes/no", "write 'pain_severity >= NUMBER'"),
        ("fever is yes", "fever is a boolean, not a choice", "write 'fever'"),
        ("pain_onset is yesterday", "pain_onset has no value yesterday", "allowed: sudden_with_movement_or_effort"),
        ("{all: [fever, {not: fever}]}", "can never fire", "drop or change one that contradicts another"),
        ("{all: [age > 70, age < 60]}", "can never fire", "drop or change one that contradicts another"),
    ],
)
def test_a_bad_rule_is_a_fault_with_file_line_and_cure(copy: Path, when: str, says: str, cure: str) -> None:
    path = copy / "rules" / "clot.yaml"
    text = path.read_text("utf-8").rstrip()
    path.write_text(text + RULE.format(when=when), "utf-8")
    result = CliRunner().invoke(cli, ["kb", "check", "--folder", str(copy)])
    assert result.exit_code == 1
    (fault,) = [line for line in result.output.splitlines() if "a_new_rule" in line]
    assert fault.startswith(f"rules/clot.yaml, line {len(text.splitlines()) + 1}: a_new_rule")
    assert says in fault
    assert cure in fault


def test_a_level_that_nothing_leads_to_is_a_fault(copy: Path) -> None:
    for path in [*(copy / "rules").glob("*.yaml"), *(copy / "conditions").glob("*.yaml")]:
        path.write_text(path.read_text("utf-8").replace("urgency: call_ambulance", "urgency: emergency_now"), "utf-8")
    result = CliRunner().invoke(cli, ["kb", "check", "--folder", str(copy)])
    assert "levels.yaml: nothing ever leads to call_ambulance; give a rule or a condition this urgency" in result.output


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("{kind: rule, id: one_leg_swollen,", "{kind: rule, id: one_leg_swolen,", "no rule 'one_leg_swolen'; 'soleus kb list rules'"),
        ("guards: [pulmonary_embolism]", "guards: [pulmonary]", "no condition 'pulmonary'"),
        ("when: one_leg_swollen\n", "when: one_leg_is_swollen\n", "no finding 'one_leg_is_swollen'; did you mean one_leg_swollen"),
    ],
)
def test_a_bad_hazard_is_a_fault(copy: Path, old: str, new: str, says: str) -> None:
    path = copy / "hazards" / "clots_and_veins.yaml"
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")
    result = CliRunner().invoke(cli, ["kb", "check", "--folder", str(copy)])
    assert result.exit_code == 1
    assert any(line.startswith("hazards/clots_and_veins.yaml, line ") and says in line for line in result.output.splitlines())

"""The proofs hold, say so when they do not, and notice every broken rule."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

import soleus
from soleus.cli.main import cli
from soleus.interview import always_asked
from soleus.interview.session import DANGER, Interview
from soleus.knowledge.load import Knowledge, default_folder, load_knowledge
from soleus.knowledge.schema import Urgency
from soleus.safety.mutate import Mutant, Mutation, mutants
from soleus.safety.prove import STATEMENTS, Prover
from soleus.safety.rules import apply_rules

KNOWLEDGE = load_knowledge()
PROVER = Prover(KNOWLEDGE)
MUTATION = Mutation(KNOWLEDGE)


@pytest.mark.parametrize("name", STATEMENTS)
def test_holds_for_every_way_of_answering(name: str) -> None:
    proof = PROVER.prove(name, STATEMENTS[name])
    assert proof.checks > 20
    assert proof.holds, proof.broken[:3]


def test_every_danger_sign_is_asked_before_the_interview_can_end() -> None:
    walked = list(always_asked.unasked(KNOWLEDGE))
    assert len(walked) > 200
    assert not [words for words, broken in walked if broken]


def test_an_interview_that_skips_the_danger_signs_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = Interview._decide

    def skipping(interview: Interview, path: tuple[object, ...]) -> object:
        step = whole(interview, path)  # type: ignore[arg-type]
        return None if step is not None and step.id == DANGER else step

    monkeypatch.setattr(Interview, "_decide", skipping)
    assert any(broken for _, broken in always_asked.unasked(KNOWLEDGE))


@pytest.mark.parametrize("rule", KNOWLEDGE.rules)
def test_a_broken_rule_is_noticed(rule: str) -> None:
    """Left out, one level less, each sign flipped, each alternative or value dropped: a proof fails, or nobody's urgency can fall."""
    broken = [m for m in mutants(KNOWLEDGE) if m.rule == rule]
    assert len(broken) >= 3
    assert not [f"{m.how}" for m in broken if MUTATION.judge(m).outcome == "survived"]


def test_a_rule_that_no_situation_guards_survives() -> None:
    """The mutants are not noticed by magic: without the situations they survive."""
    bare = Mutation(replace(KNOWLEDGE, hazards={}, situation_when={}, never_when={}))
    assert bare.judge(Mutant("clot_in_lung", "left out", None, Urgency.call_ambulance)).outcome == "survived"


def test_rules_that_contradict_each_other_are_noticed() -> None:
    clot = KNOWLEDGE.rules["blue_swollen_leg"].model_copy(update={"does": ("raise_leg",)})
    name = "advice_does_not_contradict"
    proof = Prover(replace(KNOWLEDGE, rules={**KNOWLEDGE.rules, clot.id: clot})).prove(name, STATEMENTS[name])
    assert any("leg_suddenly_cold_or_pale" in broken.what and broken.case is not None for broken in proof.broken)


def test_care_that_loses_a_contraindication_is_noticed() -> None:
    name = "care_only_when_denied"
    bare = Prover(replace(KNOWLEDGE, not_if={**KNOWLEDGE.not_if, "ibuprofen": ()})).prove(name, STATEMENTS[name])
    assert any("ibuprofen" in broken.what for broken in bare.broken)


# -- a failed proof gives a case that can be run -----------------------------------------------------


@pytest.fixture
def broken_folder(tmp_path: Path) -> Path:
    """A knowledge base in which new breathlessness no longer calls an ambulance."""
    folder = tmp_path / "kb"
    shutil.copytree(default_folder(), folder)
    path = folder / "rules" / "definitions.yaml"
    text = path.read_text("utf-8")
    path.write_text(text.replace("{any: [breathless_new, chest_pain_new,", "{any: [chest_pain_new,", 1), "utf-8")
    assert path.read_text("utf-8") != text
    return folder


def test_a_failed_proof_gives_a_case_file_that_assess_runs(broken_folder: Path, tmp_path: Path) -> None:
    result = CliRunner().invoke(cli, ["prove", "--folder", str(broken_folder), "--save", str(tmp_path / "cases")])
    assert result.exit_code == 1
    assert "FAILED  situations_reach_their_urgency" in result.output
    paths = sorted((tmp_path / "cases").glob("situations_reach_their_urgency-*.yaml"))
    assert paths
    for path in paths:
        assert path.name in result.output
        case = soleus.read_case(yaml.safe_load(path.read_text("utf-8")))
        broken, sound = (apply_rules(k, case).urgency for k in (_load(broken_folder), KNOWLEDGE))
        assert broken < sound
        assert Urgency[soleus.assess(case).urgency] >= sound
    assert CliRunner().invoke(cli, ["assess", str(paths[0])]).exit_code == 0


def _load(folder: Path) -> Knowledge:
    return load_knowledge(folder)


def test_the_command_says_what_was_proven() -> None:
    result = CliRunner().invoke(cli, ["prove"])
    assert result.exit_code == 0, result.output
    assert len(re.findall(r"^proven  ", result.output, flags=re.MULTILINE)) == len(STATEMENTS) + 1
    assert re.search(r"10 of 10 proven over up to 2\^\d{3} ways to answer", result.output)

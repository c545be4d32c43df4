"""The four studies measure what they say, and a model that is broken on purpose scores visibly worse in each."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from soleus.cli.main import cli
from soleus.errors import InputError
from soleus.evaluation import literature, population, report, simulation, suite, vignettes
from soleus.evaluation.intervals import bootstrap, wilson
from soleus.evaluation.people import Noise, case_of, said
from soleus.inference.batch import UNKNOWN, Batch
from soleus.inference.sample import draw
from soleus.interview.value import mind, mind_with
from soleus.knowledge.load import load_knowledge
from tests.networks import shuffled

ROOT = Path(__file__).resolve().parent.parent.parent
CASES = ROOT / "tests/vignettes"
KNOWLEDGE = load_knowledge()
MIND = mind(KNOWLEDGE)
BROKEN = mind_with(KNOWLEDGE, shuffled(MIND.engine.network, np.random.default_rng(4)))

# -- a broken model scores worse -------------------------------------------------------------------


def test_recorded_cases_tell_a_broken_model() -> None:
    cases, faults = vignettes.read_vignettes(CASES, KNOWLEDGE)
    assert not faults
    own, broken = (vignettes.summary(vignettes.run(cases, thinking, "history")) for thinking in (MIND, BROKEN))
    assert broken["top1"].high < own["top1"].low
    assert broken["top3"].high < own["top3"].low
    assert broken["brier"].low > own["brier"].high


def test_published_results_tell_a_broken_model() -> None:
    studies, _ = literature.read_studies(KNOWLEDGE)
    networks = (MIND.engine.network, BROKEN.engine.network)
    compared = (literature.compare(studies, KNOWLEDGE, network, seed=1, people=6000) for network in networks)
    own, broken = (literature.totals(results, KNOWLEDGE) for results in compared)
    assert broken["agrees"] < 0.6 * own["agrees"]
    assert broken["median_factor_off"] > 1.3 * own["median_factor_off"]


def test_the_survey_tells_a_broken_model() -> None:
    survey, people = population.read_survey()
    own, broken = (population.compare_population(survey, people, thinking.engine.network) for thinking in (MIND, BROKEN))
    assert broken.mean_error > 1.5 * own.mean_error
    assert sum(c.agrees for c in broken.cells) < sum(c.agrees for c in own.cells)
    assert abs(broken.slope[0] - 1) > 2 * abs(own.slope[0] - 1)


def test_simulated_people_tell_a_broken_model() -> None:
    people = simulation.drawn_people([MIND.engine.network], 400, 3)
    asked = simulation.history(MIND, people, 1.0, 3)
    own, broken = (simulation.scores(thinking, people, asked, Batch(thinking.engine.network)) for thinking in (MIND, BROKEN))
    assert broken.top1.high < own.top1.low
    assert broken.brier.low > own.brier.high
    assert broken.expected_calibration_error > 3 * own.expected_calibration_error


def test_what_is_told_has_nothing_to_do_with_who_was_drawn() -> None:
    """Streams of chance are apart: who answers which question does not go with age."""
    people = simulation.drawn_people([MIND.engine.network], 2000, 1)
    asked = simulation.history(MIND, people, 0.3, 1)
    for item in list(asked.values)[::25]:
        told = asked.values[item] != UNKNOWN
        if 0 < told.mean() < 1:
            assert abs(np.corrcoef(told, people.age)[0, 1]) < 0.1, item


# -- recorded cases --------------------------------------------------------------------------------


def test_a_bad_case_file_is_named_by_file_and_line_and_the_others_still_run(tmp_path: Path) -> None:
    for name in sorted(CASES.glob("*.yaml"))[:2]:
        shutil.copy(name, tmp_path / name.name)
    text = sorted(CASES.glob("*.yaml"))[2].read_text("utf-8")
    (tmp_path / "zz-finding.yaml").write_text(text.replace("answers:", "answers:\n  leg_swolen: true", 1), "utf-8")
    lines = ["  condition: no_such_condition" if line.startswith("  condition: ") else line for line in text.splitlines()]
    (tmp_path / "zz-condition.yaml").write_text("\n".join(lines), "utf-8")
    (tmp_path / "a-folder.yaml").mkdir()
    result = CliRunner().invoke(cli, ["evaluate", "vignettes", str(tmp_path), "--facts", "history", "--json"])
    assert result.exit_code == 1
    document = json.loads(result.stdout)
    assert len(document["modes"]["history"]["cases"]) == 2
    finding, condition = sorted(document["faults"], key=lambda fault: "condition" in fault.split(",")[0])
    assert finding.startswith("zz-finding.yaml, line ")
    assert "leg_swolen" in finding
    assert condition.startswith("zz-condition.yaml, line ")
    assert "no condition 'no_such_condition'" in condition
    assert result.stderr.splitlines() == document["faults"]


def test_the_committed_figures_are_what_this_version_gives() -> None:
    committed = json.loads((ROOT / "docs/evaluation.json").read_text("utf-8"))
    assert committed["knowledge_version"] == KNOWLEDGE.version, "run 'make evaluate'"
    cases, _ = vignettes.read_vignettes(CASES, KNOWLEDGE)
    for mode in ("history", "all"):
        outcomes = vignettes.run(cases, MIND, mode)
        assert [vignettes.as_dict(o) for o in outcomes] == committed["vignettes"]["modes"][mode]["cases"]


# -- published results -----------------------------------------------------------------------------


def test_at_least_forty_published_results_are_held_out() -> None:
    studies, _ = literature.read_studies(KNOWLEDGE)
    assert sum(result.input is None for study in studies for result in study.results) >= 40


def test_each_measure_is_what_its_name_says() -> None:
    target = np.array([True] * 10 + [False] * 90)
    test = np.array([True] * 8 + [False] * 2 + [True] * 9 + [False] * 81)
    expected = {
        "sensitivity": (0.8, 10),
        "specificity": (0.9, 90),
        "positive_predictive_value": (8 / 17, 17),
        "negative_predictive_value": (81 / 83, 83),
        "lr_positive": (8.0, 10),
        "lr_negative": (0.2 / 0.9, 10),
        "odds_ratio": (8 * 81 / (2 * 9), 10),
    }
    for measure, figure in expected.items():
        value, n = literature.figure(measure, target, test)  # type: ignore[arg-type]  # the keys are measures
        assert value == pytest.approx(figure[0])
        assert n == figure[1]
    assert literature.figure("share", target, None) == (0.1, 100)


def test_wilson_interval_of_a_worked_example() -> None:
    """81 of 263 (Newcombe 1998, table I): 0.2553 to 0.3662."""
    assert wilson(81 / 263, 263) == pytest.approx((0.2553, 0.3662), abs=1e-4)


STUDY = """
- id: a_study
  source: khan2006
  design: A study that is made up to see what is said of its faults.
  include: leg_swolen
  results:
    - {id: a, text: a figure, measure: share, target: cause is no_such_cause, value: 0.2, n: 100}
    - {id: b, text: a figure, measure: sensitivity, target: leg_red, value: 0.2, n: 100}
- id: b_study
  source: no_such_source
  design: A study that is made up to see what is said of its faults.
  results:
    - {id: c, text: a figure, measure: lr_positive, target: leg_red, test: temperature >= 38.5, value: 2, n: 100}
"""


def test_faults_of_study_files_are_all_named(tmp_path: Path) -> None:
    (tmp_path / "made_up.yaml").write_text(STUDY, "utf-8")
    with pytest.raises(InputError) as error:
        literature.read_studies(KNOWLEDGE, tmp_path)
    assert error.value.faults == (
        "made_up.yaml, line 8: results.1: a share has no 'test'; every other measure needs one",
        "made_up.yaml, line 13: results.0: needs 'ci95' or 'range', or, unless it is a ratio, 'n'",
    )
    mended = STUDY.replace("measure: sensitivity,", "measure: share,").replace("value: 2, n: 100", "value: 2, ci95: [1, 4]")
    (tmp_path / "made_up.yaml").write_text(mended, "utf-8")
    with pytest.raises(InputError) as error:
        literature.read_studies(KNOWLEDGE, tmp_path)
    assert [fault.split(";")[0] for fault in error.value.faults] == [
        "a_study: no finding 'leg_swolen' in the model",
        "a_study: cause: no condition 'no_such_cause'",
        "b_study: no source 'no_such_source' in the knowledge base or in sources.yaml",
        "b_study: temperature: 38.5 is no edge of its bins",
    ]


@pytest.mark.parametrize(
    ("part", "message"),
    [
        ("target: cause", "cause: cannot be read this way; allowed: 'cause is CONDITION' or 'cause in [A, B]'"),
        ("target: age is 5", "age: cannot be read this way; allowed: a number to compare, such as 'age >= 65'"),
        ("target: sex is martian", "sex: no value 'martian'; allowed: female, male"),
    ],
)
def test_what_is_asked_of_people_is_checked(tmp_path: Path, part: str, message: str) -> None:
    text = "\n".join(STUDY.splitlines()[:7]).replace("target: cause is no_such_cause", part).replace("  include: leg_swolen\n", "")
    (tmp_path / "made_up.yaml").write_text(text, "utf-8")
    with pytest.raises(InputError) as error:
        literature.read_studies(KNOWLEDGE, tmp_path)
    assert error.value.faults == (f"a_study: {message}",)


def test_a_folder_without_studies_is_an_error_and_so_is_a_file_that_is_no_list(tmp_path: Path) -> None:
    for folder, fault in ((tmp_path / "none", "no such folder"), (tmp_path, "no study files (*.yaml) here")):
        with pytest.raises(InputError) as error:
            literature.read_studies(KNOWLEDGE, folder)
        assert error.value.faults == (f"{folder}: {fault}",)
    (tmp_path / "five.yaml").write_text("5", "utf-8")
    with pytest.raises(InputError) as error:
        literature.read_studies(KNOWLEDGE, tmp_path)
    assert error.value.faults == ("five.yaml: should be a list of entries, each with '- id:'",)


def test_a_figure_that_was_an_input_may_not_be_called_held_out(tmp_path: Path) -> None:
    fact = next(n.fact for c in KNOWLEDGE.conditions.values() for n in c.findings.values() if n.fact)
    text = f"""
- id: a_study
  source: khan2006
  design: A study that uses a fact which a number of the model was read from.
  results:
    - {{id: a, text: a figure, measure: share, target: leg_red, value: 0.2, n: 100, fact: {fact}}}
"""
    (tmp_path / "made_up.yaml").write_text(text, "utf-8")
    with pytest.raises(InputError, match="say which with 'input'"):
        literature.read_studies(KNOWLEDGE, tmp_path)


def test_verdicts_go_by_the_published_interval_first() -> None:
    raw = {"id": "r", "text": "t", "measure": "share", "target": "leg_red", "value": 0.3, "ci95": (0.2, 0.4)}
    design = "made up for a test of verdicts"
    study = literature.Study.model_validate({"id": "s", "source": "khan2006", "design": design, "results": (raw,)})
    (result,) = study.results

    def verdict(simulated: float, interval: tuple[float, float]) -> str:
        return literature.Compared(study, result, simulated, interval, 1000).verdict

    assert verdict(0.25, (0.24, 0.26)) == "agrees"
    assert verdict(0.45, (0.35, 0.5)) == "overlaps"
    assert verdict(0.45, (0.41, 0.5)) == "differs"


# -- population ------------------------------------------------------------------------------------


def test_the_survey_is_read_as_its_documentation_counts_it() -> None:
    """Shares by age and sex as published beside the data."""
    survey, people = population.read_survey()
    assert len(people.age) == 6939
    result = population.compare_population(survey, people, MIND.engine.network)
    table = {(c.band, c.sex): (c.n, round(c.observed, 3)) for c in result.cells}
    assert table[(40, 49), "male"] == (982, 0.010)
    assert table[(70, 79), "female"] == (497, 0.177)
    assert table[(80, 85), "male"][0] == 322


def test_calibration_of_what_is_drawn_from_the_expectation_is_one_and_nought() -> None:
    rng = np.random.default_rng(5)
    expected = rng.uniform(0.02, 0.6, 40_000)
    slope, intercept = population.calibration(expected, rng.random(40_000) < expected)
    assert slope[1] < 1 < slope[2]
    assert intercept[1] < 0 < intercept[2]
    halved, _ = population.calibration(expected**2, rng.random(40_000) < expected)
    assert halved[2] < 1


# -- simulated people ------------------------------------------------------------------------------


def test_calibration_error_of_an_overconfident_model() -> None:
    confidence, correct = np.full(1000, 0.9), np.arange(1000) < 600
    assert simulation.calibration_error(confidence, correct) == pytest.approx(0.3)
    ((mean, share, count),) = simulation.reliability(confidence, correct)
    assert mean == pytest.approx(0.9)
    assert (share, count) == (0.6, 1000)


def test_questions_to_a_share_are_read_between_checkpoints() -> None:
    curve = simulation.Curve("made up", ((0, 0.2, 0, 0), (4, 0.6, 0, 0), (8, 0.9, 0, 0)), (8,), {})
    assert curve.questions_to(0.2) == 0
    assert curve.questions_to(0.75) == 6
    assert curve.questions_to(0.9) == 8
    assert curve.questions_to(0.95) is None


def test_intervals_cover_another_draw_as_often_as_they_promise() -> None:
    """With 39 draws another lies between the least and the greatest with chance 38 / 40."""
    drawn = suite.draw_networks(KNOWLEDGE, suite.Size(seed=3, draws=39))
    worlds = simulation.Worlds(drawn.worlds.usual, drawn.worlds.heavier)
    result = simulation.coverage(MIND, worlds, drawn.believed, 200, 3, lambda _name, _total: lambda _done: None)
    assert result.same_people == pytest.approx(0.95, abs=0.04)
    assert result.heavier < result.from_truth <= result.same_people + 0.02


def test_noise_is_as_much_as_asked_for_and_does_not_depend_on_the_order_of_questions() -> None:
    people = draw(MIND.engine.network, 40, np.random.default_rng(1))
    truths = [case_of(people, row, KNOWLEDGE) for row in range(40)]

    def heard(noise: Noise) -> list[float]:
        rng = np.random.default_rng(2)
        pairs = [(t, said(t, truths[i - 1], noise, KNOWLEDGE, rng)) for i, t in enumerate(truths)]
        answered = float(np.mean([len(h.answers) / len(t.answers) for t, h in pairs]))
        changed = float(np.mean([h.answers[f] != t.answers[f] for t, h in pairs for f in h.answers]))
        return [answered, changed]

    assert heard(Noise()) == [1.0, 0.0]
    assert heard(Noise(unknown=0.3)) == [pytest.approx(0.7, abs=0.03), 0.0]
    assert heard(Noise(wrong=0.2)) == [1.0, pytest.approx(0.2, abs=0.03)]
    answered, changed = heard(Noise(contradictory=0.2))
    assert answered == 1.0
    assert 0.02 < changed < 0.2


def test_bootstrap_interval_covers_and_is_the_same_every_time() -> None:
    rng = np.random.default_rng(0)
    samples = [rng.random(80) < 0.3 for _ in range(200)]
    figures = [bootstrap(s) for s in samples]
    assert np.mean([f.low <= 0.3 <= f.high for f in figures]) > 0.88
    assert bootstrap(samples[0]) == figures[0]
    assert bootstrap([True] * 10).low == pytest.approx(0.7224, abs=1e-3)


# -- report ----------------------------------------------------------------------------------------


def test_the_report_is_self_contained_and_two_runs_write_the_same_bytes(tmp_path: Path) -> None:
    cases = tmp_path / "cases"
    cases.mkdir()
    for name in sorted(CASES.glob("*.yaml"))[:3]:
        shutil.copy(name, cases / name.name)
    size = suite.Size(draws=2, truths=2, people=1000, scored=120, interviews=4)
    written = []
    for folder in ("one", "two"):
        evaluation = suite.evaluate(MIND, cases, size, "a command", "2026-01-31")
        paths = list(report.write(evaluation, tmp_path / folder))
        written.append({p.relative_to(tmp_path / folder).as_posix(): p.read_bytes() for p in paths})
    one, two = written
    assert one == two
    page = one["evaluation.html"].decode()
    assert page.count("<svg") == page.count('role="img"') == 7
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    assert "2026-01-31" in page
    assert KNOWLEDGE.version[:16] in page
    for outside in ("<script", "<link", "<img", "@import", "src="):
        assert outside not in page


def test_a_date_that_is_none_is_one_clear_error(tmp_path: Path) -> None:
    arguments = ["evaluate", "report", str(tmp_path / "out"), "--vignettes", str(CASES), "--date", "yesterday"]
    result = CliRunner().invoke(cli, arguments)
    assert isinstance(result.exception, InputError)
    assert result.exception.faults == ("--date: got 'yesterday'; allowed: a date as YYYY-MM-DD",)
    assert not (tmp_path / "out").exists()

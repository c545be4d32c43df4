"""Speed of the core, and ratios against named alternatives in the same run. `make bench`."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import numpy as np
from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from soleus.assessment.assess import assess  # noqa: E402
from soleus.cli.assess import example_file  # noqa: E402
from soleus.delivery.casefile import read_cases  # noqa: E402
from soleus.evaluation.people import Noise, case_of, said  # noqa: E402
from soleus.inference.batch import Asked, Batch  # noqa: E402
from soleus.inference.exact import Engine  # noqa: E402
from soleus.inference.observe import Observation, observations  # noqa: E402
from soleus.inference.sample import draw  # noqa: E402
from soleus.interview.session import Interview  # noqa: E402
from soleus.interview.value import mind, values  # noqa: E402
from soleus.knowledge.case import Case  # noqa: E402
from soleus.knowledge.load import Knowledge, load_knowledge  # noqa: E402
from soleus.model.network import Network  # noqa: E402
from soleus.safety import columns  # noqa: E402
from soleus.safety.rules import apply_rules  # noqa: E402
from tests.reference import reference_posterior  # noqa: E402

RUNS = 30
LOAD = """
import time, soleus, soleus.interview.value as value
start = time.perf_counter()
value.mind(soleus.load_knowledge())
print(time.perf_counter() - start)
"""
BATCH = 300
MILLION = 1_000_000
FEW = 5
"""Answers given to both engines; the reference engine slows down steeply with more."""


def timed(run: Callable[[], object], runs: int = RUNS) -> float:
    """Median seconds of `runs` runs after one warm-up."""
    run()
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return median(times)


def process(*command: str) -> float:
    return timed(lambda: subprocess.run(command, check=True, capture_output=True), runs=9)


def _batch_ratio(network: Network) -> float:
    """How many times faster the batch engine gives the causes of BATCH people with every answer known."""
    people = draw(network, BATCH, np.random.default_rng(1))
    batch, engine = Batch(network), Engine(network, most_present=1)
    states = {item: np.eye(len(names), dtype=bool) for item, names in network.values.items()}

    def one_by_one() -> None:
        for row in range(BATCH):
            seen = [Observation(item, {item: states[item][codes[row]]}) for item, codes in people.values.items()]
            engine.posterior(seen, float(people.age[row]), str(people.sex[row]))

    together = timed(lambda: batch.causes(Asked(people.age, people.sex, people.values)), runs=3)
    return timed(one_by_one, runs=3) / together


def _answered(knowledge: Knowledge, network: Network) -> list[Case]:
    """BATCH simulated people, each of whom leaves some three in ten questions unanswered."""
    rng = np.random.default_rng(1)
    people = draw(network, BATCH, rng)
    truths = [case_of(people, row, knowledge) for row in range(BATCH)]
    return [said(truth, truth, Noise(unknown=0.3), knowledge, rng) for truth in truths]


def _rule_times(knowledge: Knowledge, network: Network) -> tuple[float, float]:
    """Seconds for every rule on one case by `apply_rules`, and on a million cases in columns, whose table is given."""
    cases = _answered(knowledge, network)
    table = columns.Table.of(cases, knowledge).part(np.random.default_rng(2).integers(BATCH, size=MILLION))
    one = timed(lambda: [apply_rules(knowledge, case) for case in cases], runs=5) / BATCH
    return one, timed(lambda: columns.apply_columns(knowledge, table), runs=3)


def main() -> None:
    knowledge = load_knowledge()
    thinking = mind(knowledge)
    (case,) = read_cases(str(example_file()), knowledge)
    posterior = thinking.posterior(case)
    questions = [f for f in knowledge.findings.values() if f.by == "person" and f.depends_on != "nothing" and not case.known(f.id)]
    seen = [o for o in observations(case, knowledge.findings) if all(i in thinking.engine.network.node_of for i in o.items) and o.items]
    few = [o for o in seen if not o.groups][:FEW]
    ours = timed(lambda: thinking.engine.posterior(few, case.age, case.sex))
    theirs = timed(lambda: reference_posterior(thinking.engine.network, few, case.age, case.sex), runs=5)
    version, numpy = process(sys.executable, "-m", "soleus.cli.main", "--version"), process(sys.executable, "-c", "import numpy")
    load = median(float(subprocess.run([sys.executable, "-c", LOAD], check=True, capture_output=True).stdout) for _ in range(9))
    begun = Interview(knowledge).answer("age", 60).answer("sex", "male").answer("lower_leg", True).answer("danger_signs", {})

    network = thinking.engine.network
    rules, million = _rule_times(knowledge, network)
    table = Table(title="Median times on this machine", title_justify="left")
    for column in ("what", "ms", "goal"):
        table.add_column(column, justify="left")
    rows = [
        ("assess one case with its explanation and plan", timed(lambda: assess(case, knowledge)), "order of 1 ms"),
        (f"posterior alone ({len(case.answers)} answers)", timed(lambda: thinking.posterior(case)), ""),
        (f"value every remaining question ({len(questions)})", timed(lambda: values(thinking, posterior, questions)), "order of 5 ms"),
        ("next question of an interview", timed(lambda: Interview(knowledge, begun.answers).next()), "order of 5 ms"),
        ("load knowledge and network (cached), imports aside", load, "under 150 ms"),
        ("draw 100,000 simulated people", timed(lambda: draw(network, 100_000, np.random.default_rng(1)), runs=3), "order of seconds"),
        (f"one safety rule on one case (mean of {len(knowledge.rules)})", rules / len(knowledge.rules), "under 0.1 ms"),
        (f"all {len(knowledge.rules)} rules on a million cases in columns", million, "under 3000 ms"),
        ("soleus --version, whole process", version, f"under {2 * numpy * 1000:.0f} ms"),
    ]
    for what, seconds, goal in rows:
        table.add_row(what, f"{seconds * 1000:.3f}", goal)
    console = Console()
    console.print(table)
    console.print(f"soleus --version / python -c 'import numpy': {version / numpy:.2f} (goal: under 2)")
    console.print(f"assessing {BATCH} people one by one / in a batch, one condition besides: {_batch_ratio(network):.0f}")
    console.print(f"all rules on a million cases, one by one / in columns: {rules * MILLION / million:.0f}")
    console.print(f"pyAgrum LazyPropagation (network built from {FEW} answers, inference) / ours, same evidence: {theirs / ours:.0f}")


if __name__ == "__main__":
    main()

"""The solver reads the rule language as `evaluate` does: from a case to its variables, and from the solver's variables back to a case."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any as Anything

import pytest
import z3
from hypothesis import given, settings
from hypothesis import strategies as st

from soleus.knowledge.case import Answer, Between, Case, OneOf, Options, YesNo
from soleus.knowledge.expression import Expression, Truth, evaluate
from soleus.safety.rules import apply_rules
from soleus.safety.smt import RuleFormulas, Space
from tests.spec.strategies import cases, expressions_with_cases
from tests.spec.test_readers_agree import KNOWLEDGE, OTHERS

FORMULAS = RuleFormulas(KNOWLEDGE)


def pinned(space: Space, case: Case, findings: list[str]) -> Iterator[Anything]:
    """Formulas that hold of this case alone, as far as these findings go."""
    about: dict[str, Answer | None] = {
        "age": None if case.age is None else Between(case.age, case.age),
        "sex": None if case.sex is None else OneOf(frozenset({case.sex})),
    }
    for name in findings:
        yield from _said(space[name], about[name] if name in about else case.answers.get(name))


def _said(variables: Anything, answer: Answer | None) -> Iterator[Anything]:
    if answer is None:
        yield z3.Not(variables.known)
        return
    match answer:
        case YesNo(value):
            yield variables.possible["yes" if value else "no"]
        case OneOf(values):
            yield from (p if v in values else z3.Not(p) for v, p in variables.possible.items())
        case Between(low, high):
            yield from (variables.known, variables.low == _real(low), variables.high == _real(high))
        case Options(yes, no, some):
            yield from (said if o in yes else z3.Not(said) for o, said in variables.yes.items())
            yield from (said if o in no else z3.Not(said) for o, said in variables.no.items())
            left = list(some)
            for group, said in variables.some.items():
                taken = group - no in left
                if taken:
                    left.remove(group - no)
                yield said if taken else z3.Not(said)
            assert not left, "a group that the solver's space lacks"


def _real(value: float) -> Anything:
    return z3.RealVal(str(Fraction(str(value))))


def by_solver(expression: Expression, case: Case) -> Truth:
    space = Space(KNOWLEDGE)
    rail = space.rail(expression)
    solver = z3.Solver()
    solver.add(*space.constraints, *pinned(space, case, list(space._answers)))
    assert solver.check() == z3.sat, "a real case is not in the solver's space"
    found = {truth: solver.check(formula) == z3.sat for truth, formula in ((True, rail.true), (False, rail.false))}
    assert not all(found.values())
    return True if found[True] else False if found[False] else None


@settings(max_examples=250, deadline=None)
@given(expressions_with_cases(KNOWLEDGE))
def test_on_generated_expressions(pair: tuple[Expression, Case]) -> None:
    expression, case = pair
    assert by_solver(expression, case) is evaluate(expression, case)


@settings(max_examples=250, deadline=None)
@given(st.data())
def test_on_real_expressions(data: st.DataObject) -> None:
    expression = data.draw(st.sampled_from([*KNOWLEDGE.rule_when.values(), *OTHERS]))
    case = data.draw(cases(KNOWLEDGE, expression))
    assert by_solver(expression, case) is evaluate(expression, case)


@pytest.mark.parametrize("rule", KNOWLEDGE.rules)
def test_a_case_that_the_solver_finds_is_what_it_says(rule: str) -> None:
    """The solver's cases make the rule fire, rule it out, or leave it open, as it claims; its urgency is that of `apply_rules`."""
    rail, solver = FORMULAS.rules[rule], z3.Solver()
    levels = [FORMULAS.at_least(level) for level in range(1, 6)]
    solver.add(*FORMULAS.space.constraints)
    wanted: tuple[tuple[Anything, Truth], ...] = (
        (rail.true, True),
        (rail.false, False),
        (z3.And(z3.Not(rail.true), z3.Not(rail.false)), None),
    )
    for formula, truth in wanted:
        solver.push()
        solver.add(formula)
        if solver.check() == z3.sat:
            model = solver.model()
            case = FORMULAS.space.case(model)
            assert evaluate(KNOWLEDGE.rule_when[rule], case) is truth
            urgency = sum(z3.is_true(model.eval(level, model_completion=True)) for level in levels)
            assert apply_rules(KNOWLEDGE, case).urgency == urgency
        else:
            assert truth is None, "a rule can fire, and can be ruled out"
        solver.pop()

"""The report a person reads in a terminal: what to do first, then why."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.rule import Rule as Line
from rich.table import Table
from rich.text import Text

from soleus.assessment.assess import frequency
from soleus.assessment.result import Action, Assessment, Cause, Present, Undecided
from soleus.knowledge.load import Knowledge

COLOURS = {
    "call_ambulance": "bold white on red",
    "emergency_now": "bold white on red",
    "same_day": "bold black on yellow",
    "within_days": "bold black on bright_yellow",
    "routine": "bold white on blue",
    "self_care": "bold white on green",
}
MARKS = {"call_ambulance": "!!!", "emergency_now": "!!!", "same_day": "!!", "within_days": "!", "routine": "i", "self_care": "+"}
SIGNS = {"strongly for": "+++", "for": "++", "slightly for": "+", "slightly against": "-", "against": "--", "strongly against": "---"}
STEPS = {
    "home": "At home",
    "lifestyle": "Daily life",
    "physical_therapy": "Physical therapy",
    "medicine": "Medicines",
    "procedure": "Procedures and surgery",
    "test": "Tests",
}
SHOWN = 4
MOST_NAMED = 8
BAR = 20
EMERGENCY = ("call_ambulance", "emergency_now")


def print_report(console: Console, result: Assessment, knowledge: Knowledge) -> None:
    """Print the whole report; in an emergency what to do comes alone, and the rest below for those who treat."""
    for block in _blocks(result, knowledge):
        console.print(block)
        console.print()


def _blocks(result: Assessment, knowledge: Knowledge) -> Iterable[RenderableType]:
    yield _first(result)
    yield from _why(result)
    if result.urgency in EMERGENCY:
        yield from _what_to_do(result, knowledge, "On the way")
        yield from _ruled_out(result)
        yield from _what_it_may_be(result)
    else:
        yield from _what_it_may_be(result)
        yield from _ruled_out(result)
        yield from _what_to_do(result, knowledge, "What to do now")
        yield from _later(result)
    if result.double_check or result.robustness.would_raise:
        yield _section("Please double-check these", *_double_check(result, knowledge))
    yield _section("Sources", *_sources(result))
    yield Text(f"Knowledge version {result.knowledge_version[:12]}. {result.review.capitalize()}.", style="dim")


def _double_check(result: Assessment, knowledge: Knowledge) -> Iterable[RenderableType]:
    yield from (_bullet(f"“{d.text}”: {d.would}.") for d in result.double_check)
    if hiding := result.robustness.would_raise:
        names = "; ".join(knowledge.findings[f].name for f in hiding[:MOST_NAMED])
        more = f"; and {len(hiding) - MOST_NAMED} more" if len(hiding) > MOST_NAMED else ""
        yield _bullet(f"If one of these answers is wrong, it is more urgent than this: {names}{more}.")


def _what_to_do(result: Assessment, knowledge: Knowledge, title: str) -> Iterable[RenderableType]:
    if result.plan.now or result.plan.not_for_you or result.plan.ask_first:
        yield _section(title, _care(result, knowledge))
    if result.plan.avoid:
        yield _section("What not to do", *(_bullet(a.text, _numbers(result, a.sources)) for a in result.plan.avoid))
    if result.seek_care:
        yield _section("When to seek care sooner", *_seek(result))


def _what_it_may_be(result: Assessment) -> Iterable[RenderableType]:
    yield _section("What may be causing it", *_causes(result))
    if result.present and result.urgency not in EMERGENCY:
        yield _section("What else may be present", *(_bullet(_besides(p)) for p in result.present))


def _besides(present: Present) -> str:
    span = f"{_of_100(present.low)} to {_of_100(present.high)} in 100"
    return f"{present.name}: {_about(frequency(present.probability))} (it may be {span})"


def _ruled_out(result: Assessment) -> Iterable[RenderableType]:
    if result.must_rule_out:
        yield _section("What has to be ruled out", *_rule_out(result))


def _later(result: Assessment) -> Iterable[RenderableType]:
    """What comes after the first days: if it does not get better, tests and treatments."""
    if result.if_not_better:
        yield _section("If it does not get better", result.if_not_better)
    if result.plan.tests:
        yield _section("What a doctor may check", *(_bullet(f"{t.name}. {t.what}") for t in result.plan.tests))
    if result.plan.treatments:
        yield _section("Treatments, from home to hospital", *_treatments(result.plan.treatments))


def _first(result: Assessment) -> RenderableType:
    mark = MARKS[result.urgency]
    body = Group(Text(f"{mark}  {result.headline}", style="bold"), Text(), Text(result.do), *(Text(f"\n{n}") for n in result.notes))
    return Panel(
        body, title=f" {result.urgency_name} ", title_align="left", style="", border_style=COLOURS[result.urgency].split(" on ")[-1]
    )


def _why(result: Assessment) -> Iterable[RenderableType]:
    lines: list[RenderableType] = []
    said = set[str]()
    for reason in result.urgency_reasons[:SHOWN]:
        lines.append(_bullet(reason.text, _numbers(result, reason.sources)))
        if reason.action and reason.action not in said and reason.urgency == result.urgency:
            said.add(reason.action)
            lines.append(Padding(Text(reason.action, style="bold"), (0, 0, 0, 4)))
    if result.unanswered_danger_signs:
        lines.append(
            Text(f"{len(result.unanswered_danger_signs)} danger signs were not answered; unknown is not counted as no.", style="italic")
        )
    if lines:
        yield _section("Why", *lines)


def _causes(result: Assessment) -> Iterable[RenderableType]:
    shown = [c for i, c in enumerate(result.differential[:SHOWN]) if i == 0 or c.probability >= 0.03]
    for cause in shown:
        yield _bar(cause)
        yield Padding(Text(cause.what), (0, 0, 0, 2))
        if cause is shown[0] and cause.in_the_leg:
            yield Padding(Text(f"What happens in your leg: {cause.in_the_leg}"), (0, 0, 0, 2))
        yield Padding(_evidence(cause), (0, 0, 1, 2))
    if result.undecided:
        yield Text(_undecided(result.undecided))
    rest = 1 - sum(c.probability for c in shown)
    yield Text(f"Anything else: {_about(frequency(rest))}.")
    if result.left_out > 0.001:
        yield Text(
            f"(Combinations of more diseases than were looked at could shift this by at most {frequency(result.left_out)}.)", style="dim"
        )


def _of_100(probability: float) -> str:
    """A bound as a whole number of people in 100, so that the two ends of a range can be compared at a glance."""
    return "fewer than 1" if probability < 0.01 else "more than 99" if probability > 0.99 else str(round(probability * 100))


def _undecided(undecided: Undecided) -> str:
    names = f"{', '.join(undecided.names[:-1])} and {undecided.names[-1]}"
    tests = f" What would tell: {', or '.join(undecided.tests)}." if undecided.tests else ""
    return f"Questions alone cannot tell these apart: {names}.{tests}"


def _bar(cause: Cause) -> RenderableType:
    filled = round(cause.probability * BAR)
    line = Text(f"{'█' * filled}{'░' * (BAR - filled)}  ")
    line.append(cause.name, style="bold")
    line.append(f": {cause.in_words}, {_about(cause.frequency)} people like you")
    line.append(f"\n  Our numbers are not exact: it may be {_of_100(cause.low)} to {_of_100(cause.high)} in 100.", style="dim")
    line.append(f"\n  In clinical words: {cause.clinical_name}", style="dim")
    return line


def _evidence(cause: Cause) -> RenderableType:
    table = Table.grid(padding=(0, 1))
    supporting = [e for e in cause.evidence if e.decibans > 0][:5]
    for e in supporting + [e for e in cause.evidence if e.decibans < 0][:3]:
        table.add_row(Text(SIGNS[e.support], style="bold"), Text(e.text))
    return table


def _rule_out(result: Assessment) -> Iterable[RenderableType]:
    for entry in result.must_rule_out:
        tests = f" It is settled by: {', '.join(entry.tests)}." if entry.tests else ""
        yield _bullet(f"{entry.name}: {_about(frequency(entry.probability))}.{tests}")


def _care(result: Assessment, knowledge: Knowledge) -> RenderableType:
    lines: list[RenderableType] = []
    for number, action in enumerate(result.plan.now, start=1):
        lines.append(_action(result, action, f"{number}."))
    for because, names in _by_reason(result).items():
        lines.append(_bullet(f"Not for you: {', '.join(names)}. Because {because}."))
    if result.plan.ask_first:
        names = [ask.name for ask in result.plan.ask_first]
        missing = dict.fromkeys(knowledge.findings[f].name for ask in result.plan.ask_first for f in ask.ask if f in knowledge.findings)
        lines.append(_bullet(f"Could help, but we do not know enough to say that it is safe for you: {'; '.join(names)}."))
        lines.append(Padding(Text(f"We would have to know about: {', '.join(missing)}.", style="dim"), (0, 0, 0, 2)))
    return Group(*lines)


def _by_reason(result: Assessment) -> dict[str, list[str]]:
    """What is not for this person, by the first reason, so that one reason is said once."""
    reasons: dict[str, list[str]] = {}
    for entry in result.plan.not_for_you:
        reasons.setdefault(entry.because[0].rstrip("."), []).append(entry.name)
    return reasons


def _action(result: Assessment, action: Action, mark: str) -> RenderableType:
    head = Text(f"{mark} ")
    head.append(action.name, style="bold")
    head.append(f". {action.what}")
    lines: list[RenderableType] = [head, *(Padding(_bullet(s), (0, 0, 0, 3)) for s in action.steps)]
    facts = [("Dose", action.dose), ("At most", action.maximum), ("For how long", action.duration)]
    lines += [Padding(Text(f"{label}: {value}"), (0, 0, 0, 3)) for label, value in facts if value]
    lines += [Padding(Text(f"Careful: {caution}"), (0, 0, 0, 3)) for caution in action.cautions]
    strength = action.strength.replace("_", " ")
    lines.append(Padding(Text(f"{action.effect} (evidence: {strength}){_numbers(result, action.sources)}", style="dim"), (0, 0, 0, 3)))
    return Group(*lines)


def _treatments(actions: tuple[Action, ...]) -> Iterable[RenderableType]:
    for step in dict.fromkeys(a.step for a in actions):
        yield Text(STEPS[step], style="bold")
        for action in (a for a in actions if a.step == step):
            strength = action.strength.replace("_", " ")
            yield Padding(_bullet(f"{action.name}: {action.what} {action.effect} (evidence: {strength})"), (0, 0, 0, 2))


def _seek(result: Assessment) -> Iterable[RenderableType]:
    for entry in result.seek_care:
        yield Text(f"{entry.how[0].upper()}{entry.how[1:]} if any of these happens:", style="bold")
        for text in entry.texts:
            yield Padding(_bullet(text), (0, 0, 0, 2))


def _sources(result: Assessment) -> Iterable[RenderableType]:
    for number, source in enumerate(result.sources, start=1):
        yield Text(f"[{number}] {source.citation} {source.link} ({source.seen})", style="dim")


def _numbers(result: Assessment, ids: Iterable[str]) -> str:
    order = [s.id for s in result.sources]
    return "".join(f" [{order.index(i) + 1}]" for i in ids if i in order)


def _about(share: str) -> str:
    """'about 6 in 10', but 'more than 95 in 100'."""
    return share if share.startswith(("more", "fewer")) else f"about {share}"


def _section(title: str, *body: RenderableType) -> RenderableType:
    return Group(Line(Text(title, style="bold"), align="left"), *body)


def _bullet(text: str, tail: str = "") -> RenderableType:
    grid = Table.grid(padding=(0, 1))
    grid.add_row(Text("•"), Text(text + tail))
    return grid

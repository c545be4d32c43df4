"""`soleus interview`: one clear question at a time, keyboard only; nothing is lost if it is stopped."""

from __future__ import annotations

import secrets
import sys
import time
from pathlib import Path
from typing import Any

import click
import yaml
from rich.console import Console
from rich.text import Text

from soleus.assessment.assess import assess
from soleus.delivery.prompt import (
    ABOUT,
    Prompt,
    danger_prompt,
    finding_prompt,
    offer_prompt,
    parse_danger,
    parse_reply,
    parse_yes_no,
)
from soleus.delivery.text import print_report
from soleus.errors import InputError
from soleus.interview.session import Interview, Step
from soleus.interview.store import Log
from soleus.knowledge.case import case_dict
from soleus.knowledge.load import Knowledge, load_knowledge
from soleus.safety.guard import apply_guarded

KEYS = "?  why we ask    b  back    l  your answers    s  save and stop"


@click.command()
@click.option("--resume", is_flag=True, help="Go on with the interview that was stopped last.")
@click.option("--save-case", type=click.Path(dir_okay=False, path_type=Path), help="At the end also write the answers as a case file.")
def interview(resume: bool, save_case: Path | None) -> None:
    """Answer questions about your leg, one at a time; then read what it may be and what to do."""
    console = Console()
    knowledge = load_knowledge()
    log, session = _resume(console, knowledge) if resume else _begin(console, knowledge)
    try:
        session = Dialogue(console, session, log).run()
    except (EOFError, KeyboardInterrupt, click.Abort):
        _saved(console)
        sys.exit(130)
    if session.next() is not None:
        _saved(console)
        return
    _finish(console, session, knowledge)
    if save_case is not None:
        _save_case(save_case, session, knowledge)
    console.print(Text(f"Your answers are kept on this computer only, in {log.path}. Delete that file to remove them.", style="dim"))


def _begin(console: Console, knowledge: Knowledge) -> tuple[Log, Interview]:
    console.print("[bold]Soleus[/bold]: calf pain when walking. About three minutes. Nothing leaves this computer.")
    console.print("It does not replace a doctor. [bold]If you feel very ill, call an ambulance now (911, 999 or 112).[/bold]")
    log = Log.create(f"{time.strftime('%Y-%m-%d-%H%M%S')}-{secrets.token_hex(3)}", knowledge)
    return log, Interview(knowledge)


def _resume(console: Console, knowledge: Knowledge) -> tuple[Log, Interview]:
    log = Log.latest()
    if log is None:
        raise InputError("there is no saved interview; start one with 'soleus interview'")
    saved = log.read(knowledge)
    console.print(f"Going on where you stopped: {len(saved.interview.path)} answers so far.")
    if not saved.same_knowledge:
        console.print("The knowledge base has changed since. Your answers are kept; some questions may be new.")
    if saved.dropped:
        console.print(f"These answers no longer fit and will be asked again: {', '.join(saved.dropped)}.")
    return log, saved.interview


def _saved(console: Console) -> None:
    console.print("\nYour answers are saved. Go on any time with: soleus interview --resume")


class Dialogue:
    """Asks until nothing is left to ask or the person stops."""

    def __init__(self, console: Console, session: Interview, log: Log) -> None:
        self.console, self.session, self.log = console, session, log
        self.again: Step | None = None

    def run(self) -> Interview:
        """The interview as it stands at the end; `next()` is None when it is finished."""
        while (step := self.again or self.session.next()) is not None:
            prompt = self._prompt(step)
            self._show(step, prompt)
            if not self._read(step, prompt):
                break
        return self.session

    def _prompt(self, step: Step) -> Prompt:
        match step.kind:
            case "about":
                return ABOUT[step.id]
            case "danger_signs":
                return danger_prompt(self.session.knowledge)
            case "offer":
                return offer_prompt(len(step.findings))
        return finding_prompt(self.session.knowledge.findings[step.id])

    def _show(self, step: Step, prompt: Prompt) -> None:
        place = [s.id for s in self.session.path].index(step.id) if self.again else len(self.session.path)
        self.console.print()
        self.console.rule(Text(f"Question {place + 1}, at most {self.session.at_most_left} more"), align="left")
        self.console.print(Text(prompt.question, style="bold"))
        if prompt.help:
            self.console.print(Text(prompt.help))
        for number, (_, label) in enumerate(prompt.options, start=1):
            if prompt.vague and number == len(prompt.options) - prompt.vague + 1:
                self.console.print(Text("      If you are not sure which:", style="dim"))
            self.console.print(Text(f"  {number:>2}  {label}"))
        self.console.print(Text(prompt.how, style="italic"))
        self.console.print(Text(KEYS, style="dim"))

    def _read(self, step: Step, prompt: Prompt) -> bool:
        """Take input for one step; False when the person wants to stop."""
        while True:
            text = self.console.input("> ").strip()
            match text.lower():
                case "?":
                    self.console.print(Text(prompt.why))
                case "b":
                    self._back(step)
                    return True
                case "l":
                    if self._list():
                        return True
                case "s" | "q":
                    return False
                case _:
                    if self._answer(step, prompt, text):
                        return True

    def _answer(self, step: Step, prompt: Prompt, text: str) -> bool:
        try:
            raw = _parse(step, prompt, text, self.session.knowledge)
            answered = self.session.answer(step.id, raw)
        except (ValueError, InputError) as error:
            self.console.print(Text(f"That did not work: {error}", style="bold"))
            return False
        if step.kind == "danger_signs" and not self._confirmed(answered):
            return False
        self.session = answered
        self.log.record(step.id, self.session.answers[step.id])
        self.again = None
        self._urgent_now(step)
        return True

    def _confirmed(self, answered: Interview) -> bool:
        """Danger signs decide a lot, so what was said yes to is read back once."""
        signs = answered.knowledge.danger_signs
        yes = [answered.knowledge.findings[s].name for s in signs if answered.case.yes(s)]
        if not yes:
            return True
        self.console.print(Text(f"You said yes to: {'; '.join(yes)}."))
        reply = self.console.input("Is that right? Enter or y to go on, n to answer again: ").strip().lower()
        return reply in ("", "y", "yes")

    def _urgent_now(self, step: Step) -> None:
        """After the danger screen an emergency is said at once, not at the end."""
        if step.kind == "danger_signs":
            knowledge = self.session.knowledge
            outcome = apply_guarded(knowledge, self.session.case)
            level = knowledge.levels[outcome.urgency]
            if outcome.fired and outcome.urgency.name in ("call_ambulance", "emergency_now"):
                self.console.print(Text(f"\n{level.headline} {level.do}", style="bold"))

    def _back(self, step: Step) -> None:
        ids = [s.id for s in self.session.path]
        place = ids.index(step.id) if step.id in ids else len(ids)
        if place == 0:
            self.console.print("This is the first question.")
        self.again = self.session.path[max(place - 1, 0)] if ids else None

    def _list(self) -> bool:
        """Show the answers so far and let one be chosen to change; True when one was chosen."""
        for number, step in enumerate(self.session.path, start=1):
            self.console.print(Text(f"  {number:>2}  {self._prompt(step).question}  {_plain(self.session.answers[step.id])}"))
        text = self.console.input("Number to change, or Enter to go on: ").strip()
        if text.isdigit() and 1 <= int(text) <= len(self.session.path):
            self.again = self.session.path[int(text) - 1]
            return True
        if text:
            self.console.print(Text(f"There is no answer {text!r}; the numbers go from 1 to {len(self.session.path)}."))
        return False


def _parse(step: Step, prompt: Prompt, text: str, knowledge: Knowledge) -> Any:
    if step.kind == "danger_signs":
        return parse_danger(text, prompt)
    if step.kind == "offer" or step.id == "lower_leg":
        return parse_yes_no(text)
    if step.kind == "about":
        return _parse_about(step.id, prompt, text)
    return parse_reply(text, knowledge.findings[step.id])


def _parse_about(step: str, prompt: Prompt, text: str) -> Any:
    if text.lower() == "d":
        return "unknown"
    if step == "age":
        try:
            return int(text)
        except ValueError:
            raise ValueError(f"got {text!r}; allowed: your age in whole years, or d") from None
    if text.isdigit() and 1 <= int(text) <= len(prompt.options):
        return prompt.options[int(text) - 1][0]
    for value, label in prompt.options:
        if text and label.startswith(text.lower()):
            return value
    raise ValueError(f"got {text!r}; allowed: 1, 2 or d")


def _plain(raw: Any) -> str:
    if isinstance(raw, dict):
        yes = [str(k) for k, v in raw.items() if v is True]
        return ", ".join(yes).replace("_", " ") or "none"
    if isinstance(raw, list):
        return " or ".join(map(str, raw)).replace("_", " ")
    if isinstance(raw, bool):
        return "yes" if raw else "no"
    return f"{raw:g}" if isinstance(raw, float) else str(raw).replace("_", " ")


def _save_case(path: Path, session: Interview, knowledge: Knowledge) -> None:
    """Write the answers as a case file that `soleus assess` reads."""
    try:
        path.write_text(yaml.safe_dump(case_dict(session.case, knowledge.findings), sort_keys=False, allow_unicode=True), "utf-8")
    except OSError as error:
        raise InputError(f"{path}: the case cannot be written: {error.strerror}") from None


def _finish(console: Console, session: Interview, knowledge: Knowledge) -> None:
    console.print()
    if session.scope == "in":
        print_report(console, assess(session.case, knowledge), knowledge)
        return
    outcome = apply_guarded(knowledge, session.case)
    level = knowledge.levels[outcome.urgency]
    if session.scope == "child":
        console.print(
            f"Soleus is made for people of {knowledge.settings.minimum_age} and over, so we cannot say what causes your leg pain."
        )
        console.print("Please show this to a parent or another adult, and see a doctor together.")
    else:
        console.print("Soleus knows about the calf and lower leg only, so we cannot say what causes your trouble.")
        console.print("A doctor or a nurse line can help with it.")
    if outcome.fired:
        console.print(Text(f"But something you told us matters now. {level.headline} {level.do}", style="bold"))
        for rule in outcome.fired:
            console.print(Text(f"• {rule.reason}"))
    elif not outcome.unanswered:
        console.print("None of the danger signs points to an emergency.")
    if outcome.unanswered:
        console.print(f"{len(outcome.unanswered)} danger signs were not answered. If one of them may be true, see a doctor today.")

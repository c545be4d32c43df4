"""`soleus prove`: the proofs over the whole answer space, and whether breaking a rule is noticed."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

import click
import yaml
from rich.console import Console
from rich.progress import track

from soleus.errors import InputError
from soleus.knowledge.case import case_dict
from soleus.knowledge.load import Knowledge, load_knowledge

try:
    from soleus.interview.always_asked import all_proofs
    from soleus.safety import mutate
    from soleus.safety import prove as prover
except ModuleNotFoundError as error:
    raise InputError(f"proofs need {error.name}; install it with: pip install 'soleus[prove]'") from None


@click.command()
@click.option("--folder", type=click.Path(path_type=Path, exists=True, file_okay=False), help="Another knowledge base.")
@click.option("--save", type=click.Path(path_type=Path, file_okay=False), help="Folder to write counter-examples to, as case files.")
@click.option("--mutate", "mutating", is_flag=True, help="Also break every rule in turn: at least one proof must notice (minutes).")
def prove(folder: Path | None, save: Path | None, mutating: bool) -> None:
    """Prove the safety statements for every way of answering; a failed proof gives a case that breaks it."""
    knowledge = load_knowledge(folder)
    proofs = []
    for proof in all_proofs(knowledge):
        proofs.append(proof)
        verdict = "proven" if proof.holds else "FAILED"
        click.echo(f"{verdict}  {proof.name}: {proof.statement} ({proof.checks} checks, {proof.seconds:.1f} s)")
        _show_broken(knowledge, proof, save)
    failed = sum(not p.holds for p in proofs)
    ways, seconds = prover.Prover(knowledge).formulas.space.size.bit_length() - 1, sum(p.seconds for p in proofs)
    click.echo(f"{len(proofs) - failed} of {len(proofs)} proven over up to 2^{ways} ways to answer, in {seconds:.1f} s.")
    survived = _mutate(knowledge, save) if mutating else 0
    if failed or survived:
        sys.exit(1)


def _show_broken(knowledge: Knowledge, proof: prover.Proof, save: Path | None) -> None:
    if not proof.checks:
        click.echo("        nothing was checked")
    for number, broken in enumerate(proof.broken, 1):
        click.echo(f"        {broken.what}")
        if broken.case is None:
            continue
        text = yaml.safe_dump(case_dict(broken.case, knowledge.findings), sort_keys=False, allow_unicode=True)
        if save:
            save.mkdir(parents=True, exist_ok=True)
            path = save / f"{proof.name}-{number}.yaml"
            path.write_text(f"# {broken.what}\n{text}", encoding="utf-8")
            click.echo(f"        case: {path}")
        else:
            click.echo("".join(f"            {line}\n" for line in text.splitlines()), nl=False)


def _mutate(knowledge: Knowledge, save: Path | None) -> int:
    """Print the mutation score; the number of mutants that nobody noticed and that can do harm."""
    mutation, every = mutate.Mutation(knowledge), list(mutate.mutants(knowledge))
    bars = track(every, "breaking rules", console=Console(stderr=True), transient=True)
    verdicts = [mutation.judge(mutant) for mutant in bars]
    for v in (v for v in verdicts if v.outcome == "survived"):
        broken = prover.Broken(f"{v.mutant.rule}: {v.mutant.how}; nobody notices, yet the urgency of this person falls", v.case)
        _show_broken(knowledge, prover.Proof(f"mutant-{v.mutant.rule}", "", 1, 0.0, (broken,)), save)
    count = Counter(v.outcome for v in verdicts)
    click.echo(
        f"{len(every)} rules broken: {count['noticed']} noticed by a proof, {count['harmless']} cannot lower anybody's urgency (proven), "
        f"{count['survived']} survived."
    )
    return count["survived"]

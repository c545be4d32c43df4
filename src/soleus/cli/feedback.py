"""`soleus feedback`: what readers of the web app's pages remarked, and answering it."""

from __future__ import annotations

import click

from soleus.errors import InputError

try:
    from soleus.delivery.web.settings import Settings
    from soleus.delivery.web.store import BusyError, Remark, Store
except ModuleNotFoundError as error:
    raise InputError(f"remarks are kept by the web app, which needs {error.name}; install it with: pip install 'soleus[web]'") from None

HELPFUL = {True: "helpful", False: "not helpful", None: "-"}


@click.group()
def feedback() -> None:
    """Read and answer what readers of the web app remarked. It reads the database of the web app (SOLEUS_DATABASE_URL)."""


def _store() -> Store:
    try:
        return Store(Settings.from_environment().database_url)
    except BusyError as error:
        raise InputError(f"the database does not answer: {error}; SOLEUS_DATABASE_URL says which one is used") from None


@feedback.command(name="list")
@click.option("--open", "only_open", is_flag=True, help="Only texts without an answer.")
def list_remarks(only_open: bool) -> None:
    """List remarks, oldest first: number, day, page, whether it helped, text and answer."""
    remarks = [r for r in _store().remarks() if not only_open or (r.text and not r.reply)]
    for remark in remarks:
        _show(remark)
    if not remarks:
        click.echo("No remarks.")


def _show(remark: Remark) -> None:
    click.echo(f"{remark.id}\t{remark.at:%Y-%m-%d}\t{remark.page}\t{HELPFUL[remark.helpful]}")
    for label, text in (("", remark.text), ("Answer: ", remark.reply)):
        if text:
            click.echo("\n".join(f"    {line}" for line in f"{label}{text}".splitlines()))


@feedback.command()
@click.argument("remark", metavar="ID", type=click.IntRange(1))
@click.argument("text")
def answer(remark: int, text: str) -> None:
    """Answer a remark. Both are then shown on its page, so read it for personal data first."""
    if not text.strip():
        raise InputError("the answer is empty; type it in quotes after the number")
    _found(_store().reply(remark, text.strip()), remark)
    click.echo(f"Remark {remark} is answered. Both are now shown on its page.")


@feedback.command()
@click.argument("remark", metavar="ID", type=click.IntRange(1))
def delete(remark: int) -> None:
    """Delete a remark, for example one with personal data."""
    _found(_store().drop_remark(remark), remark)
    click.echo(f"Remark {remark} is deleted.")


def _found(done: bool, remark: int) -> None:
    if not done:
        raise InputError(f"there is no remark {remark}; 'soleus feedback list' shows what there is")

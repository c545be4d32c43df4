"""The `soleus` command. Commands are imported when they are run, so that starting costs little."""

from __future__ import annotations

import sys
from importlib import import_module

import click

from soleus import __version__
from soleus.errors import InputError, KnowledgeError

COMMANDS = {
    "web": ("soleus.cli.web", "web", "Start the web app on this computer."),
    "feedback": ("soleus.cli.feedback", "feedback", "Read and answer what readers of the web app remarked."),
    "assess": ("soleus.cli.assess", "assess", "Assess one or more case files."),
    "interview": ("soleus.cli.interview", "interview", "Answer questions about your leg, one at a time."),
    "kb": ("soleus.cli.kb", "kb", "Check, list and show the knowledge base."),
    "prove": ("soleus.cli.prove", "prove", "Prove that no way of answering is judged less urgent than it must be."),
    "evaluate": ("soleus.cli.evaluate", "evaluate", "Measure Soleus against recorded cases."),
}


class LazyGroup(click.Group):
    """A group that imports a command only when it is used."""

    def list_commands(self, _ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, _ctx: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        module, attribute, _ = COMMANDS[name]
        command: click.Command = getattr(import_module(module), attribute)
        return command

    def format_commands(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, _, text) in COMMANDS.items()])


@click.group(cls=LazyGroup, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="soleus")
@click.pass_context
def cli(ctx: click.Context) -> None:
    """Soleus assesses calf pain when walking: likely causes, how urgent it is, and what to do.

    Without a command it starts the interview; where no terminal is attached it assesses a bundled example.
    """
    if ctx.invoked_subcommand is None:
        name = "interview" if sys.stdin.isatty() and sys.stdout.isatty() else "example"
        if name == "interview":
            ctx.invoke(cli.get_command(ctx, "interview"))  # type: ignore[arg-type]  # the name is in COMMANDS
        else:
            import_module("soleus.cli.assess").assess_example()


def main() -> None:
    """Run the command line; a user's mistake is one clear message and exit code 2, never a traceback."""
    try:
        cli.main(standalone_mode=False)
    except InputError as error:
        _fail("\n".join(error.faults), 2)
    except KnowledgeError as error:
        _fail("The knowledge base cannot be used:\n" + "\n".join(error.faults), 1)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except (click.Abort, KeyboardInterrupt):
        _fail("Stopped.", 130)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(0)
    except OSError as error:
        _fail(f"{error.filename or 'file'}: {(error.strerror or str(error)).lower()}", 2)


def _fail(message: str, code: int) -> None:
    click.echo(message, err=True)
    sys.exit(code)


if __name__ == "__main__":
    main()

"""`soleus web`: the web app on this computer."""

from __future__ import annotations

import socket

import click

from soleus.errors import InputError

try:
    import uvicorn

    from soleus.delivery.web.app import create_app
    from soleus.delivery.web.settings import Settings
except ModuleNotFoundError as error:
    raise InputError(f"the web app needs {error.name}; install it with: pip install 'soleus[web]'") from None


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on; 0.0.0.0 lets other machines in.")
@click.option("--port", type=click.IntRange(0, 65_535), default=8000, show_default=True, help="Port to listen on; 0 takes a free one.")
def web(host: str, port: int) -> None:
    """Start the web app and print its address; Ctrl-C stops it. Settings: docs/web.md."""
    listener = _listener(host, port)
    shown = f"http://{'localhost' if host in ('127.0.0.1', '0.0.0.0') else host}:{listener.getsockname()[1]}/"
    app = create_app(Settings.from_environment())
    click.echo(f"Soleus is at {shown} (Ctrl-C stops it). Nothing you type leaves this computer.")
    server = uvicorn.Server(uvicorn.Config(app, access_log=False, log_level="warning", server_header=False))
    server.run(sockets=[listener])


def _listener(host: str, port: int) -> socket.socket:
    """A socket that listens there. Raises InputError where it cannot."""
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise InputError(
            f"port {port} on {host} cannot be used: {(error.strerror or str(error)).lower()}; choose another with --port"
        ) from None
    return listener

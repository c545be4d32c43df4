"""A PostgreSQL of our own in a temporary folder, reached by a socket in it."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import psycopg

ACCOUNT = "postgres"
"""PostgreSQL does not run as root; then it runs as this one."""


def programs() -> Path | None:
    """The folder of initdb and pg_ctl, newest version first, or None."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"), key=lambda p: float(p.parts[-3]), reverse=True)
    on_path = shutil.which("pg_ctl")
    return found[0].parent if found else Path(on_path).parent if on_path else None


class Cluster:
    """A running server; `close` stops it and removes everything."""

    def __init__(self, bin_folder: Path) -> None:
        self.bin = bin_folder
        self.folder = Path(tempfile.mkdtemp(prefix="soleus-pg-"))
        self._made = 0
        if os.geteuid() == 0:
            shutil.chown(self.folder, ACCOUNT)
        self._run("initdb", "--auth=trust", "--username=soleus", "--encoding=UTF8", "--locale=C", f"--pgdata={self.folder}/data")
        self.start()

    def start(self) -> None:
        options = f"-c listen_addresses='' -c unix_socket_directories='{self.folder}' -c max_connections=200"
        self._run("pg_ctl", "start", "-w", "-D", f"{self.folder}/data", "-l", f"{self.folder}/log", "-o", options)

    def stop(self) -> None:
        self._run("pg_ctl", "stop", "-w", "-m", "immediate", "-D", f"{self.folder}/data")

    def restart(self) -> None:
        """As after a power cut."""
        self.stop()
        self.start()

    def new_database(self) -> str:
        """The address of a new, empty database."""
        self._made += 1
        with psycopg.connect(f"host={self.folder} user=soleus dbname=postgres", autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE t{self._made}".encode())
        return f"postgresql+psycopg://soleus@/t{self._made}?host={self.folder}"

    def close(self) -> None:
        self.stop()
        shutil.rmtree(self.folder)

    def _run(self, program: str, *arguments: str) -> None:
        account = ["runuser", "-u", ACCOUNT, "--"] if os.geteuid() == 0 else []
        done = subprocess.run([*account, str(self.bin / program), *arguments], cwd=self.folder, stdout=subprocess.DEVNULL)
        if done.returncode:
            log = self.folder / "log"
            raise RuntimeError(f"{program} failed: {log.read_text() if log.is_file() else ''}")

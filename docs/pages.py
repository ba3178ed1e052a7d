"""The fenced blocks of a page, and a shell that finds the built tools."""

import os
import re
import subprocess

FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.S | re.M)


class Block:
    """A fenced block: its language, its body, and where they are in the page."""

    def __init__(self, match):
        self.language, self.body = match.groups()
        self.start, self.end = match.span()
        self.body_start, self.body_end = match.span(2)


def blocks_of(page):
    return [Block(match) for match in FENCE.finditer(page)]


def run_shell(commands, folder, tools=None):
    """What the commands print, or SystemExit with it if one of them fails."""
    environment = dict(os.environ)
    if tools:
        environment["PATH"] = os.pathsep.join([tools, environment["PATH"]])
    done = subprocess.run(
        ["bash", "-e", "-o", "pipefail", "-c", commands],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode:
        raise SystemExit(f"exit status {done.returncode} of\n{commands}\n{done.stdout}")
    return done.stdout

#!/usr/bin/env python3
"""Runs what a page tells its reader to run, and compares what it shows.

usage: run_page.py PAGE --tools DIR --source DIR [--build DIR --folder DIR]

In a new folder that looks like the source tree after a build, in the page's order (with --folder in that one, which
stays; with --build it has the whole build tree, and blocks that set something up are run too):

- an `mlir` block is written to the file that the text before it names;
- an `sh` block is run, but for those that set a machine up (tools/demo, tools/check,
  cmake, ninja);
- a `text` block right after it must be what it printed. Line breaks are free, since
  pages break long lines; `...` stands for anything. All else is exact, but times,
  rates and numbers of threads, which are free, and what a trained model gives (losses,
  norms of gradients, perplexities, bits per byte), which may be TOLERANCE off: another
  CPU rounds otherwise.
"""

import argparse
import contextlib
import os
import re
import sys
import tempfile

parser = argparse.ArgumentParser()
parser.add_argument("page")
parser.add_argument("--tools", required=True)
parser.add_argument("--source", required=True)
parser.add_argument("--build")
parser.add_argument("--folder")
arguments = parser.parse_args()
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(arguments.source, "docs"))
from pages import blocks_of, run_shell  # noqa: E402

from figures import FIGURE, LEARNT, TOLERANCE  # noqa: E402

SET_UP = re.compile(r"^(tools/(demo|check)|cmake|ninja)\b")
MEASURED = re.compile(r"\d[\d.]*(?= (?:ms|s|tokens/s|threads)\b)")


def is_same(shown, printed):
    """Whether what was printed is as shown, up to what a machine may change."""
    shown, printed = (MEASURED.sub("MEASURED", " ".join(text.split())) for text in (shown, printed))
    pattern = re.escape(LEARNT.sub("LEARNT", shown)).replace("LEARNT", f"({FIGURE})")
    match = re.fullmatch(pattern.replace(re.escape("..."), ".*"), printed)
    return match is not None and all(
        abs(float(a) - float(b)) <= TOLERANCE * float(a) for a, b in zip(LEARNT.findall(shown), match.groups())
    )


page = open(arguments.page).read()
ran, compared, printed = 0, 0, None
with contextlib.nullcontext(arguments.folder) if arguments.folder else tempfile.TemporaryDirectory() as folder:
    if arguments.build:
        os.symlink(arguments.build, os.path.join(folder, "build"))
    else:
        os.mkdir(os.path.join(folder, "build"))
        os.symlink(arguments.tools, os.path.join(folder, "build", "bin"))
    os.symlink(os.path.join(arguments.source, "test"), os.path.join(folder, "test"))
    end = 0
    for block in blocks_of(page):
        before, end = page[end : block.start], block.end
        if block.language == "mlir":
            names = re.findall(r"`([\w-]+\.mlir)`", before)
            if not names:
                sys.exit(f"no text before this block names its file:\n{block.body}")
            open(os.path.join(folder, names[-1]), "w").write(block.body)
        elif block.language == "sh":
            sets_up = SET_UP.match(block.body) and not arguments.build
            printed = None if sets_up else run_shell(block.body, folder)
            ran += not sets_up
        elif block.language == "text" and not before.strip():
            if printed is None or not is_same(block.body, printed):
                sys.exit(f"{arguments.page} shows\n{block.body}\nbut its commands print\n{printed}")
            compared += 1
print(f"{os.path.basename(arguments.page)}: {ran} blocks run, {compared} outputs as shown")

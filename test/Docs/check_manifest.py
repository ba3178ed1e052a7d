#!/usr/bin/env python3
"""Checks the page of the artifact against an artifact.

usage: check_manifest.py PAGE --tools DIR --source DIR

Runs the page's `sh` and `python` blocks; the manifest that these read must be what
the `json` block shows. Dots stand for anything: as a value, as a field's name for
more fields, as an element for more elements. Without them an object has no more
fields than the page shows, and a list no more elements.
"""

import argparse
import json
import os
import sys
import tempfile

parser = argparse.ArgumentParser()
parser.add_argument("page")
parser.add_argument("--tools", required=True)
parser.add_argument("--source", required=True)
arguments = parser.parse_args()
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(arguments.source, "docs"))
from pages import blocks_of, run_shell  # noqa: E402

DOTS = "..."


def faults(shown, found, place="manifest"):
    if shown == DOTS:
        return
    if isinstance(shown, dict) and isinstance(found, dict):
        for name in shown.keys() - {DOTS}:
            if name in found:
                yield from faults(shown[name], found[name], f"{place}.{name}")
            else:
                yield f"{place} has no {name}"
        if DOTS not in shown:
            yield from (f"{place} has {name}, which the page does not show" for name in found.keys() - shown.keys())
    elif isinstance(shown, list) and isinstance(found, list):
        more = shown[-1:] == [DOTS]
        elements = shown[:-1] if more else shown
        if len(found) < len(elements) or (len(found) > len(elements) and not more):
            yield f"{place} has {len(found)} elements, the page shows {len(elements)}"
        for i, (a, b) in enumerate(zip(elements, found)):
            yield from faults(a, b, f"{place}[{i}]")
    elif shown != found:
        yield f"{place} is {found!r}, the page shows {shown!r}"


blocks = blocks_of(open(arguments.page).read())
[command], [reader], [shown] = (
    [block.body for block in blocks if block.language == language] for language in ("sh", "python", "json")
)
with tempfile.TemporaryDirectory() as folder:
    os.mkdir(os.path.join(folder, "build"))
    os.symlink(arguments.tools, os.path.join(folder, "build", "bin"))
    run_shell(command, folder)
    os.chdir(folder)
    names = {}
    exec(reader, names)
    os.chdir("/")
found = sorted(faults(json.loads(shown), names["manifest"]))
if found:
    sys.exit("\n".join(found))
print("the manifest is as shown")

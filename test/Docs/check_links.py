#!/usr/bin/env python3
"""Checks that links between pages lead somewhere, and that README.md leads to every page.

usage: check_links.py FOLDER

FOLDER has README.md and docs/. Links to the web are not followed.
"""

import glob
import os
import re
import sys

root = sys.argv[1]
start = os.path.join(root, "README.md")


def anchors_of(page):
    """The anchors of its headings, as GitHub and its like make them."""
    headings = re.findall(r"^#+ +(.*)$", re.sub(r"^```.*?^```", "", page, flags=re.S | re.M), re.M)
    return {re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-") for heading in headings}


def links_of(path):
    """(target's path, anchor) of each link to a file or a heading."""
    page = re.sub(r"^```.*?^```", "", open(path).read(), flags=re.S | re.M)
    for target in re.findall(r"\]\(([^)\s]+)\)", page):
        if not re.match(r"[a-z]+:", target):
            name, _, anchor = target.partition("#")
            yield os.path.normpath(os.path.join(os.path.dirname(path), name)) if name else path, anchor


faults, reached, waiting = [], {start}, [start]
while waiting:
    path = waiting.pop()
    for target, anchor in links_of(path):
        if not os.path.exists(target):
            faults.append(f"{path}: no file {target}")
        elif anchor and anchor not in anchors_of(open(target).read()):
            faults.append(f"{path}: no heading {anchor} in {target}")
        elif target.endswith(".md") and target not in reached:
            reached.add(target)
            waiting.append(target)
pages = {os.path.normpath(page) for page in glob.glob(os.path.join(root, "docs/**/*.md"), recursive=True)}
faults += [
    f"{page}: README.md leads to it by no link" for page in sorted(pages - {os.path.normpath(p) for p in reached})
]
if faults:
    sys.exit("\n".join(faults))
print(f"{len(reached)} pages")

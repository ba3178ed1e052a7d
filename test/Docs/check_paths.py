#!/usr/bin/env python3
"""check_paths.py SOURCE: every file or folder of the tree that a page or a comment names exists.

Pages name them in `backticks`, comments as they are; a path begins with one of the tree's folders. A star matches, and
so does `{a,b}`. What a build or an installation makes has other beginnings (build/, share/) and is not looked at; links
of pages are check_links.py's.
"""

import glob
import itertools
import os
import re
import subprocess
import sys

FOLDERS = "cmake docs examples include lib runtime test tools".split()
PATH = re.compile(r"(?<![\w./-])((?:%s)/[\w.{},*/-]*[\w}*/])" % "|".join(FOLDERS))
CODE = re.compile(r"`([^`\n]+)`")
COMMENT = re.compile(r"(?://|#|/\*|^\s*\*|^;)(.*)")
SOURCES = (".cpp", ".h", ".c", ".td", ".def", ".py", ".cmake", ".txt", ".mlir", ".test", ".sh")
# Forms of names: a word in capitals, NAME.cpp, stands for a name of one's own.
FORM = re.compile(r"\.\.\.|…|<|>|\$|/[A-Z]+\.\w+$")


def alternatives(path):
    """`a/{b,c}` as `a/b` and `a/c`."""
    parts = re.split(r"\{([^}]*)\}", path)
    choices = [part.split(",") if i % 2 else [part] for i, part in enumerate(parts)]
    return ["".join(choice) for choice in itertools.product(*choices)]


def named_paths(name, text):
    """(line, path below the root) of all that a file names."""
    fence = False
    for number, line in enumerate(text.splitlines(), 1):
        if name.endswith(".md"):
            if line.lstrip().startswith("```"):
                fence = not fence
            if fence:
                continue
            pieces = [piece for piece in CODE.findall(line) if not FORM.search(piece)]
        else:
            comment = COMMENT.search(line)
            pieces = [comment.group(1)] if comment and "RUN:" not in line and "CHECK" not in line else []
        for piece in pieces:
            for path in PATH.findall(piece):
                yield number, path.rstrip("/.,")


def main(source):
    tracked = subprocess.run(["git", "ls-files"], cwd=source, capture_output=True, text=True)
    if tracked.returncode == 0 and tracked.stdout:
        names = tracked.stdout.split()
    else:  # an archive of the sources
        names = [os.path.relpath(os.path.join(at, file), source) for at, _, files in os.walk(source) for file in files]
    faults = count = 0
    for name in names:
        if not name.endswith((".md",) + SOURCES) or name.startswith("docs/Reference/") or "/Inputs/" in name:
            continue
        path = os.path.join(source, name)
        if not os.path.isfile(path):
            continue
        with open(path, encoding="utf-8", errors="replace") as file:
            text = file.read()
        for line, named in named_paths(name, text):
            count += 1
            for one in alternatives(named):
                if not glob.glob(os.path.join(source, one)):
                    print(f"{name}:{line}: there is no {one}")
                    faults += 1
    print(f"{count} paths named, {faults} not there")
    return 1 if faults or not count else 0


sys.exit(main(sys.argv[1]))

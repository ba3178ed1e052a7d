#!/usr/bin/env python3
"""check_width.py FOLDER: no line of a source or a page has more than 120 columns.

Left alone: what is not wrapped without changing it (tables, code and URLs of pages; IR and commands in TableGen files'
examples and in tests).
"""

import os
import re
import sys

WIDTH = 120
SOURCES = (".td", ".def", ".cmake", ".sh", ".md", "CMakeLists.txt")
SKIPPED = {"build", "Reference", "Data", ".git"}


def main(root):
    count = faults = 0
    for folder, folders, files in os.walk(root):
        folders[:] = [f for f in folders if f not in SKIPPED and not f.startswith("build")]
        for name in files:
            if not name.endswith(SOURCES):
                continue
            path = os.path.join(folder, name)
            count += 1
            fence = False
            with open(path, encoding="utf-8") as file:
                for number, line in enumerate(file, 1):
                    line = line.rstrip("\n")
                    if line.lstrip().startswith("```"):
                        fence = not fence
                    if len(line) <= WIDTH or fence:
                        continue
                    # Nothing in it that a break may stand at: a URL, an inline command, a row of a table.
                    if line.startswith(("|", "<!--")) or not re.search(r"\s", line.strip()[:WIDTH]):
                        continue
                    if name.endswith(".md") and re.search(r"`[^`]{60,}`|https?://\S{40,}", line):
                        continue
                    print(f"{os.path.relpath(path, root)}:{number}: {len(line)} columns, not at most {WIDTH}")
                    faults += 1
    print(f"{count} files, {faults} lines too wide")
    return 1 if faults or not count else 0


sys.exit(main(sys.argv[1]))

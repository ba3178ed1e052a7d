#!/usr/bin/env python3
"""Applies the change that a guide of docs/Guides shows, and does what the guide says then.

usage: apply_guide.py PAGE --source TREE --build BUILD

In a copy of the source tree, in the page's order:

- `<!-- new FILE -->` stands before a block with a new file;
- `<!-- change FILE -->` stands before a `diff` block: its lines without a sign, and those with
  a minus, must follow each other in FILE, in one place; there the lines with a plus come in, and
  those with a minus go;
- an `sh` block is run, in the copy. `ninja -C build TARGET ...` makes the targets anew from what
  the page touched alone: all else is taken from BUILD, which must have them. For a page this is
  what a whole build would give, in a minute: a new op or an enum's new last case moves nothing
  that other objects know.
"""

import argparse
import concurrent.futures
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time

parser = argparse.ArgumentParser()
parser.add_argument("page")
parser.add_argument("--source", required=True)
parser.add_argument("--build", required=True)
arguments = parser.parse_args()
SOURCE, BUILD = os.path.realpath(arguments.source), os.path.realpath(arguments.build)
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(SOURCE, "docs"))
from pages import blocks_of, run_shell  # noqa: E402

# What a configuration is made of; the copy's is BUILD's.
CACHED = ["CMAKE_BUILD_TYPE", "CMAKE_C_COMPILER", "CMAKE_CXX_COMPILER", "CMAKE_CXX_FLAGS", "CMAKE_EXE_LINKER_FLAGS",
          "CMAKE_SHARED_LINKER_FLAGS", "CMAKE_PREFIX_PATH", "MLIR_DIR", "TX_SANITIZE"]


def changed(text, diff, name):
    """The text of FILE after the lines of a diff, or an exit that says why they do not fit."""
    lines = diff.split("\n")[:-1]
    before = [line[1:] for line in lines if not line.startswith("+")]
    after = [line[1:] for line in lines if not line.startswith("-")]
    old = text.split("\n")
    places = [i for i in range(len(old) - len(before) + 1) if old[i:i + len(before)] == before]
    if len(places) != 1:
        shown = "\n".join(before)
        sys.exit(f"{arguments.page}: {name} has these lines {len(places)} times, and needs them once:\n{shown}")
    return "\n".join(old[:places[0]] + after + old[places[0] + len(before):])


class Copy:
    def __init__(self, folder):
        self.source, self.build = os.path.join(folder, "tx"), os.path.join(folder, "tx", "build")
        self.touched, self.objects = [], []
        shutil.copytree(SOURCE, self.source, ignore=shutil.ignore_patterns("build*", ".git", "__pycache__"), symlinks=True)

    def write(self, name, body):
        path = os.path.join(self.source, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        open(path, "w").write(body)
        self.touched.append(name)

    def configure(self):
        """CMake's graph of the copy, by the variables of BUILD."""
        cache = dict(re.findall(r"^(\w+):\w+=(.*)$", open(os.path.join(BUILD, "CMakeCache.txt")).read(), re.M))
        variables = [f"-D{name}={cache[name]}" for name in CACHED if cache.get(name)]
        # A header that is compiled once would be compiled for a few sources here.
        variables.append("-DTX_PRECOMPILE_HEADERS=OFF")
        self.run(["cmake", "-S", self.source, "-B", self.build, "-G", "Ninja", *variables])
        self.borrow("test/Runtime/FakeCuda/lib")
        self.sources = {os.path.relpath(entry["file"], self.source): entry
                        for entry in json.load(open(os.path.join(self.build, "compile_commands.json")))}

    def borrow(self, folder):
        """Files of BUILD that tests open and do not link."""
        for name in os.listdir(os.path.join(BUILD, folder)) if os.path.isdir(os.path.join(BUILD, folder)) else []:
            os.makedirs(os.path.join(self.build, folder), exist_ok=True)
            os.symlink(os.path.join(BUILD, folder, name), os.path.join(self.build, folder, name))

    def run(self, command):
        done = subprocess.run(command, cwd=self.build if os.path.isdir(self.build) else self.source, text=True,
                              shell=isinstance(command, str), stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if done.returncode:
            sys.exit(f"{arguments.page}: {command}\n{done.stdout}")
        return done.stdout

    def run_all(self, commands):
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            list(pool.map(self.run, commands))

    def users_of_tables(self):
        """Sources that hold what TableGen writes of a touched file: of one folder's .td files."""
        folders = {os.path.dirname(name).removeprefix("include/") for name in self.touched if name.endswith(".td")}
        for name in self.sources:
            path = os.path.join(self.source, name)
            if os.path.exists(path): # not what a build writes
                tables = re.findall(r'^#include "(.*)/[^/]*\.cpp\.inc"', open(path).read(), re.M)
                if folders & set(tables):
                    yield name

    def make(self, targets):
        """The targets, from objects of what was touched and from BUILD's for the rest."""
        commands = {target: self.run(["ninja", "-t", "commands", target]).splitlines() for target in targets}
        self.run_all({line for lines in commands.values() for line in lines if "mlir-tblgen" in line})
        stale = {name for name in [*self.touched, *self.users_of_tables()] if name in self.sources}
        outputs = {self.output(name): name for name in stale}
        needed = [name for output, name in outputs.items()
                  if any(f" {output} " in f"{line} " for lines in commands.values() for line in lines)]
        # What the page's tests show needs no optimized code; TableGen's sources take half a minute to optimize.
        self.run_all([self.sources[name]["command"].replace(" -O3 ", " -O0 ") for name in needed])
        self.objects = [self.output(name) for name in needed]
        # Shared libraries come before who needs them.
        for line in dict.fromkeys(line for lines in commands.values() for line in lines):
            alias = re.search(r"cmake_symlink_library (\S+)", line)
            if alias and os.path.exists(os.path.join(self.build, alias.group(1))):
                self.run(line)
            elif re.search(r" -o (lib|bin|unit)/\S+ ", line) and " -c " not in line:
                self.link(line)
        for target in targets:
            if not any(os.path.exists(os.path.join(self.build, folder, target)) for folder in ["bin", "unit"]):
                sys.exit(f"{arguments.page}: nothing in it changes {target}")

    def output(self, name):
        return self.sources[name].get("output") or re.search(r" -o (\S+)", self.sources[name]["command"]).group(1)

    def link(self, command):
        """Links anew what has a changed object, be it in an archive, or a library that was linked anew."""
        words = command.split(" ")
        archives = {self.archive_of(output): output for output in self.objects}
        result, is_changed = [], False
        for word in words:
            is_input = re.match(r"[^-/].*\.(o|a|so[.\d]*)$", word) and result[-1] != "-o"
            if is_input and word in archives:
                # An object on the command line stands before the archive that has its older form.
                result += [output for output in self.objects if self.archive_of(output) == word]
                is_changed = True
            if is_input and not os.path.exists(os.path.join(self.build, word)):
                there = os.path.join(BUILD, word)
                if not os.path.exists(there):
                    sys.exit(f"{there} is not built: ninja -C {BUILD} tests")
                word = there
            elif is_input:
                is_changed = True
            result.append(word)
        if is_changed:
            for folder in ["bin", "lib", "unit"]:
                os.makedirs(os.path.join(self.build, folder), exist_ok=True)
            self.run(" ".join(result))

    @staticmethod
    def archive_of(output):
        """lib/Remat/CMakeFiles/TxRemat.dir/Policies/None.cpp.o is in lib/Remat/libTxRemat.a."""
        folder, library = re.match(r"(.*)/CMakeFiles/([^/]+)\.dir/", output).groups()
        return f"{folder}/lib{library}.a"


def main():
    page, start = open(arguments.page).read(), time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        copy, made, blocks = Copy(folder), False, 0
        for block in blocks_of(page):
            mark = re.search(r"<!-- (new|change) (\S+) -->\n$", page[:block.start])
            if mark and mark.group(1) == "new":
                copy.write(mark.group(2), block.body)
            elif mark:
                path = os.path.join(copy.source, mark.group(2))
                copy.write(mark.group(2), changed(open(path).read(), block.body, mark.group(2)))
            elif block.language == "sh":
                if not made:
                    copy.configure()
                made = True
                for line in block.body.splitlines():
                    if line.startswith("ninja -C build "):
                        copy.make(line.removeprefix("ninja -C build ").split())
                    else:
                        tools = os.pathsep.join(os.path.join(build, "bin") for build in [copy.build, BUILD])
                        print(run_shell(line, copy.source, tools), end="")
            blocks += bool(mark)
        if not blocks or not made:
            sys.exit(f"{arguments.page}: shows no change, or no commands")
        print(f"{os.path.basename(arguments.page)}: {blocks} blocks applied, {len(copy.objects)} sources compiled, "
              f"{time.monotonic() - start:.0f} s")


main()

#!/usr/bin/env python3
"""Runs the examples of passes' descriptions: before, through the pass, is after.

usage: run_pass_examples.py Passes.td ...

A description with two ```mlir blocks is an example; "With `a=1 b=2`" before them gives
the pass's options. Both sides are printed by tx-opt, so names and layout are free.
"""

import re
import subprocess
import sys


def passes_of(path):
    """(argument, options, before, after) of each pass that shows an example."""
    text = open(path).read()
    for match in re.finditer(r'def \w+ : Pass<"([^"]+)".*?description = \[\{(.*?)\}\];', text, re.S):
        argument, description = match.groups()
        blocks = re.findall(r"```mlir\n(.*?)```", description, re.S)
        options = re.search(r"With `([^`]*)`", description)
        if len(blocks) == 2:
            yield argument, options.group(1) if options else "", blocks[0], blocks[1]
        elif blocks:
            sys.exit(f"{path}: {argument} shows {len(blocks)} blocks; an example is two, before and after")


def print_ir(source, *flags):
    done = subprocess.run(["tx-opt", "-", *flags], input=source, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"tx-opt {' '.join(flags)}:\n{done.stderr}\n{source}")
    return done.stdout


examples = [(path, *example) for path in sys.argv[1:] for example in passes_of(path)]
if not examples:
    sys.exit("no examples found")
for path, argument, options, before, after in examples:
    found = print_ir(before, f"--{argument}={options}" if options else f"--{argument}")
    wanted = print_ir(after)
    if found != wanted:
        sys.exit(f"{path}: the example of {argument} gives\n{found}\nbut its description shows\n{wanted}")
    print(f"{argument}: as shown")

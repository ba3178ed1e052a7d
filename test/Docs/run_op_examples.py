#!/usr/bin/env python3
"""Runs the examples of ops' and attributes' descriptions: each parses, verifies and
keeps its form through text.

usage: run_op_examples.py Ops.td ...

Every op and attribute of the files shows at least one example, a ```mlir block with the
op in it. What an op's example uses without a definition becomes an argument of the
function around it, of the type that the example says; symbols stand beside that function.
An attribute's example is one attribute in each line.
"""

import re
import subprocess
import sys

# `def Tx_AddOp : Tx_ComputeOp<"add", ...` or `def Tx_ScopeAttr : AttrDef<Tx_Dialect, "Scope"> {`, up to the next
# definition of any kind.
DEFINITION = re.compile(r"^def (\w+?)_(\w+) : (\w+)<(.*?)(?=^(?:def|class|defvar|defm|multiclass) |\Z)", re.S | re.M)
SYMBOL = re.compile(r"tx\.global|tx\.mesh_axis|step\.program")


def definitions(path):
    """(kind, full name, examples) of each op and attribute."""
    for match in DEFINITION.finditer(open(path).read()):
        dialect, name, base, body = match.groups()
        dialect = dialect.lower()
        examples = re.findall(r"```mlir\n(.*?)```", body, re.S)
        if base == "AttrDef":
            yield "attribute", f"{dialect}.{re.search(r'let mnemonic = .(.*?)[^a-z_]', body).group(1)}", examples
        elif name.endswith("Op"):
            yield "op", f"{dialect}.{re.match(r'.(.*?)[^a-z_]', body).group(1)}", examples


def tx_opt(source, *flags):
    return subprocess.run(["tx-opt", "-", *flags], input=source, capture_output=True, text=True)


def indent_of(line):
    return len(line) - len(line.lstrip())


def in_function(example):
    """A module that holds the example, or why there is none. tx-opt tells the types of
    the arguments: it says which type a use expects."""
    lines = [line for line in example.splitlines() if line.strip()]
    margin = min(map(indent_of, lines))
    symbols, body, at_symbol = [], [], False
    for line in (line[margin:] for line in lines):
        if indent_of(line) == 0 and not line.startswith("}"):
            at_symbol = bool(SYMBOL.match(line))
        (symbols if at_symbol else body).append(line)
    types = dict.fromkeys(free_values(body), "none")
    while True:
        arguments = ", ".join(f"{name}: {type}" for name, type in types.items())
        source = "\n".join([*symbols, f"func.func @example({arguments}) {{", *body, "  return", "}"])
        done = tx_opt(source)
        if done.returncode == 0:
            return source, None
        mismatch = re.search(
            r"use of value '(%\w+)' expects different type than prior uses: '(.*)' vs 'none'", done.stderr
        )
        if not mismatch or types.get(mismatch.group(1)) != "none":
            return source, done.stderr
        types[mismatch.group(1)] = mismatch.group(2)


def free_values(lines):
    defined = set()
    for line in lines:
        defined.update(re.findall(r"%\w+", line.split(" = ")[0]) if " = " in line else [])
        defined.update(re.findall(r"(%\w+)(?=:| = %)", line))
    used = [name for line in lines for name in re.findall(r"%\w+", line)]
    return [name for name in dict.fromkeys(used) if name not in defined]


def check_round_trip(source, name):
    """The complaint, or nothing."""
    done = tx_opt(source)
    if done.returncode:
        return done.stderr
    printed = done.stdout
    if not re.search(rf"\b{re.escape(name)}\b", printed):
        return f"has no {name} in it"
    for flags in [[], ["--mlir-print-op-generic"]]:
        again = tx_opt(tx_opt(source, *flags).stdout)
        if again.stdout != printed:
            return f"is, through text {' '.join(flags)},\n{again.stdout or again.stderr}but was\n{printed}"
    return ""


def complaints(kind, name, examples):
    if not examples:
        yield "shows no example"
    for example in examples:
        if kind == "attribute":
            values = [line.strip().removeprefix(f"#{name}") for line in example.splitlines() if line.strip()]
            source, error = (
                "\n".join(f"module attributes {{test.value = #{name}{value}}} {{}}" for value in values),
                None,
            )
        else:
            source, error = in_function(example)
        complaint = error or check_round_trip(source, name)
        if complaint:
            yield f"the example\n{source}\n{complaint}"


count, wrong = 0, 0
for path in sys.argv[1:]:
    for kind, name, examples in definitions(path):
        found = list(complaints(kind, name, examples))
        for complaint in found:
            print(f"{path}: {kind} {name}: {complaint}", file=sys.stderr)
        count, wrong = count + 1, wrong + bool(found)
print(f"{count} definitions, {wrong} without a true example")
sys.exit(wrong > 0 or count == 0)

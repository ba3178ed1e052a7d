"""Every kind of signature that a stranger may write: refused in words, or it compiles and runs.

usage: signatures.py TX_COMPILE TX_RUN FOLDER
"""

import os
import subprocess
import sys

COMPILE, RUN, FOLDER = sys.argv[1:]
TAKES = "a step takes tensors of f32, bf16, i32 and i1, of static shape"
faults = 0


def tell(name, text):
    global faults
    faults += 1
    print(f"{name}: {text}")


def run(*command):
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


def compile(name, source):
    path = os.path.join(FOLDER, "x.mlir")
    with open(path, "w", encoding="utf-8") as file:
        file.write(source)
    return run(COMPILE, path, "-o", os.path.join(FOLDER, "x.txa"))


def refused(name, source, *words):
    done = compile(name, source)
    lines = done.stderr.splitlines()
    if done.returncode != 1 or len(lines) != 1 or not lines[0].startswith("error: "):
        tell(name, f"ends with {done.returncode}: {done.stderr[:300]}")
    for word in words:
        if word not in done.stderr:
            tell(name, f"says nothing of '{word}': {done.stderr[:300]}")


def runs(name, source, *functions):
    """`functions`: (name, its arguments)."""
    done = compile(name, source)
    if done.returncode != 0 or done.stderr:
        return tell(name, f"does not compile ({done.returncode}): {done.stderr[:300]}")
    for function, arguments in functions:
        inputs = [f"--input={argument}=1" for argument in arguments]
        done = run(RUN, os.path.join(FOLDER, "x.txa"), "--function", function, *inputs)
        if done.returncode != 0:
            tell(name, f"@{function} does not run ({done.returncode}): {done.stderr[:300]}")


# Types, as an argument, as a result, and both.
SCALARS = [
    "f32",
    "bf16",
    "f16",
    "f64",
    "f80",
    "f128",
    "tf32",
    "f8E4M3FN",
    "f8E5M2",
    "f4E2M1FN",
    "i1",
    "i4",
    "i8",
    "i16",
    "i32",
    "i64",
    "si32",
    "ui32",
    "i1024",
    "index",
    "complex<f32>",
    "none",
    "tuple<>",
    "tuple<f32, i32>",
    "tuple<tensor<4xf32>>",
]
SHAPED = [
    "vector<4xf32>",
    "vector<[4]xf32>",
    "vector<f32>",
    "memref<4xf32>",
    "memref<?xf32>",
    "memref<*xf32>",
    "tensor<*xf32>",
    "tensor<?xf32>",
    "tensor<4x?xbf16>",
    "!llvm.ptr",
    "!llvm.struct<(f32)>",
]
ELEMENTS = [
    "i4",
    "i8",
    "i16",
    "i64",
    "si32",
    "ui32",
    "ui1",
    "index",
    "f16",
    "f80",
    "f8E4M3FN",
    "f8E5M2FNUZ",
    "complex<f32>",
    "vector<2xf32>",
    "vector<2x2xf32>",
    "!llvm.ptr",
]
for type in SCALARS + SHAPED + [f"tensor<4x{element}>" for element in ELEMENTS] + ['tensor<4xf32, "here">']:
    words = [TAKES] if "elements" not in type else []
    refused(f"argument {type}", f"func.func @f(%x: {type}) {{ return }}", "@f has the argument 0 of type", *words)
refused(
    "second argument", "func.func @f(%y: tensor<2xf32>, %x: f32) { return }", "@f has the argument 1 of type", TAKES
)
for type in ("f16", "tensor<4xi64>", "index", "tensor<?xf32>", "vector<4xf32>", "tuple<>"):
    refused(f"result {type}", f"func.func @f(%x: {type}) -> {type} {{ return %x : {type} }}", TAKES)
for shape, words in (("0", "no elements"), ("2x0x3", "no elements"), ("1000000000x1000000000", "2^56")):
    for element in ("f32", "bf16", "i32", "i1"):
        refused(
            f"argument {shape}x{element}",
            f"func.func @f(%x: tensor<{shape}x{element}>) {{ return }}",
            words,
            "argument 0",
        )
# The reference alone computes with f64.
refused("f64", "func.func @f(%x: tensor<4xf64>) { return }", "f64")
refused("f64 through", "func.func @f(%x: tensor<4xf64>) -> tensor<4xf64> { return %x : tensor<4xf64> }", "f64")
refused("f64 state", "tx.global @w parameter : tensor<4xf64>\nfunc.func @f() { return }", "@w", "f64")

source, functions = "", []
for element in ("f32", "bf16", "i32", "i1"):
    for rank, shape in (
        ("scalar", ""),
        ("one", "1x"),
        ("four", "4x"),
        ("cube", "2x3x5x"),
        ("deep", "1x" * 40),
        ("prime", "7x13x"),
    ):
        type = f"tensor<{shape}{element}>"
        name = f"{element}_{rank}"
        source += f"func.func @{name}(%x: {type}) {{ return }}\n"
        source += f"func.func @{name}_back(%x: {type}) -> {type} {{ return %x : {type} }}\n"
        source += f"func.func @{name}_twice(%x: {type}, %y: {type}) -> ({type}, {type}, {type}) {{ return %y, %x, %y : {type}, {type}, {type} }}\n"
        functions += [(name, ["arg0"]), (f"{name}_back", ["arg0"]), (f"{name}_twice", ["arg0", "arg1"])]
runs("tensors", source, *functions)
runs(
    "computed",
    """
func.func @twice(%x: tensor<2x4xf32>) -> (tensor<2x4xf32>, tensor<2x4xf32>) {
  %y = tx.gelu %x in <"a"> : tensor<2x4xf32>
  return %y, %y : tensor<2x4xf32>, tensor<2x4xf32>
}
func.func @dead(%x: tensor<2x4xf32>) {
  %y = tx.gelu %x in <"a"> : tensor<2x4xf32>
  return
}
func.func @in_place(%x: tensor<2x4xf32>) -> (tensor<2x4xf32>, tensor<2x4xf32>) {
  %y = tx.gelu %x in <"a"> : tensor<2x4xf32>
  %z = tx.gelu %y in <"b"> : tensor<2x4xf32>
  return %z, %y : tensor<2x4xf32>, tensor<2x4xf32>
}""",
    ("twice", ["arg0"]),
    ("dead", ["arg0"]),
    ("in_place", ["arg0"]),
)
runs(
    "state",
    """
tx.global @w parameter ones : tensor<2x4xf32>
func.func @get() -> tensor<2x4xf32> {
  %w = tx.load @w : tensor<2x4xf32>
  return %w : tensor<2x4xf32>
}
func.func @keep() {
  %w = tx.load @w : tensor<2x4xf32>
  tx.store %w, @w : tensor<2x4xf32>
  return
}""",
    ("get", []),
    ("keep", []),
)

# Functions and their names.
runs("nothing", "func.func @f() { return }", ("f", []))
runs(
    "private", "func.func private @f(%x: tensor<4xf32>) -> tensor<4xf32> { return %x : tensor<4xf32> }", ("f", ["arg0"])
)
runs("declared", "func.func private @g(f32) -> index\nfunc.func @f() { return }", ("f", []))
runs("state named as the program", "tx.global @step parameter : tensor<4xf32>\nfunc.func @f() { return }", ("f", []))
runs("declared as the program", "func.func private @step()\nfunc.func @f() { return }", ("f", []))
runs(
    "module named as state",
    "module @w {\ntx.global @w parameter : tensor<4xf32>\nfunc.func @f() { return }\n}",
    ("f", []),
)
runs("named module", "module @f { func.func @f() { return } }", ("f", []))
names = [
    "main",
    "microbatch",
    "step",
    "apply",
    "evaluate",
    "predict",
    "loss",
    "kernel",
    "row0_gelu",
    "arg0",
    "a b",
    "a=b",
    "-f",
    "--x",
    "\u00e4",
    "'",
    ".",
    "/",
    "{rank}",
    "9",
    "x" * 2000,
]
runs(
    "names",
    "\n".join(
        f'func.func @"{name}"(%x: tensor<4xf32>) -> tensor<4xf32> {{ return %x : tensor<4xf32> }}'
        for name in names
        if not name.startswith("-")
    ),
    *((name, ["arg0"]) for name in names if not name.startswith("-")),
)
runs(
    "argument names",
    "func.func @f("
    + ", ".join(f'%a{i}: tensor<f32> {{tx.name = "{name}"}}' for i, name in enumerate(names) if "=" not in name)
    + ") { return }",
    ("f", [name for name in names if "=" not in name]),
)
refused("no name", 'func.func @""() { return }', "name")
refused("NUL in a name", 'func.func @"a\\00b"() { return }', "NUL")
refused("no text in a name", 'func.func @"a\\FFb"() { return }', "UTF-8")
for side in (
    "(%x: tensor<f32> {ATTR}) {{ return }}",
    "(%x: tensor<f32>) -> (tensor<f32> {ATTR}) {{ return %x : tensor<f32> }}",
):
    for attribute, word in (
        ('""', "empty"),
        ('"a=b"', "'='"),
        ("3 : i32", "no text"),
        ("@f", "no text"),
        ("unit", "no text"),
        ('"a\\00b"', "NUL"),
        ('"\\FF"', "UTF-8"),
    ):
        source = side.replace("{ATTR}", "{tx.name = " + attribute + "}").replace("{{", "{").replace("}}", "}")
        refused(f"tx.name = {attribute}", "func.func @f" + source, word)
refused(
    "equal names",
    'func.func @f(%x: tensor<f32> {tx.name = "x"}, %y: tensor<f32> {tx.name = "x"}) { return }',
    "one name, 'x'",
)
refused(
    "a default name", 'func.func @f(%x: tensor<f32> {tx.name = "arg1"}, %y: tensor<f32>) { return }', "one name, 'arg1'"
)
refused(
    "equal results",
    'func.func @f(%x: tensor<f32>) -> (tensor<f32> {tx.name = "y"}, tensor<f32> {tx.name = "y"}) '
    "{ return %x, %x : tensor<f32>, tensor<f32> }",
    "results 0 and 1",
    "one name, 'y'",
)
refused("only declared", "func.func private @g(tensor<4xf32>)", "has no function")

# What else a file may hold.
f = "func.func @f(%x: tensor<4xf32>) -> tensor<4xf32> {{ {} return %x : tensor<4xf32> }}"
for name, body in (
    ("constant", "%c = arith.constant 1.0 : f32"),
    ("tensor constant", "%c = arith.constant dense<1.0> : tensor<4xf32>"),
    ("call", "%c = func.call @f(%x) : (tensor<4xf32>) -> tensor<4xf32>"),
    ("function value", "%c = func.constant @f : (tensor<4xf32>) -> tensor<4xf32>"),
    ("cast", "%c = builtin.unrealized_conversion_cast %x : tensor<4xf32> to f32"),
    ("vector", "%c = vector.broadcast %i : f32 to vector<4xf32>"),
    ("null", "%c = llvm.mlir.zero : !llvm.ptr"),
    ("undefined", "%c = llvm.mlir.undef : f32"),
    ("global", "tx.global @g parameter : tensor<4xf32>"),
    ("axis", "tx.mesh_axis @a size 2"),
    ("module", "module {}"),
    ("function", "func.func @g() { return }"),
    ("yield", "step.yield"),
    (
        "group",
        '%c = step.group flat [1, 4] in <"a"> (%a = %x) : (tensor<4xf32>) -> tensor<4xf32> '
        "{ step.yield %a : tensor<4xf32> }",
    ),
    ("unregistered", '"a.b"() : () -> ()'),
    ("unknown op", '"tx.nothing"() : () -> ()'),
    ("attribute", '%c = tx.gelu %x in <"a"> {step.scratch_bytes = 4 : i32} : tensor<4xf32>'),
    ("buffers", '%c = tx.gelu %x in <"a"> {step.buffers = 4 : i32} : tensor<4xf32>'),
):
    refused(name, f.format(body))
for name, source in (
    ("blocks", "func.func @f() { cf.br ^a\n^a:\n return }"),
    ("dead block", "func.func @f() { return\n^a:\n return }"),
    ("loop", "func.func @f(%x: tensor<4xf32>) { scf.execute_region { scf.yield }\n return }"),
    ("nested module", "module { module { } func.func @f() { return } }"),
    ("foreign state", "llvm.mlir.global @g(1 : i32) : i32\nfunc.func @f() { return }"),
    ("foreign function", "llvm.func @g()\nfunc.func @f() { return }"),
    ("gpu code", "gpu.module @g {}\nfunc.func @f() { return }"),
    ("no terminator", "func.func @f() { tx.nothing }"),
    ("places", "module attributes {step.persistent_bytes = -1 : i64} { func.func @f() { return } }"),
    ("a place", "tx.global @w parameter {step.buffer = 3 : i32} : tensor<4xf32>\nfunc.func @f() { return }"),
    ("an argument's place", "func.func @f(%x: tensor<4xf32> {step.buffer = 3 : i32}) { return }"),
    ("trained declaration", "func.func private @f(tensor<f32>) attributes {tx.train}\nfunc.func @g() { return }"),
    ("state of tuples", "tx.global @w parameter : tuple<f32>\nfunc.func @f() { return }"),
    ("dynamic state", "tx.global @w parameter : tensor<?xf32>\nfunc.func @f() { return }"),
    ("state of vectors", "tx.global @w parameter : tensor<2xvector<2xf32>>\nfunc.func @f() { return }"),
):
    refused(name, source)
runs(
    "foreign marks",
    "module attributes {user.mark = 3 : i32} {\ntx.global @w parameter {user.mark} : tensor<4xf32>\n"
    'func.func @f(%x: tensor<4xf32> {user.mark = "a"}) -> (tensor<4xf32> {user.mark}) attributes {user.mark = [1]} {\n'
    '%c = tx.gelu %x in <"a"> {user.mark} : tensor<4xf32>\nreturn %c : tensor<4xf32> } }',
    ("f", ["arg0"]),
)
sys.exit(faults != 0)

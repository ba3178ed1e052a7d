#!/usr/bin/env python3
"""Checks that programs need the C and C++ libraries alone and have no LLVM inside.

usage: check_binary.py PROGRAM ...
"""

import re
import shutil
import subprocess
import sys

# The GEMM library is opened at run time; naming it would do no harm.
ALLOWED = re.compile(
    r"lib(c|m|stdc\+\+|gcc_s|pthread|dl|rt|openblas\w*|mkl_rt|dnnl)\.so(\.\d+)*|ld-linux-[\w-]+\.so\.\d+"
)
# Parts of mangled names.
COMPILER_SYMBOLS = {"llvm": b"N4llvm", "mlir": b"N4mlir"}


def complaints(program):
    dynamic = subprocess.run(["llvm-readelf", "-d", program], capture_output=True, text=True, check=True).stdout
    for library in re.findall(r"\(NEEDED\).*\[(.*)\]", dynamic):
        if not ALLOWED.fullmatch(library):
            yield f"needs {library}"
    code = open(program, "rb").read()
    for name, part in COMPILER_SYMBOLS.items():
        if part in code:
            yield f"has symbols of {name}"


wrong = False
for argument in sys.argv[1:]:
    program = shutil.which(argument)
    if not program:
        sys.exit(f"{argument}: not built")
    found = list(complaints(program))
    wrong |= bool(found)
    print(*(f"{argument}: {complaint}" for complaint in found or ["stands alone"]), sep="\n")
sys.exit(wrong)

#!/usr/bin/env python3
"""Lists the GPU code of an artifact and checks that each image has every kernel.

usage: images.py step.txa [FOLDER]

With a folder each image is written there, as sm_90.cubin or compute_80.ptx.
"""

import json
import re
import struct
import sys

MANIFEST, KERNELS, STRINGS, CODE = 1, 5, 6, 7

data = open(sys.argv[1], "rb").read()
(count,) = struct.unpack_from("<I", data, 12)
sections = {}
for i in range(count):
    kind, _, offset, size = struct.unpack_from("<IIQQ", data, 64 + 24 * i)
    sections[kind] = data[offset : offset + size]
target = json.loads(sections[MANIFEST])["target"]
print("target", target["backend"], target["triple"], *target["features"])

strings = sections[STRINGS]
names = []
for offset, *_ in struct.iter_unpack("<IIII", sections[KERNELS]):
    names.append(strings[offset : strings.index(0, offset)])

unit = sections[CODE]  # code, functions, operands, images, names, end
code_bytes, functions, operands, images, _ = struct.unpack_from("<QIIII", unit, len(unit) - 64)
operands_at = code_bytes + 48 * functions
images_at = operands_at + 16 * operands
# The last fields of each function: units_per_block, threads, shared_bytes.
if functions != len(names) or any(f[-2] == 0 for f in struct.iter_unpack("<IIIIQQQII", unit[code_bytes:operands_at])):
    sys.exit("not one function with threads for each kernel")


def describe(image, is_ptx):
    if is_ptx:
        missing = [n for n in names if b".entry " + n + b"(" not in image]
        target = re.search(rb"\.target (sm_\d+)", image).group(1).decode()
        return f"target {target}", missing
    if image[:4] != b"\x7fELF":
        sys.exit("a cubin is no ELF file")
    # The architecture is in e_flags: in the lowest byte, of newer toolkits in the second.
    version, flags = image[8], struct.unpack_from("<I", image, 48)[0]
    architecture = (flags >> 8) & 0xFF if version >= 8 else flags & 0xFF
    missing = [n for n in names if b".text." + n + b"\0" not in image]
    return f"ELF for sm_{architecture}", missing


for architecture, kind, offset, size in struct.iter_unpack("<IIQQ", unit[images_at : images_at + 24 * images]):
    image = unit[offset : offset + size]
    what, missing = describe(image, kind == 1)
    print(
        f"sm_{architecture} {'PTX' if kind else 'cubin'}: {what},",
        f"without {missing}" if missing else f"all {len(names)} kernels",
    )
    if len(sys.argv) > 2:
        name = f"compute_{architecture}.ptx" if kind else f"sm_{architecture}.cubin"
        open(f"{sys.argv[2]}/{name}", "wb").write(image.rstrip(b"\0") if kind else image)

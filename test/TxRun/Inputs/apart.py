"""Reads a model whose head and loss are one op, and writes it with three ops whose places keep them apart."""

import re
import sys

OP = re.compile(
    r"(%\w+), (%\w+) = tx\.linear_cross_entropy (%\w+), (%\w+), (%\w+)( transposed)? ignore (-?\d+) "
    r'head "(\w+)" in <"(\w+)"> : tensor<([\dx]+)x\d+x(\w+)>, tensor<(\d+)x(\d+)x\w+>, tensor<[\dx]+xi32>'
)


def apart(found):
    total, count, x, weight, targets, transposed, ignored, head, loss, rows, element, first, second = found.groups()
    vocabulary = first if transposed else second
    hidden = second if transposed else first
    logits, losses, ids = (f"tensor<{rows}x{kind}>" for kind in (f"{vocabulary}xf32", "f32", "i32"))
    return (
        f"%logits = tx.linear {x}, {weight}{transposed or ''} in <\"{head}\"> : "
        f"tensor<{rows}x{hidden}x{element}>, tensor<{first}x{second}x{element}> -> {logits}\n"
        f'    %losses, %rows = tx.cross_entropy %logits, {targets} ignore {ignored} in <"{loss}.rows"> : {logits}, {ids}\n'
        f'    {total}, {count} = tx.reduce_loss %losses, {targets} ignore {ignored} in <"{loss}"> : {losses}, {ids}'
    )


text, changed = OP.subn(apart, sys.stdin.read())
if changed != 1:
    sys.exit(f"found {changed} heads")
sys.stdout.write(text)

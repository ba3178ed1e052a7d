"""The figures on pages that a trained model gives: the only ones that depend on how a CPU rounds."""

import re

FIGURE = r"\d+\.\d+"
LEARNT = re.compile(
    rf"(?<=\bloss ){FIGURE}|(?<=\bgrad norm ){FIGURE}|(?<=\bperplexity ){FIGURE}|{FIGURE}(?= bits per byte)"
)
# The pages' models train stably: OpenBLAS's kernels for Nehalem, Sandy Bridge, Haswell and Zen gave the same four
# decimals. More than this is a fault of the example or of the product.
TOLERANCE = 0.005

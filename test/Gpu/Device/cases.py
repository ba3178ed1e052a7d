"""What the device suite compiles and runs: one list for prepare.py and run.py."""

NONE = ["--recompute-granularity", "none"]
POLICIES = {
    "none": NONE,
    "act-norm": ["--recompute-granularity", "selective", "--recompute-modules", "mlp_act,layernorm"],
    "core-attn": ["--recompute-granularity", "selective", "--recompute-modules", "core_attn"],
    "full": ["--recompute-granularity", "full", "--recompute-method", "uniform", "--recompute-num-layers", "1"],
}


def gpt(layers, hidden, heads, sequence, batch, vocabulary, *more, dropout=0.0):
    return [
        *("--num-layers", layers, "--hidden-size", hidden, "--num-attention-heads", heads, "--seq-length", sequence),
        *("--micro-batch-size", batch, "--vocab-size", vocabulary, "--max-position-embeddings", max(sequence, 1024)),
        *("--attention-dropout", dropout, "--hidden-dropout", dropout, *more),
    ]


# Two steps on a text that prepare.py makes: bytes below the smallest vocabulary of the cases, which has 100 ids.
TRAIN = ["--train-iters", "2", "--lr", "1e-3", "--data-format", "text"]
TEXT = "".join(chr(32 + i * i * 7 % 61) for i in range(60000))

# The same step for the host and for the GPU, compared in loss and gradients; `tolerance` is of a gradient's norm: f32
# differs by the order of sums, bf16 by the last bit of each rounded value. Small: the host's gradients travel with the
# suite.
COMPARED = {
    "f32-unfused": (gpt(2, 128, 2, 128, 4, 1000, "--fp32", "--attention-backend", "unfused"), 1e-4),
    "f32-unfused-dropout": (gpt(2, 192, 3, 96, 4, 509, "--fp32", "--attention-backend", "unfused", dropout=0.1), 1e-4),
    "bf16-unfused-dropout": (
        gpt(2, 128, 2, 128, 4, 1000, "--bf16", "--attention-backend", "unfused", dropout=0.1),
        4e-2,
    ),
    "bf16-flash": (gpt(2, 128, 2, 128, 4, 1000, "--bf16", "--attention-backend", "flash"), 4e-2),
    "bf16-cudnn": (gpt(2, 128, 2, 128, 4, 1000, "--bf16", "--attention-backend", "auto"), 4e-2),
    "bf16-flash-128-dropout": (
        gpt(1, 256, 2, 130, 2, 1000, "--bf16", "--attention-backend", "flash", dropout=0.1),
        4e-2,
    ),
}

# Small enough for compute-sanitizer, which slows a kernel by 10 to 100 times.
SANITIZED = {
    "small-f32": gpt(1, 64, 2, 48, 2, 100, "--fp32", "--attention-backend", "unfused", dropout=0.1),
    "small-bf16-flash": gpt(1, 128, 2, 80, 1, 100, "--bf16", "--attention-backend", "flash", dropout=0.1),
}

FLASH = ("--bf16", "--attention-backend", "flash")
# name: (flags, what the peer is told). The stack has the layers of a 7B model and next to no vocabulary.
TIMED = {
    **{f"gpt2-124m-{b}x1024": gpt(12, 768, 12, 1024, b, 50304, *FLASH) for b in (16, 32, 64)},
    **{f"stack-7b-{s}": gpt(4, 4096, 32, s, 1, 1024, *FLASH) for s in (2048, 4096)},
}
# The same with attention by cuDNN where the device has it; the peers' times are those above.
CUDNN = ("--bf16", "--attention-backend", "auto")
TIMED_BY_CUDNN = {
    "gpt2-124m-32x1024-cudnn": gpt(12, 768, 12, 1024, 32, 50304, *CUDNN),
    "stack-7b-4096-cudnn": gpt(4, 4096, 32, 4096, 1, 1024, *CUDNN),
}
ALL_TIMED = {**TIMED, **TIMED_BY_CUDNN}

ALL_TIMED = {**TIMED, **TIMED_BY_CUDNN}

# What is run first: one comparison, then times of these, Tx's and the peers'.
FIRST_COMPARED = "bf16-flash"
FIRST_TIMED = ("gpt2-124m-32x1024", "stack-7b-4096")


def is_first(case):
    """One of these, or a variant of it: "stack-7b-4096-cudnn"."""
    return any(f"{case}-".startswith(f"{first}-") for first in FIRST_TIMED)


# Of PyTorch: (mode, precision) of torch_peer.py, the ones that matter first.
PEERS = [("eager", "autocast"), ("compile", "autocast"), ("graphs", "autocast"), ("compile", "bf16")]


def sizes(flags):
    """(layers, hidden, heads, sequence, batch, vocabulary)"""
    values = dict(zip(flags[::2], flags[1::2]))
    names = [
        "--num-layers",
        "--hidden-size",
        "--num-attention-heads",
        "--seq-length",
        "--micro-batch-size",
        "--vocab-size",
    ]
    return tuple(int(values[name]) for name in names)


def model_flops(case):
    """A step's FLOPs by one formula for everybody: a token's are 6N + 6LhT, N the parameters that are
    multiplied with (the head is the tokens' table), the second term causal attention. What is
    recomputed does not count."""
    layers, hidden, _, sequence, batch, vocabulary = sizes(ALL_TIMED[case])
    parameters = vocabulary * hidden + layers * (12 * hidden**2 + 13 * hidden) + 2 * hidden
    return batch * sequence * (6 * parameters + 6 * layers * hidden * sequence)

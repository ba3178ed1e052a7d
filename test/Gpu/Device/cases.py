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


# GELU beside products in cuBLASLt: the host's step is the one without, and the activation can not be
# recomputed alone.
GELU = "--gemm-gelu-fusion"


def flags_for(flags, policy, target):
    """A case's flags with those of a policy, as the target takes them."""
    policy_flags = POLICIES[policy]
    if GELU in flags:
        policy_flags = [f.replace("mlp_act,", "mlp,") for f in policy_flags]
    return [str(f) for f in flags if target != "host" or f != GELU] + policy_flags


# The same step for the host and for the GPU, compared in loss and gradients; `tolerance` is of a
# gradient's norm: f32 differs by the order of sums, bf16 by the last bit of each rounded value.
COMPARED = {
    "f32-unfused": (gpt(4, 256, 4, 128, 4, 1000, "--fp32", "--attention-backend", "unfused"), 1e-4),
    "f32-unfused-dropout": (gpt(2, 192, 3, 96, 4, 509, "--fp32", "--attention-backend", "unfused", dropout=0.1), 1e-4),
    "bf16-unfused-dropout": (gpt(4, 256, 4, 128, 4, 1000, "--bf16", "--attention-backend", "unfused", dropout=0.1), 4e-2),
    "bf16-flash": (gpt(4, 256, 4, 128, 4, 1000, "--bf16", "--attention-backend", "flash"), 4e-2),
    "bf16-cudnn": (gpt(4, 256, 4, 128, 4, 1000, "--bf16", "--attention-backend", "auto"), 4e-2),
    "f32-gelu-fusion": (gpt(4, 256, 4, 128, 4, 1000, "--fp32", "--attention-backend", "unfused", GELU), 1e-4),
    "bf16-gelu-fusion": (gpt(4, 256, 4, 128, 4, 1000, "--bf16", "--attention-backend", "flash", GELU), 4e-2),
    "bf16-flash-128-dropout": (gpt(2, 512, 4, 130, 2, 1000, "--bf16", "--attention-backend", "flash", dropout=0.1), 4e-2),
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
# The same with GELU beside products; "act-norm" recomputes the whole MLP then.
TIMED_WITH_GELU = {
    "gpt2-124m-32x1024-gelu": gpt(12, 768, 12, 1024, 32, 50304, *FLASH, GELU),
    "stack-7b-4096-gelu": gpt(4, 4096, 32, 4096, 1, 1024, *FLASH, GELU),
}
# The same with attention by cuDNN where the device has it; the peers' times are those above.
CUDNN = ("--bf16", "--attention-backend", "auto")
TIMED_BY_CUDNN = {
    "gpt2-124m-32x1024-cudnn": gpt(12, 768, 12, 1024, 32, 50304, *CUDNN),
    "stack-7b-4096-cudnn": gpt(4, 4096, 32, 4096, 1, 1024, *CUDNN),
}

#!/usr/bin/env python3
"""Times PyTorch's training step of GPT-2 or of a LLaMA on the CPU, as the peer of `tx-run --bench`.

  torch_step.py [--family gpt2|llama] [--dtype f32|bf16] [--compile]
                [--batch 4] [--seq 64] [--iters 10] [--warmup 2] [--threads N]
                [--layers 12] [--hidden 768] [--heads 12] [--vocab 50257]
                [--key-heads 4] [--ffn 2048]                            (llama)

One step: forward, backward, clipping by the global norm, AdamW. Random tokens and
weights, no dropout. Prints one line of JSON: median, least and greatest milliseconds.
Written for speed: scaled_dot_product_attention (llama), fused cross-entropy and AdamW,
torch's own norms and linear kernels, the allocator told to keep its memory; with
--compile, forward and backward by torch.compile. bf16 is autocast over f32 weights.
"""

import argparse
import json
import os
import statistics
import sys
import time

# glibc gives large blocks back to the system and faults them in again: a third of the step. The peer shall be timed at
# its best, so it starts once more with that off.
MALLOC = {"MALLOC_MMAP_THRESHOLD_": 1 << 32, "MALLOC_TRIM_THRESHOLD_": 1 << 33, "MALLOC_TOP_PAD_": 1 << 28}
if not MALLOC.keys() <= os.environ.keys():
    os.environ.update({name: str(value) for name, value in MALLOC.items()})
    os.execv(sys.executable, [sys.executable] + sys.argv)

import torch
import torch.nn as nn
import torch.nn.functional as F


class Gpt2Block(nn.Module):
    def __init__(self, o):
        super().__init__()
        hidden, self.heads = o.hidden, o.heads
        self.ln_1, self.ln_2 = nn.LayerNorm(hidden), nn.LayerNorm(hidden)
        self.qkv, self.proj = nn.Linear(hidden, 3 * hidden), nn.Linear(hidden, hidden)
        self.fc, self.out = nn.Linear(hidden, 4 * hidden), nn.Linear(4 * hidden, hidden)

    def forward(self, x, mask):
        b, s, h = x.shape
        q, k, v = self.qkv(self.ln_1(x)).view(b, s, 3, self.heads, h // self.heads).permute(2, 0, 3, 1, 4)
        scores = (q @ k.transpose(2, 3)) * (h // self.heads) ** -0.5 + mask
        x = x + self.proj((scores.softmax(3) @ v).transpose(1, 2).reshape(b, s, h))
        return x + self.out(F.gelu(self.fc(self.ln_2(x)), approximate="tanh"))


class Gpt2(nn.Module):
    def __init__(self, o):
        super().__init__()
        self.wte, self.wpe = nn.Embedding(o.vocab, o.hidden), nn.Embedding(max(1024, o.seq), o.hidden)
        self.blocks = nn.ModuleList(Gpt2Block(o) for _ in range(o.layers))
        self.ln_f = nn.LayerNorm(o.hidden)

    def forward(self, tokens, targets):
        s = tokens.shape[1]
        mask = torch.full((s, s), float("-inf")).triu(1)
        x = self.wte(tokens) + self.wpe.weight[:s]
        for block in self.blocks:
            x = block(x, mask)
        logits = F.linear(self.ln_f(x), self.wte.weight)
        return F.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=-100)


class LlamaBlock(nn.Module):
    def __init__(self, o):
        super().__init__()
        self.heads, self.key_heads, self.width = o.heads, o.key_heads, o.hidden // o.heads
        own, shared = o.hidden, o.key_heads * self.width
        self.input_norm, self.mlp_norm = nn.RMSNorm(o.hidden, eps=1e-5), nn.RMSNorm(o.hidden, eps=1e-5)
        self.q, self.k, self.v = (nn.Linear(o.hidden, size, bias=False) for size in (own, shared, shared))
        self.o = nn.Linear(own, o.hidden, bias=False)
        self.gate, self.up = (nn.Linear(o.hidden, o.ffn, bias=False) for _ in range(2))
        self.down = nn.Linear(o.ffn, o.hidden, bias=False)

    def rotate(self, x, cos, sin):
        first, second = x.chunk(2, -1)
        return torch.cat([first * cos - second * sin, second * cos + first * sin], -1).to(x.dtype)

    def forward(self, x, cos, sin):
        b, s, h = x.shape
        n = self.input_norm(x)
        q, k, v = (p(n).view(b, s, -1, self.width).transpose(1, 2) for p in (self.q, self.k, self.v))
        q, k = self.rotate(q, cos, sin), self.rotate(k, cos, sin)
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=self.heads != self.key_heads)
        x = x + self.o(y.transpose(1, 2).reshape(b, s, h))
        n = self.mlp_norm(x)
        return x + self.down(F.silu(self.gate(n)) * self.up(n))


class Llama(nn.Module):
    def __init__(self, o):
        super().__init__()
        self.embed = nn.Embedding(o.vocab, o.hidden)
        self.blocks = nn.ModuleList(LlamaBlock(o) for _ in range(o.layers))
        self.norm = nn.RMSNorm(o.hidden, eps=1e-5)
        self.head = nn.Linear(o.hidden, o.vocab, bias=False)
        width = o.hidden // o.heads
        angles = torch.outer(torch.arange(o.seq), 10000.0 ** (-torch.arange(0, width, 2) / width))
        self.register_buffer("cos", angles.cos())
        self.register_buffer("sin", angles.sin())

    def forward(self, tokens, targets):
        x = self.embed(tokens)
        for block in self.blocks:
            x = block(x, self.cos, self.sin)
        logits = self.head(self.norm(x))
        return F.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=-100)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--family", choices=["gpt2", "llama"], default="gpt2")
    parser.add_argument("--dtype", choices=["f32", "bf16"], default="f32")
    parser.add_argument("--compile", action="store_true")
    for name, default in [("batch", 4), ("seq", 64), ("iters", 10), ("warmup", 2), ("key-heads", 4), ("ffn", 2048)]:
        parser.add_argument("--" + name, type=int, default=default)
    for name, default in [("layers", 12), ("hidden", 768), ("heads", 12), ("vocab", 50257)]:
        parser.add_argument("--" + name, type=int, default=default)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    o = parser.parse_args()
    torch.set_num_threads(o.threads)
    torch.manual_seed(1)
    model = (Gpt2 if o.family == "gpt2" else Llama)(o)
    for parameter in model.parameters():
        if parameter.dim() > 1:
            nn.init.normal_(parameter, std=0.02)
    groups = [
        {"params": [p for p in model.parameters() if p.dim() > 1], "weight_decay": 0.01},
        {"params": [p for p in model.parameters() if p.dim() <= 1], "weight_decay": 0.0},
    ]
    adam = torch.optim.AdamW(groups, lr=1e-4, fused=True)
    forward = torch.compile(model) if o.compile else model
    times = []
    for i in range(o.warmup + o.iters):
        tokens = torch.randint(o.vocab, (o.batch, o.seq))
        targets = torch.randint(o.vocab, (o.batch, o.seq))
        start = time.perf_counter()
        adam.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=o.dtype == "bf16"):
            loss = forward(tokens, targets)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        adam.step()
        times.append(1e3 * (time.perf_counter() - start))
        print("step %d: loss %.4f, %.1f ms" % (i, float(loss), times[-1]), file=sys.stderr)
    times = times[o.warmup :]
    result = {
        "peer": "PyTorch " + torch.__version__ + (" compiled" if o.compile else " eager"),
        "family": o.family,
        "dtype": o.dtype,
        "parameters": sum(p.numel() for p in model.parameters()),
        "batch": o.batch,
        "seq": o.seq,
        "threads": o.threads,
        "capability": torch.backends.cpu.get_cpu_capability(),
        "median_ms": round(statistics.median(times), 1),
        "min_ms": round(min(times), 1),
        "max_ms": round(max(times), 1),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()

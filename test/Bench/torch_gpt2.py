#!/usr/bin/env python3
"""Times PyTorch's f32 training step of GPT-2 on the CPU, as the peer of `tx-run --bench`.

  torch_gpt2.py [--batch 4] [--seq 64] [--iters 10] [--warmup 2] [--threads N]
                [--layers 12] [--hidden 768] [--heads 12] [--vocab 50257]

One step: forward, backward, clipping by the global norm, AdamW. Random tokens and
weights, no dropout. Prints one line of JSON: median, least and greatest milliseconds.
Written for speed within eager mode: fused cross-entropy, torch's own layer_norm and
linear kernels, the allocator told to keep its memory.
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


class Block(nn.Module):
    def __init__(self, hidden, heads):
        super().__init__()
        self.heads = heads
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
    def __init__(self, layers, hidden, heads, vocab, positions):
        super().__init__()
        self.wte, self.wpe = nn.Embedding(vocab, hidden), nn.Embedding(positions, hidden)
        self.blocks = nn.ModuleList(Block(hidden, heads) for _ in range(layers))
        self.ln_f = nn.LayerNorm(hidden)
        for parameter in self.parameters():
            if parameter.dim() > 1:
                nn.init.normal_(parameter, std=0.02)

    def forward(self, tokens, targets):
        s = tokens.shape[1]
        mask = torch.full((s, s), float("-inf")).triu(1)
        x = self.wte(tokens) + self.wpe.weight[:s]
        for block in self.blocks:
            x = block(x, mask)
        logits = F.linear(self.ln_f(x), self.wte.weight)
        return F.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=-100)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    for name, default in [("batch", 4), ("seq", 64), ("iters", 10), ("warmup", 2)]:
        parser.add_argument("--" + name, type=int, default=default)
    for name, default in [("layers", 12), ("hidden", 768), ("heads", 12), ("vocab", 50257)]:
        parser.add_argument("--" + name, type=int, default=default)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    o = parser.parse_args()
    torch.set_num_threads(o.threads)
    torch.manual_seed(1)
    model = Gpt2(o.layers, o.hidden, o.heads, o.vocab, max(1024, o.seq))
    groups = [
        {"params": [p for p in model.parameters() if p.dim() > 1], "weight_decay": 0.01},
        {"params": [p for p in model.parameters() if p.dim() <= 1], "weight_decay": 0.0},
    ]
    adam = torch.optim.AdamW(groups, lr=1e-4)
    times = []
    for i in range(o.warmup + o.iters):
        tokens = torch.randint(o.vocab, (o.batch, o.seq))
        targets = torch.randint(o.vocab, (o.batch, o.seq))
        start = time.perf_counter()
        adam.zero_grad()
        loss = model(tokens, targets)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        adam.step()
        times.append(1e3 * (time.perf_counter() - start))
        print("step %d: loss %.4f, %.1f ms" % (i, float(loss), times[-1]), file=sys.stderr)
    times = times[o.warmup :]
    result = {
        "peer": "PyTorch " + torch.__version__,
        "batch": o.batch,
        "seq": o.seq,
        "threads": o.threads,
        "median_ms": round(statistics.median(times), 1),
        "min_ms": round(min(times), 1),
        "max_ms": round(max(times), 1),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()

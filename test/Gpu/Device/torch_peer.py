#!/usr/bin/env python3
"""Times PyTorch's training step of a model of cases.py on the GPU, as the peer of `tx-run --bench`.

  torch_peer.py CASE [--mode eager|compile] [--iters 20] [--warmup 5]

One step: forward and backward under bf16 autocast, flash attention, clipping, fused AdamW on f32
parameters. No dropout. Prints one line of JSON.
"""

import argparse
import json
import statistics

import torch
import torch.nn as nn
import torch.nn.functional as F

import cases


def model_of(flags):
    values = dict(zip(flags[::2], flags[1::2]))
    names = ["--num-layers", "--hidden-size", "--num-attention-heads", "--seq-length", "--micro-batch-size", "--vocab-size"]
    return [int(values[name]) for name in names]


class Block(nn.Module):
    def __init__(self, hidden, heads):
        super().__init__()
        self.heads = heads
        self.ln_1, self.ln_2 = nn.LayerNorm(hidden), nn.LayerNorm(hidden)
        self.qkv, self.proj = nn.Linear(hidden, 3 * hidden), nn.Linear(hidden, hidden)
        self.fc, self.out = nn.Linear(hidden, 4 * hidden), nn.Linear(4 * hidden, hidden)

    def forward(self, x):
        b, s, h = x.shape
        q, k, v = self.qkv(self.ln_1(x)).view(b, s, 3, self.heads, h // self.heads).permute(2, 0, 3, 1, 4)
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.proj(y.transpose(1, 2).reshape(b, s, h))
        return x + self.out(F.gelu(self.fc(self.ln_2(x)), approximate="tanh"))


class Gpt(nn.Module):
    def __init__(self, layers, hidden, heads, sequence, vocabulary):
        super().__init__()
        self.wte, self.wpe = nn.Embedding(vocabulary, hidden), nn.Embedding(sequence, hidden)
        self.blocks = nn.ModuleList(Block(hidden, heads) for _ in range(layers))
        self.ln_f = nn.LayerNorm(hidden)

    def forward(self, tokens, targets):
        x = self.wte(tokens) + self.wpe.weight[: tokens.shape[1]]
        for block in self.blocks:
            x = block(x)
        logits = F.linear(self.ln_f(x), self.wte.weight)
        return F.cross_entropy(logits.flatten(0, 1).float(), targets.flatten())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("case", choices=cases.TIMED)
    parser.add_argument("--mode", choices=["eager", "compile"], default="eager")
    parser.add_argument("--iters", type=int, default=20)
    parser.add_argument("--warmup", type=int, default=5)
    o = parser.parse_args()
    layers, hidden, heads, sequence, batch, vocabulary = model_of(cases.TIMED[o.case])
    torch.manual_seed(1)
    torch.set_float32_matmul_precision("high")
    model = Gpt(layers, hidden, heads, sequence, vocabulary).cuda()
    adam = torch.optim.AdamW(model.parameters(), lr=1e-4, fused=True)
    run = torch.compile(model) if o.mode == "compile" else model
    tokens = torch.randint(vocabulary, (batch, sequence), device="cuda")
    targets = torch.randint(vocabulary, (batch, sequence), device="cuda")
    times = []
    for i in range(o.warmup + o.iters):
        begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        begin.record()
        with torch.autocast("cuda", dtype=torch.bfloat16):
            loss = run(tokens, targets)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        adam.step()
        adam.zero_grad(set_to_none=True)
        end.record()
        torch.cuda.synchronize()
        times.append(begin.elapsed_time(end))
    median = statistics.median(times[o.warmup :])
    result = {"peer": "PyTorch " + torch.__version__, "median_ms": median, "least_ms": min(times[o.warmup :])}
    result.update(tokens_per_second=batch * sequence / median * 1e3, peak_bytes=torch.cuda.max_memory_allocated())
    print(json.dumps(result))


if __name__ == "__main__":
    main()

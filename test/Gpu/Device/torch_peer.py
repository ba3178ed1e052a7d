#!/usr/bin/env python3
"""Times PyTorch's training step of a model of cases.py on the GPU, as the peer of `tx-run --bench`.

  torch_peer.py CASE [--mode eager|compile|graphs] [--precision autocast|bf16] [--iters 20] [--warmup 5]

One step: tokens to the device, forward and backward, F.scaled_dot_product_attention, clipping of the
gradients' norm to 1, fused AdamW, the loss to the host, on the host's clock, as tx-run's. No dropout.

  autocast   f32 parameters, gradients and moments, products and attention in bf16: what is stored and
             rounded is nearest to Tx's --bf16 (bf16 parameters with f32 masters, gradients, moments)
  bf16       parameters, gradients and moments in bf16: less memory and traffic than Tx's, less exact
  graphs     torch.compile(mode="reduce-overhead"), CUDA graphs as Tx has

What the first steps compile is not in the times. Prints one line of JSON.
"""

import argparse
import json
import statistics
import time

import torch
import torch.nn as nn
import torch.nn.functional as F

import cases


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
    parser.add_argument("--mode", choices=["eager", "compile", "graphs"], default="eager")
    parser.add_argument("--precision", choices=["autocast", "bf16"], default="autocast")
    parser.add_argument("--iters", type=int, default=20)
    parser.add_argument("--warmup", type=int, default=5)
    o = parser.parse_args()
    layers, hidden, heads, sequence, batch, vocabulary = cases.sizes(cases.TIMED[o.case])
    torch.manual_seed(1)
    torch.set_float32_matmul_precision("high")
    model = Gpt(layers, hidden, heads, sequence, vocabulary).cuda()
    if o.precision == "bf16":
        model = model.bfloat16()
    adam = torch.optim.AdamW(model.parameters(), lr=1e-4, fused=True)
    run = model
    if o.mode != "eager":
        run = torch.compile(model, mode="reduce-overhead" if o.mode == "graphs" else None)
    data = torch.randint(vocabulary, (2, batch, sequence)).pin_memory()

    def step():
        tokens, targets = data.cuda(non_blocking=True)
        with torch.autocast("cuda", dtype=torch.bfloat16, enabled=o.precision == "autocast"):
            loss = run(tokens, targets)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        adam.step()
        adam.zero_grad(set_to_none=True)
        return loss.item()

    times, begin = [], time.perf_counter()
    for _ in range(o.warmup):
        step()
    torch.cuda.synchronize()
    warmup = time.perf_counter() - begin
    torch.cuda.reset_peak_memory_stats()
    for _ in range(o.iters):
        begin = time.perf_counter()
        step()
        torch.cuda.synchronize()
        times.append((time.perf_counter() - begin) * 1e3)
    median = statistics.median(times)
    free, total = torch.cuda.mem_get_info()
    versions = f"PyTorch {torch.__version__}, CUDA {torch.version.cuda}, cuDNN {torch.backends.cudnn.version()}"
    result = {
        "versions": versions,
        "median_ms": median,
        "least_ms": min(times),
        "most_ms": max(times),
        "warmup_seconds": warmup,
    }
    result.update(tokens_per_second=batch * sequence / median * 1e3, allocated_bytes=torch.cuda.max_memory_allocated())
    result.update(reserved_bytes=torch.cuda.memory_reserved(), device_bytes=total - free)
    print(json.dumps(result))


if __name__ == "__main__":
    main()

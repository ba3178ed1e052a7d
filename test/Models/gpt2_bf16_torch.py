"""The same GPT-2 in bf16, rounded where Tx rounds.

Parameters are f32 tensors that hold bf16 numbers, so that their gradients are not
rounded. Activations are bf16. Each op computes in double and rounds its result
once; so does each op of backward, since the gradient of `.double()` rounds.
"""

import math

import torch
import torch.nn.functional as F

import gpt2_torch as gpt2


class RoundGradient(torch.autograd.Function):
    """Logits are not rounded; their gradient is, as an operand of the head's products."""

    @staticmethod
    def forward(ctx, x):
        return x.clone()

    @staticmethod
    def backward(ctx, dy):
        return dy.bfloat16().double()


class Softmax(torch.autograd.Function):
    """Backward takes the softmax's rounded result."""

    @staticmethod
    def forward(ctx, scores):
        y = scores.double().softmax(dim=-1).bfloat16()
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx, dy):
        y, dy = ctx.saved_tensors[0].double(), dy.double()
        return (y * (dy - (dy * y).sum(-1, keepdim=True))).bfloat16()


def for_heads(t, q):
    """Keys or values for each head of queries; heads in a row may share them."""
    return t.repeat_interleave(q.shape[1] // t.shape[1], dim=1)


class Flash(torch.autograd.Function):
    """One op: nothing but its result and its gradients is rounded."""

    @staticmethod
    def forward(ctx, q, k, v, mask):
        scale = 1 / math.sqrt(q.shape[-1])
        keys, values = for_heads(k.double(), q), for_heads(v.double(), q)
        scores = (q.double() @ keys.transpose(2, 3) * scale).masked_fill(mask, float("-inf"))
        lse = scores.logsumexp(-1, keepdim=True)
        y = ((scores - lse).exp() @ values).bfloat16()
        ctx.save_for_backward(q, k, v, y, lse, mask)
        return y

    @staticmethod
    def backward(ctx, dy):
        q, k, v, y, lse = (t.double() for t in ctx.saved_tensors[:5])
        groups, k, v = k.shape[1], for_heads(k, q), for_heads(v, q)
        scale, dy = 1 / math.sqrt(q.shape[-1]), dy.double()
        scores = (q @ k.transpose(2, 3) * scale).masked_fill(ctx.saved_tensors[5], float("-inf"))
        p = (scores - lse).exp()
        ds = scale * p * (dy @ v.transpose(2, 3) - (dy * y).sum(-1, keepdim=True))

        def shared(t):  # the sum over the heads of a group
            return t.unflatten(1, (groups, -1)).sum(2).bfloat16()

        return (ds @ k).bfloat16(), shared(ds.transpose(2, 3) @ q), shared(p.transpose(2, 3) @ dy), None


def unfused(q, k, v, mask):
    # A gradient of keys or values is rounded for each head, and again where heads that share them are summed.
    k, v = for_heads(k, q), for_heads(v, q)
    scores = (q.double() @ k.double().transpose(2, 3) / math.sqrt(q.shape[-1])).bfloat16()
    p = Softmax.apply(scores.masked_fill(mask, float("-inf")))
    return (p.double() @ v.double()).bfloat16()


def loss(config, state, tokens, targets, attention):
    """`attention`: "flash" or "unfused"; `state` holds bf16 numbers in double."""
    h, heads = config["n_embd"], config["n_head"]
    b, s = tokens.shape
    eps = config["layer_norm_epsilon"]

    def norm(x, name):
        y = F.layer_norm(x.double(), (h,), state[name + ".weight"], state[name + ".bias"], eps)
        return y.bfloat16()

    def linear(x, name):
        return (x.double() @ state[name + ".weight"] + state[name + ".bias"]).bfloat16()

    def add(x, y):
        return (x.double() + y.double()).bfloat16()

    def split(x):
        return x.view(b, s, heads, h // heads).transpose(1, 2)

    mask = torch.ones(s, s, dtype=torch.bool).triu(1)
    x = F.embedding(tokens, state["transformer.wte.weight"]).bfloat16()
    x = add(x, state["transformer.wpe.weight"][:s])
    for layer in range(config["n_layer"]):
        at = "transformer.h.%d." % layer
        q, k, v = (split(t) for t in linear(norm(x, at + "ln_1"), at + "attn.c_attn").split(h, dim=2))
        attended = Flash.apply(q, k, v, mask) if attention == "flash" else unfused(q, k, v, mask)
        x = add(x, linear(attended.transpose(1, 2).reshape(b, s, h), at + "attn.c_proj"))
        hidden = linear(norm(x, at + "ln_2"), at + "mlp.c_fc")
        x = add(x, linear(gpt2.gelu_tanh(hidden.double()).bfloat16(), at + "mlp.c_proj"))
    x = norm(x, "transformer.ln_f")
    head = "transformer.wte.weight" if config["tie_word_embeddings"] else "lm_head.weight"
    logits = RoundGradient.apply(x.double() @ state[head].t())
    return F.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=-100)


def plain_loss(config, state, tokens, targets):
    """What PyTorch computes with a model and activations in bf16 and its own kernels; logits in f32."""
    narrow = {name: value.bfloat16() for name, value in state.items()}
    logits = gpt2.logits(config, narrow, tokens).float()
    return F.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=-100)

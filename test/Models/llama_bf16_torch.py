"""The same LLaMA and relatives in bf16, rounded where Tx rounds; see gpt2_bf16_torch.py."""

import torch
import torch.nn.functional as F

import llama_torch as llama
from gpt2_bf16_torch import Flash, RoundGradient, unfused


def loss(config, state, tokens, targets, attention):
    """`attention`: "flash" or "unfused"; `state` holds bf16 numbers in double."""
    heads, groups, d = config["num_attention_heads"], config["num_key_value_heads"], llama.head_size(config)
    b, s = tokens.shape

    def norm(x, name):
        x = x.double()
        rstd = torch.rsqrt((x * x).mean(-1, keepdim=True) + config["rms_norm_eps"])
        return (x * rstd * state[name + ".weight"]).bfloat16()

    def linear(x, name):
        return F.linear(x.double(), state[name + ".weight"], state.get(name + ".bias")).bfloat16()

    def add(x, y):
        return (x.double() + y.double()).bfloat16()

    cos, sin = llama.rope_tables(config, s)

    def split(x, count, name=None):
        x = x.view(b, s, count, d)
        if name and config["model_type"] == "qwen3":
            x = norm(x, name)
        x = x.transpose(1, 2)
        return llama.rotate(x.double(), cos, sin).bfloat16() if name else x

    mask = torch.ones(s, s, dtype=torch.bool).triu(1)
    attend = Flash.apply if attention == "flash" else unfused
    x = F.embedding(tokens, state["model.embed_tokens.weight"]).bfloat16()
    for layer in range(config["num_hidden_layers"]):
        at = "model.layers.%d." % layer
        y = norm(x, at + "input_layernorm")
        q = split(linear(y, at + "self_attn.q_proj"), heads, at + "self_attn.q_norm")
        k = split(linear(y, at + "self_attn.k_proj"), groups, at + "self_attn.k_norm")
        v = split(linear(y, at + "self_attn.v_proj"), groups)
        attended = attend(q, k, v, mask).transpose(1, 2).reshape(b, s, heads * d)
        x = add(x, linear(attended, at + "self_attn.o_proj"))
        y = norm(x, at + "post_attention_layernorm")
        gate, up = linear(y, at + "mlp.gate_proj"), linear(y, at + "mlp.up_proj")
        x = add(x, linear((F.silu(gate.double()) * up.double()).bfloat16(), at + "mlp.down_proj"))
    head = "model.embed_tokens.weight" if config["tie_word_embeddings"] else "lm_head.weight"
    logits = RoundGradient.apply(norm(x, "model.norm").double() @ state[head].t())
    return F.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=-100)


def plain_loss(config, state, tokens, targets):
    """What PyTorch computes with a model and activations in bf16 and its own kernels; logits in f32."""
    narrow = {name: value.bfloat16() for name, value in state.items()}
    logits = llama.logits(config, narrow, tokens).float()
    return F.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=-100)

"""LLaMA and its relatives as Hugging Face defines them, in plain torch functions.

`config` is a config.json of model_type llama, mistral, qwen2 or qwen3. A state is a
dictionary from Hugging Face's names to tensors; weights of linears are [out, in].
Frequencies are computed in f32, as Hugging Face's classes do; all else in the type of
the state. Gradients, optimizer and files are the caller's.
"""

import math

import torch
import torch.nn.functional as F


def head_size(config):
    return config.get("head_dim") or config["hidden_size"] // config["num_attention_heads"]


def biases(config):
    """Whether q, k and v, attention's output, and the MLP have biases."""
    own = config.get("attention_bias", False)
    return {"qwen2": (True, False, False), "mistral": (False, False, False)}.get(
        config["model_type"], (own, own, config.get("mlp_bias", False))
    )


def shapes(config):
    """Name to shape of every parameter, in the order of Hugging Face's state_dict."""
    h, f, d = config["hidden_size"], config["intermediate_size"], head_size(config)
    q, k = config["num_attention_heads"] * d, config["num_key_value_heads"] * d
    qkv, out, mlp = biases(config)
    result = {"model.embed_tokens.weight": (config["vocab_size"], h)}
    for layer in range(config["num_hidden_layers"]):
        at = "model.layers.%d." % layer

        def linear(name, rows, columns, bias):
            result[at + name + ".weight"] = (rows, columns)
            if bias:
                result[at + name + ".bias"] = (rows,)

        result[at + "input_layernorm.weight"] = (h,)
        linear("self_attn.q_proj", q, h, qkv)
        linear("self_attn.k_proj", k, h, qkv)
        linear("self_attn.v_proj", k, h, qkv)
        linear("self_attn.o_proj", h, q, out)
        if config["model_type"] == "qwen3":
            result[at + "self_attn.q_norm.weight"] = result[at + "self_attn.k_norm.weight"] = (d,)
        result[at + "post_attention_layernorm.weight"] = (h,)
        linear("mlp.gate_proj", f, h, mlp)
        linear("mlp.up_proj", f, h, mlp)
        linear("mlp.down_proj", h, f, mlp)
    result["model.norm.weight"] = (h,)
    if not config["tie_word_embeddings"]:
        result["lm_head.weight"] = (config["vocab_size"], h)
    return result


def frequencies(config, seq):
    """One for each pair of a head's columns, in f32, and the factor of cos and sin."""
    d, theta = head_size(config), config["rope_theta"]
    scaling = config.get("rope_scaling") or {"rope_type": "default"}
    kind, factor = scaling["rope_type"], scaling.get("factor", 1.0)
    if kind == "dynamic":
        most = config["max_position_embeddings"]
        theta *= (factor * max(seq, most) / most - (factor - 1)) ** (d / (d - 2))
    periods = theta ** (torch.arange(0, d, 2).float() / d)
    plain = 1 / periods
    if kind == "linear":
        return plain / factor, 1.0
    if kind == "llama3":
        wave = 2 * math.pi / plain
        before, low, high = (
            scaling[name] for name in ("original_max_position_embeddings", "low_freq_factor", "high_freq_factor")
        )
        part = ((before / wave - low) / (high - low)).clamp(0, 1)
        return (1 - part) * plain / factor + part * plain, 1.0
    if kind == "yarn":

        def pair(rotations):
            turns = scaling["original_max_position_embeddings"] / (rotations * 2 * math.pi)
            return d * math.log(turns) / (2 * math.log(theta))

        first, last = max(math.floor(pair(32)), 0), min(math.ceil(pair(1)), d - 1)
        ramp = ((torch.arange(d // 2).float() - first) / max(last - first, 0.001)).clamp(0, 1)
        return plain / factor * ramp + plain * (1 - ramp), 0.1 * math.log(factor) + 1
    return plain, 1.0


def rope_tables(config, seq):
    """cos and sin of each position and pair, in double, of angles in f32."""
    rates, scale = frequencies(config, seq)
    angles = (torch.arange(seq).float()[:, None] * rates).double()
    return scale * angles.cos(), scale * angles.sin()


def rotate(x, cos, sin):
    left, right = x.chunk(2, dim=-1)
    return torch.cat((left * cos - right * sin, right * cos + left * sin), dim=-1)


def logits(config, state, tokens):
    heads, groups, d = config["num_attention_heads"], config["num_key_value_heads"], head_size(config)
    b, s = tokens.shape

    def norm(x, name):
        return x * torch.rsqrt((x * x).mean(-1, keepdim=True) + config["rms_norm_eps"]) * state[name + ".weight"]

    def linear(x, name):
        return F.linear(x, state[name + ".weight"], state.get(name + ".bias"))

    cos, sin = (table.to(state["model.norm.weight"]) for table in rope_tables(config, s))

    def split(x, count, name=None):
        x = x.view(b, s, count, d)
        if name and config["model_type"] == "qwen3":
            x = norm(x, name)
        x = x.transpose(1, 2)
        return rotate(x, cos, sin) if name else x

    mask = torch.ones(s, s, dtype=torch.bool).triu(1)
    x = F.embedding(tokens, state["model.embed_tokens.weight"])
    for layer in range(config["num_hidden_layers"]):
        at = "model.layers.%d." % layer
        y = norm(x, at + "input_layernorm")
        q = split(linear(y, at + "self_attn.q_proj"), heads, at + "self_attn.q_norm")
        k = split(linear(y, at + "self_attn.k_proj"), groups, at + "self_attn.k_norm")
        v = split(linear(y, at + "self_attn.v_proj"), groups)
        # Heads in a row share keys and values.
        k, v = (t.repeat_interleave(heads // groups, dim=1) for t in (k, v))
        scores = (q @ k.transpose(2, 3)) / math.sqrt(d)
        attention = scores.masked_fill(mask, float("-inf")).softmax(dim=3) @ v
        x = x + linear(attention.transpose(1, 2).reshape(b, s, heads * d), at + "self_attn.o_proj")
        y = norm(x, at + "post_attention_layernorm")
        gated = F.silu(linear(y, at + "mlp.gate_proj")) * linear(y, at + "mlp.up_proj")
        x = x + linear(gated, at + "mlp.down_proj")
    head = "model.embed_tokens.weight" if config["tie_word_embeddings"] else "lm_head.weight"
    return F.linear(norm(x, "model.norm"), state[head])


def loss(config, state, tokens, targets):
    """Mean over the targets that are not -100; targets[i] belongs to tokens[i], no shift."""
    return F.cross_entropy(logits(config, state, tokens).flatten(0, 1), targets.flatten(), ignore_index=-100)

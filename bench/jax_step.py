"""JAX's pace at the work that `laurel bench` measures, one measurement a line as `laurel bench --peer` reads them.

    python bench/jax_step.py --shape minilm --tokens 512 --pairs 8 --dtype bfloat16 [--steps 10]

A plain transformer of the shape (bench/shapes/*.json; BERT, ModernBERT and Qwen3), one jitted step with donated state:
products in bfloat16 from float32 weights, jax.nn.dot_product_attention (cuDNN's on a GPU), AdamW, clipping at norm 1. It is
the same compiler that laurel uses, told by its own front end: a difference lies in the program. Needs jax and nothing else.
"""

import functools
import json
import pathlib
import time

import jax
import jax.numpy as jnp
import peer

SHAPES = pathlib.Path(__file__).parent / "shapes"


class Shape:
    """The sizes that a step's cost follows from."""

    def __init__(self, name):
        c = json.loads((SHAPES / f"{name}.json").read_text())
        self.family = c["model_type"]
        if self.family not in ("bert", "modernbert", "qwen3"):
            raise SystemExit(f"shape {name} is of {self.family}: this script knows bert, modernbert and qwen3")
        self.vocab, self.hidden, self.blocks = c["vocab_size"], c["hidden_size"], c["num_hidden_layers"]
        self.heads, self.inner = c["num_attention_heads"], c["intermediate_size"]
        self.groups = c.get("num_key_value_heads", self.heads)
        self.width = c.get("head_dim", self.hidden // self.heads)
        self.positions = c["max_position_embeddings"] if self.family == "bert" else 0
        self.gated = self.family != "bert"
        self.window = c.get("local_attention", 0)
        self.every = c.get("global_attn_every_n_layers", 1)
        self.theta = c.get("rope_theta", c.get("global_rope_theta", 10000.0))


def weights(s, key):
    """Random weights of one block each, and the rest."""
    keys = iter(jax.random.split(key, 8 * s.blocks + 4))
    draw = lambda *shape: 0.02 * jax.random.normal(next(keys), shape)
    d, h, g, k, f = s.hidden, s.heads, s.groups, s.width, s.inner
    blocks = []
    for _ in range(s.blocks):
        b = {"q": draw(d, h * k), "k": draw(d, g * k), "v": draw(d, g * k), "o": draw(h * k, d), "up": draw(d, f), "down": draw(f, d),
             "norm1": jnp.ones(d), "norm2": jnp.ones(d)}  # fmt: skip
        if s.gated:
            b["gate"] = draw(d, f)
            if s.family == "qwen3":
                b |= {"norm_q": jnp.ones(k), "norm_k": jnp.ones(k)}
        else:
            b |= {"bias_" + n: jnp.zeros(m) for n, m in [("q", h * k), ("k", g * k), ("v", g * k), ("o", d), ("up", f), ("down", d)]}
            b |= {"shift1": jnp.zeros(d), "shift2": jnp.zeros(d)}
        blocks.append(b)
    tree = {"words": draw(s.vocab, d), "blocks": blocks, "norm": jnp.ones(d), "head": draw(d)}
    if s.positions:
        tree["positions"] = draw(s.positions, d)
    return tree


def norm(x, scale, shift=None):
    if shift is None:
        return x * jax.lax.rsqrt(jnp.mean(x * x, -1, keepdims=True) + 1e-6) * scale
    x = x - jnp.mean(x, -1, keepdims=True)
    return x * jax.lax.rsqrt(jnp.mean(x * x, -1, keepdims=True) + 1e-12) * scale + shift


def rotate(x, theta):
    t, k = x.shape[1], x.shape[-1]
    angles = jnp.arange(t)[:, None] * theta ** (-jnp.arange(0, k, 2) / k)
    cos, sin = jnp.cos(angles)[None, :, None], jnp.sin(angles)[None, :, None]
    a, b = jnp.split(x, 2, -1)
    return jnp.concatenate([a * cos - b * sin, b * cos + a * sin], -1)


def block(s, i, dtype, x, b):
    """One block on [N, T, D]; norms and sums in float32, products in dtype."""
    n, t, _ = x.shape
    product = lambda x, name: (x.astype(dtype) @ b[name].astype(dtype)).astype(jnp.float32) + b.get("bias_" + name, 0)
    inside = norm(x, b["norm1"]) if s.gated else x
    q, k, v = (product(inside, name).reshape(n, t, heads, s.width) for name, heads in [("q", s.heads), ("k", s.groups), ("v", s.groups)])
    if s.family == "qwen3":
        q, k = norm(q, b["norm_q"]), norm(k, b["norm_k"])
    if s.gated:
        q, k = rotate(q, s.theta), rotate(k, s.theta)
    local = s.window // 2 if s.window and i % s.every else None
    fused = "cudnn" if jax.default_backend() == "gpu" and dtype == jnp.bfloat16 and local is None else None
    a = jax.nn.dot_product_attention(q.astype(dtype), k.astype(dtype), v.astype(dtype), is_causal=s.family == "qwen3",
                                     local_window_size=local, implementation=fused)  # fmt: skip
    x = x + product(a.reshape(n, t, -1), "o")
    if not s.gated:
        x = norm(x, b["norm1"], b["shift1"])
    inside = norm(x, b["norm2"]) if s.gated else x
    up = product(inside, "up")
    act = jax.nn.silu if s.family == "qwen3" else functools.partial(jax.nn.gelu, approximate=False)
    x = x + product(act(product(inside, "gate")) * up if s.gated else act(up), "down")
    return x if s.gated else norm(x, b["norm2"], b["shift2"])


def rewards(s, dtype, recompute, w, ids):
    x = w["words"][ids]
    if s.positions:
        x = x + w["positions"][: ids.shape[1]]
    for i, b in enumerate(w["blocks"]):
        one = functools.partial(block, s, i, dtype)
        x = (jax.checkpoint(one) if recompute else one)(x, b)
    x = norm(x, w["norm"])
    return (x[:, -1] if s.family == "qwen3" else x.mean(1) if s.family == "modernbert" else x[:, 0]) @ w["head"]


def main():
    args = peer.arguments()
    s = Shape(args.shape)

    def loss(w, ids):
        r = rewards(s, jnp.dtype(args.dtype), args.gradient_checkpointing, w, ids)
        return -jax.nn.log_sigmoid(r[: args.pairs] - r[args.pairs :]).mean()

    def step(state, ids):
        w, m, v, n = state
        value, g = jax.value_and_grad(loss)(w, ids)
        scale = jnp.minimum(1.0, 1.0 / jnp.sqrt(sum(jnp.sum(x * x) for x in jax.tree.leaves(g))))
        g, n = jax.tree.map(lambda x: x * scale, g), n + 1
        m = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, m, g)
        v = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, v, g)
        fix1, fix2 = 1 - 0.9**n, 1 - 0.999**n
        w = jax.tree.map(lambda w, m, v: w - 2e-5 * (m / fix1 / (jnp.sqrt(v / fix2) + 1e-8) + 0.01 * w), w, m, v)
        return (w, m, v, n), value

    w = weights(s, jax.random.key(1))
    parameters = sum(x.size for x in jax.tree.leaves(w))
    zeros = lambda: jax.tree.map(jnp.zeros_like, w)
    ids = jax.random.randint(jax.random.key(2), (2 * args.pairs, args.tokens), 0, s.vocab)
    state, run, times = (w, zeros(), zeros(), jnp.float32(0)), jax.jit(step, donate_argnums=0), []
    del w
    for _ in range(args.steps + 1):
        start = time.perf_counter()
        state, value = run(state, ids)
        value.block_until_ready()
        jax.block_until_ready(state)
        times.append(time.perf_counter() - start)
    device = jax.devices()[0]
    peer.report(args, "jax " + jax.__version__, device.device_kind, parameters, times[0], times[1:], float(value),
                (device.memory_stats() or {}).get("peak_bytes_in_use", 0))  # fmt: skip


if __name__ == "__main__":
    main()

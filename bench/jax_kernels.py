"""How many kernels a block takes when JAX describes it: what `make gpu-check` shows for laurel's programs, to compare with.

    python bench/jax_kernels.py SHAPE TOKENS [--pairs 8]

The model of bench/jax_step.py, forward and backward, is compiled for an H200 without one, as cmd/gpucheck compiles (same Python
environment); the programs of three blocks and of two differ by a block. ModernBERT's third block has a window. Prints JSON.
"""

import argparse
import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "cmd" / "gpucheck"))

import compiler
import programs


def kernels(target, shape, blocks, tokens, pairs):
    import jax
    import jax._src.cudnn.fused_attention_stablehlo as fused
    import jax.numpy as jnp
    import jax_step

    # No GPU is here to be asked what it can.
    fused.check_cudnn_version = lambda *a, **kw: 92800
    fused.check_compute_capability = lambda *a, **kw: True
    fused.check_is_flash_attention = lambda *a, **kw: None
    jax.default_backend = lambda: "gpu"

    s = jax_step.Shape(shape)
    s.blocks = blocks
    here = target.sharding()
    of = lambda x: jax.ShapeDtypeStruct(x.shape, x.dtype, sharding=here)
    weights = jax.tree.map(of, jax.eval_shape(lambda: jax_step.weights(s, jax.random.key(1))))
    ids = jax.ShapeDtypeStruct((2 * pairs, tokens), jnp.int32, sharding=here)

    def loss(w, ids):
        r = jax_step.rewards(s, jnp.bfloat16, False, w, ids)
        return -jax.nn.log_sigmoid(r[:pairs] - r[pairs:]).mean()

    return programs.Program(jax.jit(jax.grad(loss)).lower(weights, ids).compile().as_text())


def main():
    p = argparse.ArgumentParser()
    p.add_argument("shape")
    p.add_argument("tokens", type=int)
    p.add_argument("--pairs", type=int, default=8)
    args = p.parse_args()
    compiler.restart_with_libraries()
    target = compiler.Compiler()
    two, three = (kernels(target, args.shape, blocks, args.tokens, args.pairs) for blocks in (2, 3))
    print(json.dumps({"shape": args.shape, "tokens": args.tokens, "kernels_a_block": three.kernels - two.kernels,
                      "kinds": {k: three.kinds[k] - two.kinds[k] for k in three.kinds if three.kinds[k] != two.kinds[k]},
                      "bound_ms_a_block": 1e3 * (three.seconds - two.seconds)}))  # fmt: skip
    sys.stdout.flush()
    import os

    os._exit(0)  # the compile-only client does not survive the interpreter's end


if __name__ == "__main__":
    main()

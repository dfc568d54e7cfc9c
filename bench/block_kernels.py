"""The kernels that a block takes, laurel's beside JAX's of the same block, compiled for an H200 without one.

    make gpu-check; build/gpu-venv/bin/python bench/block_kernels.py [SHAPE...] [--tokens 512]

Forward and backward of a training step as laurel has them (bin/gpucheck) and of bench/jax_step.py's model; the programs of three
blocks and of two differ by a block. ModernBERT's third block has a window. Prints a table.
"""

import argparse
import os
import pathlib
import sys

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "cmd" / "gpucheck"))

import check
import compiler
import programs


def laurel(checks, shape, blocks, tokens):
    r = checks.rows(shape, tokens, blocks=blocks, wanted=("gradients",))[0]
    return r["kernels"], r["kinds"], r["seconds"]


def jax(target, shape, blocks, tokens):
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
    ids = jax.ShapeDtypeStruct((2 * check.PAIRS, tokens), jnp.int32, sharding=here)

    def loss(w, ids):
        r = jax_step.rewards(s, jnp.bfloat16, False, w, ids)
        return -jax.nn.log_sigmoid(r[: check.PAIRS] - r[check.PAIRS :]).mean()

    p = programs.Program(jax.jit(jax.grad(loss)).lower(weights, ids).compile().as_text())
    return p.kernels, p.kinds, p.seconds


def line(shape, engine, two, three):
    kinds = {k: three[1][k] - two[1].get(k, 0) for k in three[1]}
    fused = sum(n for k, n in kinds.items() if k.startswith("__cudnn$fmha"))
    products = sum(n for k, n in kinds.items() if k == "product" or k.startswith("__cublas"))
    kernels = three[0] - two[0]
    return f"| {shape} | {engine} | {kernels} | {products} | {fused} | {kernels - products - fused} | {1e3 * (three[2] - two[2]):.2f} |"


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("shapes", nargs="*", default=["minilm", "modernbert-large", "qwen3-0.6b"])
    p.add_argument("--tokens", type=int, default=512)
    p.add_argument("--gpucheck", default="bin/gpucheck")
    p.add_argument("--plugin", default="build/pjrt/cpu/pjrt_c_api_cpu_plugin.so")
    p.add_argument("--work", default="build/gpu-check", type=pathlib.Path)
    args = p.parse_args()
    compiler.restart_with_libraries()
    checks, target = check.Check(args), compiler.Compiler()
    print("| a block of | by | kernels | matrix products | fused attention | others | bound, ms |\n" + "| --- " * 7 + "|")
    for shape in args.shapes:
        print(line(shape, "laurel", *(laurel(checks, shape, blocks, args.tokens) for blocks in (2, 3))))
        print(line(shape, "JAX", *(jax(target, shape, blocks, args.tokens) for blocks in (2, 3))), flush=True)
    os._exit(0)  # the compile-only client does not survive the interpreter's end


if __name__ == "__main__":
    main()

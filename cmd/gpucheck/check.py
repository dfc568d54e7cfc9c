"""Compiles the CUDA programs that laurel would run for an H200, on a machine without one, and holds them to limits.

    make gpu-check [GPU_CHECK="--shapes minilm --tokens 512"]

gpucheck (main.go) hands the programs out: forward and backward of a training step ("gradients"), the update, and scoring, of each
shape at each length, in full and with LoRA. Each is compiled (compiler.py) and read (programs.py), and comes out as one row. What
was compiled before is not compiled again (WORK/*.json, by the program's digest). Exit 1 names each limit that is passed.
"""

import argparse
import hashlib
import json
import os
import pathlib
import subprocess
import sys

import compiler
import programs

HERE = pathlib.Path(__file__).parent
GB = 1e9
DEVICE_BYTES = 80 * GB  # the smallest card of those that 2,048 tokens of 0.6 B must fit into
PREDICTION = 0.15  # that the dry run's memory may be off by
SLACK = 1e6  # of bytes in an update: scalars, norms and the program's own constants
SCRIPTS = ("compiler.py", "programs.py", "h200.txtpb")


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--gpucheck", default="bin/gpucheck")
    p.add_argument("--plugin", default="build/pjrt/cpu/pjrt_c_api_cpu_plugin.so")
    p.add_argument("--work", default="build/gpu-check", type=pathlib.Path)
    p.add_argument("--shapes", nargs="+", default=["minilm", "modernbert-large", "qwen3-0.6b"])
    p.add_argument("--tokens", nargs="+", type=int, default=[512, 2048])
    p.add_argument("--out", type=pathlib.Path, help="write the rows as JSON too")
    p.add_argument("--memory", type=pathlib.Path, help="write what the dry run's prediction is held to (trainer/testdata/cuda_memory.json)")
    p.add_argument("--no-limits", action="store_true", help="only tell")
    args = p.parse_args()
    compiler.restart_with_libraries()
    rows, passed = [], []
    check = Check(args)
    for shape in args.shapes:
        for tokens in args.tokens:
            for lora in (False, True):
                these = check.case(shape, tokens, lora)
                rows += these
                passed += [] if args.no_limits else broken(these)
    print(table(rows))
    if args.out:
        args.out.write_text(json.dumps(rows, indent=1) + "\n")
    if args.memory:
        kept = [{"shape": r["shape"], "lora": r["lora"], "size": r["size"], "batch": r["batch"], "bytes": r["resident"]}
                for r in rows if r["program"] == "gradients"]  # fmt: skip
        args.memory.write_text(json.dumps(kept, indent=1) + "\n")
    for line in passed:
        print("limit passed:", line, file=sys.stderr)
    sys.stdout.flush()
    os._exit(1 if passed else 0)  # the compile-only client does not survive the interpreter's end


class Check:
    def __init__(self, args):
        self.args, self.compiler = args, None
        args.work.mkdir(parents=True, exist_ok=True)
        self.reader = hashlib.sha256(b"".join((HERE / name).read_bytes() for name in SCRIPTS)).hexdigest()

    def case(self, shape, tokens, lora):
        """One row a program; gradient checkpointing where the step does not fit otherwise."""
        rows = self.rows(shape, tokens, lora, False)
        if max(r["resident"] for r in rows) > DEVICE_BYTES:
            rows = self.rows(shape, tokens, lora, True)
        return rows

    def rows(self, shape, tokens, lora, checkpointing):
        name = f"{shape}-{tokens}" + "-lora" * lora + "-checkpointing" * checkpointing
        out = self.args.work / name
        command = [self.args.gpucheck, "--shape", shape, "--tokens", str(tokens), "--plugin", self.args.plugin, "--out", str(out)]
        command += ["--lora"] * lora + ["--gradient-checkpointing"] * checkpointing
        subprocess.run(command, check=True)
        case = json.loads((out / "case.json").read_text())
        return [row(case, program, self.figures((out / f"{program}.mlir").read_text(), name, program), checkpointing)
                for program in ("gradients", "update", "score")]  # fmt: skip

    def figures(self, stablehlo, name, program):
        digest = hashlib.sha256((self.reader + stablehlo).encode()).hexdigest()[:16]
        kept = self.args.work / f"{digest}.json"
        if not kept.exists():
            print(f"compile {name} {program}", file=sys.stderr, flush=True)
            self.compiler = self.compiler or compiler.Compiler()
            text, memory = self.compiler.compile(stablehlo)
            (self.args.work / name / f"{program}.h200.txt").write_text(text)
            kept.write_text(json.dumps(figures(text, memory)))
        return json.loads(kept.read_text())


def figures(text, memory):
    p = programs.Program(text)
    return {**memory, "products": dict(p.products), "large_products": dict(p.large), "kernels": p.kernels, "kinds": dict(p.kinds),
            "fused_attention": p.fused_attention, "flops": p.flops, "bytes": p.bytes, "seconds": p.seconds,
            "conversions": max(p.converted.values(), default=0), "scatters": p.scatters}  # fmt: skip


def row(case, program, found, checkpointing):
    work = {"gradients": case["step_flops"], "update": 0, "score": case["score_flops"]}[program]
    moments = 8 * case["trainable"] * (program == "gradients")  # AdamW's, which lie there meanwhile
    return {**case, "program": program, **found, "gradient_checkpointing": checkpointing, "resident": found["peak"] + moments,
            "mfu": work / found["seconds"] / programs.PEAK["bf16"]}  # fmt: skip


def broken(rows):
    """The limits that a case passes, in words."""
    found = []
    for r in rows:
        where = f"{r['shape']}, {r['tokens']} tokens, {'LoRA' if r['lora'] else 'full'}, {r['program']}"
        others = {t: n for t, n in r["large_products"].items() if t != "bf16"}
        if others and r["program"] == "gradients":
            found.append(f"{where}: large matrix products that are not bfloat16: {others}")
        if r["program"] == "gradients" and r["conversions"] > 1:
            found.append(f"{where}: a weight is converted to bfloat16 {r['conversions']} times")
        if r["program"] == "gradients" and not r["lora"] and not r["scatters"]:
            found.append(f"{where}: the embedding's gradient is no scatter")
        if r["program"] == "update" and r["peak"] > 17 * r["trainable"] + SLACK:
            found.append(f"{where}: {r['peak'] / r['trainable']:.1f} bytes a trained parameter at the peak, at most 17")
        if r["resident"] > DEVICE_BYTES:
            found.append(f"{where}: {r['resident'] / GB:.1f} GB do not fit into 80 GB, with gradient checkpointing either")
        if r["program"] == "gradients" and r["fused_attention"] == 0:
            found.append(f"{where}: no attention is fused")
        if r["program"] == "gradients" and abs(r["predicted"] / r["resident"] - 1) > PREDICTION:
            found.append(f"{where}: the dry run predicts {r['predicted'] / GB:.2f} GB where the compiler has {r['resident'] / GB:.2f}")
    return found


def table(rows):
    head = ("shape | tokens | trained | program | products | donated | arguments | outputs | scratch | peak | kernels | fused attention"
            " | of a run | predicted | bound, ms | MFU allowed")  # fmt: skip
    lines = [f"| {head} |", "|" + " --- |" * len(head.split("|"))]
    mb = lambda n: f"{n / 1e6:,.0f} MB"
    for r in rows:
        trained = ("LoRA" if r["lora"] else "all") + (", checkpointing" if r["gradient_checkpointing"] else "")
        products = ", ".join(f"{n} {t}" for t, n in sorted(r["products"].items())) or "–"
        mfu = f"{r['mfu']:.0%}" if r["mfu"] else "–"
        cells = [r["shape"], f"{r['tokens']:,}", trained, r["program"], products, *(mb(r[k]) for k in ("donated", "arguments", "outputs", "scratch", "peak")),
                 str(r["kernels"]), str(r["fused_attention"]),
                 *(mb(r[k]) if r["program"] == "gradients" else "–" for k in ("resident", "predicted")), f"{r['seconds'] * 1e3:.2f}", mfu]  # fmt: skip
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()

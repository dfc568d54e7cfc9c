"""Compiles the CUDA programs that laurel would run for an H200, on a machine without one, and holds them to limits.

    make gpu-check [GPU_CHECK="--shapes minilm --tokens 512"]

gpucheck (main.go) hands the programs out: forward and backward of a training step ("gradients"), the update, and scoring, of each
shape at each length, in full and with LoRA; forward and backward besides with gradient checkpointing, and of one shape on eight GPUs
that share a batch. Each is compiled (compiler.py) and read (programs.py), and comes out as one row. What
was compiled before is not compiled again (WORK/*.json.gz, by the program's digest). Exit 1 names each limit that is passed.
"""

import argparse
import gzip
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
PAIRS = 8  # of a step, on each GPU
DEVICE_BYTES = 80 * GB  # the smallest card of those that 2,048 tokens of 0.6 B must fit into
PREDICTION = 0.15  # that the dry run's memory may be off by
SEVERAL = ("modernbert-large", 512, 8)  # shape, tokens and GPUs of the step that is shared
SLACK = 1e6  # of bytes in an update: scalars, norms and the program's own constants
COMPILER = ("compiler.py", "h200.txtpb", "requirements.txt")


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
            if SEVERAL[:2] == (shape, tokens):
                these = check.rows(shape, tokens, devices=SEVERAL[2], wanted=("gradients", "update"))
                rows += these
                passed += [] if args.no_limits else broken(these) + uncollected(these)
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
        self.by = hashlib.sha256(b"".join((HERE / name).read_bytes() for name in COMPILER)).hexdigest()

    def case(self, shape, tokens, lora):
        """One row a program; with gradient checkpointing too in full, and where the step does not fit otherwise."""
        rows = self.rows(shape, tokens, lora)
        if not lora or rows[0]["resident"] > DEVICE_BYTES:
            rows[1:1] = self.rows(shape, tokens, lora, True, wanted=("gradients",))
        return rows

    def rows(self, shape, tokens, lora=False, checkpointing=False, devices=1, blocks=0, wanted=("gradients", "update", "score")):
        """One row a program; each of the devices has as many pairs as one device otherwise."""
        name = f"{shape}-{tokens}" + "-lora" * lora + "-checkpointing" * checkpointing + f"-{devices}-devices" * (devices > 1) + f"-{blocks}-blocks" * (blocks > 0)
        out = self.args.work / name
        command = [self.args.gpucheck, "--shape", shape, "--tokens", str(tokens), "--plugin", self.args.plugin, "--out", str(out)]
        command += ["--pairs", str(PAIRS * devices), "--devices", str(devices), "--blocks", str(blocks)]
        command += ["--lora"] * lora + ["--gradient-checkpointing"] * checkpointing
        subprocess.run(command, check=True)
        case = json.loads((out / "case.json").read_text())
        return [row(case, program, self.figures((out / f"{program}.mlir").read_text(), name, program)) for program in wanted]

    def figures(self, stablehlo, name, program):
        digest = hashlib.sha256((self.by + stablehlo).encode()).hexdigest()[:16]
        kept = self.args.work / f"{digest}.json.gz"
        if not kept.exists():
            print(f"compile {name} {program}", file=sys.stderr, flush=True)
            self.compiler = self.compiler or compiler.Compiler()
            text, memory = self.compiler.compile(stablehlo)
            aside = kept.with_suffix(".new")
            with gzip.open(aside, "wt") as f:
                json.dump({"program": f"{name} {program}", "memory": memory, "text": text}, f)
            aside.rename(kept)
        with gzip.open(kept, "rt") as f:
            compiled = json.load(f)
        return figures(compiled["text"], compiled["memory"])


def figures(text, memory):
    p = programs.Program(text)
    return {**memory, "products": dict(p.products), "large_products": dict(p.large), "kernels": p.kernels, "kinds": dict(p.kinds),
            "fused_attention": p.fused_attention, "flops": p.flops, "bytes": p.bytes, "seconds": p.seconds,
            "conversions": max(p.converted.values(), default=0), "scatters": p.scatters,
            "collectives": dict(p.collectives), "collected": p.collected, "waited": p.waited}  # fmt: skip


def row(case, program, found):
    work = {"gradients": case["step_flops"], "update": 0, "score": case["score_flops"]}[program]
    moments = 8 * case["trainable"] * (program == "gradients")  # AdamW's, which lie there meanwhile
    return {**case, "program": program, **found, "resident": found["peak"] + moments,
            "mfu": work / found["seconds"] / programs.PEAK["bf16"]}  # fmt: skip


def broken(rows):
    """The limits that a case passes, in words."""
    found = []
    if (least := min(r["resident"] for r in rows if r["program"] == "gradients")) > DEVICE_BYTES:
        found.append(f"{place(rows[0])}: {least / GB:.1f} GB do not fit into 80 GB, with gradient checkpointing either")
    for r in rows:
        where = place(r)
        others = {t: n for t, n in r["large_products"].items() if t != "bf16"}
        if others and r["program"] == "gradients":
            found.append(f"{where}: large matrix products that are not bfloat16: {others}")
        if r["program"] == "gradients" and r["conversions"] > 1:
            found.append(f"{where}: a weight is converted to bfloat16 {r['conversions']} times")
        if r["program"] == "gradients" and not r["lora"] and not r["scatters"]:
            found.append(f"{where}: the embedding's gradient is no scatter")
        if r["program"] == "update" and r["peak"] > 17 * r["trainable"] + SLACK:
            found.append(f"{where}: {r['peak'] / r['trainable']:.1f} bytes a trained parameter at the peak, at most 17")
        if r["program"] == "gradients" and r["fused_attention"] == 0:
            found.append(f"{where}: no attention is fused")
        if r["program"] == "gradients" and abs(r["predicted"] / r["resident"] - 1) > PREDICTION:
            found.append(f"{where}: the dry run predicts {r['predicted'] / GB:.2f} GB where the compiler has {r['resident'] / GB:.2f}")
    return found


def uncollected(rows):
    """The limits that a step on several GPUs passes, in words: gradients and the loss are added up once, while the rest is computed."""
    found = []
    for r in rows:
        want = 4 * (r["trainable"] + 1) if r["program"] == "gradients" else 0
        if r["collected"] != want or set(r["collectives"]) - {"all-reduce"}:
            found.append(f"{place(r)}: {r['collected']:,} bytes by {r['collectives']}, want {want:,} by all-reduce alone")
        if r["waited"]:
            found.append(f"{place(r)}: {r['waited']} collectives during which nothing else is computed")
    return found


def place(r):
    what = f"{r['shape']}, {r['tokens']} tokens, {trained(r)}, {r['program']}"
    return what + f" on {r['devices']} GPUs" * (r["devices"] > 1)


def trained(r):
    return ("LoRA" if r["lora"] else "all") + ", checkpointing" * r["gradient_checkpointing"]


def table(rows):
    head = ("shape | tokens | trained | program | products | donated | arguments | outputs | scratch | peak | kernels | fused attention"
            " | of a run | predicted | bound, ms | MFU allowed")  # fmt: skip
    lines = [f"| {head} |", "|" + " --- |" * len(head.split("|"))]
    mb = lambda n: f"{n / 1e6:,.0f} MB"
    for r in rows:
        products = ", ".join(f"{n} {t}" for t, n in sorted(r["products"].items())) or "–"
        mfu = f"{r['mfu']:.0%}" if r["mfu"] else "–"
        program = r["program"] + f", 1 of {r['devices']} GPUs" * (r["devices"] > 1)
        cells = [r["shape"], f"{r['tokens']:,}", trained(r), program, products, *(mb(r[k]) for k in ("donated", "arguments", "outputs", "scratch", "peak")),
                 str(r["kernels"]), str(r["fused_attention"]),
                 *(mb(r[k]) if r["program"] == "gradients" else "–" for k in ("resident", "predicted")), f"{r['seconds'] * 1e3:.2f}", mfu]  # fmt: skip
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()

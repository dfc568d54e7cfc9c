"""What the scripts of other engines share: the load that `laurel bench` measures, and the line that it reads with --peer."""

import argparse
import json
import statistics


def arguments(**extra):
    """The load, as `laurel bench` names it; extra flags by name, with their help."""
    p = argparse.ArgumentParser()
    p.add_argument("--shape", required=True)
    p.add_argument("--tokens", type=int, required=True)
    p.add_argument("--pairs", type=int, default=8)
    p.add_argument("--steps", type=int, default=10)
    p.add_argument("--dtype", choices=["float32", "bfloat16"], default="bfloat16")
    p.add_argument("--gradient-checkpointing", action="store_true")
    for name, text in extra.items():
        p.add_argument("--" + name, action="store_true", help=text)
    return p.parse_args()


def report(args, engine, device, parameters, first, times, loss, memory, **more):
    """Prints the measurement: times are of the steps after the first, in seconds, memory is in bytes."""
    if not abs(loss) < float("inf"):
        raise SystemExit(f"the loss is {loss}: nothing was measured")
    middle = statistics.median(times)
    print(json.dumps({
        "engine": engine, "device": device, "shape": args.shape, "pairs": args.pairs, "tokens": args.tokens, "dtype": args.dtype,
        "lora": False, "gradient_checkpointing": args.gradient_checkpointing, "steps": args.steps, "parameters": parameters,
        "first_step_s": first, "step_s": middle, "slowest_step_s": max(times), "loss": loss,
        "tokens_per_s": 2 * args.pairs * args.tokens / middle, "memory_bytes": memory, **more,
    }))  # fmt: skip

"""torch's pace at the work that `laurel bench` measures, one measurement a line as `laurel bench --peer` reads them.

    python bench/torch_step.py --shape qwen3-0.6b --tokens 512 --pairs 8 --dtype bfloat16 [--eager] [--steps 10]

The best that a user of transformers would write: SDPA attention without a mask (there is no padding), so that flash
attention can serve; weights and AdamW in float32 with products under autocast, as laurel has them; fused AdamW; clipping at
norm 1; torch.compile, unless --eager. Needs torch and transformers. Shapes: bench/shapes/*.json.
"""

import argparse
import json
import pathlib
import statistics
import time

import torch
from transformers import AutoConfig, AutoModelForSequenceClassification

SHAPES = pathlib.Path(__file__).parent / "shapes"


def random_model(shape, device):
    keys = json.loads((SHAPES / f"{shape}.json").read_text())
    config = AutoConfig.for_model(**{k: v for k, v in keys.items() if k != "architectures"})
    config.num_labels = 1
    for key in vars(config):
        if "dropout" in key and isinstance(getattr(config, key), float):
            setattr(config, key, 0.0)
    torch.manual_seed(1)
    model = AutoModelForSequenceClassification.from_config(config, attn_implementation="sdpa")
    return model.to(device=device, dtype=torch.float32).train()


def waited(device, work):
    start = time.perf_counter()
    work()
    if device == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - start


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--shape", required=True)
    p.add_argument("--tokens", type=int, required=True)
    p.add_argument("--pairs", type=int, default=8)
    p.add_argument("--steps", type=int, default=10)
    p.add_argument("--dtype", choices=["float32", "bfloat16"], default="bfloat16")
    p.add_argument("--gradient-checkpointing", action="store_true")
    p.add_argument("--eager", action="store_true", help="without torch.compile")
    args = p.parse_args()

    device = "cuda" if torch.cuda.is_available() else "cpu"
    model = random_model(args.shape, device)
    if args.gradient_checkpointing:
        model.gradient_checkpointing_enable()
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-5, weight_decay=0.01, fused=True)
    ids = torch.randint(3, model.config.vocab_size - 300, (2 * args.pairs, args.tokens), device=device)  # no padding id
    forward = model if args.eager else torch.compile(model)

    def gradients():
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast(device, dtype=torch.bfloat16, enabled=args.dtype == "bfloat16"):
            rewards = forward(input_ids=ids).logits[:, 0]
        loss = -torch.nn.functional.logsigmoid(rewards[: args.pairs].float() - rewards[args.pairs :].float()).mean()
        loss.backward()
        return loss

    def step():
        loss = gradients()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        return loss

    first = waited(device, step)
    times = [waited(device, step) for _ in range(args.steps)]
    backward = [waited(device, gradients) for _ in range(args.steps)]
    loss = float(step())
    if loss != loss:
        raise SystemExit("the loss is not a number: nothing was measured")
    middle = statistics.median(times)
    print(json.dumps({
        "engine": "torch " + torch.__version__ + (" eager" if args.eager else " compile"),
        "device": torch.cuda.get_device_name() if device == "cuda" else "cpu",
        "shape": args.shape, "pairs": args.pairs, "tokens": args.tokens, "dtype": args.dtype, "lora": False,
        "gradient_checkpointing": args.gradient_checkpointing, "steps": args.steps,
        "parameters": sum(w.numel() for w in model.parameters()), "first_step_s": first, "step_s": middle,
        "gradients_s": statistics.median(backward), "slowest_step_s": max(times), "loss": loss,
        "tokens_per_s": 2 * args.pairs * args.tokens / middle,
        "memory_bytes": torch.cuda.max_memory_allocated() if device == "cuda" else 0,
    }))  # fmt: skip


if __name__ == "__main__":
    main()

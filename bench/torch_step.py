"""torch's pace at the work that `laurel bench` measures, one measurement a line as `laurel bench --peer` reads them.

    python bench/torch_step.py --shape qwen3-0.6b --tokens 512 --pairs 8 --dtype bfloat16 [--eager] [--steps 10]

The best that a user of transformers would write: SDPA attention without a mask (there is no padding), so that flash
attention can serve; weights and AdamW in float32 with products under autocast, as laurel has them; fused AdamW; clipping at
norm 1; torch.compile, unless --eager. Needs torch and transformers. Shapes: bench/shapes/*.json.
"""

import json
import pathlib
import statistics
import time

import peer
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
    args = peer.arguments(eager="without torch.compile")
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
    peer.report(
        args, "torch " + torch.__version__ + (" eager" if args.eager else " compile"),
        torch.cuda.get_device_name() if device == "cuda" else "cpu", sum(w.numel() for w in model.parameters()), first, times,
        float(step()), torch.cuda.max_memory_allocated() if device == "cuda" else 0, gradients_s=statistics.median(backward),
    )  # fmt: skip


if __name__ == "__main__":
    main()

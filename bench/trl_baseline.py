"""TRL's RewardTrainer on the pairs, weights, batch and schedule of a laurel run, to compare pace and accuracy.

    python bench/trl_baseline.py MODEL TRAIN.parquet TEST.parquet OUT.json [epochs] [max_length] [lr] [max_steps]

Needs cmd/interop/requirements.txt. OUT.json gets pairs a second (the first three steps, which warm up, left out),
the wall time with everything, pairs kept, and accuracy and loss on TEST.
"""

import argparse
import json
import tempfile
import time

import torch
from datasets import Dataset
from transformers import AutoModelForSequenceClassification, AutoTokenizer, TrainerCallback
from trl import RewardConfig, RewardTrainer

BATCH = 8
WARM_UP = 3  # steps


class StepTimes(TrainerCallback):
    """When each step ended, in seconds."""

    def __init__(self):
        self.ends = []

    def on_step_end(self, args, state, control, **kwargs):
        self.ends.append(time.perf_counter())

    def pairs_per_second(self):
        if len(self.ends) <= WARM_UP + 1:
            return None
        return BATCH * (len(self.ends) - WARM_UP - 1) / (self.ends[-1] - self.ends[WARM_UP])


def pairs(path):
    return Dataset.from_parquet(path).select_columns(["prompt", "chosen", "rejected"])


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("model", "train", "test", "out"):
        parser.add_argument(name)
    parser.add_argument("epochs", nargs="?", type=float, default=1)
    parser.add_argument("max_length", nargs="?", type=int, default=512)
    parser.add_argument("lr", nargs="?", type=float, default=5e-5)
    parser.add_argument("max_steps", nargs="?", type=int, default=-1)
    a = parser.parse_args()

    torch.manual_seed(0)
    # TRL appends the eos token to text and fails on a tokenizer that has none.
    tokenizer = AutoTokenizer.from_pretrained(a.model, model_max_length=a.max_length)
    if tokenizer.eos_token is None:
        tokenizer.eos_token = tokenizer.sep_token
    model = AutoModelForSequenceClassification.from_pretrained(a.model, num_labels=1)
    train, times = pairs(a.train), StepTimes()
    config = RewardConfig(
        output_dir=tempfile.mkdtemp(), per_device_train_batch_size=BATCH, per_device_eval_batch_size=2 * BATCH,
        num_train_epochs=a.epochs, max_steps=a.max_steps, max_length=a.max_length, learning_rate=a.lr,
        lr_scheduler_type="linear", warmup_steps=16, weight_decay=0.01, max_grad_norm=1.0, logging_steps=10,
        save_strategy="no", report_to=[], use_cpu=True, bf16=False, gradient_checkpointing=False, seed=0)
    began = time.perf_counter()
    trainer = RewardTrainer(model=model, args=config, train_dataset=train, eval_dataset=pairs(a.test),
                            processing_class=tokenizer, callbacks=[times])
    trainer.train()
    wall = time.perf_counter() - began
    evaluated = time.perf_counter()
    metrics = trainer.evaluate()
    result = {
        "pairs_per_s": times.pairs_per_second(), "wall_s": wall, "evaluating_s": time.perf_counter() - evaluated, "steps": len(times.ends),
        "rows": len(train), "kept": len(trainer.train_dataset), "eval_kept": len(trainer.eval_dataset),
        "accuracy": metrics.get("eval_accuracy"), "loss": metrics.get("eval_loss"), "threads": torch.get_num_threads()}
    with open(a.out, "w") as out:
        json.dump(result, out, indent=1)
    print(json.dumps(result))


if __name__ == "__main__":
    main()

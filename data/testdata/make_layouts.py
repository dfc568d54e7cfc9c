"""Writes the layouts' JSON lines as the Parquet that datasets' users have.

Needs pyarrow. Run in this folder: python make_layouts.py
"""
import glob

import pyarrow as pa
import pyarrow.json
import pyarrow.parquet

for path in sorted(glob.glob("layouts/*.jsonl")):
    if "llama-factory." in path:
        continue  # an empty list has no type of its own beside lists of texts
    table = pa.json.read_json(path)
    pa.parquet.write_table(table, path.replace(".jsonl", ".parquet"), compression="zstd")

halves = pa.table({"prompt": ["p", "p"], "chosen": ["a", "c"], "rejected": ["b", "d"],
                   "margin": pa.array([1.5, -0.000061], pa.float16()), "confidence": pa.array([0.75, 1.0], pa.float16())})
pa.parquet.write_table(halves, "float16.parquet")

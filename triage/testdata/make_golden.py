"""Numbers of confident learning by cleanlab, for TestNoiseGolden.

    pip install cleanlab==2.9.0
    python make_golden.py > golden.json

A pair with probability p of its own label is two rows for cleanlab: label 1 with
p, and, the responses the other way round, label 0 with 1-p.
"""

import json

import cleanlab
import numpy as np
from cleanlab.count import compute_confident_joint, estimate_joint


def case(name, p):
    p = np.round(p, 6)
    labels = np.r_[np.ones(len(p), int), np.zeros(len(p), int)]
    second = np.r_[p, 1 - p]
    probabilities = np.c_[1 - second, second]
    counts = compute_confident_joint(labels, probabilities, calibrate=False)
    joint = estimate_joint(labels, probabilities)
    return {
        "name": name,
        "p": p.tolist(),
        "right": int(counts[1, 1]),
        "wrong": int(counts[1, 0]),
        "rate": float(joint[0, 1] + joint[1, 0]),
    }


random = np.random.default_rng(7)
print(
    json.dumps(
        {
            "cleanlab": cleanlab.__version__,
            "cases": [
                case("even", random.uniform(0, 1, 200)),
                case("good", random.beta(6, 2, 300)),
                case("sharp", np.where(random.uniform(size=300) < 0.1, random.beta(1, 9, 300), random.beta(9, 1, 300))),
                case("weak", random.beta(12, 11, 300)),
                case("wrong", random.beta(2, 3, 100)),
            ],
        }
    )
)

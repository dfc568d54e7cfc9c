"""Writes golden.json: power laws of accuracies by scipy's bounded least squares, from many starts.

    python3 make_golden.py   # in this folder, with numpy and scipy
"""

import json

import numpy as np
from scipy.optimize import least_squares


def fit(n, y):
    best = None
    for c in np.geomspace(0.01, 3, 25):
        off = lambda t: t[0] - t[1] * (n / n[0]) ** -np.exp(t[2]) - y
        r = least_squares(off, [min(y.max(), 0.99), max(y.max() - y.min(), 1e-3), np.log(c)], xtol=1e-15, ftol=1e-15, gtol=1e-15, max_nfev=5000,
                          bounds=([-10, 0, np.log(0.01)], [1, np.inf, np.log(3)]))
        if best is None or r.cost < best.cost:
            best = r
    return best


def main():
    rng = np.random.default_rng(3)
    cases = []
    for a, b, c, noise, sizes in [(0.8, 1.0, 0.4, 0.0, 5), (0.75, 2.0, 0.7, 0.004, 6), (0.9, 0.6, 0.2, 0.002, 7), (1.0, 3.0, 0.5, 0.01, 4)]:
        n = np.array([50.0 * 2**k for k in range(sizes)])
        y = np.minimum(a - b * n**-c + noise * rng.normal(size=sizes), 1)
        r = fit(n, y)
        ahead = r.x[0] - r.x[1] * (2 * n[-1] / n[0]) ** -np.exp(r.x[2])
        cases.append({"n": n.tolist(), "accuracy": y.tolist(), "square": 2 * r.cost, "ahead": ahead})
    with open("golden.json", "w") as f:
        json.dump(cases, f)
        f.write("\n")


main()

"""Golden numbers of sweeps, by numpy and scipy.

    python3 -m venv /tmp/sweeppy && /tmp/sweeppy/bin/pip install numpy scipy
    /tmp/sweeppy/bin/python make_golden.py > golden.json   # in this folder

120 comparisons of 40 prompts under four principles in both orders, position agree, and all that
sweeps say of them, written anew from the definitions in docs/feedback.md and docs/constitution.md.
"""

import json

import numpy as np
from scipy import optimize, stats

draw = np.random.default_rng(20261127)
ROWS, PROMPTS, WEIGHTS = 120, 40, np.array([1.5, 1.0, 1.2, 0.8])
MIN_CONFIDENCE, MIN_VOTE_SHARE = 0.58, 0.45
P = len(WEIGHTS)
prompt = np.arange(ROWS) % PROMPTS
truth = draw.normal(0, 0.7, ROWS)
# the first two lean to the truth, the third is the second with noise, the last leans away from it
lean = np.stack([truth, 0.5 * truth, 0.5 * truth, -0.2 * truth], 1) + draw.normal(0, [0.5, 0.5, 0.5, 0.6], (ROWS, P))
lean[:, 2] = lean[:, 1] + draw.normal(0, 0.3, ROWS)
a_first = np.round(1 / (1 + np.exp(-lean - draw.normal(0.1, 0.2, lean.shape))), 4)
b_first = np.round(1 / (1 + np.exp(-lean + draw.normal(0.1, 0.2, lean.shape))), 4)  # that a is better, b shown first
a_first[a_first == 0.5], b_first[b_first == 0.5] = 0.5001, 0.5001
gold = np.where(truth > 0.15, 1, np.where(truth < -0.15, -1, 0))

side = np.where((a_first > 0.5) & (b_first > 0.5), 1, np.where((a_first < 0.5) & (b_first < 0.5), -1, 0))
mean = (a_first + b_first) / 2
sure = np.where(side == 1, mean, 1 - mean)


def label(weights):
    """The labels, 1 for a, -1 for b, 0 for an abstention, with their confidences."""
    out, confidence = np.zeros(ROWS, int), np.full(ROWS, np.nan)
    for i in range(ROWS):
        for_a, for_b = (weights[side[i] == s].sum() for s in (1, -1))
        if for_a == for_b:
            continue
        won = 1 if for_a > for_b else -1
        mine = side[i] == won
        confidence[i] = (weights * sure[i])[mine].sum() / weights[mine].sum()
        if confidence[i] >= MIN_CONFIDENCE and weights[mine].sum() / weights.sum() >= MIN_VOTE_SHARE:
            out[i] = won
    return out, confidence


def difference(above1, below1, above2, below2, counted):
    """The difference of two ratios, and its linearised 95% interval over prompts."""
    r1, r2 = above1.sum() / below1.sum(), above2.sum() / below2.sum()
    z = (above1 - r1 * below1) / below1.sum() - (above2 - r2 * below2) / below2.sum()
    by = np.bincount(prompt, z, PROMPTS)
    n = len(set(prompt[counted]))
    half = stats.norm.ppf(0.975) * np.sqrt((by**2).sum() * n / (n - 1))
    return [r1 - r2, r1 - r2 - half, r1 - r2 + half]


shipped, confidence = label(WEIGHTS)
golden = gold != 0


def change(weights):
    now, sure_now = label(weights)
    right, there = (now == gold) * golden * 1.0, (now != 0) * golden * 1.0
    right0, there0 = (shipped == gold) * golden * 1.0, (shipped != 0) * golden * 1.0
    return {
        "labelled": int((now != 0).sum()),
        "flips": int(((now == -shipped) & (now != 0)).sum()),
        "lost": int(((shipped != 0) & (now == 0)).sum()),
        "gained": int(((shipped == 0) & (now != 0)).sum()),
        "confidence": sure_now[now != 0].mean(),
        "agreement": right.sum() / there.sum(),
        "more": difference(right, there, right0, there0, (there + there0) > 0),
        "score": (right + (golden - there) / 2).sum() / golden.sum(),
    }


def swept(p, factor):
    weights = WEIGHTS.copy()
    weights[p] *= factor
    if factor == 0:
        keep = np.arange(P) != p
        global side, sure
        was = side, sure
        side, sure = side[:, keep], sure[:, keep]
        out = change(weights[keep])
        side, sure = was
        return out
    return change(weights)


def pair(a, b):
    both = (side[:, a] != 0) & (side[:, b] != 0)
    x, y = side[both, a], side[both, b]
    p, q = (x == 1).mean(), (y == 1).mean()
    expected = p * (1 - q) + q * (1 - p)
    observed = (x != y).mean()
    return {"n": int(both.sum()), "opposite": observed, "expected": expected, "kappa": 1 - observed / expected,
            "spearman": stats.spearmanr(mean[:, a], mean[:, b]).statistic}


def fitted():
    """Weights of 0 or more of the logistic regression of gold's side on the sides, with a penalty of 1/2 |w|²."""
    x = side[golden] * gold[golden, None]
    loss = lambda w: (np.logaddexp(0, -x @ w).sum() + w @ w / 2, -(x * (1 / (1 + np.exp(x @ w)))[:, None]).sum(0) + w)
    w = optimize.minimize(loss, np.ones(P), jac=True, method="L-BFGS-B", bounds=[(0, None)] * P, options={"ftol": 1e-15, "gtol": 1e-10}).x
    return list(w / w.sum() * WEIGHTS.sum())


def explained(p):
    """Held out R² of a principle's probability by the others', prompts parted by their number modulo 5."""
    y, others = mean[:, p], np.column_stack([np.ones(ROWS), np.delete(mean, p, 1)])
    left = all_ = 0
    for k in range(5):
        held = prompt % 5 == k
        beta = np.linalg.lstsq(others[~held], y[~held], rcond=None)[0]
        left += ((y - others @ beta)[held] ** 2).sum()
        all_ += ((y[held] - y[~held].mean()) ** 2).sum()
    return 1 - left / all_


print(json.dumps({
    "weights": list(WEIGHTS), "min_confidence": MIN_CONFIDENCE, "min_vote_share": MIN_VOTE_SHARE,
    "prompt": prompt.tolist(), "a_first": a_first.tolist(), "b_first": b_first.tolist(), "gold": gold.tolist(),
    "label": shipped.tolist(), "confidence": [None if np.isnan(c) else c for c in confidence],
    "left_out": [swept(p, 0) for p in range(P)], "tripled": [swept(p, 3) for p in range(P)],
    "pairs": [pair(a, b) for a in range(P) for b in range(a + 1, P)],
    "fitted": fitted(), "explained": [explained(p) for p in range(P)],
}, indent=None))

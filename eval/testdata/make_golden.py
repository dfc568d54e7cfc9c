"""Writes golden.json and paired.json: rows and what numpy, scipy and scikit-learn find.

    python3 -m venv /tmp/evalpy && /tmp/evalpy/bin/pip install numpy scipy scikit-learn statsmodels
    /tmp/evalpy/bin/python make_golden.py   # in this folder

Independent of the Go code: every statistic comes from a library, or from its
definition written with arrays. Undefined values are null.
"""

import json
import math
import warnings

import numpy as np
import scipy
import sklearn
import statsmodels.api as sm
from scipy import stats
from sklearn.linear_model import LogisticRegression
from statsmodels.stats.contingency_tables import mcnemar
from sklearn.metrics import brier_score_loss, log_loss, roc_auc_score

warnings.simplefilter("ignore")


def ece(p, y):
    total, edges = 0.0, np.arange(11) / 10
    which = np.clip(np.searchsorted(edges, p, side="right") - 1, 0, 9)
    bins = []
    for k in range(10):
        inside = which == k
        if not inside.any():
            bins.append({"bin": k, "count": 0, "mean_p": None, "observed": None})
            continue
        total += inside.mean() * abs(p[inside].mean() - y[inside].mean())
        bins.append({"bin": k, "count": int(inside.sum()), "mean_p": p[inside].mean(), "observed": y[inside].mean()})
    return total, bins


def mean(x):
    return x.mean() if len(x) else math.nan


def weighted(x, w):
    return np.average(x, weights=w) if w.sum() > 0 else math.nan


def quotient(a, b):
    return a / b if b else math.nan


def constant(x):
    return (x == x[0]).all()


def correlation(f, x, y):
    return math.nan if constant(x) or constant(y) else f(x, y).statistic


def std(x):
    """numpy's, but 0 for a constant whose mean rounds."""
    return math.nan if len(x) < 2 else 0.0 if constant(x) else x.std(ddof=1)


def measure(rows):
    column = lambda key: np.array([r[key] for r in rows], dtype=float)
    c, r, w = column("chosen"), column("rejected"), column("confidence")
    lc, lr = column("len_chosen"), column("len_rejected")
    m, n = c - r, len(rows)
    p = scipy.special.expit(m)
    half, strict = np.where(m > 0, 1.0, np.where(m == 0, 0.5, 0.0)), (m > 0).astype(float)
    rewards, lengths = np.concatenate([c, r]), np.concatenate([lc, lr])
    both, labels = np.concatenate([p, scipy.special.expit(-m)]), np.repeat([1.0, 0.0], n)
    bt = np.logaddexp(0, -m)
    symmetric = log_loss(labels, both) if abs(m).max() < 30 else bt.mean()  # sklearn clips p at 2e-16
    k = int(strict.sum())
    binomial = stats.binomtest(k, n)
    interval = lambda method: [float(x) for x in binomial.proportion_ci(0.95, method=method)]
    half_z, share = stats.norm.ppf(0.975), half.mean()
    centre, spread = share + half_z**2 / (2 * n), half_z * math.sqrt(share * (1 - share) / n + half_z**2 / (4 * n * n))
    known = lengths.max() > 0
    chosen_only, _ = ece(p, np.ones(n))
    ece_symmetric, bins = ece(both, labels)
    confidence, _ = ece(np.maximum(p, scipy.special.expit(-m)), half)
    return {
        "n": n,
        "ties": int((m == 0).sum()),
        "accuracy_ties_half": half.mean(),
        "accuracy_strict": strict.mean(),
        "weighted_accuracy_ties_half": weighted(half, w),
        "weighted_accuracy_strict": weighted(strict, w),
        "margin_mean": m.mean(),
        "margin_median": np.median(m),
        "margin_std_ddof1": std(m),
        "margin_min": m.min(),
        "margin_max": m.max(),
        "margin_quantiles_linear": {str(q): np.quantile(m, q) for q in (0.05, 0.25, 0.75, 0.95)},
        "cohens_d_pooled": quotient(c.mean() - r.mean(), math.sqrt((std(c) ** 2 + std(r) ** 2) / 2)),
        "cohens_d_paired": quotient(m.mean(), std(m)),
        "roc_auc": roc_auc_score(labels, rewards),
        "bt_loss_mean": bt.mean(),
        "bt_loss_weighted": weighted(bt, w),
        "log_loss_soft": (w * bt + (1 - w) * np.logaddexp(0, m)).mean(),
        "log_loss_symmetric": symmetric,
        "brier": ((1 - p) ** 2).mean(),
        "brier_symmetric": brier_score_loss(labels, both),
        "ece_chosen_only": chosen_only,
        "ece_symmetric": ece_symmetric,
        "ece_confidence": confidence,
        "ece_bins_symmetric": bins,
        "spearman_reward_length": correlation(stats.spearmanr, rewards, lengths),
        "pearson_reward_length": correlation(stats.pearsonr, rewards, lengths),
        "kendall_tau_b_reward_length": correlation(stats.kendalltau, rewards, lengths),
        "spearman_margin_length_difference": correlation(stats.spearmanr, m, lc - lr),
        "spearman_margin_confidence": correlation(stats.spearmanr, m, w),
        "longer_chosen_share": mean((lc > lr)[lc != lr]),
        "accuracy_where_chosen_shorter": mean(half[lc < lr]),
        "accuracy_where_chosen_longer": mean(half[lc > lr]),
        "always_longer_accuracy": np.where(lc > lr, 1, np.where(lc == lr, 0.5, 0)).mean() if known else math.nan,
        "always_shorter_accuracy": np.where(lc < lr, 1, np.where(lc == lr, 0.5, 0)).mean() if known else math.nan,
        "wilson_95_ties_half": [max(0.0, (centre - spread) / (1 + half_z**2 / n)), min(1.0, (centre + spread) / (1 + half_z**2 / n))],
        "wilson_95_strict": interval("wilson"),
        "clopper_pearson_95_strict": interval("exact"),
    }


def bootstrap(rows):
    m = np.array([r["chosen"] - r["rejected"] for r in rows])
    half = np.where(m > 0, 1.0, np.where(m == 0, 0.5, 0.0))
    picks = np.random.default_rng(0).integers(0, len(m), (20000, len(m)))
    means = half[picks].mean(axis=1)
    return {"low": np.quantile(means, 0.025), "high": np.quantile(means, 0.975), "standard_error": means.std(ddof=1)}


def case(rows):
    names = list(dict.fromkeys(r["subset"] for r in rows))
    subsets = {name: measure([r for r in rows if r["subset"] == name]) for name in names if name or len(names) > 1}
    overall = measure(rows)
    overall["bootstrap"] = bootstrap(rows)
    overall["macro_accuracy"] = np.mean(
        [measure([r for r in rows if r["subset"] == name])["accuracy_ties_half"] for name in names])
    return {"rows": rows, "expected": overall, "expected_per_subset": subsets}


def random_rows(rng, n, subsets, scale=1.0, ties=0.1):
    rows = []
    for _ in range(n):
        rejected = round(float(rng.normal(0, 1) * scale), 2)
        chosen = rejected if rng.random() < ties else round(float(rng.normal(0.7, 1) * scale), 2)
        rows.append({"chosen": chosen, "rejected": rejected, "confidence": round(float(rng.uniform(0.5, 1)), 2),
                     "len_chosen": int(rng.integers(5, 60)), "len_rejected": int(rng.integers(5, 60)),
                     "subset": str(rng.choice(subsets))})
    return rows


def pair(chosen, rejected, confidence=1.0, len_chosen=10, len_rejected=20, subset=""):
    return {"chosen": chosen, "rejected": rejected, "confidence": confidence,
            "len_chosen": len_chosen, "len_rejected": len_rejected, "subset": subset}


def cases():
    rng = np.random.default_rng(7)
    mixed = random_rows(rng, 40, ["chat", "code", "maths"])
    return {
        "mixed": mixed,
        "some without subset": random_rows(rng, 16, ["", "code"]),
        "one subset": random_rows(rng, 12, ["only"]),
        "no lengths": [{**r, "len_chosen": 0, "len_rejected": 0} for r in random_rows(rng, 12, [""])],
        "equal lengths": [{**r, "len_rejected": r["len_chosen"]} for r in random_rows(rng, 12, [""])],
        "weights equal": [{**r, "confidence": 0.8} for r in random_rows(rng, 12, [""])],
        "weights zero": [{**r, "confidence": 0.0} for r in random_rows(rng, 12, [""])],
        "all ties": [pair(v, v, 0.6, 3 + i, 9 - i) for i, v in enumerate([0.1, -2.5, 3.0, 0.1, 7.25])],
        "constant rewards": [pair(0.3, 0.1, 0.5 + i / 10, 5 * i, 12) for i in range(5)],
        "constant and tied": [pair(0.1, 0.1, 0.9, 4, 4) for _ in range(7)],
        "one row": [pair(1.25, -0.5, 0.7, 120, 80, "a")],
        "one tie": [pair(2.0, 2.0)],
        "all wrong": [pair(-1.0 - i, i / 2, 0.9, 10 + i, 30) for i in range(6)],
        "margins of 1e4": random_rows(rng, 14, [""], scale=1e4),
    }


def logistic():
    """A logistic regression without intercept on signed rows: each row comes in both orders, at half its weight."""
    rng = np.random.default_rng(11)
    x = np.round(rng.poisson(0.6, (60, 12)) - rng.poisson(0.5, (60, 12)), 0)
    w = np.round(rng.uniform(0.5, 1, 60), 2)
    fit = LogisticRegression(C=1.0, fit_intercept=False, tol=1e-12, max_iter=10000, solver="newton-cholesky")
    fit.fit(np.concatenate([x, -x]), np.repeat([1, 0], 60), np.concatenate([w, w]) / 2)
    free = LogisticRegression(C=np.inf, fit_intercept=False, tol=1e-12, max_iter=10000, solver="newton-cholesky")
    free.fit(np.concatenate([x[:, :2], -x[:, :2]]), np.repeat([1, 0], 60), np.concatenate([w, w]) / 2)
    return {"x": x.tolist(), "weight": w.tolist(), "theta_l2_1": fit.coef_[0].tolist(), "theta_free_of_two": free.coef_[0].tolist()}


def mcnemars():
    out = []
    for b, c in [(0, 1), (3, 9), (10, 2), (25, 26), (140, 90), (1200, 1300)]:
        k, n = min(b, c), b + c
        exact = mcnemar([[0, b], [c, 0]], exact=True).pvalue
        out.append({"first": b, "second": c, "exact": min(1.0, exact), "mid": 2 * stats.binom.cdf(k, n, 0.5) - stats.binom.pmf(k, n, 0.5)})
    return out


def length_controlled(rng, n, slope, quality, decided=False):
    """right on tanh(Δ/sd) with the priors of eval/length_controlled.go, by scikit-learn; the coefficients'
    variances by their definitions, and statsmodels' clustered ones of the fit without priors."""
    prompt = rng.integers(0, max(2, n // 3), n)
    prompt = np.unique(prompt, return_inverse=True)[1]
    delta = np.round(rng.normal(40, 120, n))
    z = quality + slope * np.tanh(delta / 120) + rng.normal(0, 0.7, prompt.max() + 1)[prompt]
    right = (delta > 0) * 1.0 if decided else np.where(rng.random(n) < 0.05, 0.5, (rng.random(n) < scipy.special.expit(z)) * 1.0)
    x = np.column_stack([np.ones(n), np.tanh(delta / delta.std(ddof=1))])
    both, y, w = np.concatenate([x, x]), np.repeat([1, 0], n), np.concatenate([right, 1 - right])
    groups = np.concatenate([prompt, prompt])
    fit = LogisticRegression(C=100.0, fit_intercept=False, tol=1e-13, max_iter=100000, solver="newton-cholesky")
    fit.fit(both, y, w)
    theta = fit.coef_[0]
    p = scipy.special.expit(both @ theta)
    model = np.linalg.inv((both * (w * p * (1 - p))[:, None]).T @ both + np.eye(2) / 100)
    score = both * (w * (y - p))[:, None]
    sums = np.array([score[groups == g].sum(axis=0) for g in range(groups.max() + 1)])
    robust = model @ (sums.T @ sums * len(sums) / (len(sums) - 1)) @ model
    spread = np.sqrt(np.maximum(np.diag(model), np.diag(robust)))
    beta, phi, z95 = theta[0], theta[1], stats.norm.ppf(0.975)
    out = {
        "prompt": (prompt + 1).tolist(), "difference": delta.tolist(), "right": right.tolist(),
        "accuracy": scipy.special.expit(beta), "interval": scipy.special.expit([beta - z95 * spread[0], beta + z95 * spread[0]]).tolist(),
        "effect": phi, "effect_interval": [phi - z95 * spread[1], phi + z95 * spread[1]], "sd": delta.std(ddof=1),
    }
    if not decided:
        free = sm.GLM(right, x, family=sm.families.Binomial()).fit(cov_type="cluster", cov_kwds={"groups": prompt, "use_correction": False})
        out["statsmodels"] = {"beta": free.params[0], "phi": free.params[1], "se": (free.bse * math.sqrt(len(sums) / (len(sums) - 1))).tolist()}
    return out


def length_cases():
    rng = np.random.default_rng(23)
    return [length_controlled(rng, *c) for c in [(60, 0.0, 0.8), (400, 2.0, 0.3), (2000, 1.0, 1.2), (300, 0.0, 0.0, True)]]


def calibration():
    """1/T is the coefficient of a logistic regression of both orders on the margin; its clustered error statsmodels'."""
    rng = np.random.default_rng(31)
    n = 500
    prompt = np.unique(rng.integers(0, 170, n), return_inverse=True)[1]
    m = np.round(2.2 * (rng.normal(0.6, 1, n) + rng.normal(0, 0.5, 170)[prompt]), 2)
    right = np.where(m > 0, 1.0, np.where(m == 0, 0.5, 0.0))
    fit = sm.GLM(np.ones(n), m[:, None], family=sm.families.Binomial()).fit(
        cov_type="cluster", cov_kwds={"groups": prompt, "use_correction": False}, tol=1e-14, maxiter=200)
    groups = prompt.max() + 1
    plain = sm.GLM(np.ones(n), m[:, None], family=sm.families.Binomial()).fit(tol=1e-14, maxiter=200)
    beta, se = fit.params[0], max(fit.bse[0] * math.sqrt(groups / (groups - 1)), plain.bse[0])
    z95 = stats.norm.ppf(0.975)
    both = lambda t: ece(np.concatenate([scipy.special.expit(m / t), scipy.special.expit(-m / t)]), np.repeat([1.0, 0.0], n))[0]
    sided = m != 0  # scikit-learn knows no tie: both of its halves
    y = np.concatenate([right[sided], np.ones((~sided).sum()), np.zeros((~sided).sum())])
    width = np.concatenate([abs(m[sided]), np.zeros(2 * (~sided).sum())])
    w = np.concatenate([np.ones(sided.sum()), np.full(2 * (~sided).sum(), 0.5)])
    return {"margin": m.tolist(), "prompt": (prompt + 1).tolist(), "temperature": 1 / beta, "interval": [1 / (beta + z95 * se), 1 / (beta - z95 * se)],
            "margin_auroc": roc_auc_score(y, width, sample_weight=w), "at": 1.7, "loss": np.logaddexp(0, -m / 1.7).mean() - np.logaddexp(0, -m).mean(),
            "ece": both(1.7) - both(1.0)}


def rounded(x):
    if isinstance(x, dict):
        return {k: rounded(v) for k, v in x.items()}
    if isinstance(x, list):
        return [rounded(v) for v in x]
    if isinstance(x, (float, np.floating)):
        return float(x) if math.isfinite(x) else None
    return x


def main():
    intervals = []
    for k, n in [(0, 1), (1, 1), (0, 50), (50, 50), (1, 1000), (999, 1000), (733, 1000), (1, 10**6), (640123, 10**6)]:
        b = stats.binomtest(k, n)
        intervals.append({"k": k, "n": n, "wilson": list(b.proportion_ci(0.95, "wilson")), "clopper_pearson": list(b.proportion_ci(0.95, "exact"))})
    golden = {
        "versions": {"numpy": np.__version__, "scipy": scipy.__version__, "sklearn": sklearn.__version__},
        "intervals": intervals,
        "cases": {name: case(rows) for name, rows in cases().items()},
    }
    pairs = {"logistic": logistic(), "mcnemar": mcnemars(), "length_controlled": length_cases(), "calibration": calibration()}
    for name, found in (("golden.json", golden), ("paired.json", pairs)):
        with open(name, "w") as f:
            json.dump(rounded(found), f, separators=(",", ":"), allow_nan=False)
            f.write("\n")


main()

"""Golden values of Density: scipy's gaussian_kde with Silverman's rule-of-thumb bandwidth.

    python make_density.py > density.json        (versions are in the file)
"""
import json

import numpy as np
import scipy
from scipy.stats import gaussian_kde, iqr

rng = np.random.default_rng(7)
cases = {"normal": rng.normal(0.5, 2, 400), "two modes": np.concatenate([rng.normal(-3, 0.4, 150), rng.normal(2, 1, 250)]), "heavy tails": rng.standard_t(2, 300)}
out = {"versions": {"scipy": scipy.__version__, "numpy": np.__version__}, "cases": []}
for name, x in cases.items():
    sd = np.std(x, ddof=1)
    h = 0.9 * min(sd, iqr(x) / 1.34) * len(x) ** -0.2
    low, high = float(np.quantile(x, 0.02)), float(np.quantile(x, 0.98))
    at = np.linspace(low, high, 32)
    out["cases"].append({"name": name, "x": x.tolist(), "low": low, "high": high, "bandwidth": float(h), "values": gaussian_kde(x, bw_method=h / sd)(at).tolist()})
print(json.dumps(out))

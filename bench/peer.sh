#!/usr/bin/env bash
# laurel beside TRL's RewardTrainer and a transformers scoring loop, in alternation on one machine:
#
#   bench/peer.sh [--rounds 5] [--steps 0] [--out peer.json] [--model DIR] [--data DIR]
#
# The peers' environment is cmd/interop's, made from PyPI where INTEROP_PYTHON names none.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
python=${INTEROP_PYTHON:-build/interop-venv/bin/python}
make build
[ -n "${INTEROP_PYTHON:-}" ] || make "$python"
exec "$python" bench/rounds.py --laurel bin/laurel "$@"

#!/usr/bin/env bash
# The first minutes on a GPU: does it compute what it should, and how fast?
#
#   scripts/gpu.sh                     on a bare GPU box with Go, or with bin/laurel brought along
#   scripts/gpu.sh --python PYTHON     where a Python environment has jax[cuda13] (its plugin and NVIDIA's libraries are used)
#                                      and, to compare with, torch and transformers
#   scripts/gpu.sh --tiny              tiny shapes on whatever is here, a CPU too: shows that the script works
#
# Does, in one run: doctor; the numbers of every family in float32 and bfloat16 held to the pure-Go backend's, their training
# curves, and rewards that do not depend on the batch (laurel parity); pace, TFLOP/s, MFU, memory and a step's parts (laurel
# bench), full and LoRA, beside torch (SDPA, fused AdamW, torch.compile) and JAX at the same shapes, as far as PYTHON has them.
# Leaves OUT/gpu.json and OUT/gpu.txt (default runs/gpu). Exit code: 0 if all of laurel's parts passed.
set -euo pipefail
from=$PWD
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# A path as it was meant where the script was started; a bare name is looked up in PATH.
started() { case $1 in /*) echo "$1" ;; *) echo "$from/$1" ;; esac; }
program() { case $1 in */*) started "$1" ;; *) echo "$1" ;; esac; }

out=runs/gpu python=${PYTHON:-python3} tiny= given=
while [ $# -gt 0 ]; do
	case $1 in
	--out) : "${2:?--out needs a directory}" && out=$(started "$2") && shift 2 ;;
	--python) : "${2:?--python needs an interpreter}" && python=$(program "$2") given=1 && shift 2 ;;
	--tiny) tiny=1 && shift ;;
	-h | --help) sed -n '2,14s/^# \{0,1\}//p' "$0" && exit ;;
	*) echo "gpu.sh: unknown argument $1 (--help says which there are)" >&2 && exit 2 ;;
	esac
done

laurel=bin/laurel
[ -z "${LAUREL:-}" ] || laurel=$(program "$LAUREL")
if ! command -v "$laurel" >/dev/null; then
	[ -z "${LAUREL:-}" ] || { echo "gpu.sh: LAUREL names $laurel, which is no program" >&2; exit 1; }
	command -v go >/dev/null || { echo "gpu.sh: no $laurel and no Go to build it with: bring the binary along, or install Go 1.26" >&2; exit 1; }
	make build
fi
mkdir -p "$out"

# The plugin of a Python environment, laid out as laurel looks for it.
python_plugin() {
	local site plugin libraries
	site=$("$python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))' 2>/dev/null) || return 1
	plugin=$(ls "$site"/jax_plugins/xla_cuda1*/xla_cuda_plugin.so 2>/dev/null | tail -1)
	[ -n "$plugin" ] || return 1
	libraries=$(printf '%s:' "$site"/nvidia/*/lib)
	mkdir -p "$out/pjrt/cuda/plugin"
	ln -sfn "$plugin" "$out/pjrt/cuda/plugin/pjrt_c_api_cuda_plugin.so"
	printf 'LD_LIBRARY_PATH=%s\nXLA_FLAGS=--xla_gpu_cuda_data_dir=%s\n' "${libraries%:}" "$site/nvidia/cu13" >"$out/pjrt/cuda/env"
	LAUREL_PJRT=$(cd "$out/pjrt" && pwd)
	export LAUREL_PJRT
}

backend=cuda
if [ -n "$tiny" ]; then
	backend=auto
elif ! { [ -n "$given" ] && python_plugin; }; then
	[ -z "$given" ] || echo "gpu.sh: $python has no CUDA plugin of JAX (jax_plugins/xla_cuda13): laurel's own is used" >&2
	"$laurel" doctor --fix --cuda
fi

shapes=minilm,modernbert-large,qwen3-0.6b tokens=512,2048 pairs=8 steps=10 families=() dtypes=float32,bfloat16
[ -z "$tiny" ] || { shapes=tiny-bert tokens=32 pairs=2 steps=2 families=(--family bert) dtypes=float32; }

# Each part is tried, whatever became of the one before.
failed=()
part() {
	local name=$1 rc=0
	shift
	echo "== $name" | tee -a "$out/gpu.txt"
	"$@" 2>&1 | tee -a "$out/gpu.txt" || rc=$?
	[ $rc -eq 0 ] || { failed+=("$name") && echo "$name FAILED" | tee -a "$out/gpu.txt"; }
}

# What other engines reach at the same work; an engine that is not there, or a shape that it cannot run, is left out and named.
peer() {
	local name=$1 module=$2 shape length
	: >"$out/$name.jsonl"
	"$python" -c "import $module" 2>/dev/null || { echo "$name left out: $python has no $module" | tee -a "$out/gpu.txt"; return 0; }
	for shape in ${shapes//,/ }; do
		for length in ${tokens//,/ }; do
			"$python" "bench/${name}_step.py" --shape "$shape" --tokens "$length" --pairs "$pairs" --steps "$steps" --dtype "${dtypes##*,}" \
				>>"$out/$name.jsonl" 2>"$out/$name.err" || echo "$name, $shape at $length tokens: $(tail -1 "$out/$name.err")" | tee -a "$out/gpu.txt"
		done
	done
}

: >"$out/gpu.txt"
rm -f "$out"/{doctor,parity,bench,bench-lora}.json
"$laurel" doctor --backend $backend --json >"$out/doctor.json" || true
part doctor "$laurel" doctor --backend $backend
part "numbers" "$laurel" parity --backend $backend ${families[@]+"${families[@]}"} --dtype $dtypes --out "$out/parity.json"
peer torch transformers
peer jax jax
common=(--backend $backend --shape $shapes --tokens $tokens --pairs $pairs --steps $steps --dtype "${dtypes##*,}")
part "pace, all weights" "$laurel" bench "${common[@]}" --peer "$out/torch.jsonl,$out/jax.jsonl" --out "$out/bench.json"
part "pace, LoRA" "$laurel" bench "${common[@]}" --lora --out "$out/bench-lora.json"

content() { if [ -s "$out/$1.json" ]; then cat "$out/$1.json"; else echo null; fi; }
printf '{"doctor": %s, "parity": %s, "bench": %s, "bench_lora": %s}\n' "$(content doctor)" "$(content parity)" "$(content bench)" "$(content bench-lora)" >"$out/gpu.json"
echo "all of it: $out/gpu.json, $out/gpu.txt"
[ ${#failed[@]} -eq 0 ] || { echo "failed: ${failed[*]}" >&2 && exit 1; }

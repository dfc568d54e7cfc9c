"""What a compiled XLA program asks of a GPU, read from its HLO text: matrix products by the type of their operands, kernels,
and a lower bound on its time.

The bound is the sum, over the kernels, of max(FLOPs / peak, bytes / bandwidth): what the card's own figures allow with no wait, no
launch and no inefficiency. It is no measurement. FLOPs are those of matrix products and of fused attention; bytes are what a kernel
reads and writes, where a kernel that picks slices or rows of an operand reads those alone.
"""

import collections
import dataclasses
import json
import math
import re

BYTES = {"pred": 1, "s8": 1, "u8": 1, "f8e4m3fn": 1, "f8e5m2": 1, "bf16": 2, "f16": 2, "s16": 2, "u16": 2,
         "f32": 4, "s32": 4, "u32": 4, "f64": 8, "s64": 8, "u64": 8, "c64": 8, "token": 0}  # fmt: skip

# An H200 SXM (NVIDIA H200 Tensor Core GPU datasheet): dense tensor-core rates, HBM3e.
BANDWIDTH = 4.8e12
PEAK = {"bf16": 989e12, "f16": 989e12, "f32": 67e12, "f64": 67e12}

LARGE = 1e9  # FLOPs of a product that is held to bfloat16: the score head's and the norm's are below, in float32 on purpose

FREE = {"parameter", "constant", "tuple", "get-tuple-element", "bitcast", "after-all", "iota", "partition-id", "replica-id"}

COLLECTIVES = {"all-reduce", "all-gather", "reduce-scatter", "all-to-all", "collective-permute", "collective-broadcast"}

INSTRUCTION = re.compile(r"^\s+(ROOT )?%?([\w.-]+) = (\(.*?\)|\w+\[[^ ]*) ([\w-]+)\((.*?)\)(, .*)?$")
ARRAY = re.compile(r"(\w+)\[([\d,]*)\]")


@dataclasses.dataclass
class Instruction:
    name: str
    shape: str
    op: str
    operands: list
    attributes: str
    root: bool

    def arrays(self):
        return [(t, [int(n) for n in dims.split(",") if n]) for t, dims in ARRAY.findall(re.sub(r"/\*.*?\*/", "", self.shape))]

    def size(self):
        return sum(BYTES.get(t, 4) * math.prod(dims) for t, dims in self.arrays())

    def called(self):
        return re.findall(r"(?:calls|body|to_apply|condition)=%?([\w.-]+)", self.attributes)


def parse(text):
    """Computations by name, each a dict of instructions in order, and the name of the entry."""
    computations, entry, current = {}, None, None
    for line in text.splitlines():
        head = re.match(r"^(ENTRY )?%?([\w.-]+) \(.*\) -> .* \{", line)
        if head:
            current = computations.setdefault(head[2], {})
            entry = head[2] if head[1] else entry
        elif line.startswith("}"):
            current = None
        elif current is not None and (m := INSTRUCTION.match(line)):
            operands = re.findall(r"%([\w.-]+)", m[5])
            if m[4] == "parameter":
                operands = [m[5]]
            current[m[2]] = Instruction(m[2], m[3], m[4], operands, m[6] or "", bool(m[1]))
    if entry is None:
        raise ValueError("no ENTRY computation in the program's text: XLA writes it otherwise than this script reads it")
    return computations, entry


def numbers(attributes, key):
    found = re.search(key + r"=\{([\d,]*)\}", attributes)
    return [int(n) for n in found[1].split(",") if n] if found else []


def product(instruction, within):
    """FLOPs of a matrix product, and the type of its operands (the wider one)."""
    left, right = (within[o].arrays()[0] for o in instruction.operands[:2])
    attributes = instruction.attributes
    if instruction.op == "dot":
        contracted = numbers(attributes, "lhs_contracting_dims")
    else:  # cuBLAS
        config = json.loads(re.search(r"backend_config=(\{.*\})", attributes)[1])["gemm_backend_config"]
        contracted = [int(n) for n in config["dot_dimension_numbers"]["lhs_contracting_dimensions"]]
    out = instruction.arrays()[0][1]
    kind = max(left[0], right[0], key=lambda t: BYTES[t])
    return 2.0 * math.prod(out) * math.prod(left[1][i] for i in contracted), kind


def attention(instruction, within):
    """FLOPs of cuDNN's fused attention: two products of T·T·K a head, five backward; half of them under a causal mask."""
    n, t, heads, k = within[instruction.operands[0]].arrays()[0][1]
    config = json.loads(re.search(r"backend_config=(\{.*\})", instruction.attributes)[1])["cudnn_fmha_backend_config"]
    if config["bmm1_dot_dimension_numbers"]["lhs_batch_dimensions"][1:] == ["1"] if "bmm1_dot_dimension_numbers" in config else False:
        heads, t = t, heads
    products = 5 if "Backward" in instruction.attributes else 2
    return products * 2.0 * n * heads * t * t * k * (0.5 if "CAUSAL" in config["mask_type"] else 1)


def read_by(parameter, computation):
    """The bytes that a fusion reads of one of its parameters."""
    users = [i for i in computation.values() if parameter.name in i.operands and i.op != "parameter"]
    while users and all(u.op == "bitcast" for u in users):
        names = {u.name for u in users}
        users = [i for i in computation.values() if names & set(i.operands)]
        if len(names) == 1:
            parameter = computation[names.pop()]
    whole = parameter.size()
    if not users:
        return 0
    if all(u.op in ("dynamic-slice", "gather", "slice") and u.operands[0] == parameter.name for u in users):
        return min(whole, sum(u.size() for u in users))
    if all(u.op in ("scatter", "dynamic-update-slice") and u.operands[0] == parameter.name for u in users):
        return 0  # written in place: what is updated counts as written
    return whole


def written_by(instruction, computations):
    """The bytes that a kernel writes."""
    for name in instruction.called():
        root = next((i for i in computations.get(name, {}).values() if i.root), None)
        if root is not None and root.op in ("scatter", "dynamic-update-slice"):
            update = root.operands[-1] if root.op == "scatter" else root.operands[1]
            return 2 * computations[name][update].size()
    return instruction.size()


class Program:
    """The figures of one compiled program."""

    def __init__(self, text):
        self.computations, entry = parse(text)
        self.products = collections.Counter()  # matrix products by type of operands
        self.large = collections.Counter()  # those of them of at least LARGE operations
        self.kernels = self.fused_attention = 0
        self.kinds = collections.Counter()  # kernels by kind
        self.seconds = self.bytes = self.flops = 0.0
        self.converted = collections.Counter()  # weights converted to a narrower type, by parameter of the program
        self.scatters = 0
        self.collectives = collections.Counter()  # what adds up or moves values between GPUs, by kind
        self.collected = self.waited = 0  # their bytes, and those during which nothing else is computed
        self.walk(entry, 1)

    def walk(self, name, times):
        within = self.computations[name]
        for i in within.values():
            if i.op in FREE:
                continue
            if i.op in ("while", "call", "conditional", "async-start"):
                trips = re.search(r'"known_trip_count":\{"n":"(\d+)"', i.attributes)
                for called in i.called():
                    self.walk(called, times * (int(trips[1]) if trips else 1))
                continue
            if i.op.endswith(("-done", "-update")):
                continue
            self.kernel(i, within, times)

    def kernel(self, i, within, times):
        self.kernels += times
        flops, seconds = 0.0, 0.0
        kind = i.op
        if i.op == "custom-call":
            kind = re.search(r'custom_call_target="([^"]+)"', i.attributes)[1]
        if i.op.removesuffix("-start") in COLLECTIVES:
            self.collectives[i.op.removesuffix("-start")] += times
            self.collected += times * i.size()
            self.waited += times * (i.op in COLLECTIVES or '"is_sync":true' in i.attributes)
        inside = {}
        for called in i.called() if i.op == "fusion" else []:
            inside |= self.computations[called]
        if kind.startswith("__cudnn$fmha"):
            self.fused_attention += times
            flops = attention(i, within)
            seconds = flops / PEAK["bf16"]
        if kind.startswith("__cublas"):
            inside, products = within, [i]
        else:
            products = [j for j in inside.values() if j.op == "dot"] + ([i] if i.op == "dot" else [])
        for p in products:
            work, operands = product(p, inside if p is not i else within)
            self.products[operands] += times
            if work >= LARGE:
                self.large[operands] += times
            flops, seconds = flops + work, seconds + work / PEAK[operands]
        if i.op == "fusion":
            body = self.computations[i.called()[0]]
            parameters = {int(j.operands[0]): j for j in body.values() if j.op == "parameter"}
            read = sum(read_by(p, body) for p in parameters.values())
            self.scatters += times * any(j.op == "scatter" for j in body.values())
            self.conversions(i, within, body, times)
            kind = "product" if products else "fusion " + re.search(r"kind=(\w+)", i.attributes)[1]
        else:
            read = sum(within[o].size() for o in i.operands if o in within)
        moved = read + written_by(i, self.computations)
        self.kinds[kind] += times
        self.flops += times * flops
        self.bytes += times * moved
        self.seconds += times * max(seconds, moved / BANDWIDTH)

    def conversions(self, i, within, body, times):
        """Counts kernels that write a program's own argument in a narrower type: copies of weights."""
        for j in body.values():
            source = body.get(j.operands[0]) if j.operands else None
            if j.op != "convert" or source is None or source.op != "parameter" or not (j.root or self.returned(j, body)):
                continue
            outer = within.get(i.operands[int(source.operands[0])])
            if outer is not None and outer.op == "parameter" and j.arrays()[0][0] in ("bf16", "f16") and outer.arrays()[0][0] == "f32":
                self.converted[outer.name] += times

    @staticmethod
    def returned(j, body):
        return any(k.root and k.op == "tuple" and j.name in k.operands for k in body.values())

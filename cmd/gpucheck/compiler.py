"""XLA's compiler for a GPU that is not here: JAX's compile-only client, told of the GPU by h200.txtpb.

It gives memory, aliasing and the compiled program, and refuses what CUDA would refuse. It gives no times.
"""

import glob
import os
import pathlib
import re
import sys

HERE = pathlib.Path(__file__).parent
CHILD = "GPUCHECK_CHILD"


def restart_with_libraries():
    """The loader reads the folders of NVIDIA's libraries once, when a process starts."""
    if CHILD in os.environ:
        return
    site = glob.glob(os.path.join(sys.prefix, "lib", "python3*", "site-packages"))[0]
    flags = f"--xla_gpu_autotune_level=0 --xla_gpu_cuda_data_dir={site}/nvidia/cu13"  # there is no GPU to try kernels on
    os.execve(sys.executable, [sys.executable, *sys.argv], {
        **os.environ, CHILD: "1", "CUDA_VISIBLE_DEVICES": "", "JAX_PLATFORMS": "cpu",
        "LD_LIBRARY_PATH": ":".join(glob.glob(f"{site}/nvidia/*/lib")), "XLA_FLAGS": flags})  # fmt: skip


class Compiler:
    def __init__(self):
        import jax

        os.environ["JAX_PLATFORMS"] = ""
        self.version = jax.__version__
        self.targets = {}  # by how many GPUs there are

    def devices(self, n=1):
        from jax.experimental import topologies

        if n not in self.targets:
            config = (HERE / "h200.txtpb").read_text()
            self.targets[n] = topologies.get_topology_desc("", platform="cuda", target_config=config, topology=f"1x1x{n}").devices
        return self.targets[n]

    def compile(self, stablehlo):
        """HLO text of the compiled program, and its memory in bytes, of each GPU that it runs on."""
        import numpy as np
        from jax._src.interpreters import mlir
        from jax._src.lib import xla_client as xc
        from jax._src.lib.mlir import ir

        n = replicas(stablehlo)
        devices = self.devices(n)
        with mlir.make_ir_context():
            options = xc.CompileOptions()
            options.num_replicas, options.num_partitions = n, 1
            options.device_assignment = xc.DeviceAssignment.create(np.arange(n).reshape(n, 1))
            done = devices[0].client.compile(ir.Module.parse(stablehlo), xc.DeviceList(tuple(devices)), options)
        return done.hlo_modules()[0].to_string(), memory_of(done.get_compiled_memory_stats())

    def sharding(self):
        import jax

        return jax.sharding.SingleDeviceSharding(self.devices()[0])


def replicas(stablehlo):
    """On how many devices a program runs, each with all weights and its own rows."""
    told = re.search(r"stablehlo.num_replicas = (\d+)", stablehlo[:2000])
    return int(told[1]) if told else 1


def memory_of(stats):
    arguments, outputs, donated, scratch = (getattr(stats, name + "_size_in_bytes") for name in ("argument", "output", "alias", "temp"))
    return {"arguments": arguments, "outputs": outputs, "donated": donated, "scratch": scratch,
            "peak": arguments + outputs - donated + scratch}  # fmt: skip

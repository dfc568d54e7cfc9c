"""XLA's compiler for a GPU that is not here: JAX's compile-only client, told of the GPU by h200.txtpb.

It gives memory, aliasing and the compiled program, and refuses what CUDA would refuse. It gives no times.
"""

import glob
import os
import pathlib
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
        from jax.experimental import topologies

        os.environ["JAX_PLATFORMS"] = ""
        target = (HERE / "h200.txtpb").read_text()
        self.version = jax.__version__
        self.devices = topologies.get_topology_desc("", platform="cuda", target_config=target, topology="1x1x1").devices

    def compile(self, stablehlo):
        """HLO text of the compiled program, and its memory in bytes."""
        import numpy as np
        from jax._src.interpreters import mlir
        from jax._src.lib import xla_client as xc
        from jax._src.lib.mlir import ir

        with mlir.make_ir_context():
            options = xc.CompileOptions()
            options.num_replicas = options.num_partitions = 1
            options.device_assignment = xc.DeviceAssignment.create(np.array([[0]]))
            devices = xc.DeviceList(tuple(self.devices))
            done = self.devices[0].client.compile(ir.Module.parse(stablehlo), devices, options)
        return done.hlo_modules()[0].to_string(), memory_of(done.get_compiled_memory_stats())

    def sharding(self):
        import jax

        return jax.sharding.SingleDeviceSharding(self.devices[0])


def memory_of(stats):
    arguments, outputs, donated, scratch = (getattr(stats, name + "_size_in_bytes") for name in ("argument", "output", "alias", "temp"))
    return {"arguments": arguments, "outputs": outputs, "donated": donated, "scratch": scratch,
            "peak": arguments + outputs - donated + scratch}  # fmt: skip

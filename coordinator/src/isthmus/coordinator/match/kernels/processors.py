"""The kernels by name, and which of them suits a processor. All find the same pairs; they differ in how they count."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np
from llvmlite import binding
from numba.core import config


@dataclass(frozen=True, slots=True, kw_only=True)
class Kernel:
    """One way to count: `unit` is a zero of the type that bits are counted by (`lanes`)."""

    name: str
    unit: np.uint64 | np.uint8


KERNELS: Final[Mapping[str, Kernel]] = MappingProxyType({
    kernel.name: kernel
    for kernel in (
        Kernel(name="avx512", unit=np.uint64(0)),
        Kernel(name="avx2", unit=np.uint8(0)),
        Kernel(name="neon", unit=np.uint8(0)),
        Kernel(name="plain", unit=np.uint8(0)),
    )
})  # fmt: skip
"""Every kernel. Each runs on every processor, but well only on that of its name: compiled code is of this machine."""


DECIDING: Final = ("avx512vpopcntdq", "avx2", "neon")
"""LLVM's names of the features that decide, best first; a processor with none of them gets the kernel `plain`."""


def choose_kernel(features: Collection[str], *, triple: str) -> Kernel:
    """Give the kernel for a processor.

    Args:
        features: LLVM's names of what the processor has.
        triple: LLVM's name of the machine, such as `x86_64-unknown-linux-gnu`.
    """
    if "avx512vpopcntdq" in features:
        return KERNELS["avx512"]
    if "avx2" in features:
        return KERNELS["avx2"]
    # Every 64-bit ARM processor has NEON, whether or not the system says so.
    return KERNELS["neon" if triple.startswith(("aarch64", "arm64")) else "plain"]


def kernel_facts(features: Collection[str], *, triple: str) -> dict[str, str]:
    """Say which kernel suits a processor, by what it counts bits, and which features decided; for the operator.

    The arguments are those of `choose_kernel`; `features` of the result are what it has of `DECIDING`, best first.
    """
    kernel = choose_kernel(features, triple=triple)
    decided = [name for name in DECIDING if name in features or name == kernel.name]
    return {"kernel": kernel.name, "unit": str(kernel.unit.dtype), "features": ", ".join(decided) or "plain"}


def host_features() -> frozenset[str]:
    """Give what numba compiles for: this processor's features, or those of `NUMBA_CPU_FEATURES` where it is set."""
    forced: str | None = config.CPU_FEATURES  # type: ignore[attr-defined] # set where numba reads the environment
    if forced is None:
        return frozenset(name for name, has in binding.get_host_cpu_features().items() if has)
    return frozenset(name[1:] for name in forced.split(",") if name.startswith("+"))


def host_kernel() -> Kernel:
    """Give the kernel that suits what numba compiles for."""
    return choose_kernel(host_features(), triple=binding.get_process_triple())


def host_facts() -> dict[str, str]:
    """Give the facts about the kernel that `host_kernel` gives."""
    return kernel_facts(host_features(), triple=binding.get_process_triple())

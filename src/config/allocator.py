"""glibc's allocator, told to keep what numpy frees.

A recommendation works on arrays of a few hundred kilobytes, one float for every song. By default glibc gives each
of them back to the kernel when freed, and the kernel clears the same pages again for the next one: half of the time
of a recommendation over 90,000 songs went there.
"""

import ctypes
import sys
from typing import Final

M_TRIM_THRESHOLD: Final = -1
M_TOP_PAD: Final = -2
M_MMAP_THRESHOLD: Final = -3

KEPT_BYTES: Final = 32 * 1024 * 1024
"""The most that stays with the process though it is free."""


def keep_freed_memory() -> bool:
    """Keep up to ``KEPT_BYTES`` of freed memory for the next request; False where there is no glibc."""
    if not sys.platform.startswith("linux"):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:  # musl
        return False
    wanted = {M_MMAP_THRESHOLD: KEPT_BYTES, M_TRIM_THRESHOLD: KEPT_BYTES, M_TOP_PAD: KEPT_BYTES // 4}
    results = [mallopt(option, size) for option, size in wanted.items()]
    return all(result == 1 for result in results)

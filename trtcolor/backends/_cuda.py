"""The little of CUDA that a runner needs, by NVIDIA's cuda-bindings; the only user of CUDA here.

`_cuda_calls` calls and explains errors, `_cuda_streams` has the order of work, `_cuda_memory` and
`_cuda_pool` what it works on.
"""

from trtcolor.backends._cuda_calls import (
    call,
    device_memory,
    import_runtime,
    probe,
    runtime_version,
    use,
    using,
)
from trtcolor.backends._cuda_memory import Buffer, PinnedBuffer, copy_async
from trtcolor.backends._cuda_pool import Block, Pool
from trtcolor.backends._cuda_streams import LEGACY, PER_THREAD, Event, Graph, Stream

__all__ = [
    "LEGACY",
    "PER_THREAD",
    "Block",
    "Buffer",
    "Event",
    "Graph",
    "PinnedBuffer",
    "Pool",
    "Stream",
    "call",
    "copy_async",
    "device_memory",
    "import_runtime",
    "probe",
    "runtime_version",
    "use",
    "using",
]

"""The enumerations of `cuda.bindings.runtime`, as far as trtcolor and its stand-in name them."""

from __future__ import annotations

import enum
from typing import Any

Result = tuple[Any, ...]
"""An error, and what comes with it."""

cudaError_t = enum.IntEnum(
    "cudaError_t",
    {
        "cudaSuccess": 0,
        "cudaErrorInvalidValue": 1,
        "cudaErrorMemoryAllocation": 2,
        "cudaErrorNoDevice": 100,
        "cudaErrorInvalidDevice": 101,
        "cudaErrorECCUncorrectable": 214,
        "cudaErrorInvalidResourceHandle": 400,
        "cudaErrorNotReady": 600,
        "cudaErrorIllegalAddress": 700,
        "cudaErrorLaunchFailure": 719,
        "cudaErrorStreamCaptureUnsupported": 900,
        "cudaErrorStreamCaptureInvalidated": 901,
        "cudaErrorUnknown": 999,
    },
)
cudaMemcpyKind = enum.IntEnum("cudaMemcpyKind", {"cudaMemcpyDefault": 4})
cudaStreamCaptureMode = enum.IntEnum(
    "cudaStreamCaptureMode", {"cudaStreamCaptureModeThreadLocal": 1}
)
cudaMemoryType = enum.IntEnum(
    "cudaMemoryType",
    {
        "cudaMemoryTypeUnregistered": 0,
        "cudaMemoryTypeHost": 1,
        "cudaMemoryTypeDevice": 2,
        "cudaMemoryTypeManaged": 3,
    },
)
OK = cudaError_t.cudaSuccess

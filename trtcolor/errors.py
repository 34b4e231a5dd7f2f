"""Every exception class that trtcolor raises on purpose.

A message is one sentence: what came, what was needed, what to do. The command line prints it
behind ``error:`` and exits with status 1; nothing here ever reaches a user as a traceback.

Wrong arguments of a function (dtype, shape, range) are ``ValueError`` or ``TypeError`` as anywhere
in Python; the classes below are for the world outside the program: files, models, backends.
"""

from __future__ import annotations


class TrtcolorError(Exception):
    """Base of all of them; catch this to catch whatever trtcolor refuses."""


class PictureError(TrtcolorError):
    """A picture file could not be read or written."""


class OutputExistsError(PictureError):
    """An output is already there and overwriting was not asked for."""


class StoreError(TrtcolorError):
    """An object store or a web server has not what was asked for, or does not give it."""


class StoreUnreachableError(StoreError):
    """An object store does not answer, or knows nobody of our name: no other object will do."""


class VideoError(TrtcolorError):
    """A video file could not be read or written."""


class DataError(TrtcolorError):
    """A data set (a folder of pictures, a shard) has nothing usable or does not fit."""


class BundleError(TrtcolorError):
    """A model bundle is missing, incomplete, altered or of another format."""


class UnknownModelError(BundleError):
    """No bundle of that name is installed and no folder of that name exists."""


class BackendError(TrtcolorError):
    """A backend is not installed, does not load the graph or fails while running it."""


class OutOfDeviceMemoryError(BackendError):
    """A GPU has not the memory that was asked for; smaller work may still run."""


class DeviceLostError(BackendError):
    """A GPU is gone or failed in a way that only a new process gets over."""


class EngineError(TrtcolorError):
    """An engine is missing, damaged, foreign or stale, or could not be kept."""


class PrecisionError(TrtcolorError):
    """A model at a precision is too far from float32, or gives something that is not finite."""


class ClusterError(TrtcolorError):
    """A cluster does not answer, or a machine of it cannot do its part of the work."""


class NoGlobalFeaturesError(TrtcolorError):
    """Global features were asked of, or given to, a network that has none."""


class CheckpointError(TrtcolorError):
    """A checkpoint is missing, damaged or of another family or configuration."""


class ConfigError(TrtcolorError):
    """A training configuration has an unknown, missing or impossible entry."""


class ExportError(TrtcolorError):
    """An export was refused, for example because the graph's parity check failed."""


class TrainingError(TrtcolorError):
    """Training cannot go on, for example because the loss is not a number."""


class StudyError(TrtcolorError):
    """A user study's folder is missing, damaged or in use, or a user or link of it is none."""

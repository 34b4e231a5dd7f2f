"""A configuration held against the server's own schema, where `tritonclient` is installed."""

from __future__ import annotations

from trtcolor.errors import ExportError


def check_config(text: str) -> bool:
    """Read a ``config.pbtxt`` with the protobuf schema of the `tritonclient` that is installed.

    Returns:
        False: none is, and nothing was checked.

    Raises:
        ExportError: the schema has no such field, or one of another type.
    """
    try:
        from google.protobuf import text_format
        from tritonclient.grpc.model_config_pb2 import ModelConfig
    except (ImportError, RuntimeError):  # it says RuntimeError of a package that it lacks
        return False
    try:
        text_format.Parse(text, ModelConfig())
    except text_format.ParseError as error:
        raise ExportError(
            f"config.pbtxt is refused by the schema of tritonclient ({error}); one that it knows "
            "was needed; install a newer tritonclient, or none"
        ) from None
    return True

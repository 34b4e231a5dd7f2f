"""One picture coloured, from wherever it is to wherever it is to be."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

from trtcolor.archive.job import color_file
from trtcolor.archive.record import Record
from trtcolor.archive.settings import PictureSettings
from trtcolor.archive.sources import Source, at_hand
from trtcolor.colorizer import Colorizer
from trtcolor.errors import PictureError
from trtcolor.images import check_output
from trtcolor.stores.address import Address
from trtcolor.stores.objects import check_free, upload
from trtcolor.stores.remote_file import RemoteFile


def check_single(
    output: Path | Address, *, overwrite: bool = False, format: str | None = None
) -> None:
    """Refuse an output that could not be written, before the work for it.

    Args:
        output, overwrite: as for `color_picture`.
        format: as for `trtcolor.images.check_output`.

    Raises:
        PictureError: it could not be written.
        OutputExistsError: it is there, and `overwrite` is false.
        StoreError: an address can be read only, or its store does not answer.
    """
    if isinstance(output, Path):
        check_output(output, overwrite=overwrite, format=format)
        return
    with tempfile.TemporaryDirectory(prefix="trtcolor-") as folder:
        check_output(Path(folder) / f"output{output.suffix}", format=format)
    check_free(output, overwrite=overwrite)


def color_picture(
    colorizer: Colorizer,
    source: Source,
    output: Path | Address,
    settings: PictureSettings,
    *,
    overwrite: bool = False,
) -> Record:
    """Colour a picture; nothing has the output's name before all of it is there.

    Arguments, result and errors are those of `trtcolor.archive.job.color_file`, and beside them:

    Raises:
        PictureError: an address is source and output, whatever `overwrite` says.
        OutputExistsError: an object has the output's name, and `overwrite` is false.
        StoreError: the source cannot be fetched, or the output not be stored.
    """
    if isinstance(source, RemoteFile) and source.address == output:
        raise PictureError(
            f"{source} would be replaced by its own copy; an output beside the original was "
            "needed; choose another name"
        )
    with at_hand(source) as before, tempfile.TemporaryDirectory(prefix="trtcolor-") as folder:
        if isinstance(output, Path):
            after = output
            record = color_file(colorizer, before, after, settings, overwrite=overwrite)
        else:
            after = Path(folder) / f"output{output.suffix}"
            record = color_file(colorizer, before, after, settings)
            if record.outcome == "coloured":
                upload(after, output, overwrite=overwrite)
    reason = record.reason.replace(str(before), str(source)).replace(str(after), str(output))
    return replace(record, input=str(source), output=str(output), reason=reason)

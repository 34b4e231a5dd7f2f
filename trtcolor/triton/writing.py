"""Models of the server put together in a folder, on their way into a repository."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from trtcolor.triton.config import Model, ensemble_config, model_config
from trtcolor.triton.placing import CONFIG_FILE
from trtcolor.triton.schema import check_config
from trtcolor.triton.signature import Step, Tensor, joined
from trtcolor.triton.text_format import Message, text_format

CLASSES = "class_logits"
LABELS_FILE = "labels.txt"
VERSION = "1"
ENSEMBLE_NOTE = "The server wants this folder; config.pbtxt names the models that are run.\n"


class Writer:
    """Writes models into a folder, each with its configuration.

    Args:
        folder: empty.
        origin: what the server is to show of where they come from.
        classes: names of what `CLASSES` scores.

    Attributes:
        validated: whether every configuration so far was held against the schema.
    """

    def __init__(self, folder: Path, origin: Mapping[str, str], classes: Sequence[str]) -> None:
        self.folder, self.origin, self.classes = folder, origin, classes
        self.validated = True

    def write(
        self, name: str, models: Mapping[str, Model], renamed: Mapping[str, Mapping[str, str]]
    ) -> None:
        """One model, or several and the ensemble of them.

        Args:
            name: of the whole.
            models: by name, in the order in which they run.
            renamed: names in the ensemble of a model's tensors, where they are others.
        """
        for key, model in models.items():
            self._file(key, model.runtime.file, model.content)
            config = model_config(key, model, self.origin)
            self._configure(key, model.signature.outputs, config)
        if name in models:
            return
        steps = [Step(k, model.signature, renamed.get(k, {})) for k, model in models.items()]
        whole = joined(steps, outputs=("rgb", CLASSES))
        most = min(model.serving.max_batch for model in models.values())
        self._file(name, "README", ENSEMBLE_NOTE.encode())  # some stores drop empty folders
        config = ensemble_config(name, steps, whole, most, self.origin)
        self._configure(name, whole.outputs, config)

    def _file(self, model: str, file: str, content: bytes) -> None:
        path = self.folder / model / VERSION / file
        path.parent.mkdir(parents=True)
        path.write_bytes(content)

    def _configure(self, model: str, outputs: Sequence[Tensor], config: Message) -> None:
        text = text_format(config)
        self.validated &= check_config(text)
        (self.folder / model / CONFIG_FILE).write_text(text, encoding="utf-8")
        if any(tensor.labels for tensor in outputs):
            lines = "".join(f"{' '.join(label.split())}\n" for label in self.classes)
            (self.folder / model / LABELS_FILE).write_text(lines, encoding="utf-8")

"""Declares the operators that torchvision's Python code registers fakes for.

PyPI's torchvision is built for CUDA; beside a CPU torch its library is not loaded and its import
fails with "operator torchvision::nms does not exist". Loaded by a ``.pth`` file before anything
else, this waits until torch is imported and declares them (nobody here calls them).
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import sys
from collections.abc import Sequence
from types import ModuleType

_SCHEMA = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"


class _BeforeTorchvision(importlib.abc.MetaPathFinder):
    """Sees the first import of torchvision, and only that."""

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,
        target: ModuleType | None = None,
    ) -> importlib.machinery.ModuleSpec | None:
        """Declare the operators, then let the usual finders do the import."""
        if fullname == "torchvision":
            sys.meta_path.remove(self)
            _declare()
        return None


def _declare() -> None:
    import torch  # noqa: PLC0415

    if torch.version.cuda is not None or hasattr(torch.ops.torchvision, "nms"):
        return
    library = torch.library.Library("torchvision", "DEF")
    for name in ("nms", "qnms"):
        library.define(name + _SCHEMA)
    # Kept alive: a library that is collected takes its operators along.
    sys.modules[__name__].__dict__["library"] = library


sys.meta_path.insert(0, _BeforeTorchvision())

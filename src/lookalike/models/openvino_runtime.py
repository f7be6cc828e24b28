"""OpenVINO, imported where it is used: it takes 0.3 s."""

import sys
from typing import Any


def openvino() -> Any:
    """OpenVINO, which sends usage reports when it is imported beside its telemetry package: here it never does."""
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    import openvino

    return openvino

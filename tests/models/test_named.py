"""Speaking names of backbones: what each stands for."""

import re
from pathlib import Path

from lookalike.models.convert.architectures import ARCHITECTURES
from lookalike.models.efficientnet import SPECS
from lookalike.models.named import NAMED, WITH_WORDS, NamedModel

DOCS = Path(__file__).parents[2] / "docs/backbones.md"


def test_names_are_told_from_the_defaults_and_lead_to_the_hub():
    assert list(NAMED) == ["clip", "siglip2", "dinov2", "dinov3"]
    assert not NAMED.keys() & SPECS.keys()
    assert all(re.fullmatch(r"[\w.-]+/[\w.-]+", one.repository) for one in NAMED.values())
    assert {"clip", "siglip", "dinov2", "dinov3_vit"} <= ARCHITECTURES.keys()  # what their config.json calls them
    assert WITH_WORDS == ["clip", "siglip2"]


def test_a_known_revision_is_asked_for():
    assert NamedModel("some/model", "MIT", 1, "").address == "some/model"
    assert NamedModel("some/model", "MIT", 1, "", revision="c0ffee").address == "some/model@c0ffee"


def test_each_is_documented_with_its_licence_and_size():
    text = DOCS.read_text(encoding="utf-8")
    for name, one in NAMED.items():
        row = next(line for line in text.splitlines() if line.startswith(f"| `{name}` |"))
        size = f"{one.megabytes} MB" if one.megabytes < 1000 else f"{one.megabytes / 1000:g} GB"
        assert f"`{one.repository}`" in row
        assert one.licence in row
        assert size in row

"""What collection.json holds, as a value."""

from lookalike.collection.config import BackboneRecord, CollectionConfig

CONFIG = CollectionConfig("x", "i", "n", "f32", "l", "o", "s", {"i": BackboneRecord("n", "f32", "p")})


def test_plain_goes_back_to_the_original_backbone_and_known_ones_include_the_one_in_use():
    assert CONFIG.plain == "o"
    assert CollectionConfig("x", "i", "n", "f32").plain == "i"
    assert CollectionConfig("x", "i", "n", "f32").known() == {"i": BackboneRecord("n", "f32")}
    assert CONFIG.known() == CONFIG.backbones

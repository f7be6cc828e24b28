"""The families that can be converted, by their config.json."""

import pytest

from lookalike.errors import BundleError
from lookalike.models.convert.architectures import ARCHITECTURES, architecture_of, own_side_px, vision_part


def test_every_class_is_one_of_transformers_and_its_type_is_the_one_it_is_listed_under():
    transformers = pytest.importorskip("transformers")
    for kind, family in ARCHITECTURES.items():
        config = getattr(transformers, family.architecture).config_class
        assert config.model_type.removesuffix("_vision_model") == kind.removesuffix("_vision_model")


def test_a_family_is_found_by_its_type():
    assert architecture_of("x", {"model_type": "vit"}).options == {"add_pooling_layer": False}
    assert architecture_of("x", {"model_type": "resnet"}).options == {}
    assert not architecture_of("x", {"model_type": "resnet"}).tokens


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"model_type": "whisper"}, "x: a model of type 'whisper', which is not known here. There are clip, "),
        ({}, "x: a model of type None"),
        ({"architecture": "resnet50"}, "x: in timm's format"),
        ({"model_type": ["vit"]}, "x: a model of type ['vit'], which is not known here"),
        ({"model_type": {"vit": 1}}, "x: a model of type {'vit': 1}, which is not known here"),
        ({"model_type": "vit", "auto_map": 5}, "x: needs Python code of its own"),
        ({"model_type": "vit", "auto_map": ["AutoModel"]}, "x: needs Python code of its own"),
        ({"model_type": "vit", "auto_map": {"AutoModel": "m.M"}}, "x: needs Python code of its own"),
    ],
)
def test_another_family_is_refused_with_those_that_there_are(config, words: str):
    with pytest.raises(BundleError) as error:
        architecture_of("x", config)
    assert str(error.value).startswith(words)


def test_the_part_of_pictures_is_its_vision_config_or_all_of_it():
    assert vision_part("x", {"image_size": 96}) == {"image_size": 96}
    assert vision_part("x", {"image_size": 96, "vision_config": {"image_size": 48}}) == {"image_size": 48}
    for wrong in (5, [], "text", None, True):
        with pytest.raises(BundleError, match=r"x: config\.json has vision_config .* must be a table"):
            vision_part("x", {"vision_config": wrong})


def test_the_side_is_that_of_the_settings_or_the_default():
    assert own_side_px({"image_size": 96}) == 96
    assert own_side_px({}) == 224

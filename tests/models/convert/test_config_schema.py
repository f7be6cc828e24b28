"""Wrong settings of a network: each is one line, whatever type or size it has, and nothing large is begun."""

import json
import shutil
import struct

import pytest

from lookalike.errors import BundleError
from lookalike.models.convert import model_files
from lookalike.models.convert.config_schema import is_number, network_settings, shown

WRONG = ["text", [], {}, -1, 2.5, 10**12, float("nan"), True]
LARGE = {
    "hidden_size": 16_384,
    "num_hidden_layers": 256,
    "intermediate_size": 131_072,
    "hidden_sizes": [16_384] * 4,
    "depths": [256] * 4,
    "embedding_size": 16_384,
}
QUICK = ["resnet", "dinov2"]
SLOW = ["vit", "convnext", "clip", "clip_vision", "siglip", "siglip_vision"]
FAMILIES = [*QUICK, *(pytest.param(kind, marks=pytest.mark.slow) for kind in SLOW)]


def test_known_settings_are_kept_and_others_left_out():
    given = {"hidden_size": 8, "image_size": [32, 32], "layer_norm_eps": None, "use_cache": "x", "torchscript": True}
    assert network_settings("x", given) == {"hidden_size": 8, "image_size": 32}


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("num_hidden_layers", 10**9, "num_hidden_layers 1000000000. It must be a whole number from 1 to 256."),
        ("num_attention_heads", 0, "num_attention_heads 0. It must be a whole number from 1 to 1,024."),
        ("hidden_size", 8.5, "hidden_size 8.5. It must be a whole number from 1 to 16,384."),
        ("hidden_size", "8", "hidden_size '8'. It must be a whole number"),
        ("image_size", [32, 48], "image_size [32, 48]. It must be a whole number"),
        ("depths", [2, True], "depths [2, True]. It must be a whole number"),
        ("depths", [1] * 17, "depths [1, 1, "),
        ("hidden_act", "os.system", "hidden_act 'os.system'. It must be one of gelu"),
        ("layer_norm_eps", float("nan"), "layer_norm_eps nan. It must be a number from 0 to 1."),
        ("qkv_bias", 1, "qkv_bias 1. It must be true or false."),
    ],
)
def test_a_setting_of_the_wrong_type_or_size_is_named_with_what_it_must_be(key, value, words):
    with pytest.raises(BundleError) as error:
        network_settings("x", {key: value})
    assert str(error.value).startswith(f"x: config.json has {words}")


@pytest.mark.parametrize("wrong", [{"quant_method": "bitsandbytes"}, 5, [], "awq"])
def test_quantized_weights_are_refused(wrong):
    with pytest.raises(BundleError, match="x: its weights are quantized"):
        network_settings("x", {"quantization_config": wrong})


def test_a_long_value_is_cut_and_true_is_no_number():
    assert shown("a" * 100) == "'" + "a" * 56 + "..."
    assert [is_number(one) for one in (1, 0.5, True, float("inf"), float("nan"), 10**400, "1")] == [True, True] + [
        False
    ] * 3 + [True, False]


@pytest.fixture(params=FAMILIES)
def model(request, from_transformers, tmp_path):
    """A copy of a small model, and what changes keys of one of its files."""
    folder = tmp_path / "model"
    shutil.copytree(from_transformers(request.param)[0], folder)
    before = {name: (folder / name).read_text() for name in ("config.json", "preprocessor_config.json")}

    def change(file: str, changes: dict, part: str | None = None) -> None:
        table = json.loads(before[file])
        (table if part is None else table[part]).update(changes)
        (folder / file).write_text(json.dumps(table))

    yield folder, {name: json.loads(text) for name, text in before.items()}, change


def load(folder):
    from lookalike.models.convert import transformers_model

    return transformers_model.load(model_files.from_folder(folder))


def loads_or_is_one_line(folder) -> bool:
    """Whether a model loads; anything but one line of ours fails the test."""
    try:
        load(folder)
    except BundleError as error:
        assert "\n" not in str(error)
        return False
    return True


def test_every_key_with_every_wrong_value_loads_or_is_one_line(model):
    folder, tables, change = model
    refused = 0
    for file, table in tables.items():
        part = "vision_config" if "vision_config" in table else None
        for key in table:
            for wrong in WRONG:
                change(file, {key: wrong})
                refused += not loads_or_is_one_line(folder)
            change(file, {})
        for key in table[part] if part else ():
            for wrong in WRONG:
                change(file, {key: wrong}, part)
                refused += not loads_or_is_one_line(folder)
            change(file, {})
    assert refused > 40
    assert loads_or_is_one_line(folder)


def test_a_network_larger_than_its_file_of_weights_is_refused_before_it_is_made(model):
    folder, tables, change = model
    part = "vision_config" if "vision_config" in tables["config.json"] else None
    table = tables["config.json"][part] if part else tables["config.json"]
    unused = {"intermediate_size"} if "mlp_ratio" in table else set()  # DINOv2 saves it, but computes another
    for key in (LARGE.keys() & table.keys()) - unused:
        change("config.json", {key: LARGE[key]}, part)
        with pytest.raises(BundleError, match=r"model\.safetensors does not hold the weights|cannot load it"):
            load(folder)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"junk",
        struct.pack("<Q", 2**62) + b"{}",
        struct.pack("<Q", 2) + b"{}",
        struct.pack("<Q", 70) + b'{"a":{"dtype":"F32","shape":[1099511627776],"data_offsets":[0,4]}}     ' + bytes(4),
    ],
)
def test_a_file_of_weights_that_lies_is_one_line(from_transformers, tmp_path, content):
    folder = tmp_path / "model"
    shutil.copytree(from_transformers("resnet")[0], folder)
    (folder / "model.safetensors").write_bytes(content)
    with pytest.raises(BundleError):
        load(folder)

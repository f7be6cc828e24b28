"""Asking over HTTP gives what the library gives, id by id."""

from pathlib import Path

import pytest
from support.client import Client
from support.pictures import draw

from lookalike import Collection


def ids(hits) -> list[tuple[str, str, float]]:
    return [(hit["id"], hit["file"], hit["similarity"]) for hit in hits]


def own(hits) -> list[tuple[str, str, float]]:
    return [(hit.content.hex(), hit.file, round(hit.similarity, 6)) for hit in hits]


@pytest.fixture(scope="module")
def collection(drawn_photos: Path) -> Collection:
    return Collection(drawn_photos)


def test_a_picture_of_the_collection(api: Client, collection: Collection):
    id = api.id_of("03.png")
    found = api.json(f"{api.c}/search", {"positive": [{"id": id}], "k": 4})
    assert ids(found["hits"]) == own(collection.search("03.png", 4))
    assert (found["lens"], found["cut"], found["version"]) == ("plain", None, collection.pictures().gallery.version)
    assert {(hit["width"], hit["height"]) for hit in found["hits"]} == {(96, 64)}
    others = api.json(f"{api.c}/search", {"positive": [{"id": id}], "k": 4, "others": True})
    assert ids(others["hits"]) == own(collection.search("03.png", 4, others=True))


def test_the_least_similar_first_and_copies_hidden(api: Client, collection: Collection):
    asked = {"positive": [{"id": api.id_of("01.png")}], "k": 4}
    found = api.json(f"{api.c}/search", {**asked, "reverse": True})
    assert ids(found["hits"]) == own(collection.search("01.png", 4, reverse=True))
    found = api.json(f"{api.c}/search", {**asked, "unique": True})
    hits = collection.search("01.png", 4, unique=True)
    assert ids(found["hits"]) == own(hits)
    assert "more/copy.png" not in {hit["file"] for hit in found["hits"]}
    assert (found["hidden"], found["note"]) == (hits.hidden, hits.note)
    assert hits.hidden > 0


def test_no_address_is_ever_asked(api: Client, monkeypatch):
    monkeypatch.setattr("socket.create_connection", lambda *words, **options: pytest.fail("it connected"))
    asked = api.post(f"{api.c}/search", json={"positive": [{"url": "http://127.0.0.1/a.png"}]})
    assert asked.status_code in (400, 422)


def test_a_part_of_it_and_pictures_for_and_against(api: Client, collection: Collection, drawn_photos: Path):
    one, two, three = (api.id_of(f"0{number}.png") for number in (1, 2, 3))
    region = [0.25, 0, 0.5, 1]
    found = api.json(f"{api.c}/search", {"positive": [{"id": one, "region": region}]})
    assert ids(found["hits"]) == own(collection.search(drawn_photos / "01.png", 50, region=region))
    found = api.json(f"{api.c}/search", {"positive": [{"id": one}, {"id": two}], "negative": [{"id": three}]})
    assert ids(found["hits"]) == own(collection.search(positive=["01.png", "02.png"], negative=["03.png"], k=50))
    assert {"01.png", "02.png", "03.png", "more/copy.png"}.isdisjoint(hit["file"] for hit in found["hits"])
    least = {"positive": [{"id": one}], "negative": [{"id": two}], "min_similarity": found["hits"][3]["similarity"]}
    found = api.json(f"{api.c}/search", least)
    options = {"min_similarity": least["min_similarity"]}
    assert ids(found["hits"]) == own(collection.search("01.png", 50, negative=["02.png"], **options))
    found = api.json(f"{api.c}/search", {"positive": [{"id": one, "region": region}, {"id": two}], "k": 3})
    assert len(found["hits"]) == 3


def test_a_picture_that_is_sent(api: Client, collection: Collection, tmp_path: Path):
    content = draw(tmp_path / "new.png", 99, (50, 70)).read_bytes()
    sent = api.post(f"{api.c}/queries", content=content)
    assert sent.status_code == 201
    about = sent.json()
    assert (about["width"], about["height"], about["known"]) == (50, 70, None)
    found = api.json(f"{api.c}/search", {"positive": [{"query": about["query"]}], "k": 3})
    assert ids(found["hits"]) == own(collection.search(content, 3))
    thumb = api.get(f"{api.c}/queries/{about['query']}/thumb")
    assert (thumb.status_code, thumb.headers["content-type"]) == (200, "image/jpeg")
    known = api.post(f"{api.c}/queries", content=(collection.folder / "more" / "copy.png").read_bytes()).json()
    assert known["known"] == api.id_of("03.png")


def test_what_is_sent_must_be_a_picture(api: Client):
    for content in (b"", b"<svg onload=alert(1)>", b"\xff\xd8\xff" + b"x" * 100, b"%PDF-1.4"):
        answer = api.post(f"{api.c}/queries", content=content)
        assert answer.status_code == 422, content
        assert answer.json()["error"]["code"].startswith("image.")
    error = api.json(f"{api.c}/search", {"positive": [{"query": "0" * 16}]}, status=404)["error"]
    assert error["code"] == "query.gone"


def test_every_odd_file_is_an_answer_or_one_line(api: Client, real_data: Path):
    for path in sorted((real_data / "odd_files").rglob("*")):
        if path.is_file() and path.stat().st_size < 5_000_000:
            answer = api.post(f"{api.c}/queries", content=path.read_bytes())
            assert answer.status_code in (201, 422), path
            if answer.status_code == 422:
                message = answer.json()["error"]["message"]
                assert message and "\n" not in message and "Traceback" not in message


def test_a_condition_is_applied_and_a_wrong_one_named(api: Client, collection: Collection):
    id, where = api.id_of("01.png"), "file LIKE 'more/%'"
    found = api.json(f"{api.c}/search", {"positive": [{"id": id}], "where": where})
    assert ids(found["hits"]) == own(collection.search("01.png", 50, where=where))
    for wrong in ("nope = 1", "file = 'a'; DROP TABLE x", "file IN (SELECT 1)", "width >", "(" * 200, "sleep(9) > 0"):
        error = api.json(f"{api.c}/search", {"positive": [{"id": id}], "where": wrong}, status=422)["error"]
        assert error["code"] == "query.where", wrong


def test_a_source_is_one_thing(api: Client):
    id = api.id_of("01.png")
    for asked in ({}, {"id": id, "query": "00"}):
        assert api.json(f"{api.c}/search", {"positive": [asked]}, status=400)["error"]["code"] == "request"
    nowhere = api.json(f"{api.c}/search", {"positive": [{"id": "0" * 32}]}, status=404)
    assert nowhere["error"]["code"] == "picture.unknown"
    unknown = api.json(f"{api.c}/search", {"positive": [{"id": id}], "lens": "stripes"}, status=404)
    assert unknown["error"]["code"] == "lens.unknown"
    again = api.json(f"{api.c}/search", {"positive": [{"id": id}, {"id": id}], "negative": [{"id": id}] * 2, "k": 1})
    assert len(again["hits"]) == 1


def test_duplicates_come_in_groups_equal_ones_first(api: Client):
    groups = api.json(f"{api.c}/duplicates?least=1")
    assert [one["file"] for one in groups[0]["pictures"]] == ["03.png", "more/copy.png"]
    assert (groups[0]["equal"], groups[0]["least"], groups[0]["keep"]) == (True, 1.0, api.id_of("03.png"))
    assert api.json(f"{api.c}/duplicates?least=7", status=422)["error"]["code"] == "query"


def test_words_alone_with_pictures_and_with_weights(colours: Client):
    def first(positive, negative=(), **more) -> str:
        body = {"positive": positive, "negative": list(negative), "k": 1, **more}
        return colours.json(f"{colours.c}/search", body)["hits"][0]["file"]

    assert colours.json(f"{colours.c}/status")["words"] is True
    red = {"id": colours.id_of("red.png")}
    assert first([{"text": "빨간"}]) == "red.png"
    assert first([{"text": "red"}, {"text": "green"}]) == "yellow.png"
    assert first([red, {"text": "green"}]) == "yellow.png"
    assert first([{**red, "weight": 0.1}, {"text": "blue", "weight": 3}]) == "blue.png"
    assert first([{"text": "red"}], [{"text": "green"}]) == "red.png"
    assert first([{**red, "region": [0, 0, 0.5, 1]}, {"text": "green", "weight": 5}]) == "green.png"
    found = colours.json(f"{colours.c}/search", {"positive": [{"text": "red " * 9}], "k": 2})
    assert found["note"].startswith("the text is longer than the network reads")
    similarities = [hit["similarity"] for hit in found["hits"]]
    assert similarities[0] > 0.99
    assert 0.6 < similarities[1] < 0.8


def test_words_that_cannot_be_asked_are_one_line_each(api: Client, colours: Client):
    assert api.json(f"{api.c}/status")["words"] is False
    answer = api.post(f"{api.c}/search", json={"positive": [{"text": "red"}]})
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "query.words")
    for asked in (
        {"text": "red", "id": colours.id_of("red.png")},
        {"text": "red", "region": [0, 0, 1, 1]},
        {"text": ""},
        {"text": "x" * 1001},
        {"text": "red", "weight": 0},
        {},
    ):
        answer = colours.post(f"{colours.c}/search", json={"positive": [asked]})
        assert answer.status_code in (400, 422), asked
        assert "\n" not in answer.json()["error"]["message"]
    answer = colours.post(f"{colours.c}/search", json={"positive": [{"text": "red"}], "lens": "taste"})
    assert "words through the lens taste" in answer.json()["error"]["message"]

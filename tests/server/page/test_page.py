"""Looking and asking on the page, in a real browser against a real server."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from support.client import Client
from support.in_browser import answer_of, ask_in_page, go, names, tile, tiles
from support.pictures import draw

from lookalike.server.run import Server


def test_the_token_leaves_the_address_and_outlives_a_reload(page: Page):
    assert "t=" not in page.url
    page.reload()
    expect(tiles(page).first).to_be_visible()
    assert page.context.cookies() == []


@pytest.mark.parametrize(("language", "words"), [("en-US", "en"), ("ko-KR", "ko")])
def test_the_words_are_on_their_way_before_the_code_and_are_asked_for_once(
    browser: Browser, shared: Server, language: str, words: str
):
    context = browser.new_context(locale=language)
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda one: asked.append(one.url.rsplit("/", 1)[1]))
    page.goto(shared.url)
    page.locator("html[data-ready]").wait_for()
    context.close()
    assert [one for one in asked if one.endswith(".json")] == [f"{words}.json"]
    assert asked.index(f"{words}.json") < asked.index("app.js")


def test_a_click_answers_what_the_api_answers_and_back_goes_back(page: Page, api: Client):
    ask_in_page(page, "a/04.png")
    assert names(page, 8) == answer_of(api, positive=[{"id": api.id_of("a/04.png")}])[:8]
    page.go_back()
    expect(page.locator(".count-words", has_text="24 pictures")).to_be_visible()


def test_plus_and_minus_ask_with_both(page: Page, api: Client):
    ask_in_page(page, "a/04.png")
    second = names(page, 2)[1]
    tile(page, 2).focus()
    page.keyboard.press("+")
    page.get_by_role("group", name="Like these", exact=True).wait_for()
    expected = answer_of(api, positive=[{"id": api.id_of("a/04.png")}, {"id": api.id_of(second)}])
    expect(tile(page, 1)).to_have_attribute("aria-label", re.compile(re.escape(expected[0])))
    assert names(page, 5) == expected[:5]
    tile(page, 5).focus()
    page.keyboard.press("-")
    expect(page.get_by_role("group", name="Less like these")).to_be_visible()


def test_copies_are_hidden_and_the_least_similar_comes_first_where_that_is_asked(page: Page, api: Client):
    ask_in_page(page, "a/04.png")
    asked = {"positive": [{"id": api.id_of("a/04.png")}], "k": 200}
    page.get_by_label("Of copies only the first").check()
    found = api.json(f"{api.c}/search", {**asked, "unique": True})
    expect(page.get_by_label(f"Of copies only the first ({found['hidden']})")).to_be_checked()
    assert found["hidden"] > 0
    assert "a/copy.png" not in {hit["file"] for hit in found["hits"]}
    assert "unique=1" in page.url
    page.get_by_label("The least similar first").check()
    expected = answer_of(api, **asked, unique=True, reverse=True)
    expect(tile(page, 1)).to_have_attribute("aria-label", re.compile(re.escape(expected[0])))
    assert names(page, 5) == expected[:5]
    page.get_by_role("button", name="New question").click()
    assert "reverse" not in page.url


def test_the_filter_lets_through_what_the_api_lets_through_and_says_what_is_wrong(page: Page, api: Client):
    page.keyboard.press("/")
    box = page.get_by_label("Filter", exact=True)
    expect(box).to_be_focused()
    page.keyboard.type("width > 100")
    total = api.json(f"{api.c}/pictures?where=width>100")["total"]
    expect(page.locator(".count-words", has_text=f"{total} pictures")).to_be_visible()
    assert "where=width" in page.url
    box.fill("width >")
    expect(page.get_by_role("alert")).to_contain_text("cannot be understood")
    box.fill("width > 100000")
    page.get_by_role("button", name="Remove the filter").last.click()
    expect(page.locator(".count-words", has_text="24 pictures")).to_be_visible()


def test_the_lens_switch_ranks_anew_and_before_and_after_shows_both(page: Page, api: Client):
    ask_in_page(page, "a/04.png")
    page.get_by_role("button", name="kinds").click()
    assert "lens=kinds" in page.url
    expected = answer_of(api, positive=[{"id": api.id_of("a/04.png")}], lens="kinds")
    expect(page.get_by_role("listbox", name=re.compile("through kinds"))).to_be_visible()
    expect(tile(page, 3)).to_have_attribute("aria-label", re.compile(re.escape(expected[2])))
    page.keyboard.press("b")
    expect(page.locator("[data-side=left] li")).to_have_count(12)
    shown = page.locator("[data-side=right] .compare-hit").first
    expect(shown).to_have_attribute("aria-label", re.compile(re.escape(expected[0])))


def test_a_picture_is_chosen_dropped_and_pasted(page: Page, api: Client, tmp_path: Path):
    draw(tmp_path / "new.png", 5, (120, 80))
    page.locator("input[type=file]").set_input_files(tmp_path / "new.png")
    expect(tiles(page).first).to_have_attribute("aria-label", re.compile("similarity"))
    assert "plus=u:" in page.url
    for name, target in (("drop", "dataTransfer"), ("paste", "clipboardData")):
        page.goto(page.url.split("#")[0] + "#/library")
        expect(page.locator(".count-words", has_text="24 pictures")).to_be_visible()
        page.evaluate(
            """([name, target, bytes]) => {
                const data = new DataTransfer();
                data.items.add(new File([new Uint8Array(bytes)], "x.png", { type: "image/png" }));
                const kind = name === "drop" ? DragEvent : ClipboardEvent;
                document.body.dispatchEvent(new kind(name, { [target]: data, bubbles: true, cancelable: true }));
            }""",
            [name, target, list((tmp_path / "new.png").read_bytes())],
        )
        expect(tiles(page).first).to_have_attribute("aria-label", re.compile("similarity"))
    (tmp_path / "broken.png").write_bytes(b"no picture")
    page.locator("input[type=file]").set_input_files(tmp_path / "broken.png")
    expect(page.locator(".toast.error")).to_be_visible()


def test_a_part_of_a_picture_is_asked_with_by_keys(page: Page, api: Client):
    ask_in_page(page, "a/04.png")
    tile(page, 1).focus()
    page.keyboard.press("c")
    expect(page.get_by_role("application")).to_be_focused()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+ArrowDown")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.locator(".thumb .region")).to_have_count(1)
    region = [float(one) for one in page.url.split("@")[1].split("&")[0].split(",")]
    assert region == pytest.approx([0.22, 0.2, 0.6, 0.62])
    expected = answer_of(api, positive=[{"id": api.id_of("a/04.png"), "region": region}])
    expect(tile(page, 2)).to_have_attribute("aria-label", re.compile(re.escape(expected[1])))


def test_what_belongs_is_kept_at_once_and_taken_back(page: Page, api: Client):
    ask_in_page(page, "a/04.png")
    page.get_by_label("Refine while I click").uncheck()
    second = names(page, 2)[1]
    tile(page, 2).focus()
    page.keyboard.press("y")
    expect(page.locator(".toast")).to_contain_text("1 picture belongs.")
    expect(page.get_by_text("Belongs (1)")).to_be_visible()
    last = api.json(f"{api.c}/judgements")[-1]
    assert (last["query"]["file"], last["yes"]["file"]) == ("a/04.png", second)
    expect(tile(page, 2)).to_have_attribute("aria-label", re.compile(", belongs"))
    page.locator(".toast").get_by_role("button", name="Undo").click()
    expect(page.get_by_text("Belongs (0)")).to_be_visible()
    assert api.json(f"{api.c}/judgements") == []


def test_keys_move_select_look_and_go(page: Page):
    tile(page, 1).focus()
    page.keyboard.press("ArrowRight")
    expect(tile(page, 2)).to_be_focused()
    page.keyboard.press("End")
    expect(tile(page, 24)).to_be_focused()
    page.keyboard.press("Home")
    page.keyboard.press("x")
    page.keyboard.press("Shift+ArrowRight")
    expect(page.locator(".count-words", has_text="2 selected")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("Space")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    page.keyboard.press("ArrowRight")
    expect(dialog.get_by_text("3 / 24")).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    for key, view in (("t", "teach"), ("d", "duplicates")):
        page.keyboard.press(key)
        expect(page.locator(f"main.view-{view}")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("main.view-library")).to_be_visible()


def test_the_help_shows_every_row_of_the_key_table(page: Page):
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    assert page.locator("[data-key]").count() >= 24
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_a_group_is_made_by_keys_and_taken_back(page: Page, api: Client):
    for place in (3, 4):
        tile(page, place).focus()
        page.keyboard.press("x")
    page.keyboard.press("g")
    page.get_by_label("Name", exact=True).fill("Stripes")
    page.keyboard.press("Enter")
    expect(page.locator(".toast")).to_contain_text("Stripes: made with 2 pictures.")
    assert [(one["name"], len(one["pictures"])) for one in api.json(f"{api.c}/groups")] == [("Stripes", 2)]
    page.keyboard.press("Escape")
    tile(page, 6).focus()
    page.keyboard.press("1")
    expect(page.locator(".toast").last).to_contain_text("Stripes: 1 picture added.")
    assert len(api.json(f"{api.c}/groups")[0]["pictures"]) == 3
    for left in ("2", None):
        page.keyboard.press("u")
        rows = page.locator(".group-list .count")
        expect(rows).to_have_text([left] if left else [])


def test_a_question_is_answered_by_keys(page: Page, api: Client):
    go(page, "#/judge")
    shown = page.locator(".candidate")
    expect(shown.first).to_be_visible()
    page.keyboard.press("1")
    page.keyboard.press("2")
    page.keyboard.press("2")
    expect(shown.nth(0)).to_have_attribute("data-mark", "yes")
    expect(shown.nth(1)).to_have_attribute("data-mark", "no")
    with page.expect_response(lambda one: "/questions/" in one.url) as answered:
        page.keyboard.press("Enter")
    assert answered.value.status == 201
    expect(page.get_by_role("status").filter(has_text="2 of")).to_be_visible()
    assert [one["kind"] for one in api.json(f"{api.c}/judgements")] == ["pair", "apart"]
    for _ in range(2):
        api.json(f"{api.c}/judgements/last", method="DELETE")


def test_lenses_and_their_proofs_are_shown_in_words(page: Page, api: Client):
    go(page, "#/lenses")
    proof = api.json(f"{api.c}/lenses/kinds")["proof"]
    page.get_by_role("button", name="Proof").click()
    expect(page.get_by_role("heading", name="Proof of kinds")).to_be_visible()
    if proof["results"]:
        share = f"{100 * proof['results']['lens']['recall_at_1']:.1f}".removesuffix(".0")
        expect(page.locator(".arm-lens")).to_contain_text(f"{share}%")


def test_duplicates_are_shown_equal_ones_first(page: Page):
    go(page, "#/duplicates")
    page.get_by_label("As alike as").select_option("1")
    expect(page.locator(".pair-group").first).to_contain_text("Equal files")
    expect(page.locator(".pair-group").first).to_contain_text("a/copy.png")


def test_a_job_is_followed_to_its_end(page: Page):
    go(page, "#/status")
    page.get_by_role("button", name="Table (CSV)").click()
    expect(page.get_by_text("is ready.")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name="Save the file").click()
    assert Path(download.value.path()).read_text(encoding="utf-8").count("\n") >= 24

"""The page in a real browser, against a real server."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.client import Client
from support.pictures import draw

playwright = pytest.importorskip("playwright.sync_api")
axe_playwright = pytest.importorskip("axe_playwright_python.sync_playwright")

from lookalike import Collection  # noqa: E402
from lookalike.server.run import Listening, Server  # noqa: E402
from lookalike.server.workspace import Workspace  # noqa: E402

expect = playwright.expect
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here")
VIEWS = ("library", "judge", "groups", "teach", "lenses", "duplicates", "status")
DESK, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of 24 drawn pictures, that tests may judge."""
    folder = tmp_path_factory.mktemp("page") / "photos"
    for number in range(22):
        draw(folder / f"{'ab'[number % 2]}" / f"{number:02d}.png", number, (160 if number < 11 else 96, 96))
    draw(folder / "a" / "copy.png", 0, (160, 96))
    draw(folder / "<img src=x onerror=alert(1)>.png", 30, (96, 96))
    collection = Collection(folder)
    collection.index()
    collection.learn(folder, as_="classes", name="kinds", quick=True)
    workspace = Workspace()
    workspace.add(folder)
    with Server(workspace, Listening(port=0)).running() as server:
        yield server


@pytest.fixture(scope="module")
def api(shown: Server) -> Iterator[Client]:
    with Client(shown) as client:
        yield client


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as started:
        launched = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-dev-shm-usage"])
        yield launched
        launched.close()


@pytest.fixture
def opened(browser: Any, shown: Server) -> Iterator[Any]:
    """Opens the page: opened(hash, viewport, ..) -> a page, on which nothing went wrong or was asked of others."""
    contexts, wrong = [], []

    def open_page(address: str = "", viewport: Any = DESK, language: str = "en-US", **options: Any) -> Any:
        context = browser.new_context(viewport=viewport, locale=language, reduced_motion="reduce", **options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(20_000)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        own = f"http://127.0.0.1:{shown.port}/"
        page.on("request", lambda one: wrong.append(one.url) if not one.url.startswith((own, "blob:")) else None)
        page.on("console", lambda one: wrong.append(one.text) if "Content Security" in one.text else None)
        page.goto(shown.url)
        page.locator("html[data-ready]").wait_for()
        if address:
            page.goto(f"{own}{address}")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert wrong == []


def tiles(page: Any) -> Any:
    return page.get_by_role("listbox").get_by_role("option")


def names(page: Any, count: int) -> list[str]:
    """The files of the first tiles."""
    found = []
    for place in range(1, count + 1):
        tile = page.locator(f".tile[aria-posinset='{place}']")
        expect(tile).to_have_attribute("aria-label", re.compile(r"\.png"))
        found.append(tile.get_attribute("aria-label").split(".png")[0] + ".png")
    return found


def ask_in_page(page: Any, file: str) -> None:
    page.locator(f".tile[aria-label^='{file}']").click()
    expect(tiles(page).first).to_have_attribute("aria-label", re.compile("similarity"))


def answer_of(api: Client, **asked: Any) -> list[str]:
    found = api.json(f"{api.c}/search", {"k": 200, **asked})
    return [one["file"] for one in found["hits"]]


def test_the_token_leaves_the_address_and_outlives_a_reload(opened: Any):
    page = opened()
    assert "t=" not in page.url
    page.reload()
    expect(tiles(page).first).to_be_visible()
    assert page.context.cookies() == []


def test_a_click_answers_what_the_api_answers_and_back_goes_back(opened: Any, api: Client):
    page = opened()
    ask_in_page(page, "a/04.png")
    assert names(page, 8) == answer_of(api, positive=[{"id": api.id_of("a/04.png")}])[:8]
    page.go_back()
    expect(page.locator(".count-words", has_text="24 pictures")).to_be_visible()


def test_plus_and_minus_ask_with_both(opened: Any, api: Client):
    page = opened()
    ask_in_page(page, "a/04.png")
    second = names(page, 2)[1]
    page.locator(".tile[aria-posinset='2']").focus()
    page.keyboard.press("+")
    page.get_by_role("group", name="Like these", exact=True).wait_for()
    expected = answer_of(api, positive=[{"id": api.id_of("a/04.png")}, {"id": api.id_of(second)}])
    expect(page.locator(".tile[aria-posinset='1']")).to_have_attribute("aria-label", re.compile(re.escape(expected[0])))
    assert names(page, 5) == expected[:5]
    page.locator(".tile[aria-posinset='5']").focus()
    page.keyboard.press("-")
    expect(page.get_by_role("group", name="Less like these")).to_be_visible()


def test_the_filter_lets_through_what_the_api_lets_through_and_says_what_is_wrong(opened: Any, api: Client):
    page = opened()
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


def test_the_lens_switch_ranks_anew_and_before_and_after_shows_both(opened: Any, api: Client):
    page = opened()
    ask_in_page(page, "a/04.png")
    page.get_by_role("button", name="kinds").click()
    assert "lens=kinds" in page.url
    expected = answer_of(api, positive=[{"id": api.id_of("a/04.png")}], lens="kinds")
    expect(page.get_by_role("listbox", name=re.compile("through kinds"))).to_be_visible()
    expect(page.locator(".tile[aria-posinset='3']")).to_have_attribute("aria-label", re.compile(re.escape(expected[2])))
    page.keyboard.press("b")
    expect(page.locator("[data-side=left] li")).to_have_count(12)
    shown = page.locator("[data-side=right] .compare-hit").first
    expect(shown).to_have_attribute("aria-label", re.compile(re.escape(expected[0])))


def test_a_picture_is_chosen_dropped_and_pasted(opened: Any, api: Client, tmp_path: Path):
    page = opened()
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


def test_a_part_of_a_picture_is_asked_with_by_keys(opened: Any, api: Client):
    page = opened()
    ask_in_page(page, "a/04.png")
    page.locator(".tile[aria-posinset='1']").focus()
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
    expect(page.locator(".tile[aria-posinset='2']")).to_have_attribute("aria-label", re.compile(re.escape(expected[1])))


def test_what_belongs_is_kept_at_once_and_taken_back(opened: Any, api: Client):
    page = opened()
    ask_in_page(page, "a/04.png")
    second = names(page, 2)[1]
    page.locator(".tile[aria-posinset='2']").focus()
    page.keyboard.press("y")
    expect(page.locator(".toast")).to_contain_text("1 picture belongs.")
    expect(page.get_by_text("Belongs (1)")).to_be_visible()
    last = api.json(f"{api.c}/judgements")[-1]
    assert (last["query"]["file"], last["yes"]["file"]) == ("a/04.png", second)
    expect(page.locator(".tile[aria-posinset='2']")).to_have_attribute("aria-label", re.compile(", belongs"))
    page.locator(".toast").get_by_role("button", name="Undo").click()
    expect(page.get_by_text("Belongs (0)")).to_be_visible()
    assert api.json(f"{api.c}/judgements") == []


def test_keys_move_select_look_and_go(opened: Any):
    page = opened()
    page.locator(".tile[aria-posinset='1']").focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator(".tile[aria-posinset='2']")).to_be_focused()
    page.keyboard.press("End")
    expect(page.locator(".tile[aria-posinset='24']")).to_be_focused()
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


def test_the_help_shows_every_row_of_the_key_table(opened: Any):
    page = opened()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    assert page.locator("[data-key]").count() >= 24
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_a_group_is_made_by_keys_and_taken_back(opened: Any, api: Client):
    page = opened()
    for place in (3, 4):
        page.locator(f".tile[aria-posinset='{place}']").focus()
        page.keyboard.press("x")
    page.keyboard.press("g")
    page.get_by_label("Name", exact=True).fill("Stripes")
    page.keyboard.press("Enter")
    expect(page.locator(".toast")).to_contain_text("Stripes: made with 2 pictures.")
    assert [(one["name"], len(one["pictures"])) for one in api.json(f"{api.c}/groups")] == [("Stripes", 2)]
    page.keyboard.press("Escape")
    page.locator(".tile[aria-posinset='6']").focus()
    page.keyboard.press("1")
    expect(page.locator(".toast").last).to_contain_text("Stripes: 1 picture added.")
    assert len(api.json(f"{api.c}/groups")[0]["pictures"]) == 3
    for left in ("2", None):
        page.keyboard.press("u")
        rows = page.locator(".group-list .count")
        expect(rows).to_have_text([left] if left else [])


def test_a_question_is_answered_by_keys(opened: Any, api: Client):
    page = opened("#/judge")
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


def test_lenses_and_their_proofs_are_shown_in_words(opened: Any, api: Client):
    page = opened("#/lenses")
    proof = api.json(f"{api.c}/lenses/kinds")["proof"]
    page.get_by_role("button", name="Proof").click()
    expect(page.get_by_role("heading", name="Proof of kinds")).to_be_visible()
    if proof["results"]:
        share = f"{100 * proof['results']['lens']['recall_at_1']:.1f}".removesuffix(".0")
        expect(page.locator(".arm-lens")).to_contain_text(f"{share}%")


def test_duplicates_are_shown_equal_ones_first(opened: Any):
    page = opened("#/duplicates")
    page.get_by_label("As alike as").select_option("1")
    expect(page.locator(".pair-group").first).to_contain_text("Equal files")
    expect(page.locator(".pair-group").first).to_contain_text("a/copy.png")


def test_a_job_is_followed_to_its_end(opened: Any):
    page = opened("#/status")
    page.get_by_role("button", name="Table (CSV)").click()
    expect(page.get_by_text("is ready.")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name="Save the file").click()
    assert Path(download.value.path()).read_text(encoding="utf-8").count("\n") >= 24


@pytest.mark.parametrize("view", VIEWS)
def test_with_korean_no_english_word_is_left(opened: Any, view: str):
    page = opened(f"#/{view}", language="ko-KR")
    expect(page.locator("html")).to_have_attribute("lang", "ko")
    page.locator(f"main.view-{view}").wait_for()
    page.locator(".waiting").first.wait_for(state="detached")
    text = page.locator("#app").inner_text()
    files = r"\S*\.png\S*|\S*/\S*|onerror\S*|<img|src=x"
    allowed = rf"photos|kinds|lookalike|width|Parquet|CSV|NumPy|ONNX|MB|kB|efficientnet-lite0|{files}"
    assert re.findall(r"[A-Za-z]{2,}", re.sub(allowed, "", text)) == []


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(opened: Any, view: str, scheme: str):
    for viewport, language in ((DESK, "en-US"), (PHONE, "ko-KR")):
        page = opened(f"#/{view}", viewport, language, color_scheme=scheme)
        page.locator(f"main.view-{view}").wait_for()
        page.locator(".waiting").first.wait_for(state="detached")
        found = axe_playwright.Axe().run(page)
        assert found.violations_count == 0, found.generate_report()

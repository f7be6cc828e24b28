"""Teach asks how deep the network learns, and says what comes of it."""

from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import expect
from support.in_browser import Opener

from lookalike.server.run import Server


def test_the_layer_from_which_the_network_learns_is_asked_for_with_its_cost_and_sent(
    open_page: Opener, serve: Callable[..., Server], photos: Path
):
    """A network without layers that could learn: the refusal is shown in words, the form stays."""
    page = open_page(serve(photos).url, "#/teach")
    page.get_by_text("Folders as classes").click()
    page.get_by_label("Name of the lens").fill("deep")
    page.get_by_text("More settings").click()
    expect(page.get_by_label("Loss")).to_be_visible()
    expect(page.get_by_text("takes minutes in place of seconds")).to_be_visible()
    page.get_by_label("From this layer on").fill("blocks.15")
    expect(page.get_by_label("Loss")).to_have_count(0)  # fine-tuning has its own
    with page.expect_request(lambda one: one.url.endswith("/jobs") and one.method == "POST") as sent:
        page.get_by_role("button", name="Teach", exact=True).click()
    asked = sent.value.post_data_json
    assert (asked["unfreeze"], asked["loss"], asked["name"], asked["source"]) == ("blocks.15", None, "deep", "folders")
    expect(page.get_by_role("heading", name="Nothing was learned.")).to_be_visible()
    expect(page.get_by_role("button", name="Teach again")).to_be_visible()

"""The page in a browser: it asks for nothing, complains of nothing, and its controls work."""

import warnings

import pytest
from browser import Browser, program

from genlab.reports.page import render
from genlab.reports.run import read_run

VISIBLE = "[...document.querySelectorAll('{} img')].filter(one => !one.hidden).map(one => one.alt)"
SLIDE = "(() => {{ const range = document.querySelector('{}'); range.value = {}; \
range.dispatchEvent(new Event('input', {{bubbles: true}})) }})()"


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    if program() is None:
        warnings.warn("no chromium: the report was not tested in a browser (apt-get install chromium)", stacklevel=1)
        pytest.skip("no chromium: apt-get install chromium")
    browser = Browser(tmp_path_factory.mktemp("profile"))
    yield browser
    browser.close()


@pytest.fixture
def opened(browser, tmp_path):
    def opened(folders, **window):
        page = tmp_path / "report.html"
        page.write_text(render([read_run(folder) for folder in folders], title="a report"), encoding="utf-8")
        browser.events.clear()
        browser.open(page, **window)
        return browser

    yield opened
    assert browser.requests() == [] and browser.complaints() == []


def test_the_slider_shows_one_grid_at_a_time(opened, make_run):
    page = opened([make_run()])
    first = ".strip figure:first-child"
    assert page.js(VISIBLE.format(first)) == ["samples after 3,000 images"]
    page.js(SLIDE.format(".strip input[type=range]", 0))
    assert page.js(VISIBLE.format(first)) == ["samples after 1,000 images"]
    assert page.js("document.querySelector('.strip output').textContent") == "1,000 images"
    assert page.js("[...document.images].every(one => one.naturalWidth === 40)")


def test_curves_are_chosen_read_and_drawn_on_a_log_scale(opened, make_run):
    page = opened([make_run()])
    charts = "[...document.querySelectorAll('.chart')].filter(one => !one.hidden).map(one => one.innerText)"
    assert [text.split("\n")[0] for text in page.js(charts)] == ["generator/adversarial", "discriminator/gap"]
    path = "document.querySelector('.chart path').getAttribute('d')"
    linear = page.js(path)
    page.js("document.getElementById('log').click()")
    assert page.js(path) != linear
    assert "linear: has values of 0 or below" in page.js("document.querySelectorAll('.chart')[1].textContent")
    box = page.js("(b => [b.right, b.y])(document.querySelector('.chart > svg').getBoundingClientRect())")
    page.js(f"scrollTo(0, {box[1] - 100})")
    top = page.js("document.querySelector('.chart > svg').getBoundingClientRect().y")
    page.call("Input.dispatchMouseEvent", type="mouseMoved", x=box[0] - 12, y=top + 60)
    assert page.js("document.querySelector('.tip:not([hidden])').textContent") == "3,000 images3"
    page.js("document.querySelector('[data-curve=\"0\"]').click()")
    assert len(page.js(charts)) == 1


def test_many_runs_are_overlaid_sorted_and_slid_together(opened, make_run):
    page = opened([make_run("a-0", scores=[2.0]), make_run("a-1", seed=1, scores=[4.0]), make_run("b-0", lr=1.0)])
    heads = "[...document.querySelectorAll('.sortable tbody th')].map(one => one.textContent.trim())"
    assert page.js(heads) == ["a", "b"]
    page.js("document.querySelector('[aria-sort] button').click()")
    assert page.js(heads) == ["b", "a"]
    paths = "document.querySelector('.chart').querySelectorAll('path').length"
    assert page.js(paths) == 3
    page.js(
        "(one => { one.focus(); one.dispatchEvent(new KeyboardEvent('keydown', {key: 'ArrowLeft'})) })"
        "(document.querySelector('.chart > svg'))"
    )
    tip = page.js("document.querySelector('.tip:not([hidden])').innerText").split()
    assert tip[:2] == ["3,000", "images"] and "a, seed 1 4 a, seed 0 3" in " ".join(tip)
    page.js("document.querySelector('[data-group=\"0\"]').click()")
    assert page.js(paths) == 1
    page.js(SLIDE.format("#together", 1))
    assert {alt.rpartition(" after ")[2] for alt in page.js(VISIBLE.format("[data-card]"))} == {"2,000 images"}


@pytest.mark.parametrize("others", [0, 1])
def test_runs_without_anything_to_show_break_nothing(opened, make_run, others):
    dead, whole = make_run("dead-0"), [make_run(f"gan-{at}") for at in range(others)]
    for file in (*dead.glob("*.*"), *dead.glob("samples/*")):
        file.write_bytes(b"{")
    page = opened([dead, *whole])
    assert page.js("document.querySelectorAll('#warnings li').length") == 4
    assert page.js("document.querySelectorAll('.chart').length") == 2 * others


@pytest.mark.parametrize("count", [1, 3])
def test_a_phone_scrolls_in_one_direction_only(opened, make_run, count):
    page = opened([make_run(f"gan-{seed}", seed=seed) for seed in range(count)], width=360, height=740)
    assert page.js("document.documentElement.scrollWidth") <= 360


def test_the_text_has_contrast(opened, make_run):
    """WCAG 2.1, 1.4.3: 4.5 to 1 for text, in the light and the dark palette."""
    page = opened([make_run()])
    for scheme in ("light", "dark"):
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        page.call("Emulation.setEmulatedMedia", features=features)
        value = "getComputedStyle(document.documentElement).getPropertyValue('--{}').trim()"
        paper, raised = (luminance(page.js(value.format(name))) for name in ("paper", "raised"))
        for name in ("ink", "soft", "accent", "warn", "bad"):
            assert min(contrast(luminance(page.js(value.format(name))), at) for at in (paper, raised)) >= 4.5, name
    page.call("Emulation.setEmulatedMedia", features=[])


def luminance(colour):
    digits = colour[1:] if len(colour) == 7 else "".join(2 * digit for digit in colour[1:])
    parts = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(a, b):
    return (max(a, b) + 0.05) / (min(a, b) + 0.05)

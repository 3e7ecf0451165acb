"""A notebook run in JupyterLab through its menu, then opened by somebody who neither trusts nor runs it; light and dark."""

import base64
import json
import os
import shutil
import sys

import lab

# Pieces of the agent's cell and their kinds: what is of one kind looks alike, and no two kinds do.
PLACES = {
    "// File: trading_agent.ag": "comment",
    "agent": "keyword",
    "TradingAgent": "type",
    "1000": "number",
    "1h": "number",
    '"trading_memories"': "text",
    "$0.10": "number",
    "@recall": "special",
    "@with_cost_limit": "special",
    "$signal": "special",
    "capacity": "name",
}

SPANS = """
() => [...document.querySelectorAll('.jp-CodeCell')].map(cell => {
  const spans = [...cell.querySelectorAll('.cm-line span')].map(span => {
    const style = getComputedStyle(span);
    return { text: span.textContent, look: [style.color, style.fontWeight, style.fontStyle].join(' '), color: style.color };
  });
  return { ground: getComputedStyle(cell.querySelector('.jp-InputArea-editor')).backgroundColor, spans };
})
"""

# What a person sees of the output of each code cell: the forms, and how large they are drawn.
OUTPUTS = """
() => [...document.querySelectorAll('.jp-CodeCell')].map(cell => {
  const outputs = [...cell.querySelectorAll('.jp-OutputArea-output')];
  const size = element => { const box = element.getBoundingClientRect(); return [box.width, box.height]; };
  const pictures = [...cell.querySelectorAll('.jp-OutputArea img, .jp-OutputArea canvas, .jp-OutputArea svg')];
  return {
    source: cell.querySelector('.cm-content').textContent,
    mimes: outputs.map(output => output.dataset.mimeType),
    text: outputs.map(output => output.innerText).join('\\n'),
    pictures: pictures.map(one => ({ size: size(one), loaded: one.tagName !== 'IMG' || one.naturalWidth > 0 })),
    charts: [...cell.querySelectorAll('.vega-embed canvas, .vega-embed svg.marks')].map(size),
    tables: [...cell.querySelectorAll('.jp-OutputArea table')].map(size),
    bars: [...cell.querySelectorAll('.jp-OutputArea span')]
      .filter(span => getComputedStyle(span).backgroundColor !== 'rgba(0, 0, 0, 0)' && !span.textContent)
      .map(span => ({ size: size(span), color: getComputedStyle(span).backgroundColor })),
    wide: outputs.some(output => output.scrollWidth > output.clientWidth + 1)
      || pictures.some(one => one.getBoundingClientRect().right > cell.getBoundingClientRect().right + 1),
    failed: cell.querySelectorAll('[data-mime-type="application/vnd.jupyter.error"]').length,
  };
})
"""

# The color of a picture's first pixel, taken from what is on the screen.
PIXEL = """
async png => {
  const picture = new Image();
  picture.src = 'data:image/png;base64,' + png;
  await picture.decode();
  const context = Object.assign(document.createElement('canvas'), { width: 8, height: 8 }).getContext('2d');
  context.drawImage(picture, 0, 0);
  return `rgb(${[...context.getImageData(4, 4, 1, 1).data].slice(0, 3).join(', ')})`;
}
"""


def check(browser, folder, path):
    """Gives the views that were looked at."""
    name = os.path.basename(path)
    work = os.path.join(folder, "work")
    os.makedirs(work, exist_ok=True)
    shutil.copy(path, os.path.join(work, name))
    views = []
    with lab.server(folder) as url:
        own = lab.Lab(browser, url, name)
        own.run_all()
        own.save()
        views += [look(own, "trusted", theme) for theme in lab.THEMES]
        own.page.close()
        received = receive(os.path.join(work, name), os.path.join(work, "received.ipynb"))
        other = lab.Lab(browser, url, received)
        views += [look(other, "untrusted", theme) for theme in lab.THEMES]
        other.page.close()
    return views


def receive(path, copy):
    """The executed notebook as another person gets it: one more key, so no signature of this server is on it."""
    with open(path) as file:
        notebook = json.load(file)
    notebook["metadata"]["received"] = True
    with open(copy, "w") as file:
        json.dump(notebook, file)
    return os.path.basename(copy)


def look(page, trust, theme):
    view = f"{trust} {theme}"
    page.theme(theme)
    page.grow()
    check_colors(view, page.page.evaluate(SPANS))
    check_outputs(view, trust, page.page.evaluate(OUTPUTS))
    if trust == "trusted":
        check_ground(view, page.page, theme)
    if page.complaints:
        sys.exit(f"{view}: the page complains: {page.complaints}")
    pictures = os.environ.get("AG_PICTURES")
    if pictures:
        page.page.screenshot(path=os.path.join(pictures, f"{trust}-{theme}.png"))
    return view


def check_ground(view, page, theme):
    """A trace is light on a light page and dark on a dark one."""
    shown = page.locator(".jp-RenderedSVG img").first.screenshot()
    ground = page.evaluate(PIXEL, base64.b64encode(shown).decode())
    against = {"light": "rgb(0, 0, 0)", "dark": "rgb(255, 255, 255)"}[theme]
    expect(view, contrast(ground, against) > 10, ground)


def check_colors(view, cells):
    agent = cells[1]
    looks = {}
    for text, kind in PLACES.items():
        found = {span["look"] for span in agent["spans"] if span["text"] == text}
        # What has no colour of its own has no span either.
        if not found and kind == "name":
            found = {"none"}
        if len(found) != 1:
            sys.exit(f"{view}: {text} is drawn in {len(found)} ways: {found}")
        if looks.setdefault(kind, found) != found:
            sys.exit(f"{view}: {text} is no {kind}: {found}, {looks[kind]}")
    if len({next(iter(look)) for look in looks.values()}) != len(looks):
        sys.exit(f"{view}: two kinds look alike: {looks}")
    for cell in cells:
        for span in cell["spans"]:
            if contrast(span["color"], cell["ground"]) < 3:
                sys.exit(f"{view}: {span['text']} does not read: {span['color']} on {cell['ground']}")


def contrast(one, other):
    """As WCAG counts it; 3 is its least for large or incidental text, which Lab's own comments just meet."""

    def luminance(color):
        channels = [int(part) / 255 for part in color[color.index("(") + 1 : -1].split(",")[:3]]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def check_outputs(view, trust, cells):
    for cell in cells:
        if cell["failed"] or cell["wide"]:
            sys.exit(f"{view}: {cell['source'][:60]} {'failed' if cell['failed'] else 'is wider than the page'}: {cell['text']}")
        for picture in cell["pictures"]:
            if not picture["loaded"] or min(picture["size"]) < 8:
                sys.exit(f"{view}: a picture of {cell['source']} is not drawn: {picture}")
    by_source = {cell["source"]: cell for cell in cells}
    trace, cost, recall = by_source[":trace"], by_source[":cost"], by_source[":why recall"]
    # Where the notebook is not trusted Lab leaves the SVG out; the PNG stands in.
    wanted = {"trusted": "image/svg+xml", "untrusted": "image/png"}[trust]
    expect(view, wanted in trace["mimes"], trace)
    width, height = max(picture["size"] for picture in trace["pictures"])
    expect(view, width > 600 and height > 100, trace)
    expect(view, cost["tables"] and "$0.000025" in cost["text"] and "made-up answers (echo)" in cost["text"], cost)
    # One call is one bar with its axis and its legend.
    expect(view, cost["charts"] and cost["charts"][0][0] > 400 and cost["charts"][0][1] > 60, cost)
    expect(view, cost["text"].count("Cost of this session") == 1, cost)
    colors = {bar["color"] for bar in recall["bars"] if bar["size"][0] > 20 and bar["size"][1] > 8}
    expect(view, len(colors) >= 3, recall)
    expect(view, "Decision.Hold" in "".join(cell["text"] for cell in cells), cells)


def expect(view, holds, what):
    if not holds:
        sys.exit(f"{view}: not as it should be: {json.dumps(what, indent=1)}")

"""The pictures of the README: a decision of the agent, its timeline and its cost, as JupyterLab shows them."""

import json
import os

import lab

FROM = "A decision"
# Cells from here on redefine what the decision read: its result would be marked stale.
UNTIL = "## The same question"
SCROLL = """
text => {
  const heading = [...document.querySelectorAll('.jp-MarkdownCell h2')].find(one => one.textContent.startsWith(text));
  const panel = document.querySelector('.jp-WindowedPanel-outer');
  panel.scrollBy(0, heading.getBoundingClientRect().top - panel.getBoundingClientRect().top - 16);
  document.activeElement?.blur();
}
"""


def copy_of_the_first_part(path, copy):
    with open(path, encoding="utf-8") as file:
        notebook = json.load(file)
    starts = ["".join(cell["source"]).startswith(UNTIL) for cell in notebook["cells"]]
    del notebook["cells"][starts.index(True):]
    with open(copy, "w", encoding="utf-8") as file:
        json.dump(notebook, file)


def take(browser, folder, path, out):
    """Writes `notebook-light.png` and `notebook-dark.png` into `out`; gives their names with their sizes."""
    name = os.path.basename(path)
    os.makedirs(os.path.join(folder, "work"), exist_ok=True)
    copy_of_the_first_part(path, os.path.join(folder, "work", name))
    with lab.server(folder) as url:
        page = lab.Lab(browser, url, name, width=1000, height=960, scale=1.5)
        for command in ("application:set-mode", "statusbar:toggle"):
            page.run(command, {"mode": "single-document"} if command.endswith("mode") else None)
        for side in ("left", "right"):
            page.run("application:toggle-side-tabbar", {"side": side})
        page.run_all()
        page.save()
        for theme in lab.THEMES:
            page.theme(theme)
            page.grow()
            page.page.set_viewport_size({"width": 1000, "height": 960})
            page.page.evaluate(SCROLL, FROM)
            page.page.wait_for_timeout(500)
            picture = os.path.join(out, f"notebook-{theme}.png")
            page.page.screenshot(path=picture)
            yield f"{picture} ({os.path.getsize(picture) // 1024} KiB)"

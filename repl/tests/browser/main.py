"""What `browser.rs` runs: `main.py colors FOLDER CASES` or `main.py notebook FOLDER NOTEBOOK`."""

import os
import sys

import colors
import lab
import notebook

SCRIPT = "share/jupyter/labextensions/ag-lang/static/remoteEntry.js"


def main(what, folder, argument):
    with lab.chromium() as browser:
        if what == "colors":
            print(f"{colors.check(browser, os.path.join(folder, SCRIPT), argument)} texts agree")
        else:
            print(", ".join(notebook.check(browser, os.path.join(folder, "lab"), argument)))


if __name__ == "__main__":
    main(*sys.argv[1:])

"""What `browser.rs` and `make picture` run, with a folder in which the kernel is installed:

main.py colors FOLDER CASES | main.py notebook FOLDER NOTEBOOK | main.py picture FOLDER NOTEBOOK OUT
"""

import os
import sys

import colors
import lab
import notebook
import picture

SCRIPT = "share/jupyter/labextensions/ag-lang/static/remoteEntry.js"


def main(what, folder, *arguments):
    place = os.path.join(folder, "lab")
    with lab.chromium() as browser:
        if what == "colors":
            print(f"{colors.check(browser, os.path.join(folder, SCRIPT), *arguments)} texts agree")
        elif what == "notebook":
            print(", ".join(notebook.check(browser, place, *arguments)))
        elif what == "picture":
            for said in picture.take(browser, place, *arguments):
                print(said)
        else:
            sys.exit(__doc__)


if __name__ == "__main__":
    main(*sys.argv[1:])

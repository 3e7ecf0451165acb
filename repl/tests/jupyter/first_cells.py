"""The notebook for newcomers through nbclient: each result is what its text promises, and only the two mistakes fail."""

import os
import sys

import nbformat
from nbclient import NotebookClient

# The id of a cell, and what must be in what it shows.
WANTED = {
    "values": "'Ada cooks for 4'",
    "functions": "'hello Ada hello Ada'",
    "mistake": "E0301",
    "data": "<td",
    "match": "on the terrace, in the shade",
    "collections": "'tea': 2, 'and': 2",
    "money": "'$56.25 and a tip of $11.25: $22.50 for each of 3'",
    "fault": "R0102",
    "try": "'R0102: division by zero: 12 / 0'",
    "agent": "1 lane call, echo",
    "cost": "made-up answers (echo)",
    "help": "Text.split",
}


def main(path):
    notebook = nbformat.read(path, as_version=4)
    resources = {"metadata": {"path": os.path.dirname(path)}}
    NotebookClient(notebook, kernel_name="agentic", timeout=120, resources=resources).execute()
    cells = {cell.id: cell for cell in notebook.cells if cell.cell_type == "code"}
    assert set(cells) == set(WANTED), set(cells) ^ set(WANTED)
    for name, wanted in WANTED.items():
        # Quotes as in a program, whichever the form has.
        shown = str(cells[name].outputs).replace('\\"', "'").replace('"', "'")
        assert wanted in shown, f"{name}: no {wanted} in {shown}"
        errors = [output for output in cells[name].outputs if output.output_type == "error"]
        assert len(errors) == (name in ("mistake", "fault")), f"{name}: {errors}"


if __name__ == "__main__":
    main(sys.argv[1])

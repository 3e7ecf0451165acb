"""Executes a notebook in place through Jupyter, telling each cell and its time; a failing cell is shown and ends it."""

import sys
import time

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError


def main(path):
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(notebook, kernel_name="agentic", timeout=120, resources={"metadata": {"path": folder(path)}})
    began = {}

    def start(cell, cell_index, **_):
        began[cell_index] = time.monotonic()

    def done(cell, cell_index, execute_reply, **_):
        spent_ms = (time.monotonic() - began[cell_index]) * 1000
        first = cell.source.strip().splitlines()[0][:50]
        print(f"  cell {cell_index:2}  {spent_ms:6.0f} ms  {len(cell.outputs)} outputs  {first}", flush=True)

    client.on_cell_start, client.on_cell_executed = start, done
    try:
        client.execute()
    except CellExecutionError as error:
        nbformat.write(notebook, path)
        sys.exit(f"a cell failed ({error.ename}):\n{error}")
    nbformat.write(notebook, path)


def folder(path):
    return path.rsplit("/", 1)[0] if "/" in path else "."


if __name__ == "__main__":
    main(sys.argv[1])

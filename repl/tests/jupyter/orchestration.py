"""Executes the notebook of orchestrations through nbclient and reads votes, traces and results from its outputs' data."""

import sys

from notebook import KIND, facts, result
import os

import nbformat
from nbclient import NotebookClient


def execute(path):
    notebook = nbformat.read(path, as_version=4)
    resources = {"metadata": {"path": os.path.dirname(path)}}
    NotebookClient(notebook, kernel_name="agentic", timeout=120, resources=resources).execute()
    return {cell.id: cell.outputs for cell in notebook.cells if cell.cell_type == "code"}


def printed(outputs):
    return "".join(output.text for output in outputs if output.output_type == "stream" and output.name == "stdout")


def check_decisions(decisions):
    first, second = decisions["decisions"]
    assert first["input"] == ['trade: Trade { symbol: "ACME", quantity: 50 }'], first
    for decision, value, vote in ((first, "true", "Vote.Approve"), (second, "false", "Vote.Reject")):
        assert decision["result"] == {"text": value, "is_fault": False}, decision
        said = [one["said"]["text"] for one in decision["votes"]]
        assert len(said) == 10 and said.count(vote) >= 4, decision
        # Approval needs seven equal replies; a refusal is certain with four, and then with seven equal too.
        assert value == "false" or said.count(vote) >= 7, decision


def check_broadcast(trace):
    """Ten analyzers were told once each, at most three of them by anyone."""
    told = [message for message in trace["messages"] if message["label"] == "warned" and not message["is_reply"]]
    assert len({message["to"] for message in told}) == len(told) == 10, told
    tellers = [message["from"] for message in told]
    assert max(tellers.count(teller) for teller in tellers) <= 3 and len(set(tellers)) >= 4, told


def main(path):
    cells = execute(path)
    assert printed(cells["vote"]) == "true\nfalse\n", cells["vote"]
    check_decisions(facts(cells["decisions"], "decisions"))
    trace = facts(cells["trace"], "trace")
    assert any(span["label"] == "start" for span in trace["spans"]), trace["spans"]
    votes = [message for message in trace["messages"] if message["label"] == "vote" and not message["is_reply"]]
    assert len(votes) == 20 and trace["dropped"] == 0, votes
    assert result(cells["broadcast"]) == "TradeResult { order_id: 1, filled: 50 }", cells["broadcast"]
    check_broadcast(facts(cells["broadcast-trace"], "trace"))
    stayed, gone, both = (int(part) for part in result(cells["stable"]).strip("()").split(","))
    assert both == stayed + gone == 1000 and 40 <= gone <= 150, cells["stable"]
    assert result(cells["section"]) == "30", cells["section"]
    for outputs in cells.values():
        assert all(output.output_type != "error" for output in outputs), outputs
        pictures = [output for output in outputs if KIND.format("trace") in output.get("data", {})]
        assert all("text/html" in one.data or "image/svg+xml" in one.data for one in pictures), pictures


if __name__ == "__main__":
    main(sys.argv[1])

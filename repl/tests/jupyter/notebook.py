"""Executes the notebook twice through nbclient and reads the facts from its outputs' data, not from their looks; then its
HTML by nbconvert must have the pictures, tables and colours."""

import os
import re
import sys

import nbformat
from nbclient import NotebookClient
from nbconvert import HTMLExporter

KIND = "application/vnd.ag.{}+json"


def execute(path):
    notebook = nbformat.read(path, as_version=4)
    resources = {"metadata": {"path": os.path.dirname(path)}}
    NotebookClient(notebook, kernel_name="agentic", timeout=120, resources=resources).execute()
    check_html(HTMLExporter().from_notebook_node(notebook)[0])
    return {cell.id: cell.outputs for cell in notebook.cells if cell.cell_type == "code"}


def result(outputs):
    found = [output.data["text/plain"] for output in outputs if output.output_type == "execute_result"]
    assert len(found) == 1, outputs
    return found[0]


def facts(outputs, kind):
    found = [output.data[KIND.format(kind)] for output in outputs if KIND.format(kind) in output.get("data", {})]
    assert found, f"no {kind} among {[list(output.get('data', {})) for output in outputs]}"
    return found[0]


def check_trace(trace, agents):
    """At least two agents, every message with its cause, and none lost: sent = handled + in mailbox."""
    assert len(agents["agents"]) >= 2 and agents["hidden"] == 0, agents
    for agent in agents["agents"]:
        assert agent["received"] == agent["handled"] + agent["in_mailbox"], agent
    known = {agent["id"] for agent in trace["agents"]}
    requests = [message for message in trace["messages"] if not message["is_reply"]]
    assert len(requests) == 4 and trace["dropped"] == 0, trace["messages"]
    for message in trace["messages"]:
        assert message["to"] in known and message["cause"] is not None, message
        assert message["handled_ns"] is None or message["handled_ns"] >= message["sent_ns"], message


def check_cost(cost):
    rows = cost["rows"]
    assert sum(row["cost_micro_usd"] for row in rows) == 25, rows
    assert [(row["lane"], row["tokens_in"], row["tokens_out"], row["made_up"]) for row in rows] == [("echo", 17, 4, True)], rows


def check_recall(recall, wanted):
    results = recall["results"]
    assert len(results) >= wanted, recall
    for row in results:
        total = sum(term["contribution"] for term in row["terms"])
        assert abs(total - row["score"]) < 1e-9, row
        assert row["routes"] and row["sentence"], row


def check_html(html):
    """What `jupyter nbconvert --to html` writes stands alone: two timelines, the chart, the tables, coloured code."""
    assert html.count("image/svg+xml;base64,") + html.count("<svg") >= 2, "the timelines"
    assert "vega-lite" in html or "data:image/png;base64," in html, "the chart"
    assert re.search(r"\$0\.000\d+</td>", html) and "made-up answers (echo)" in html, "the cost table"
    for part, wanted in {"keyword": 'class="k', "text": 'class="s', "comment": 'class="c', "number": 'class="m'}.items():
        assert wanted in html, f"no {part} has a colour"
    assert 'class="err"' not in html, "what the near lexer cannot read is marked in red"


def check_model(outputs):
    """Two prompts, two replies of a real model, and a typed one; without it, how to get it."""
    said = "".join(output.text for output in outputs if output.output_type == "stream" and output.name == "stdout").splitlines()
    assert len(said) == 3, outputs
    if "AG_MODELS" not in os.environ:
        assert all("R0604" in line and "ag models install" in line for line in said), said
        return
    assert said[0].startswith("Response {") and said[1].startswith("Response {") and said[0] != said[1], said
    assert all("lane: onnx_local" in line and "echo" not in line for line in said[:2]), said
    assert said[2].startswith("Review { mood: Mood."), said
    line = facts(outputs, "cost_line")
    # Echo would count (bytes + 3) / 4 tokens and 5 ms for each.
    assert line["lanes"] == ["onnx_local"] and line["tokens_in"] > 100, line


def main(path):
    first = execute(path)
    check_model(first["model"])
    assert result(first["decide"]) == "Decision.Hold", first["decide"]
    assert result(first["risk"]) == 'Decision.NoTrade("risk too high")', first["risk"]
    check_trace(facts(first["desk-trace"], "trace"), facts(first["agents"], "agents"))
    assert result(first["desk"]) == "3", first["desk"]
    check_cost(facts(first["cost"], "cost"))
    check_recall(facts(first["why"], "recall"), 1)
    second = execute(path)
    assert result(second["decide"]) == "Decision.Hold"
    # The first run's episode is recalled beside the second run's own.
    check_recall(facts(second["why"], "recall"), 2)
    for cells in (first, second):
        for outputs in cells.values():
            assert all(output.output_type != "error" for output in outputs)


if __name__ == "__main__":
    main(sys.argv[1])

"""The editor's mode and the language's own highlighter give every character of every text the same class.

The mode runs in the browser, alone: a share scope that hands out what it asks for stands in for Lab's, and the stream has
the methods of CodeMirror's that the mode uses.
"""

import json
import sys

RUN = """
async texts => {
  let mode;
  const language = { StreamLanguage: { define: given => { mode = given; } }, LanguageSupport: class {} };
  const registry = { addLanguage: async spec => { await spec.load(); } };
  const module = value => ({ '1.0.0': { get: async () => () => value } });
  const container = window._JUPYTERLAB['ag-lang'];
  container.init({ '@jupyterlab/codemirror': module({ IEditorLanguageRegistry: {} }), '@codemirror/language': module(language) });
  const plugin = (await container.get('./extension'))().default;
  await plugin.activate({ docRegistry: { addFileType() {} } }, registry);

  class Stream {
    constructor(string) { this.string = string; this.pos = 0; this.start = 0; }
    sol() { return this.pos === 0; }
    eol() { return this.pos >= this.string.length; }
    next() { if (!this.eol()) return this.string.charAt(this.pos++); }
    skipToEnd() { this.pos = this.string.length; }
    current() { return this.string.slice(this.start, this.pos); }
    match(pattern, consume = true) {
      const rest = this.string.slice(this.pos);
      if (typeof pattern === 'string') {
        if (!rest.startsWith(pattern)) return null;
        if (consume) this.pos += pattern.length;
        return true;
      }
      const found = rest.match(pattern);
      if (!found || found.index > 0) return null;
      if (consume) this.pos += found[0].length;
      return found;
    }
  }
  // As CodeMirror does: each line from its start, a copy of the state for each.
  return texts.map(text => {
    const classes = [];
    let state = mode.startState();
    for (const line of text.split('\\n')) {
      state = Object.fromEntries(Object.entries(state).map(([k, v]) => [k, Array.isArray(v) ? v.slice() : v]));
      const stream = new Stream(line);
      if (!line) mode.blankLine(state);
      while (!stream.eol()) {
        stream.start = stream.pos;
        const kind = mode.kind(stream, state);
        if (stream.pos === stream.start) throw new Error(`no progress in ${line} at ${stream.pos}`);
        for (let at = stream.start; at < stream.pos; at += 1) classes.push(kind ? kind.split('.')[0] : null);
      }
      classes.push(null);
    }
    return classes.slice(0, -1);
  });
}
"""


def check(browser, script, cases):
    """`cases`: texts with their pieces as `[start, end, class]`, counted as JavaScript counts. Gives how many agree."""
    page = browser.new_page()
    page.add_script_tag(path=script)
    with open(cases) as file:
        cases = json.load(file)
    found = page.evaluate(RUN, [case["text"] for case in cases])
    page.close()
    for case, classes in zip(cases, found, strict=True):
        text = units(case["text"])
        assert len(classes) == len(text), (len(classes), len(text), case["text"])
        wanted = [None] * len(text)
        for start, end, name in case["pieces"]:
            wanted[start:end] = [name] * (end - start)
        for at, c in enumerate(text):
            if c not in " \t\r\n\ufeff" and classes[at] != wanted[at]:
                before, after = "".join(text[max(0, at - 200) : at]), "".join(text[at + 1 : at + 40])
                sys.exit(f"{before}⟦{c}⟧{after}\n\nThe marked character is {wanted[at]}, coloured as {classes[at]}.")
    return len(cases)


def units(text):
    """The characters at their UTF-16 places: one beyond the basic plane takes two."""
    return [unit for c in text for unit in ([c] if ord(c) < 0x10000 else [c, "\ue000"])]

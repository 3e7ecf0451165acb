// Colours for .ag in JupyterLab 4: a module-federation container written by hand, so that no build step is needed.
// It takes CodeMirror from Lab's own share scope and does nothing but register one language.
(() => {
  let scope;
  const use = async name => {
    const versions = scope[name];
    const version = Object.keys(versions)[0];
    return (await versions[version].get())();
  };
  const reserved = new Set((
    'as assert await break continue else enum false for function if import in is let loop match require return struct ' +
    'true try var while agent orchestration tool lane type test theorem lemma policy skills tools memory cost_policy ' +
    'state behavior decision critical_section alert requires ensures invariant decreases uses'
  ).split(' '));
  // A template's `${...}` is coloured as text: a line-based mode cannot nest, and wrong colours inside are worse.
  const text = (stream, state) => {
    while (!stream.eol()) {
      if (stream.match('\\')) { stream.next(); continue; }
      if (stream.match('"""')) { state.inside = null; break; }
      stream.next();
    }
    return 'string';
  };
  const comment = (stream, state) => {
    while (!stream.eol()) {
      if (stream.match('/*')) state.depth += 1;
      else if (stream.match('*/')) { state.depth -= 1; if (state.depth === 0) { state.inside = null; break; } }
      else stream.next();
    }
    return 'comment';
  };
  const mode = {
    name: 'agentic',
    startState: () => ({ inside: null, depth: 0 }),
    token(stream, state) {
      if (state.inside) return state.inside(stream, state);
      if (stream.sol() && stream.match(/^(:|%%?|\?)[A-Za-z]/)) { stream.skipToEnd(); return 'meta'; }
      if (stream.eatSpace()) return null;
      if (stream.match('//')) { stream.skipToEnd(); return 'comment'; }
      if (stream.match('/*')) { state.inside = comment; state.depth = 1; return comment(stream, state); }
      if (stream.match('"""')) { state.inside = text; return text(stream, state); }
      if (stream.match(/^"(?:[^"\\]|\\.)*"?/)) return 'string';
      if (stream.match(/^\$\d[\d_]*(\.\d+)?/)) return 'number';
      if (stream.match(/^0x[\da-fA-F_]+|^0b[01_]+/)) return 'number';
      if (stream.match(/^\d[\d_]*(\.\d+)?([eE][-+]?\d+)?(ns|us|ms|s|m|h|d|w)?\b/)) return 'number';
      if (stream.match(/^@[A-Za-z_]\w*/)) return 'meta';
      const name = stream.match(/^[\p{L}_][\p{L}\p{N}_]*/u);
      if (name) return reserved.has(name[0]) ? 'keyword' : /^\p{Lu}/u.test(name[0]) ? 'typeName' : 'variableName';
      if (stream.match(/^(:=|->|=>|==>|<==>|\?\?|\.\.=?|[-+*\/%<>=!]=?|&&|\|\|?|\?)/)) return 'operator';
      stream.next();
      return null;
    },
    languageData: {
      commentTokens: { line: '//', block: { open: '/*', close: '*/' } },
      closeBrackets: { brackets: ['(', '[', '{', '"'] },
      indentOnInput: /^\s*[\]})]$/
    }
  };
  const plugin = (codemirror, language) => ({
    id: 'ag-lang:syntax',
    autoStart: true,
    requires: [codemirror.IEditorLanguageRegistry],
    activate: (app, languages) => {
      languages.addLanguage({
        name: 'agentic',
        displayName: 'Agentic',
        mime: 'text/x-agentic',
        extensions: ['ag'],
        load: async () => new language.LanguageSupport(language.StreamLanguage.define(mode))
      });
      app.docRegistry.addFileType({
        name: 'agentic', displayName: 'Agentic file', extensions: ['.ag'], mimeTypes: ['text/x-agentic']
      });
    }
  });
  window._JUPYTERLAB = window._JUPYTERLAB || {};
  window._JUPYTERLAB['ag-lang'] = {
    init: given => { scope = given; },
    get: async () => {
      const codemirror = await use('@jupyterlab/codemirror');
      const language = await use('@codemirror/language');
      return () => ({ __esModule: true, default: plugin(codemirror, language) });
    }
  };
})();

// Colours for .ag in JupyterLab 4: a module-federation container written by hand, so that no build step is needed.
// It takes CodeMirror from Lab's own share scope and does nothing but register one language.
//
// The mode reads a text as the language's lexer does and gives each piece the class that `ag_lang::syntax::highlight` gives
// it; a test compares the two over every page, and keeps the words below equal to the language's tables.
(() => {
  // words: written by UPDATE=1 cargo nextest run -p ag-repl tidy
  const WORDS = {
    reserved: ['as', 'assert', 'await', 'break', 'continue', 'else', 'enum', 'false', 'for', 'function', 'if', 'import', 'in', 'is', 'let', 'loop', 'match', 'require', 'return', 'struct', 'true', 'try', 'var', 'while'],
    item: ['agent', 'orchestration', 'tool', 'lane', 'type', 'theorem', 'lemma', 'policy'],
    section: ['skills', 'tools', 'memory', 'cost_policy', 'policy', 'state'],
    behavior: ['behavior', 'decision', 'critical_section', 'alert'],
    contract: ['uses', 'requires', 'ensures', 'decreases', 'by'],
  };
  // end of words

  // The class of a piece and, behind a dot, what only the editor tells apart; with CodeMirror's names for it. Where Lab's
  // theme has no colour for the fitting name, a second one that it has stands behind it.
  const STYLES = {
    'keyword': 'keyword',
    'keyword.bool': 'bool',
    'number': 'number',
    'text': 'string',
    'comment': 'comment',
    'doc_comment': 'docComment',
    'intrinsic': 'annotation labelName',
    'type': 'typeName variableName.special',
    'function': 'variableName.function',
    'function.definition': 'variableName.definition.function',
    'function.member': 'propertyName.function',
    'name': 'variableName',
    'name.member': 'propertyName',
    'hole': 'string.special',
    'operator': 'operator',
    'operator.dot': 'derefOperator',
    'operator.colon': 'separator',
    'bracket': 'paren',
    'bracket.separator': 'separator',
    'command': 'macroName attributeName',
    'error': 'invalid',
  };

  const NAME = /^[\p{XID_Start}_]\p{XID_Continue}*/u;
  const NUMBER = /^(?:0[xb]\w*|\d[\d_]*(?:\.\d[\d_]*)?(?:[eE][-+]?\d[\d_]*)?(?:[\p{Alphabetic}_]\w*)?)(?:[^\P{XID_Continue}\x00-\x7f]\p{XID_Continue}*)?/u;
  const PLACE = /^\d+(?:[^\P{XID_Continue}\x00-\x7f]\p{XID_Continue}*)?/u;
  const MONEY = new RegExp('^\\$' + NUMBER.source.slice(1), 'u');
  const OPERATOR = /^(?:<==>|==>|\.\.=?|:=|->|=>|[-+*/%=!<>]=?|&&?|\|\|?|\?\?|[:?]|\\u003[cCeE]|\\u0026\\u0026|[–—−×÷≤≥≠→⇒∧∨¬…])/u;
  // What other languages and word processors write for quotes, closed on the same line.
  const FOREIGN_TEXT = /^(?:'[^']*'|`[^`]*`|“[^”“]*[”“]|„[^“”]*[“”]|‘[^’‘]*[’‘]|«[^»]*»)/u;
  // A text without holes, as far as the line shows it.
  const WHOLE_TEXT = /^(?:"""(?:(?!""")(?:\\.|\$(?![{\p{XID_Start}_])|[^\\$]))*(?:"""|$)|"(?!"")(?:\\.|\$(?![{\p{XID_Start}_])|[^"\\$])*(?:"|$))/u;
  const CLOSES = { ')': '(', ']': '[', '}': '{' };

  const isHole = open => open.kind === '"' || open.kind === '"""';

  // What a line break ends: a text in single quotes, and everything from the first hole of such a text on.
  const startLine = state => {
    state.line += 1;
    if (state.depth || state.text === '"""') return;
    state.text = null;
    const at = state.opens.findIndex(open => open.kind === '"');
    if (at >= 0) state.opens = state.opens.slice(0, at);
    state.before = 'line';
  };

  const comment = (stream, state) => {
    while (state.depth && !stream.eol()) {
      if (stream.match('/*')) state.depth += 1;
      else if (stream.match('*/')) state.depth -= 1;
      else stream.next();
    }
    return 'comment';
  };

  const text = (stream, state) => {
    if (stream.match('${')) {
      state.opens = [...state.opens, { kind: state.text, line: state.line }];
      state.text = null;
      state.before = 'hole';
      return 'hole';
    }
    if (stream.match(/^\$[\p{XID_Start}_]\p{XID_Continue}*/u)) return 'hole';
    if (stream.match(state.text)) {
      state.text = null;
      return 'text';
    }
    const ends = state.text === '"' ? /^(?:"|\$[{\p{XID_Start}_])/u : /^(?:"""|\$[{\p{XID_Start}_])/u;
    while (!stream.eol() && !stream.match(ends, false)) {
      if (stream.next() === '\\' && !stream.eol()) stream.next();
    }
    return 'text';
  };

  const close = (bracket, state) => {
    const fits = open => open.kind === CLOSES[bracket] || (bracket === '}' && isHole(open));
    let at = state.opens.length - 1;
    // A `)` cannot close something outside the hole it stands in.
    while (at >= 0 && !fits(state.opens[at]) && !isHole(state.opens[at])) at -= 1;
    if (at < 0 || !fits(state.opens[at])) return 'bracket';
    const open = state.opens[at];
    state.opens = state.opens.slice(0, at);
    if (!isHole(open)) return 'bracket';
    state.text = open.kind;
    return 'hole';
  };

  const starts = before => before === 'line' || before === '{' || before === '}' || before === ';' || before === ',';

  // Contextual keywords by their neighbours, as the language's own highlighter decides.
  const name = (word, before, rest) => {
    const next = NAME.exec(rest);
    const declares = next ? !WORDS.reserved.includes(next[0]) : WHOLE_TEXT.test(rest) || FOREIGN_TEXT.test(rest);
    if (before === '@') return 'intrinsic';
    if (WORDS.reserved.includes(word)) return word === 'true' || word === 'false' ? 'keyword.bool' : 'keyword';
    if (starts(before)) {
      if (rest.startsWith('{') && WORDS.section.includes(word)) return 'keyword';
      if (declares && (word === 'test' || WORDS.item.includes(word) || WORDS.behavior.includes(word))) return 'keyword';
      if (next && declares && (word === 'allow' || word === 'ask' || word === 'deny')) return 'keyword';
      if (!rest.startsWith(':') && WORDS.contract.includes(word)) return 'keyword';
    }
    if (word === 'self') return 'keyword';
    if (/^\p{Uppercase}/u.test(word)) return 'type';
    if (before === 'function') return 'function.definition';
    if (rest.startsWith('(')) return before === 'behavior' ? 'function.definition' : before === '.' ? 'function.member' : 'function';
    return before === '.' ? 'name.member' : 'name';
  };

  const code = (stream, state) => {
    const before = state.before;
    state.before = 'other';
    if (stream.match('//')) {
      const documents = stream.match(/^\/(?!\/)/);
      stream.skipToEnd();
      return documents ? 'doc_comment' : 'comment';
    }
    if (stream.match('#')) { stream.skipToEnd(); return 'comment'; }
    if (stream.match('/*')) { state.depth = 1; return comment(stream, state); }
    const quotes = stream.match('"""') ? '"""' : stream.match('"') ? '"' : null;
    if (quotes) { state.text = quotes; return 'text'; }
    if (stream.match(FOREIGN_TEXT)) return 'text';
    if (stream.match(before === '.' ? PLACE : NUMBER) || stream.match(MONEY)) return 'number';
    const word = stream.match(NAME);
    if (word) {
      const kind = name(word[0], before, stream.string.slice(stream.pos).replace(/^[ \t\r]+/, ''));
      if (kind.startsWith('keyword')) state.before = WORDS.behavior.includes(word[0]) ? 'behavior' : word[0];
      return kind;
    }
    if (stream.match('@')) { state.before = '@'; return 'intrinsic'; }
    if (stream.match(/^\.(?!\.)/)) { state.before = '.'; return 'operator.dot'; }
    if (stream.match(/^:(?!=)/)) return 'operator.colon';
    if (stream.match(OPERATOR)) return 'operator';
    if (stream.match(/^[,;]/)) { state.before = stream.current(); return 'bracket.separator'; }
    if (stream.match(/^[([{]/)) {
      state.before = stream.current();
      state.opens = [...state.opens, { kind: state.before, line: state.line }];
      return 'bracket';
    }
    if (stream.match(/^[)\]}]/)) {
      const kind = close(stream.current(), state);
      if (kind === 'bracket') state.before = stream.current();
      return kind;
    }
    stream.match(/^./u) || stream.next();
    return 'error';
  };

  const kind = (stream, state) => {
    if (stream.sol()) startLine(state);
    if (state.depth) return comment(stream, state);
    if (state.text) return text(stream, state);
    if (stream.sol() && !state.opens.length && stream.match(/^(?:%%|[:%?])\p{Alphabetic}/u)) {
      stream.match(/^.*\S/u);
      state.before = 'command';
      return 'command';
    }
    // Blanks change nothing, not even what stands before.
    if (stream.match(/^[ \t\r\ufeff]+/)) return null;
    return code(stream, state);
  };

  const mode = {
    name: 'agentic',
    kind,
    startState: () => ({ opens: [], text: null, depth: 0, before: 'line', line: 0 }),
    blankLine: startLine,
    token: (stream, state) => STYLES[kind(stream, state)] ?? null,
    // A level for each line that opened something: `f({` is one.
    indent: (state, after, context) => {
      if (state.depth || state.text) return null;
      const closing = /^[)\]}]*/.exec(after)[0].length;
      const open = state.opens.slice(0, Math.max(0, state.opens.length - closing));
      return new Set(open.map(one => one.line)).size * context.unit;
    },
    languageData: {
      commentTokens: { line: '//', block: { open: '/*', close: '*/' } },
      closeBrackets: { brackets: ['(', '[', '{', '"'] },
      indentOnInput: /^\s*[\]})]$/,
    },
  };

  const plugin = (codemirror, language) => ({
    id: 'ag-lang:syntax',
    autoStart: true,
    requires: [codemirror.IEditorLanguageRegistry],
    activate: (app, languages) => {
      languages.addLanguage({
        name: 'agentic',
        displayName: 'Agentic',
        // The fences of Markdown cells.
        alias: ['ag'],
        mime: 'text/x-agentic',
        extensions: ['ag'],
        load: async () => new language.LanguageSupport(language.StreamLanguage.define(mode)),
      });
      app.docRegistry.addFileType({
        name: 'agentic', displayName: 'Agentic file', extensions: ['.ag'], mimeTypes: ['text/x-agentic'],
      });
    },
  });

  let scope;
  const shared = async name => (await Object.values(scope[name])[0].get())();
  window._JUPYTERLAB = window._JUPYTERLAB || {};
  window._JUPYTERLAB['ag-lang'] = {
    init: given => { scope = given; },
    get: async () => {
      const parts = await Promise.all([shared('@jupyterlab/codemirror'), shared('@codemirror/language')]);
      return () => ({ __esModule: true, default: plugin(...parts) });
    },
  };
})();

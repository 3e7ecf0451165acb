//! Text out: print and show, JSON, and the tables that are still to come.

use crate::builtin::declare::{Moved, Outcome, Word, absent, builtins};
use crate::builtin::large::{self, polled};
use crate::builtin::support::fail;
use crate::context::Cx;
use crate::context::sink::Stream;
use crate::fault::{Faulted, code};
use crate::value::json::{Unfinished, dyn_from_text_polled, to_json_text_polled};
use crate::value::record;
use crate::value::shape::{self, ShapeId};
use crate::value::show::pieces;
use crate::value::text::{TextBuf, TextRef};

builtins! {
    /// Writes a value and a line end to the output.
    function "print" "<T: Show>(x: T) -> Unit"
        example "print(\"hello\")" => "()"
        effects ["output"]
        = |cx, x: Word, t: ShapeId| print(cx, Stream::Out, x.0, t);
    /// Writes a value and a line end to the error output.
    function "eprint" "<T: Show>(x: T) -> Unit"
        example "eprint(\"careful\")" => "()"
        effects ["output"]
        = |cx, x: Word, t: ShapeId| print(cx, Stream::Err, x.0, t);
    /// The text of a value, as templates insert it.
    function "show" "<T: Show>(x: T) -> Text"
        example "show([1, 2])" => "\"[1, 2]\""
        = |cx, x: Word, t: ShapeId| large::shown(cx, x.0, t);
    /// The compact JSON of a value.
    function "json" "<T: Json>(x: T) -> Text"
        example "json([1, 2])" => "\"[1,2]\""
        = |cx, x: Word, t: ShapeId| json(cx, x.0, t);
    /// The value of a JSON text, or what is wrong with it.
    function "parse_json" "(text: Text) -> Result<Dyn, Text>"
        example "parse_json(\"[1, 2]\")" => "Ok([1, 2])"
        = |cx, text: TextRef<'_>| parse_json(cx, text);
    /// A table of a list of records.
    function "frame" "(rows: List<T>) -> Frame"
        example "frame([{ a: 1 }, { a: 2 }])" => ""
        missing yes
        = |cx, _rows: Word, _t: ShapeId| absent(cx, "frame");
    /// A chart of a table.
    function "chart" "(f: Frame, x: Text, y: Text, kind: ChartKind = line) -> Chart"
        example "chart(f, x: \"a\", y: \"b\")" => ""
        missing yes
        = |cx, _f: Word, _x: Word, _y: Word, _kind: Word| absent(cx, "chart");
    /// Writes a chart to a file.
    function "save" "(c: Chart, path: Text) -> Unit"
        example "save(c, \"runs.svg\")" => ""
        effects ["fs"] missing yes
        = |cx, _c: Word, _path: Word| absent(cx, "save");
    /// A table from a CSV file.
    function "read_csv" "(path: Text) -> Frame"
        example "read_csv(\"runs.csv\")" => ""
        effects ["fs"] missing yes
        = |cx, _path: Word| absent(cx, "read_csv");
    /// A table from a Parquet file.
    function "read_parquet" "(path: Text) -> Frame"
        example "read_parquet(\"runs.parquet\")" => ""
        effects ["fs"] missing yes
        = |cx, _path: Word| absent(cx, "read_parquet");
    /// A table from a JSON file.
    function "read_json" "(path: Text) -> Frame"
        example "read_json(\"runs.json\")" => ""
        effects ["fs"] missing yes
        = |cx, _path: Word| absent(cx, "read_json");
}

/// Bytes of output that go out together: a safepoint stands between them.
const PRINTED: usize = 64 << 10;

/// A short value in one piece with its line end; a long one as it is made.
fn print(cx: &mut Cx, stream: Stream, word: u64, of: ShapeId) -> Outcome<()> {
    let mut line = String::new();
    let mut add = |piece: &str| {
        let mut rest = piece;
        while line.len() + rest.len() > PRINTED {
            let (now, later) = rest.split_at(rest.floor_char_boundary(PRINTED - line.len()));
            line.push_str(now);
            rest = later;
            cx.print(stream, std::mem::take(&mut line));
            if large::spend_bytes(cx, PRINTED).is_err() {
                return true;
            }
        }
        line.push_str(rest);
        false
    };
    let stopped = match of {
        // SAFETY: a value of shape Text, borrowed for the call.
        ShapeId::TEXT => add(unsafe { TextRef::from_word(word) }.as_str()),
        _ => pieces(word, of, &mut add),
    };
    if stopped {
        return Err(Faulted);
    }
    line.push('\n');
    cx.print(stream, line);
    Ok(())
}

fn json(cx: &mut Cx, word: u64, of: ShapeId) -> Outcome<String> {
    let written = to_json_text_polled(word, of, &mut polled(cx));
    match written {
        Ok(text) => Ok(text),
        Err(Unfinished::Stopped) => Err(Faulted),
        Err(Unfinished::Wrong(error)) => {
            fail(cx, code::INVALID_CONVERSION, format!("no JSON of this value: {error}"))
        }
    }
}

fn parse_json(cx: &mut Cx, text: TextRef<'_>) -> Outcome<Moved> {
    let of = ShapeId::result(ShapeId::DYN, ShapeId::TEXT);
    let parsed = dyn_from_text_polled(text.as_str(), &mut polled(cx)).ok_or(Faulted)?;
    Ok(Moved(match parsed {
        Ok(value) => record::variant(of, shape::OK, &[value.into_word()]),
        Err(error) => {
            let message = TextBuf::from(error.to_string()).into_word();
            record::variant(of, shape::ERR, &[message])
        }
    }))
}

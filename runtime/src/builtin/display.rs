//! Showing things in the middle of a cell: displays, progress, clearing.
//!
//! A handle names what it showed; who shows it, and how often, is the front end's business. Never: renders.

use crate::builtin::declare::{Moved, Outcome, Word, builtins};
use crate::builtin::support::natural;
use crate::context::Cx;
use crate::context::sink::{Audience, Emission};
use crate::value::native::{native, payload};
use crate::value::owned::Owned;
use crate::value::shape::ShapeId;
use crate::value::text::TextRef;
use parking_lot::Mutex;
use std::sync::Arc;

builtins! {
    /// Shows any value richly in the middle of a cell; the handle's `update` replaces it.
    function "display" "<T: Show>(x: T) -> Display"
        example "let d := display([1, 2])" => ""
        effects ["output"]
        = |cx, x: Word, t: ShapeId| display(cx, x, t);
    /// Shows another value in place of what was displayed, wherever that stands.
    Display "update" "<T: Show>(self: Display, x: T) -> Unit"
        example "d.update([1, 2, 3])" => ""
        effects ["output"]
        = |cx, this: Word, x: Word, t: ShapeId| { update(cx, this, x, t); Ok(()) };
    /// Removes what the cell has shown so far; with `wait`, when the next output comes.
    function "clear_output" "(wait: Bool = false) -> Unit"
        example "clear_output()" => "()"
        effects ["output"]
        = |cx, wait: bool| { cx.emit(Emission::Clear { wait }); Ok(()) };
    /// A progress bar; `advance` moves it, and it closes itself when it is full or its cell ends.
    function "progress" "(total: Int, label: Text = \"\") -> Progress"
        example "let p := progress(10, \"runs\")" => ""
        effects ["output"]
        = |cx, total: i64, label: TextRef<'_>| progress(cx, total, label);
    /// Moves a progress bar by `n` steps.
    Progress "advance" "(self: Progress, n: Int = 1) -> Unit"
        example "p.advance()" => ""
        effects ["output"]
        = |cx, this: Word, n: i64| advance(cx, this, n);
}

/// What `display` showed, by the number its updates name.
struct Display {
    id: u64,
}

fn display(cx: &mut Cx, x: Word, of: ShapeId) -> Outcome<Moved> {
    let id = cx.world.next_display();
    cx.emit(Emission::Value { id, update: false, value: Owned::retained(x.0, of) });
    Ok(Moved(native(ShapeId::opaque("Display"), Arc::new(Display { id }))))
}

fn update(cx: &mut Cx, this: Word, x: Word, of: ShapeId) {
    if let Some(display) = payload::<Display>(this.0) {
        let value = Owned::retained(x.0, of);
        cx.emit(Emission::Value { id: display.id, update: true, value });
    }
}

/// A bar. All its states go to the cell that made it, in order, whoever advances it.
struct Progress {
    id: u64,
    label: Arc<str>,
    total: u64,
    audience: Audience,
    done: Mutex<u64>,
}

impl Progress {
    /// Tells a state under the lock that made it, so that no older one can follow.
    fn tell(&self, done: u64, update: bool) {
        let (label, total) = (Arc::clone(&self.label), self.total);
        self.audience.emit(Emission::Progress { id: self.id, label, done, total, update });
    }
}

fn progress(cx: &mut Cx, total: i64, label: TextRef<'_>) -> Outcome<Moved> {
    let total = natural(cx, total, "the total of a progress bar")? as u64;
    let bar = Progress {
        id: cx.world.next_display(),
        label: label.as_str().into(),
        total,
        audience: cx.audience.clone(),
        done: Mutex::new(0),
    };
    bar.tell(0, false);
    Ok(Moved(native(ShapeId::opaque("Progress"), Arc::new(bar))))
}

fn advance(cx: &mut Cx, this: Word, n: i64) -> Outcome<()> {
    let n = natural(cx, n, "the steps of a progress bar")? as u64;
    if let Some(bar) = payload::<Progress>(this.0) {
        let mut done = bar.done.lock();
        *done = done.saturating_add(n);
        bar.tell(*done, true);
    }
    Ok(())
}

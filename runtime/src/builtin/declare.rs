//! How a builtin is declared: one entry of [`builtins!`] with doc, signature, example, effects and body.
//!
//! The body is safe Rust over typed arguments; which parameters are consumed follows from their types, so the
//! table cannot disagree with the code. Never: a body that unwinds, or that reads its arguments as raw words.

use crate::code::{FAULT, OK, Status};
use crate::context::Cx;
use crate::fault::{Faulted, code};
use crate::value::closure::{FunctionBuf, FunctionRef};
use crate::value::dynamic::{DynBuf, DynRef};
use crate::value::list::{ListBuf, ListRef};
use crate::value::map::{MapBuf, MapRef};
use crate::value::owned::Owned;
use crate::value::record::{RecordBuf, RecordRef};
use crate::value::shape::ShapeId;
use crate::value::text::{BytesBuf, BytesRef, TextBuf, TextRef};

/// What a body gives.
pub type Outcome<T> = Result<T, Faulted>;

/// A type a parameter can be received as.
///
/// # Safety
/// `from_word` may trust that the word is a value of the type the entry's signature names (the checker saw to it),
/// borrowed for the call, or handed over when `OWNED`.
pub unsafe trait Arg: Sized {
    /// The body consumes the parameter.
    const OWNED: bool = false;

    /// # Safety
    /// The word is a value of the declared parameter's type.
    unsafe fn from_word(word: u64) -> Self;
}

/// A type a body can give: the word is owned by the caller.
pub trait Give {
    fn into_word(self) -> u64;
}

/// A borrowed value of a type variable.
#[derive(Clone, Copy, Debug)]
pub struct Word(pub u64);

/// A consumed value of a type variable, or an owned result. The body must hand it on or release it.
#[derive(Debug)]
#[must_use]
pub struct Moved(pub u64);

// SAFETY: any word is a `Word`.
unsafe impl Arg for Word {
    unsafe fn from_word(word: u64) -> Self {
        Self(word)
    }
}

// SAFETY: any word is a `Moved`; the caller gave its count up, as `OWNED` says.
unsafe impl Arg for Moved {
    const OWNED: bool = true;

    unsafe fn from_word(word: u64) -> Self {
        Self(word)
    }
}

// SAFETY: an Int is its word.
unsafe impl Arg for i64 {
    unsafe fn from_word(word: u64) -> Self {
        word.cast_signed()
    }
}

// SAFETY: a Float is its bits.
unsafe impl Arg for f64 {
    unsafe fn from_word(word: u64) -> Self {
        Self::from_bits(word)
    }
}

// SAFETY: a Bool is 0 or 1.
unsafe impl Arg for bool {
    unsafe fn from_word(word: u64) -> Self {
        word != 0
    }
}

// SAFETY: hidden arguments are shape ids.
unsafe impl Arg for ShapeId {
    unsafe fn from_word(word: u64) -> Self {
        Self(word as u32)
    }
}

/// Handles: borrowed ones are received as they are, owned ones are consumed; owned ones can be given.
macro_rules! handles {
    ($($Ref:ident $Buf:ident),*) => {$(
        // SAFETY: the signature names the kind of object the handle is for.
        unsafe impl Arg for $Ref<'_> {
            unsafe fn from_word(word: u64) -> Self {
                // SAFETY: the contract of `Arg`.
                unsafe { $Ref::from_word(word) }
            }
        }

        // SAFETY: as above; the caller gave its count up, as `OWNED` says.
        unsafe impl Arg for $Buf {
            const OWNED: bool = true;

            unsafe fn from_word(word: u64) -> Self {
                // SAFETY: the contract of `Arg`.
                unsafe { $Buf::from_word(word) }
            }
        }

        impl Give for $Buf {
            fn into_word(self) -> u64 {
                $Buf::into_word(self)
            }
        }
    )*};
}

handles!(
    TextRef TextBuf,
    BytesRef BytesBuf,
    ListRef ListBuf,
    MapRef MapBuf,
    RecordRef RecordBuf,
    FunctionRef FunctionBuf,
    DynRef DynBuf
);

impl Give for String {
    fn into_word(self) -> u64 {
        TextBuf::from(self).into_word()
    }
}

impl Give for Owned {
    fn into_word(self) -> u64 {
        Owned::into_word(self)
    }
}

impl Give for Moved {
    fn into_word(self) -> u64 {
        self.0
    }
}

impl Give for i64 {
    fn into_word(self) -> u64 {
        self.cast_unsigned()
    }
}

impl Give for f64 {
    fn into_word(self) -> u64 {
        self.to_bits()
    }
}

impl Give for bool {
    fn into_word(self) -> u64 {
        u64::from(self)
    }
}

impl Give for () {
    fn into_word(self) -> u64 {
        0
    }
}

/// Leaves the outcome of a body where the caller looks for it.
pub fn finish<T: Give>(cx: &mut Cx, outcome: Outcome<T>) -> Status {
    match outcome {
        Ok(value) => {
            cx.result = value.into_word();
            OK
        }
        Err(Faulted) => FAULT,
    }
}

/// The body of a row that is not called: attributes, labels, and what is not there yet.
pub fn absent(cx: &mut Cx, name: &str) -> Outcome<()> {
    cx.fail(code::INTERNAL, format!("`{name}` is not a call of this version"));
    Err(Faulted)
}

/// Bits of the parameters that are consumed.
#[must_use]
pub const fn own_bits(owned: &[bool]) -> u32 {
    let mut bits = 0;
    let mut at = 0;
    let mut rest = owned;
    while let [first, tail @ ..] = rest {
        if *first {
            bits |= 1 << at;
        }
        at += 1;
        rest = tail;
    }
    bits
}

/// The kind of a row by the word its entry begins with.
macro_rules! kind {
    (function) => {
        $crate::builtin::Kind::Function
    };
    (operator) => {
        $crate::builtin::Kind::Operator
    };
    (attribute) => {
        $crate::builtin::Kind::Intrinsic($crate::builtin::Row::Attribute)
    };
    (hint) => {
        $crate::builtin::Kind::Intrinsic($crate::builtin::Row::Hint)
    };
    (label) => {
        $crate::builtin::Kind::Intrinsic($crate::builtin::Row::Label)
    };
    (call) => {
        $crate::builtin::Kind::Intrinsic($crate::builtin::Row::Call)
    };
    (block) => {
        $crate::builtin::Kind::Intrinsic($crate::builtin::Row::Block)
    };
    ($receiver:ident) => {
        $crate::builtin::Kind::Member
    };
}

macro_rules! receiver {
    (function) => {
        None
    };
    (operator) => {
        None
    };
    (attribute) => {
        None
    };
    (hint) => {
        None
    };
    (label) => {
        None
    };
    (call) => {
        None
    };
    (block) => {
        None
    };
    ($receiver:ident) => {
        Some(stringify!($receiver))
    };
}

/// The form of a row: by its signature unless the entry says otherwise.
macro_rules! form {
    () => {
        $crate::builtin::Form::Plain
    };
    (Scope) => {
        $crate::builtin::Form::Scope
    };
    ($special:ident) => {
        $crate::builtin::Form::Special($crate::builtin::SpecialForm::$special)
    };
}

/// The C entry around a body: reads the words, calls it, leaves the outcome in the context.
macro_rules! entry {
    (|$cx:ident $(, $arg:ident : $ty:ty)*| $body:expr) => {{
        #[allow(unused_variables, unused_mut, unused_assignments)]
        extern "C" fn call(
            cx: *mut $crate::context::Cx,
            args: *const u64,
        ) -> $crate::code::Status {
            // A signature of the language may have more parameters than a Rust function should.
            #[allow(clippy::too_many_arguments)]
            fn body(
                $cx: &mut $crate::context::Cx
                $(, $arg: $ty)*
            ) -> $crate::builtin::declare::Outcome<impl $crate::builtin::declare::Give + use<>> {
                $body
            }
            let mut at = 0usize;
            $(
                // SAFETY: a caller passes as many words as the entry has, each of the signature's type.
                let $arg = unsafe {
                    <$ty as $crate::builtin::declare::Arg>::from_word(*args.add(at))
                };
                at += 1;
            )*
            // SAFETY: the context is the running coroutine's and nobody else uses it during the call.
            let cx = unsafe { &mut *cx };
            let outcome = body(cx $(, $arg)*);
            $crate::builtin::declare::finish(cx, outcome)
        }
        call as $crate::builtin::Call
    }};
}

/// What the checker says about a constant argument: of which parameter, and by which function.
macro_rules! constant {
    () => {
        None
    };
    ($parameter:literal $wrong:path) => {
        Some($crate::builtin::Constant { parameter: $parameter, wrong: $wrong })
    };
}

macro_rules! exit {
    () => {
        None
    };
    ($($body:tt)+) => {
        Some($crate::builtin::declare::entry!($($body)+))
    };
}

/// Declares a part of the table. An entry reads
/// `/// doc` `head "name" "signature"` [`example "e" => "shown"`] [`effects ["e"]`] [`form F`]
/// [`constant N wrong`] [`missing`]
/// `= |cx, parameter: Type, ..| body` [`exit |cx, token: u64| body`] `;`
/// where `head` is `function`, `operator`, a kind of section 11, or the type whose member it is.
macro_rules! builtins {
    ($(
        $(#[doc = $doc:literal])+
        $head:ident $name:literal $signature:literal
        $(example $example:literal => $gives:literal)?
        $(effects [$($effect:literal),*])?
        $(form $form:ident)?
        $(constant $parameter:literal $wrong:ident)?
        $(missing $missing:tt)?
        = |$cx:ident $(, $arg:ident : $ty:ty)*| $body:expr
        $(, exit |$exit_cx:ident $(, $exit_arg:ident : $exit_ty:ty)*| $exit_body:expr)?
    ;)*) => {
        pub const TABLE: &[$crate::builtin::Builtin] = &[$(
            $crate::builtin::Builtin {
                name: $name,
                receiver: $crate::builtin::declare::receiver!($head),
                kind: $crate::builtin::declare::kind!($head),
                signature: $signature,
                effects: &[$($($effect),*)?],
                doc: concat!($($doc),+).trim_ascii(),
                example: concat!($($example)?),
                gives: concat!($($gives)?),
                own: $crate::builtin::declare::own_bits(
                    &[$(<$ty as $crate::builtin::declare::Arg>::OWNED),*]
                ),
                words: <[&str]>::len(&[$(stringify!($arg)),*]) as u32,
                form: $crate::builtin::declare::form!($($form)?),
                constant: $crate::builtin::declare::constant!($($parameter $wrong)?),
                supported: <[&str]>::is_empty(&[$(stringify!($missing))?]),
                call: $crate::builtin::declare::entry!(|$cx $(, $arg: $ty)*| $body),
                exit: $crate::builtin::declare::exit!($(
                    |$exit_cx $(, $exit_arg: $exit_ty)*| $exit_body
                )?),
            },
        )*];
    };
}

pub(crate) use {builtins, constant, entry, exit, form, kind, receiver};

//! Which tier a function runs on: its heat, its compiled entries, and the thread that compiles.
//!
//! The interpreter tells every so many safepoints where it is; code that is met often is compiled beside the program and
//! entered at its next call, or at its next loop head. Never: waits for the compiler on a hot path.

use crate::exec::bytecode::Code;
use crate::exec::jit::listing::Listing;
use crate::exec::jit::memory::{self, Bridge, Unit};
use crate::exec::jit::{self, Refused, Start};
use ag_runtime::code::FnSlot;
use ag_runtime::world::World;
use parking_lot::Mutex;
use std::fmt;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicI64, AtomicPtr, AtomicU32, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Once, OnceLock, Weak};

/// Safepoints of the interpreter between two looks, less one.
const BETWEEN: i64 = 1023;
/// Looks that meet a function before it is compiled; more for longer ones.
const HOT: u32 = 2;
const INSTRUCTIONS_PER_LOOK: u32 = 256;

/// The compiler recurses into what it optimises.
const STACK_BYTES: usize = 8 << 20;

/// Address space that compiling needs at most, its stack included: where there is less, an allocation that fails would end the
/// process, and the interpreter needs none.
const ROOM: u64 = 32 << 20;

/// When functions are compiled.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mode {
    /// Never: the interpreter runs all.
    Interpreted,
    /// What turns out to be hot, beside the program.
    WhenHot,
    /// Everything before it runs: for tests.
    AtOnce,
    /// Functions never, each loop when it is first met: for tests of the way from the interpreter into compiled code.
    Loops,
}

/// The tier that a function runs on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Tier {
    Interpreted,
    Compiled,
}

/// The tier of a function, and the machine code there is for it, that of its loops included, in bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TierOf {
    pub tier: Tier,
    pub bytes: usize,
}

impl Default for TierOf {
    fn default() -> Self {
        Self { tier: Tier::Interpreted, bytes: 0 }
    }
}

/// The mode as a number: it is read at every safepoint of the interpreter, as the mask of those at which it looks.
static MASK: AtomicI64 = AtomicI64::new(BETWEEN);
const NEVER: i64 = i64::MAX;
const AT_ONCE: i64 = 0;
/// No bit of it is ever in the fuel.
const LOOPS: i64 = i64::MIN;

/// The environment's word on the mode: `interpreted`, `compiled` or `loops`; anything else is the usual.
const VARIABLE: &str = "AG_TIERS";

/// Takes the environment's word, once a process.
pub fn settle() {
    static SETTLED: Once = Once::new();
    SETTLED.call_once(|| match std::env::var(VARIABLE).as_deref() {
        Ok("interpreted") => set_mode(Mode::Interpreted),
        Ok("compiled") => set_mode(Mode::AtOnce),
        Ok("loops") => set_mode(Mode::Loops),
        _ => {}
    });
}

/// For the whole process, before programs run.
pub fn set_mode(mode: Mode) {
    let mask = match mode {
        Mode::Interpreted => NEVER,
        Mode::WhenHot => BETWEEN,
        Mode::AtOnce => AT_ONCE,
        Mode::Loops => LOOPS,
    };
    MASK.store(mask, Ordering::Relaxed);
}

pub fn mode() -> Mode {
    match MASK.load(Ordering::Relaxed) {
        NEVER => Mode::Interpreted,
        AT_ONCE => Mode::AtOnce,
        LOOPS => Mode::Loops,
        _ => Mode::WhenHot,
    }
}

/// Whether the interpreter should look, by the fuel left after a safepoint: at the end of a turn, not at its start.
#[inline(always)]
pub fn is_due(fuel: i64) -> bool {
    (fuel - 1) & MASK.load(Ordering::Relaxed) == 0
}

/// What is known of a function's compiled forms. Part of its code, so that they end together.
#[derive(Default)]
pub struct TierCell {
    /// The compiled entry, or null.
    entry: AtomicPtr<u8>,
    /// How native code calls it; written before `entry`.
    bridge: AtomicPtr<u8>,
    heat: AtomicU32,
    forms: Mutex<Forms>,
}

#[derive(Default)]
struct Forms {
    function: Form,
    loops: Vec<(u32, Form)>,
}

#[derive(Default)]
enum Form {
    #[default]
    Unasked,
    Asked,
    Made(Box<Unit>),
    Refused,
}

impl fmt::Debug for TierCell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.tier())
    }
}

impl TierCell {
    pub fn tier(&self) -> Tier {
        match self.entry.load(Ordering::Relaxed).is_null() {
            true => Tier::Interpreted,
            false => Tier::Compiled,
        }
    }

    /// The compiled entry and the way to call it.
    #[inline(always)]
    pub fn entry(&self) -> Option<(*const u8, *const u8)> {
        let entry = self.entry.load(Ordering::Acquire);
        if entry.is_null() {
            return None;
        }
        Some((entry, self.bridge.load(Ordering::Relaxed)))
    }

    /// Whether calls should go to compiled code.
    #[inline(always)]
    pub fn is_compiled(&self) -> bool {
        !self.entry.load(Ordering::Relaxed).is_null()
    }

    pub fn of(&self) -> TierOf {
        let forms = self.forms.lock();
        let of = |form: &Form| if let Form::Made(unit) = form { unit.bytes() } else { 0 };
        let loops: usize = forms.loops.iter().map(|(_, form)| of(form)).sum();
        TierOf { tier: self.tier(), bytes: of(&forms.function) + loops }
    }
}

/// The interpreter is at the instruction `at` of `code`, behind a safepoint. Gives the compiled code of that loop, if there is one.
pub fn look(code: &Arc<Code>, at: u32, world: &Arc<World>) -> Option<*const u8> {
    let cell = &code.tier;
    let mode = mode();
    if mode == Mode::Interpreted {
        return None;
    }
    let heat = cell.heat.fetch_add(1, Ordering::Relaxed) + 1;
    if mode == Mode::WhenHot && heat < HOT + code.instrs.len() as u32 / INSTRUCTIONS_PER_LOOK {
        return None;
    }
    if mode != Mode::Loops {
        want(code, Start::Entry, world);
    }
    // At the entry the next call will do.
    if at <= 1 {
        return None;
    }
    want(code, Start::Loop(at), world);
    let forms = cell.forms.lock();
    forms.loops.iter().find_map(|(place, form)| match form {
        Form::Made(unit) if *place == at => Some(unit.start()),
        _ => None,
    })
}

/// Before a function runs for the first time, where the mode asks for that.
pub fn installed(code: &Arc<Code>, world: &Arc<World>) {
    if mode() == Mode::AtOnce {
        want(code, Start::Entry, world);
    }
}

/// Asks for a form once.
fn want(code: &Arc<Code>, start: Start, world: &Arc<World>) {
    {
        let mut forms = code.tier.forms.lock();
        let form = forms.of(start);
        if !matches!(form, Form::Unasked) {
            return;
        }
        *form = Form::Asked;
    }
    if ag_runtime::value::ceiling::crowded(ROOM).is_some() {
        *code.tier.forms.lock().of(start) = Form::Refused;
        return;
    }
    let (done, wait) = channel();
    let job = Job { code: Arc::clone(code), start, world: Arc::downgrade(world) };
    if compiler().send(Task::Compile(job, done)).is_err() {
        *code.tier.forms.lock().of(start) = Form::Refused;
    } else if matches!(mode(), Mode::AtOnce | Mode::Loops) {
        // An error is the compiler's end: the function stays interpreted.
        let _ = wait.recv();
    }
}

impl Forms {
    fn of(&mut self, start: Start) -> &mut Form {
        let Start::Loop(at) = start else { return &mut self.function };
        let index = match self.loops.iter().position(|(place, _)| *place == at) {
            Some(index) => index,
            None => {
                self.loops.push((at, Form::Unasked));
                self.loops.len() - 1
            }
        };
        match self.loops.get_mut(index) {
            Some((_, form)) => form,
            None => &mut self.function,
        }
    }
}

struct Job {
    code: Arc<Code>,
    start: Start,
    world: Weak<World>,
}

/// What the compiling thread is sent: something to do, and who to tell.
enum Task {
    Compile(Job, Sender<()>),
    List(Job, Sender<Result<Listing, Refused>>),
    /// All before it is done.
    Rest(Sender<()>),
}

impl Task {
    /// Nothing of the job is left when its end is told; nobody may be waiting for it.
    fn run(self) {
        match self {
            Self::Compile(job, done) => {
                job.run();
                let _ = done.send(());
            }
            Self::List(job, done) => {
                let listing = job.list();
                let _ = done.send(listing);
            }
            Self::Rest(done) => {
                let _ = done.send(());
            }
        }
    }
}

static COMPILER: OnceLock<Sender<Task>> = OnceLock::new();

/// The thread that compiles, begun at the first job: programs that never get hot have none.
fn compiler() -> &'static Sender<Task> {
    COMPILER.get_or_init(|| {
        let (tasks, queue) = channel::<Task>();
        // Without a thread the queue is gone, and with it every job: all stays interpreted.
        let _ = std::thread::Builder::new()
            .name("compiler".to_owned())
            .stack_size(STACK_BYTES)
            .spawn(move || queue.into_iter().for_each(Task::run));
        tasks
    })
}

/// Waits until all that was asked for is compiled.
pub fn finish() {
    let Some(compiler) = COMPILER.get() else { return };
    let (done, wait) = channel();
    if compiler.send(Task::Rest(done)).is_ok() {
        // An error is the thread's end: then nothing is under way.
        let _ = wait.recv();
    }
}

/// The machine code of a function as text, whatever it runs on: made for whoever reads it, nothing comes into force.
pub fn listing(code: Arc<Code>, world: &Arc<World>) -> Result<Listing, Refused> {
    let no_thread = || Refused::Host("there is no thread to compile on".to_owned());
    if ag_runtime::value::ceiling::crowded(ROOM).is_some() {
        return Err(Refused::Host("there is not enough memory left to compile".to_owned()));
    }
    let (done, wait) = channel();
    let job = Job { code, start: Start::Entry, world: Arc::downgrade(world) };
    compiler().send(Task::List(job, done)).map_err(|_| no_thread())?;
    wait.recv().map_err(|_| no_thread())?
}

impl Job {
    fn list(self) -> Result<Listing, Refused> {
        let world = self.world.upgrade();
        let world = world.ok_or_else(|| Refused::Host("the session is closing".to_owned()))?;
        jit::list(&self.code, world.functions(), self.start)
    }

    fn run(self) {
        let Some(world) = self.world.upgrade() else { return };
        let made = jit::compile(&self.code, world.functions(), self.start);
        let form = match (made, self.start) {
            (Ok(unit), Start::Loop(_)) => Form::Made(Box::new(unit)),
            (Ok(unit), Start::Entry) => match memory::bridge(self.code.params.len()) {
                Ok(bridge) => {
                    self.publish(&world, &unit, bridge);
                    Form::Made(Box::new(unit))
                }
                Err(_) => Form::Refused,
            },
            (Err(_), _) => Form::Refused,
        };
        *self.code.tier.forms.lock().of(self.start) = form;
    }

    fn publish(&self, world: &World, unit: &Unit, bridge: Bridge) {
        let cell = &self.code.tier;
        cell.bridge.store(bridge as *mut u8, Ordering::Relaxed);
        cell.entry.store(unit.start().cast_mut(), Ordering::Release);
        let code = Arc::as_ptr(&self.code).cast();
        if self.code.slot != FnSlot(u32::MAX) {
            world.functions().open(self.code.slot, code, unit.start());
        }
    }
}

impl Drop for TierCell {
    fn drop(&mut self) {
        self.entry.store(null_mut(), Ordering::Relaxed);
    }
}

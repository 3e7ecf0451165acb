//! One function on its way to machine code: its frame, its variables and its blocks.
//!
//! Never: says what an operation does (`arith`, `objects`, `calls` do).

use crate::exec::bytecode::{CONSTANT, Code, Opcode};
use crate::exec::frame::HEADER;
use crate::exec::jit::flow::{self, Flow, RegisterSet};
use crate::exec::jit::known::Known;
use crate::exec::jit::lists;
use crate::exec::jit::webs::{Web, Webs};
use crate::exec::jit::{Start, stubs};
use ag_runtime::code::{FunctionTable, OK};
use ag_runtime::context::Cx;
use ag_runtime::context::call::MACHINE_RESERVE;
use ag_runtime::context::registers::RegisterStack;
use ag_runtime::value::list::LENGTH_OFFSET;
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{
    self, AbiParam, Block, Inst, InstBuilder, InstructionData, MemFlagsData, SigRef, Signature,
    StackSlot, StackSlotData, StackSlotKind, Type, Value, ValueDef, types,
};
use cranelift_codegen::isa::CallConv;
use cranelift_frontend::{FunctionBuilder, Variable};
use rustc_hash::{FxHashMap, FxHashSet};
use std::mem::offset_of;

pub const I64: Type = types::I64;
pub const I32: Type = types::I32;
pub const F64: Type = types::F64;

/// What is compiled, and where from.
#[derive(Clone, Copy)]
pub struct Linked<'a> {
    pub code: &'a Code,
    pub flow: &'a Flow,
    pub webs: &'a Webs,
    pub held_alone: &'a FxHashMap<u32, RegisterSet>,
    pub tight: &'a FxHashSet<u32>,
    pub table: &'a FunctionTable,
    pub start: Start,
}

pub struct Body<'a, 'b> {
    pub b: &'a mut FunctionBuilder<'b>,
    pub code: &'a Code,
    pub flow: &'a Flow,
    webs: &'a Webs,
    pub table: &'a FunctionTable,
    pub cx: Value,
    /// The registers of the frame, if there is one.
    registers: Option<Value>,
    room: Option<StackSlot>,
    pub fuel: Variable,
    /// The fuel is in its variable.
    has_fuel: bool,
    start: Start,
    call_conv: CallConv,
    /// By web.
    variables: Vec<Variable>,
    /// The lengths of lists that are looked into, by web: no list changes its length while a register holds it.
    lengths: FxHashMap<Web, Variable>,
    pub known: Known,
    /// What is known at the end of runs.
    known_after: FxHashMap<u32, Known>,
    /// Registers that hold a list alone: at the start of each run, and now.
    held_alone: &'a FxHashMap<u32, RegisterSet>,
    alone_now: RegisterSet,
    tight: &'a FxHashSet<u32>,
    /// The web that each register is in now.
    current: FxHashMap<u16, Web>,
    /// The instruction that is translated.
    at: u32,
    blocks: FxHashMap<u32, Block>,
    signatures: FxHashMap<Vec<Type>, SigRef>,
    kept: Option<SigRef>,
}

/// Offsets of `Cx` and its register stack.
pub fn stack_field(offset: usize) -> i32 {
    (offset_of!(Cx, registers) + offset) as i32
}

pub fn flags() -> MemFlagsData {
    MemFlagsData::trusted()
}

impl<'a, 'b> Body<'a, 'b> {
    pub fn new(
        b: &'a mut FunctionBuilder<'b>,
        call_conv: CallConv,
        Linked { code, flow, webs, held_alone, tight, table, start }: Linked<'a>,
    ) -> Self {
        let params = if start == Start::Entry { code.params.len() } else { 1 };
        let returns: &[Type] = if start == Start::Entry { &[I32, I64] } else { &[I32] };
        b.func.signature = signature(call_conv, &vec![I64; params + 1], returns);
        let kind = |web: Web| if webs.is_float(web) { F64 } else { I64 };
        let all = || 0..webs.count() as Web;
        let variables = all().map(|web| b.declare_var(kind(web))).collect();
        let lists = all().filter(|web| webs.is_list(*web));
        let lengths = lists.map(|web| (web, b.declare_var(I64))).collect();
        let fuel = b.declare_var(I64);
        let entry = b.create_block();
        b.append_block_params_for_function_params(entry);
        b.switch_to_block(entry);
        b.seal_block(entry);
        let cx = b.block_params(entry).first().copied().unwrap_or(Value::from_u32(0));
        let (blocks, signatures) = (FxHashMap::default(), FxHashMap::default());
        Self {
            b,
            code,
            flow,
            webs,
            table,
            cx,
            registers: None,
            room: None,
            fuel,
            has_fuel: false,
            start,
            call_conv,
            variables,
            lengths,
            known: Known::default(),
            known_after: FxHashMap::default(),
            held_alone,
            alone_now: RegisterSet::new(code.registers),
            tight,
            current: FxHashMap::default(),
            at: 0,
            blocks,
            signatures,
            kept: None,
        }
    }

    pub fn run(mut self) {
        let first = match self.start {
            Start::Entry => {
                self.enter();
                0
            }
            Start::Loop(at) => {
                self.take_frame(at);
                at
            }
        };
        let block = self.block(first);
        self.b.ins().jump(block, &[]);
        for start in self.reached(first) {
            self.fill(start);
        }
        self.b.seal_all_blocks();
    }

    /// The runs that can be reached from here without a Fault.
    fn reached(&self, first: u32) -> Vec<u32> {
        let mut reached = std::collections::BTreeSet::new();
        let mut open = vec![first];
        while let Some(start) = open.pop() {
            let Some(run) = self.flow.runs.get(&start) else { continue };
            if reached.insert(start)
                && let Some(last) = flow::places(self.code, start, run.end).last()
            {
                open.extend(flow::jump(self.code, last));
                if flow::falls_through(flow::instr(self.code, last).op) {
                    open.push(flow::after(self.code, last));
                }
            }
        }
        reached.into_iter().collect()
    }

    fn fill(&mut self, start: u32) {
        let Some(run) = self.flow.runs.get(&start) else { return };
        let block = self.block(start);
        self.b.switch_to_block(block);
        let live = self.flow.live_at(start);
        let live = live.filter_map(|register| Some((register, self.webs.live(start, register)?)));
        self.current = live.collect();
        self.known = self.known_at(start);
        let nothing = || RegisterSet::new(self.code.registers);
        self.alone_now = self.held_alone.get(&start).cloned().unwrap_or_else(nothing);
        let mut ends = false;
        for at in flow::places(self.code, start, run.end) {
            let op = flow::instr(self.code, at).op;
            self.at = at;
            self.instr(at);
            lists::follow(self.code, at, &mut self.alone_now);
            ends = flow::jump(self.code, at).is_some() || !flow::falls_through(op);
        }
        if !ends {
            let next = self.block(run.end);
            self.b.ins().jump(next, &[]);
        }
        self.known_after.insert(start, std::mem::take(&mut self.known));
    }

    /// What the only way to a run has found out.
    fn known_at(&self, start: u32) -> Known {
        if self.start == Start::Loop(start) {
            return Known::default();
        }
        let before = self.flow.only_before(start);
        before.and_then(|before| self.known_after.get(&before)).cloned().unwrap_or_default()
    }

    fn instr(&mut self, at: u32) {
        let x = flow::instr(self.code, at);
        if self.arithmetic(at, x) || self.jumps(at, x) || self.object(at, x) {
            return;
        }
        match x.op {
            Opcode::Return => self.finish(x.a),
            _ => self.calls(at, x),
        }
    }

    pub fn block(&mut self, at: u32) -> Block {
        *self.blocks.entry(at).or_insert_with(|| self.b.create_block())
    }

    // The frame.

    /// A frame on the native stack alone, if that and the depth have room. One on the register stack, where Faults look, is
    /// made when there is a Fault.
    fn enter(&mut self) {
        let args = self.arguments();
        let (slow, shallow, fits) =
            (self.cold_block(), self.b.create_block(), self.b.create_block());
        let floor = self.load(I64, self.cx, Cx::STACK_FLOOR_OFFSET as i32);
        let here = self.b.ins().get_stack_pointer(I64);
        let room = self.b.ins().isub(here, floor);
        let low = self.b.ins().icmp_imm_s(IntCC::SignedLessThan, room, MACHINE_RESERVE as i64);
        self.b.ins().brif(low, slow, &[], shallow, &[]);
        self.b.switch_to_block(shallow);
        let depth = self.load(I32, self.cx, stack_field(RegisterStack::DEPTH_OFFSET));
        let most = self.load(I32, self.cx, stack_field(RegisterStack::MAX_DEPTH_OFFSET));
        let deep = self.b.ins().icmp(IntCC::UnsignedGreaterThanOrEqual, depth, most);
        self.b.ins().brif(deep, slow, &[], fits, &[]);
        self.b.switch_to_block(slow);
        self.enter_slow(&args);
        self.b.switch_to_block(fits);
        let deeper = self.b.ins().iadd_imm_s(depth, 1);
        self.store(deeper, self.cx, stack_field(RegisterStack::DEPTH_OFFSET));
        self.take_fuel();
        for (at, arg) in args.iter().enumerate() {
            let Some(web) = self.webs.live(0, at as u16) else { continue };
            let value = if self.webs.is_float(web) { self.float_of(*arg) } else { *arg };
            self.define(web, value);
        }
    }

    /// The interpreter takes the call over: it needs no native stack for what is called from there on.
    fn enter_slow(&mut self, args: &[Value]) {
        let place = self.slots(args.len());
        for (at, arg) in args.iter().enumerate() {
            self.b.ins().stack_store(I64, *arg, place, (at * 8) as i32);
        }
        let args = self.b.ins().stack_addr(I64, place, 0);
        let code = self.address(std::ptr::from_ref(self.code).cast());
        let status = self.stub(stubs::enter_slow as *const u8, &[self.cx, code, args], &[I32]);
        self.give(status);
    }

    /// Words on the native stack.
    fn slots(&mut self, words: usize) -> StackSlot {
        let bytes = (words.max(1) * 8) as u32;
        self.b.create_sized_stack_slot(StackSlotData::new(StackSlotKind::ExplicitSlot, bytes, 3))
    }

    /// Room for the longest operand list, one for the whole function.
    pub fn room(&mut self) -> StackSlot {
        match self.room {
            Some(room) => room,
            None => {
                let room = self.slots(self.code.arguments as usize);
                self.room = Some(room);
                room
            }
        }
    }

    /// The frame that a Fault needs: ours, or one made now, whose depth was counted at the entry.
    pub fn frame(&mut self) -> Value {
        match self.registers {
            Some(registers) => registers,
            None => {
                let words = HEADER as u32 + self.code.registers + self.code.arguments;
                let words = self.b.ins().iconst(I64, i64::from(words));
                let frame = self.stub(stubs::late_frame as *const u8, &[self.cx, words], &[I64]);
                self.b.ins().iadd_imm_s(frame, (HEADER * 8) as i64)
            }
        }
    }

    fn arguments(&mut self) -> Vec<Value> {
        let block = self.b.current_block();
        let params = block.map(|block| self.b.block_params(block).to_vec());
        params.unwrap_or_default().into_iter().skip(1).collect()
    }

    /// The frame that the interpreter filled.
    fn take_frame(&mut self, at: u32) {
        let registers = self.arguments().first().copied().unwrap_or(self.cx);
        self.registers = Some(registers);
        self.take_fuel();
        for register in self.flow.live_at(at).collect::<Vec<_>>() {
            let Some(web) = self.webs.live(at, register) else { continue };
            let kind = if self.webs.is_float(web) { F64 } else { I64 };
            let value = self.load(kind, registers, i32::from(register) * 8);
            self.define(web, value);
        }
    }

    /// Leaves the function with a value.
    fn finish(&mut self, register: u16) {
        let value = self.get(register);
        self.give_fuel();
        let status = self.b.ins().iconst(I32, i64::from(OK));
        match self.registers {
            None => {
                let depth = self.load(I32, self.cx, stack_field(RegisterStack::DEPTH_OFFSET));
                let depth = self.b.ins().iadd_imm_s(depth, -1);
                self.store(depth, self.cx, stack_field(RegisterStack::DEPTH_OFFSET));
                self.b.ins().return_(&[status, value]);
            }
            Some(registers) => {
                let frame = self.b.ins().iadd_imm_s(registers, -((HEADER * 8) as i64));
                self.stub_void(stubs::leave as *const u8, &[self.cx, frame]);
                self.store(value, self.cx, offset_of!(Cx, result) as i32);
                self.b.ins().return_(&[status]);
            }
        }
    }

    // The fuel is in a register, and in the context while other code runs.

    fn take_fuel(&mut self) {
        let fuel = self.load(I64, self.cx, offset_of!(Cx, fuel) as i32);
        self.b.def_var(self.fuel, fuel);
        self.has_fuel = true;
    }

    fn give_fuel(&mut self) {
        let fuel = self.b.use_var(self.fuel);
        self.store(fuel, self.cx, offset_of!(Cx, fuel) as i32);
    }

    /// Returns a status whose value, if there is one, is in `cx.result`. The frame was left.
    pub fn give(&mut self, status: Value) {
        if self.registers.is_none() {
            let value = self.result();
            self.b.ins().return_(&[status, value]);
        } else {
            self.b.ins().return_(&[status]);
        }
    }

    pub fn result(&mut self) -> Value {
        self.load(I64, self.cx, offset_of!(Cx, result) as i32)
    }

    // Registers.

    /// The bits of a register.
    pub fn get(&mut self, register: u16) -> Value {
        let value = self.get_as_is(register);
        self.bits_of(value)
    }

    pub fn get_float(&mut self, register: u16) -> Value {
        let value = self.get_as_is(register);
        self.float_of(value)
    }

    pub fn get_as_is(&mut self, register: u16) -> Value {
        let web = self.current.get(&register);
        match web.and_then(|web| self.variables.get(*web as usize)) {
            Some(variable) => self.b.use_var(*variable),
            None => self.b.ins().iconst(I64, 0),
        }
    }

    /// Whether the result of the instruction that is translated is a float.
    pub fn gives_float(&self) -> bool {
        self.webs.begun(self.at).is_some_and(|web| self.webs.is_float(web))
    }

    /// The result of the instruction that is translated, as bits or as a float.
    pub fn set(&mut self, register: u16, value: Value) {
        self.set_list(register, value, None);
    }

    /// The same with the length, if it is a list whose length is known.
    pub fn set_list(&mut self, register: u16, value: Value, length: Option<Value>) {
        let Some(web) = self.webs.begun(self.at) else { return };
        let value = match self.webs.is_float(web) {
            true => self.float_of(value),
            false => self.bits_of(value),
        };
        self.current.insert(register, web);
        self.define_list(web, value, length);
    }

    fn define(&mut self, web: Web, value: Value) {
        self.define_list(web, value, None);
    }

    fn define_list(&mut self, web: Web, value: Value, length: Option<Value>) {
        if let Some(variable) = self.variables.get(web as usize) {
            self.b.def_var(*variable, value);
        }
        if let Some(variable) = self.lengths.get(&web).copied() {
            let read = |this: &mut Self| this.load(I64, value, LENGTH_OFFSET as i32);
            let length = length.unwrap_or_else(|| read(self));
            self.b.def_var(variable, length);
        }
    }

    /// The length of the list in a register, if it is in a variable.
    pub fn length_if_known(&mut self, register: u16) -> Option<Value> {
        let variable = self.lengths.get(self.current.get(&register)?).copied()?;
        Some(self.b.use_var(variable))
    }

    /// The length of a list.
    pub fn length(&mut self, list: u16) -> Value {
        let known = if list & CONSTANT == 0 { self.length_if_known(list) } else { None };
        known.unwrap_or_else(|| {
            let list = self.operand(list);
            self.load(I64, list, LENGTH_OFFSET as i32)
        })
    }

    pub fn is_alone(&self, list: u16) -> bool {
        list & CONSTANT == 0 && self.alone_now.has(list)
    }

    pub fn is_tight(&self, safepoint: u32) -> bool {
        self.tight.contains(&safepoint)
    }

    /// What this was made from by a change of kind alone.
    fn before_cast(&self, value: Value) -> Option<Value> {
        let ValueDef::Result(inst, _) = self.b.func.dfg.value_def(value) else { return None };
        match &self.b.func.dfg.insts[inst] {
            InstructionData::LoadNoOffset { opcode: ir::Opcode::Bitcast, arg, .. } => Some(*arg),
            _ => None,
        }
    }

    fn float_of(&mut self, value: Value) -> Value {
        if self.b.func.dfg.value_type(value) == F64 {
            return value;
        }
        match self.before_cast(value) {
            Some(float) => float,
            None => self.b.ins().bitcast(F64, MemFlagsData::new(), value),
        }
    }

    fn bits_of(&mut self, value: Value) -> Value {
        if self.b.func.dfg.value_type(value) != F64 {
            return value;
        }
        match self.before_cast(value) {
            Some(bits) => bits,
            None => self.b.ins().bitcast(I64, MemFlagsData::new(), value),
        }
    }

    /// A field of an operand list.
    pub fn operand(&mut self, field: u16) -> Value {
        if field & CONSTANT == 0 {
            return self.get(field);
        }
        let word = self.code.constants.get(usize::from(field & !CONSTANT)).copied();
        self.b.ins().iconst(I64, word.unwrap_or(0) as i64)
    }

    /// The word of a field that is a constant.
    pub fn constant_operand(&self, field: u16) -> Option<u64> {
        let at = usize::from(field & !CONSTANT);
        (field & CONSTANT != 0).then(|| self.code.constants.get(at).copied()).flatten()
    }

    pub fn float_operand(&mut self, field: u16) -> Value {
        if field & CONSTANT == 0 {
            return self.get_float(field);
        }
        let word = self.code.constants.get(usize::from(field & !CONSTANT)).copied();
        self.b.ins().f64const(f64::from_bits(word.unwrap_or(0)))
    }

    // Small things.

    pub fn load(&mut self, kind: Type, base: Value, offset: i32) -> Value {
        self.b.ins().load(kind, flags(), base, offset)
    }

    pub fn store(&mut self, value: Value, base: Value, offset: i32) {
        self.b.ins().store(flags(), value, base, offset);
    }

    pub fn address(&mut self, of: *const u8) -> Value {
        self.b.ins().iconst(I64, of.expose_provenance() as i64)
    }

    /// Goes on in a block that nothing more leads to.
    pub fn begin(&mut self, block: Block) {
        self.b.switch_to_block(block);
        self.b.seal_block(block);
    }

    pub fn cold_block(&mut self) -> Block {
        let block = self.b.create_block();
        self.b.set_cold_block(block);
        block
    }

    pub fn signature(&mut self, params: &[Type], returns: &[Type]) -> SigRef {
        let mut key = params.to_vec();
        key.push(types::INVALID);
        key.extend(returns);
        if let Some(known) = self.signatures.get(&key) {
            return *known;
        }
        let made = self.b.import_signature(signature(self.call_conv, params, returns));
        self.signatures.insert(key, made);
        made
    }

    pub fn kept_signature(&mut self) -> SigRef {
        match self.kept {
            Some(known) => known,
            None => {
                let made = signature(CallConv::PreserveAll, &[I64], &[]);
                let made = self.b.import_signature(made);
                self.kept = Some(made);
                made
            }
        }
    }

    /// Calls a function of ours that gives one value.
    pub fn stub(&mut self, function: *const u8, args: &[Value], returns: &[Type]) -> Value {
        let call = self.stub_call(function, args, returns);
        self.b.inst_results(call).first().copied().unwrap_or(self.cx)
    }

    pub fn stub_void(&mut self, function: *const u8, args: &[Value]) {
        self.stub_call(function, args, &[]);
    }

    fn stub_call(&mut self, function: *const u8, args: &[Value], returns: &[Type]) -> Inst {
        let params: Vec<Type> = args.iter().map(|arg| self.b.func.dfg.value_type(*arg)).collect();
        let signature = self.signature(&params, returns);
        let function = self.address(function);
        self.call_out(signature, function, args)
    }

    /// Calls what may look at the fuel, if it is given the context.
    pub fn call_out(&mut self, signature: SigRef, function: Value, args: &[Value]) -> Inst {
        let sees = self.has_fuel && args.first() == Some(&self.cx);
        if sees {
            self.give_fuel();
        }
        let call = self.b.ins().call_indirect(signature, function, args);
        if sees {
            self.take_fuel();
        }
        call
    }
}

fn signature(call_conv: CallConv, params: &[Type], returns: &[Type]) -> Signature {
    let mut signature = Signature::new(call_conv);
    signature.params = params.iter().copied().map(AbiParam::new).collect();
    signature.returns = returns.iter().copied().map(AbiParam::new).collect();
    signature
}

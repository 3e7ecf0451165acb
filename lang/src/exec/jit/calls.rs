//! Calls: of functions through their doors, of function values, builtins and helpers.
//!
//! Never: keeps a compiled entry across a redefinition; each call reads the door.

use crate::exec::bytecode::{Instr, Opcode};
use crate::exec::jit::body::{Body, I32, I64};
use crate::exec::jit::memory::Kept;
use crate::exec::jit::{flow, stubs};
use ag_runtime::context::Cx;
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{InstBuilder, Value};
use std::mem::offset_of;

/// Safepoints of a tight loop from look to look: well below a millisecond. A power of two.
const BETWEEN_LOOKS: i64 = 256;

impl Body<'_, '_> {
    pub fn calls(&mut self, at: u32, x: Instr) {
        match x.op {
            Opcode::Call => self.call(at, x),
            Opcode::CallValue => {
                let callee = self.get(x.b);
                let args = self.gather(at);
                let count = self.b.ins().iconst(I32, i64::from(x.c));
                let args = [self.cx, callee, args, count];
                let status = self.stub(stubs::call_value as *const u8, &args, &[I32]);
                self.take_result(at, x, status);
            }
            Opcode::Native if self.intrinsic(at, x) => {}
            Opcode::Native => {
                let status = self.native_call(at, x);
                self.take_result(at, x, status);
            }
            Opcode::Help if self.index(at, x) => {}
            Opcode::Help => {
                let status = self.helper_call(at, x);
                self.take_result(at, x, status);
            }
            Opcode::Safepoint => self.safepoint(at),
            _ => {
                self.stub(stubs::unreachable as *const u8, &[self.cx], &[I32]);
                self.leave_by_fault(at);
            }
        }
    }

    pub fn native_call(&mut self, at: u32, x: Instr) -> Value {
        let args = self.gather(at);
        let native = self.code.natives.get(usize::from(x.b));
        let native = native.map_or(std::ptr::null(), |native| *native as *const u8);
        self.stub(native, &[self.cx, args], &[I32])
    }

    pub fn helper_call(&mut self, at: u32, x: Instr) -> Value {
        let args = self.gather(at);
        let helper = self.code.helpers.get(usize::from(x.b));
        let helper = self.address(helper.map_or(std::ptr::null(), |of| of).cast());
        let count = self.b.ins().iconst(I32, i64::from(x.c));
        let args = [self.cx, helper, args, count];
        self.stub(stubs::help as *const u8, &args, &[I32])
    }

    fn take_result(&mut self, at: u32, x: Instr, status: Value) {
        self.check(at, status);
        let value = self.result();
        self.set(x.a, value);
    }

    /// The operands in memory.
    pub fn gather(&mut self, at: u32) -> Value {
        let room = self.room();
        for (index, field) in flow::operands(self.code, at).enumerate() {
            let value = self.operand(field);
            self.b.ins().stack_store(I64, value, room, index as i32 * 8);
        }
        self.b.ins().stack_addr(I64, room, 0)
    }

    /// Directly where the function is compiled, by its slot else.
    fn call(&mut self, at: u32, x: Instr) {
        let Some(slot) = self.code.calls.get(usize::from(x.b)).copied() else { return };
        let mut args = vec![self.cx];
        args.extend(
            flow::operands(self.code, at).map(|field| self.operand(field)).collect::<Vec<_>>(),
        );
        let door = self.address(self.table.door(slot).cast());
        let entry = self.load(I64, door, 0);
        let (direct, slow, done) =
            (self.b.create_block(), self.cold_block(), self.b.create_block());
        let value = self.b.append_block_param(done, I64);
        self.b.ins().brif(entry, direct, &[], slow, &[]);

        self.begin(direct);
        let signature = self.signature(&vec![I64; args.len()], &[I32, I64]);
        let call = self.call_out(signature, entry, &args);
        let results = self.b.inst_results(call).to_vec();
        if let [status, result] = *results {
            self.check(at, status);
            self.b.ins().jump(done, &[result.into()]);
        }

        self.begin(slow);
        let args = self.gather(at);
        let number = self.b.ins().iconst(I32, i64::from(slot.0));
        let count = self.b.ins().iconst(I32, i64::from(x.c));
        let args = [self.cx, number, args, count];
        let status = self.stub(stubs::call as *const u8, &args, &[I32]);
        self.check(at, status);
        let result = self.result();
        self.b.ins().jump(done, &[result.into()]);

        self.begin(done);
        self.set(x.a, value);
    }

    /// Counts the fuel and looks at the flag; the rest is a call that hardly ever happens. A tight loop looks at both now and
    /// then: where the low bits of the fuel are 0, its end among them.
    fn safepoint(&mut self, at: u32) {
        let fuel = self.b.use_var(self.fuel);
        let fuel = self.b.ins().iadd_imm_s(fuel, -1);
        self.b.def_var(self.fuel, fuel);
        let (slow, next) = (self.cold_block(), self.b.create_block());
        if self.is_tight(at) {
            let low = self.b.ins().band_imm_s(fuel, BETWEEN_LOOKS - 1);
            self.b.ins().brif(low, next, &[], slow, &[]);
        } else {
            let look = self.b.create_block();
            let empty = self.b.ins().icmp_imm_s(IntCC::SignedLessThanOrEqual, fuel, 0);
            self.b.ins().brif(empty, slow, &[], look, &[]);
            self.begin(look);
            let flag = self.load(I64, self.cx, offset_of!(Cx, safepoint) as i32);
            let flag = self.load(I32, flag, 0);
            self.b.ins().brif(flag, slow, &[], next, &[]);
        }
        self.begin(slow);
        self.kept_call(Kept::Safepoint, self.cx);
        let status = self.result();
        let fault = self.cold_block();
        self.b.ins().brif(status, fault, &[], next, &[]);
        self.begin(fault);
        self.leave_by_fault(at);
        self.begin(next);
    }

    /// Calls one of the functions that keep all machine registers, so that the code around it need not save them.
    pub fn kept_call(&mut self, which: Kept, arg: Value) {
        let signature = self.kept_signature();
        let function = self.address(which.address());
        self.call_out(signature, function, &[arg]);
    }
}

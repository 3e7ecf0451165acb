//! Faults of compiled code: a cold block writes back what the fault point names and takes the interpreter's way out.
//!
//! Never: on the way of code that does not fault.

use crate::exec::jit::body::{Body, I32};
use crate::exec::jit::stubs;
use cranelift_codegen::ir::{InstBuilder, Value};

impl Body<'_, '_> {
    /// The place after an instruction, as the interpreter has it.
    fn place_after(&mut self, at: u32) -> Value {
        let pc = self.code.instrs.as_ptr().wrapping_add(at as usize + 1);
        self.address(pc.cast())
    }

    fn own_code(&mut self) -> Value {
        self.address(std::ptr::from_ref(self.code).cast())
    }

    /// Goes on if `status` is `OK`.
    pub fn check(&mut self, at: u32, status: Value) {
        let fault = self.cold_block();
        let next = self.b.create_block();
        self.b.ins().brif(status, fault, &[], next, &[]);
        self.begin(fault);
        self.leave_by_fault(at);
        self.begin(next);
    }

    /// The Fault of an arithmetic instruction, where `wrong` is true.
    pub fn check_arithmetic(&mut self, at: u32, wrong: Value, lhs: Value, rhs: Value) {
        let fault = self.cold_block();
        let next = self.b.create_block();
        self.b.ins().brif(wrong, fault, &[], next, &[]);
        self.begin(fault);
        let (code, pc) = (self.own_code(), self.place_after(at));
        let args = [self.cx, code, pc, lhs, rhs];
        self.stub(stubs::arithmetic as *const u8, &args, &[I32]);
        self.leave_by_fault(at);
        self.begin(next);
    }

    /// Ends the block: what the way out needs goes into the frame.
    pub fn leave_by_fault(&mut self, at: u32) {
        let registers = self.frame();
        for register in self.needed(at) {
            let value = self.get_as_is(register);
            self.store(value, registers, i32::from(register) * 8);
        }
        let (code, pc) = (self.own_code(), self.place_after(at));
        let args = [self.cx, registers, pc, code];
        let status = self.stub(stubs::fault as *const u8, &args, &[I32]);
        self.give(status);
    }

    fn needed(&self, at: u32) -> Vec<u16> {
        let Some(point) = self.code.fault_point(at) else { return Vec::new() };
        let mut needed: Vec<u16> = self.code.cleanup(point).to_vec();
        needed.extend(self.code.kept(point));
        if let Some(handler) = point.handler {
            needed.extend(self.flow.live_at(handler));
        }
        needed.sort_unstable();
        needed.dedup();
        needed
    }
}

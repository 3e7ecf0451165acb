//! Fields, tags, lists and counts in line; what frees or allocates is a call.
//!
//! Never: frees an object itself.

use crate::exec::bytecode::{Instr, Opcode};
use crate::exec::jit::body::{Body, I32, I64};
use crate::exec::jit::memory::Kept;
use crate::exec::jit::stubs;
use ag_runtime::value::list::ITEMS_OFFSET;
use ag_runtime::value::record::TAG_OFFSET;
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{InstBuilder, Value, types};

impl Body<'_, '_> {
    /// True when the instruction is one of these.
    pub fn object(&mut self, at: u32, x: Instr) -> bool {
        match x.op {
            Opcode::Tag => self.tag(x),
            Opcode::Field => {
                let base = self.get(x.b);
                self.load_register(x.a, base, i32::from(x.c) * 8);
            }
            Opcode::TakeField => {
                let base = self.get(x.b);
                self.load_register(x.a, base, i32::from(x.c) * 8);
                let zero = self.b.ins().iconst(I64, 0);
                self.store(zero, base, i32::from(x.c) * 8);
            }
            Opcode::PutField => {
                let base = self.get(x.a);
                let old = self.load(I64, base, i32::from(x.c) * 8);
                let new = self.get(x.b);
                self.store(new, base, i32::from(x.c) * 8);
                self.drop_word(old);
            }
            Opcode::PutWord => {
                let base = self.get(x.a);
                let new = self.get_as_is(x.b);
                self.store(new, base, i32::from(x.c) * 8);
            }
            Opcode::Fresh => {
                let value = self.get(x.b);
                let value = self.stub(stubs::fresh as *const u8, &[value], &[I64]);
                self.set(x.a, value);
            }
            Opcode::ListLen => {
                let length = self.length(x.b);
                self.set(x.a, length);
            }
            Opcode::ListGet => {
                let (list, index) = (self.get(x.b), self.get(x.c));
                let offset = self.b.ins().ishl_imm_u(index, 3);
                let place = self.b.ins().iadd(list, offset);
                self.load_register(x.a, place, ITEMS_OFFSET as i32);
            }
            Opcode::Dup => {
                let value = self.get(x.a);
                self.dup_word(value);
            }
            Opcode::Drop => {
                let value = self.get(x.a);
                self.drop_word(value);
            }
            Opcode::Record | Opcode::Variant | Opcode::Closure => self.make(at, x),
            _ => return false,
        }
        true
    }

    fn load_register(&mut self, to: u16, base: Value, offset: i32) {
        let kind = if self.gives_float() { types::F64 } else { I64 };
        let value = self.load(kind, base, offset);
        self.set(to, value);
    }

    /// An odd word is the tag itself; an even one points to an object that has it behind its header.
    fn tag(&mut self, x: Instr) {
        let value = self.get(x.b);
        let odd = self.b.ins().band_imm_s(value, 1);
        let (plain, payload, done) =
            (self.b.create_block(), self.b.create_block(), self.b.create_block());
        let tag = self.b.append_block_param(done, I64);
        self.b.ins().brif(odd, plain, &[], payload, &[]);
        self.begin(plain);
        let shifted = self.b.ins().ushr_imm_u(value, 1);
        let narrow = self.b.ins().ireduce(I32, shifted);
        let wide = self.b.ins().uextend(I64, narrow);
        self.b.ins().jump(done, &[wide.into()]);
        self.begin(payload);
        let narrow = self.load(I32, value, TAG_OFFSET as i32);
        let wide = self.b.ins().uextend(I64, narrow);
        self.b.ins().jump(done, &[wide.into()]);
        self.begin(done);
        self.set(x.a, tag);
    }

    /// The block to go on in where a word points to no object; in the one that is current then, it does.
    fn if_object(&mut self, value: Value) -> cranelift_codegen::ir::Block {
        let (maybe, object, done) =
            (self.b.create_block(), self.b.create_block(), self.b.create_block());
        let odd = self.b.ins().band_imm_s(value, 1);
        self.b.ins().brif(odd, done, &[], maybe, &[]);
        self.begin(maybe);
        self.b.ins().brif(value, object, &[], done, &[]);
        self.begin(object);
        done
    }

    /// Counts at the start of an object; a negative one is shared and counted atomically.
    pub fn dup_word(&mut self, value: Value) {
        let done = self.if_object(value);
        let count = self.load(I32, value, 0);
        let own = self.b.ins().icmp_imm_s(IntCC::SignedGreaterThan, count, 0);
        let (fast, slow) = (self.b.create_block(), self.cold_block());
        self.b.ins().brif(own, fast, &[], slow, &[]);
        self.begin(fast);
        let more = self.b.ins().iadd_imm_s(count, 1);
        self.store(more, value, 0);
        self.b.ins().jump(done, &[]);
        self.begin(slow);
        self.kept_call(Kept::Retain, value);
        self.b.ins().jump(done, &[]);
        self.begin(done);
    }

    pub fn drop_word(&mut self, value: Value) {
        let done = self.if_object(value);
        let count = self.load(I32, value, 0);
        let others = self.b.ins().icmp_imm_s(IntCC::SignedGreaterThan, count, 1);
        let (fast, slow) = (self.b.create_block(), self.b.create_block());
        self.b.ins().brif(others, fast, &[], slow, &[]);
        self.begin(fast);
        let fewer = self.b.ins().iadd_imm_s(count, -1);
        self.store(fewer, value, 0);
        self.b.ins().jump(done, &[]);
        self.begin(slow);
        self.kept_call(Kept::Release, value);
        self.b.ins().jump(done, &[]);
        self.begin(done);
    }

    fn make(&mut self, at: u32, x: Instr) {
        let fields = self.gather(at);
        let value = if x.op == Opcode::Closure {
            let of = self.code.closures.get(usize::from(x.b)).map_or(std::ptr::null(), |of| of);
            let of = self.address(of.cast());
            self.stub(stubs::closure as *const u8, &[of, fields], &[I64])
        } else {
            let key = self.code.constants.get(usize::from(x.b)).copied().unwrap_or(0);
            let key = self.b.ins().iconst(I64, key as i64);
            let count = self.b.ins().iconst(I32, i64::from(x.c));
            let make = match x.op {
                Opcode::Record => stubs::record as *const u8,
                _ => stubs::variant as *const u8,
            };
            self.stub(make, &[key, fields, count], &[I64])
        };
        self.set(x.a, value);
    }
}

//! Elements of lists in line: reading, taking out and putting in where the index is inside and nobody else holds the list.
//!
//! Everything else is the helper's: it says what is wrong, or copies. Never: touches a Map.

use crate::exec::bytecode::{CONSTANT, Instr};
use crate::exec::helper::Helper;
use crate::exec::jit::body::{Body, F64, I32, I64};
use crate::exec::jit::flow;
use crate::exec::jit::known::Term;
use crate::exec::jit::lists::element;
use crate::ir::core::Aux;
use ag_runtime::value::list::ITEMS_OFFSET;
use ag_runtime::value::shape::{Shape, ShapeId, shape};
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{Block, InstBuilder, Value};

impl Body<'_, '_> {
    /// True when the helper was an operation on a list.
    pub fn index(&mut self, at: u32, x: Instr) -> bool {
        let code = self.code;
        let Some(Helper::Plain(aux, _)) = code.helpers.get(usize::from(x.b)) else { return false };
        let fields: Vec<u16> = flow::operands(code, at).collect();
        match (aux, &*fields) {
            (Aux::GetIndex(of), [list, index]) => {
                let Some(element) = element(*of) else { return false };
                self.get_index(at, x, (*list, *index), element, Self::helper_call);
            }
            (Aux::SetIndex(of), [list, index, value]) => {
                let Some(element) = element(*of) else { return false };
                self.set_index(at, x, (*list, *index, *value), element);
            }
            (Aux::TakeIndex(of), [list, index]) if matches!(shape(*of), Shape::List(_)) => {
                self.take_index(at, x, (*list, *index));
            }
            (Aux::FreshContainer(of), [list]) if element(*of).is_some() => {
                self.fresh_list(at, x, *list);
            }
            _ => return false,
        }
        true
    }

    /// Goes to `other` unless the index is inside, which may be known.
    fn bound(&mut self, index: Value, length: Value, other: Block) {
        let (at, below) = (Term::of(&self.b.func.dfg, index), Term::of(&self.b.func.dfg, length));
        if self.known.is_inside(at, below) {
            return;
        }
        let inside = self.b.create_block();
        // A negative index is a huge one here.
        let fits = self.b.ins().icmp(IntCC::UnsignedLessThan, index, length);
        self.b.ins().brif(fits, inside, &[], other, &[]);
        self.begin(inside);
        // Where it is not inside, nothing goes on from `other`.
        self.known.note_inside(at, below);
    }

    /// Where the element is, less [`ITEMS_OFFSET`].
    fn place_of(&mut self, list: Value, index: Value) -> Value {
        let offset = self.b.ins().ishl_imm_u(index, 3);
        self.b.ins().iadd(list, offset)
    }

    /// `slow` is called where the index is outside, and always faults there.
    pub fn get_index(
        &mut self,
        at: u32,
        x: Instr,
        (list, index): (u16, u16),
        element: ShapeId,
        slow: fn(&mut Self, u32, Instr) -> Value,
    ) {
        let length = self.length(list);
        let (list, index) = (self.operand(list), self.operand(index));
        let outside = self.cold_block();
        self.bound(index, length, outside);
        let place = self.place_of(list, index);
        let kind = if self.gives_float() { F64 } else { I64 };
        let value = self.load(kind, place, ITEMS_OFFSET as i32);
        if !element.is_scalar() {
            self.dup_word(value);
        }
        let done = self.b.create_block();
        self.b.ins().jump(done, &[]);
        self.begin(outside);
        slow(self, at, x);
        self.leave_by_fault(at);
        self.begin(done);
        self.set(x.a, value);
    }

    /// Goes to `other` unless the list has one holder, here, which may be known.
    fn alone(&mut self, register: u16, list: Value, other: Block) {
        if self.is_alone(register) {
            return;
        }
        let own = self.b.create_block();
        let count = self.load(I32, list, 0);
        let alone = self.b.ins().icmp_imm_s(IntCC::Equal, count, 1);
        self.b.ins().brif(alone, own, &[], other, &[]);
        self.begin(own);
    }

    fn set_index(
        &mut self,
        at: u32,
        x: Instr,
        (list, index, value): (u16, u16, u16),
        element: ShapeId,
    ) {
        let length = self.length(list);
        let (base, index) = (self.operand(list), self.operand(index));
        let (other, done) = (self.cold_block(), self.b.create_block());
        let result = self.b.append_block_param(done, I64);
        self.bound(index, length, other);
        self.alone(list, base, other);
        let place = self.place_of(base, index);
        let value = match value & CONSTANT {
            0 => self.get_as_is(value),
            _ => self.operand(value),
        };
        if element.is_scalar() {
            self.store(value, place, ITEMS_OFFSET as i32);
        } else {
            let old = self.load(I64, place, ITEMS_OFFSET as i32);
            self.store(value, place, ITEMS_OFFSET as i32);
            self.drop_word(old);
        }
        self.b.ins().jump(done, &[base.into()]);
        self.helper_into(at, x, other, done);
        self.begin(done);
        self.set_list(x.a, result, Some(length));
    }

    fn take_index(&mut self, at: u32, x: Instr, (list, index): (u16, u16)) {
        let length = self.length(list);
        let (base, index) = (self.operand(list), self.operand(index));
        let (other, done) = (self.cold_block(), self.b.create_block());
        let result = self.b.append_block_param(done, I64);
        self.bound(index, length, other);
        let place = self.place_of(base, index);
        let value = self.load(I64, place, ITEMS_OFFSET as i32);
        let zero = self.b.ins().iconst(I64, 0);
        self.store(zero, place, ITEMS_OFFSET as i32);
        self.b.ins().jump(done, &[value.into()]);
        self.helper_into(at, x, other, done);
        self.begin(done);
        self.set(x.a, result);
    }

    fn fresh_list(&mut self, at: u32, x: Instr, list: u16) {
        let length = self.length(list);
        let base = self.operand(list);
        let (other, done) = (self.cold_block(), self.b.create_block());
        let result = self.b.append_block_param(done, I64);
        self.alone(list, base, other);
        self.b.ins().jump(done, &[base.into()]);
        self.helper_into(at, x, other, done);
        self.begin(done);
        self.set_list(x.a, result, Some(length));
    }

    /// The helper's way, in a block of its own.
    fn helper_into(&mut self, at: u32, x: Instr, from: Block, done: Block) {
        self.begin(from);
        let status = self.helper_call(at, x);
        self.check(at, status);
        let value = self.result();
        self.b.ins().jump(done, &[value.into()]);
    }
}

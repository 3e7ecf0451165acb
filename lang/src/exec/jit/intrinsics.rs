//! Builtins on numbers and lists that are a machine instruction or two.
//!
//! Each gives what its row of the table gives, bit for bit. Never: says what a Fault is; the row itself does.

use crate::exec::bytecode::Instr;
use crate::exec::jit::body::{Body, F64};
use crate::exec::jit::flow;
use ag_runtime::builtin::{self, BuiltinId, Call};
use ag_runtime::value::shape::ShapeId;
use cranelift_codegen::ir::InstBuilder;
use std::sync::LazyLock;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Intrinsic {
    ToFloat,
    SquareRoot,
    FloatAbs,
    Least,
    Greatest,
    And,
    Or,
    Xor,
    WrappingAdd,
    WrappingSub,
    WrappingMul,
    ListLen,
    ListAt,
    VectorLen,
    VectorAt,
}

/// The rows by the function that a call names.
static KNOWN: LazyLock<Vec<(Call, Intrinsic)>> = LazyLock::new(|| {
    let rows = [
        (builtin::member("Int", "to_float"), Intrinsic::ToFloat),
        (builtin::member("Int", "min"), Intrinsic::Least),
        (builtin::member("Int", "max"), Intrinsic::Greatest),
        (builtin::member("Float", "abs"), Intrinsic::FloatAbs),
        (builtin::function("sqrt"), Intrinsic::SquareRoot),
        (builtin::function("bit_and"), Intrinsic::And),
        (builtin::function("bit_or"), Intrinsic::Or),
        (builtin::function("bit_xor"), Intrinsic::Xor),
        (builtin::function("wrapping_add"), Intrinsic::WrappingAdd),
        (builtin::function("wrapping_sub"), Intrinsic::WrappingSub),
        (builtin::function("wrapping_mul"), Intrinsic::WrappingMul),
    ];
    let at = |on: &'static str| {
        let is_on = move |id: &BuiltinId| id.get().is_some_and(|row| row.signature.starts_with(on));
        builtin::operators("[]").iter().copied().find(is_on)
    };
    let rows = rows.into_iter().chain([
        (builtin::member("List", "len"), Intrinsic::ListLen),
        (at("(xs: List<"), Intrinsic::ListAt),
        (builtin::member("Vector", "len"), Intrinsic::VectorLen),
        (at("(xs: Vector,"), Intrinsic::VectorAt),
    ]);
    rows.filter_map(|(id, is)| Some((id?.get()?.call, is))).collect()
});

fn known(native: Call) -> Option<Intrinsic> {
    let same = |(call, _): &&(Call, Intrinsic)| std::ptr::fn_addr_eq(*call, native);
    KNOWN.iter().find(same).map(|(_, is)| *is)
}

/// Whether the builtin is made in line.
pub fn is_known(native: Call) -> bool {
    known(native).is_some()
}

/// Whether it looks into a list, its first operand.
pub fn is_of_list(native: Call) -> bool {
    use Intrinsic::{ListAt, ListLen, VectorAt, VectorLen};
    matches!(known(native), Some(ListLen | ListAt | VectorLen | VectorAt))
}

impl Body<'_, '_> {
    /// True when the builtin was one of these.
    pub fn intrinsic(&mut self, at: u32, x: Instr) -> bool {
        let Some(native) = self.code.natives.get(usize::from(x.b)) else { return false };
        let Some(is) = known(*native) else { return false };
        let fields: Vec<u16> = flow::operands(self.code, at).collect();
        match (is, &*fields) {
            (Intrinsic::ToFloat, [value]) => {
                let value = self.operand(*value);
                let value = self.b.ins().fcvt_from_sint(F64, value);
                self.set(x.a, value);
            }
            (Intrinsic::SquareRoot, [value]) => {
                let value = self.float_operand(*value);
                let value = self.b.ins().sqrt(value);
                self.set(x.a, value);
            }
            (Intrinsic::FloatAbs, [value]) => {
                let value = self.float_operand(*value);
                let value = self.b.ins().fabs(value);
                self.set(x.a, value);
            }
            _ if is_of_list(*native) => return self.look(is, at, x, &fields),
            (_, [lhs, rhs]) => self.binary(is, x, (*lhs, *rhs)),
            _ => return false,
        }
        true
    }

    /// The length or an element of a list.
    fn look(&mut self, is: Intrinsic, at: u32, x: Instr, fields: &[u16]) -> bool {
        let (list, index, element) = match (is, fields) {
            (Intrinsic::ListLen, [list, _]) | (Intrinsic::VectorLen, [list]) => {
                let length = self.length(*list);
                self.set(x.a, length);
                return true;
            }
            (Intrinsic::ListAt, [list, index, element]) => {
                let Some(element) = self.constant_operand(*element) else { return false };
                (*list, *index, ShapeId(element as u32))
            }
            (Intrinsic::VectorAt, [list, index]) => (*list, *index, ShapeId::FLOAT),
            _ => return false,
        };
        self.get_index(at, x, (list, index), element, Self::native_call);
        true
    }

    fn binary(&mut self, is: Intrinsic, x: Instr, (lhs, rhs): (u16, u16)) {
        let (lhs, rhs) = (self.operand(lhs), self.operand(rhs));
        let ins = self.b.ins();
        let value = match is {
            Intrinsic::Least => ins.smin(lhs, rhs),
            Intrinsic::Greatest => ins.smax(lhs, rhs),
            Intrinsic::And => ins.band(lhs, rhs),
            Intrinsic::Or => ins.bor(lhs, rhs),
            Intrinsic::Xor => ins.bxor(lhs, rhs),
            Intrinsic::WrappingSub => ins.isub(lhs, rhs),
            Intrinsic::WrappingMul => ins.imul(lhs, rhs),
            _ => ins.iadd(lhs, rhs),
        };
        self.set(x.a, value);
    }
}

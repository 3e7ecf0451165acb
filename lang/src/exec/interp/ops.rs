//! The table of operations: what each one does, once, for whatever kind of loop is made from it.
//!
//! A body sees `pc` (the next instruction), `r` (registers), `code`, `cx` and its instruction `x`. It ends
//! by falling through or by leaving the loop. Never: anything slow in line; `step` has it.

/// Hands the table to a macro that makes a loop.
macro_rules! operations {
    ($make:ident) => {
        $make! { pc r code cx x;
            LoadK => { set!(r, x.a, *(*code).constants.as_ptr().add(x.wide() as usize)); }
            LoadI => { set!(r, x.a, i64::from(x.c as i16) as u64); }
            Move => { set!(r, x.a, get!(r, x.b)); }

            Add => { checked!(pc r code cx x, overflowing_add, int!(r, x.b), int!(r, x.c)); }
            Sub => { checked!(pc r code cx x, overflowing_sub, int!(r, x.b), int!(r, x.c)); }
            Mul => { checked!(pc r code cx x, overflowing_mul, int!(r, x.b), int!(r, x.c)); }
            AddI => { checked!(pc r code cx x, overflowing_add, int!(r, x.b), small!(x.c)); }
            SubI => { checked!(pc r code cx x, overflowing_sub, int!(r, x.b), small!(x.c)); }
            MulI => { checked!(pc r code cx x, overflowing_mul, int!(r, x.b), small!(x.c)); }
            Div => {
                match int!(r, x.b).checked_div(int!(r, x.c)) {
                    Some(value) => set!(r, x.a, value as u64),
                    None => raise!(pc r code cx, step::arithmetic(cx, code, pc, int!(r, x.b), int!(r, x.c))),
                }
            }
            Rem => {
                match int!(r, x.b).checked_rem(int!(r, x.c)) {
                    Some(value) => set!(r, x.a, value as u64),
                    // The smallest Int by -1: the quotient overflows, the remainder is 0.
                    None if int!(r, x.c) == -1 => set!(r, x.a, 0),
                    None => raise!(pc r code cx, step::arithmetic(cx, code, pc, int!(r, x.b), int!(r, x.c))),
                }
            }
            Neg => {
                match int!(r, x.b).checked_neg() {
                    Some(value) => set!(r, x.a, value as u64),
                    None => raise!(pc r code cx, step::arithmetic(cx, code, pc, int!(r, x.b), 0)),
                }
            }
            Step => { set!(r, x.a, get!(r, x.b).wrapping_add(get!(r, x.c))); }
            StepI => { set!(r, x.a, int!(r, x.b).wrapping_add(small!(x.c)) as u64); }
            Back => { set!(r, x.a, get!(r, x.b).wrapping_sub(get!(r, x.c))); }

            FAdd => { set!(r, x.a, (float!(r, x.b) + float!(r, x.c)).to_bits()); }
            FSub => { set!(r, x.a, (float!(r, x.b) - float!(r, x.c)).to_bits()); }
            FMul => { set!(r, x.a, (float!(r, x.b) * float!(r, x.c)).to_bits()); }
            FDiv => { set!(r, x.a, (float!(r, x.b) / float!(r, x.c)).to_bits()); }
            FRem => { set!(r, x.a, (float!(r, x.b) % float!(r, x.c)).to_bits()); }
            FNeg => { set!(r, x.a, (-float!(r, x.b)).to_bits()); }
            Not => { set!(r, x.a, get!(r, x.b) ^ 1); }

            Eq => { set!(r, x.a, u64::from(get!(r, x.b) == get!(r, x.c))); }
            Ne => { set!(r, x.a, u64::from(get!(r, x.b) != get!(r, x.c))); }
            Lt => { set!(r, x.a, u64::from(int!(r, x.b) < int!(r, x.c))); }
            Le => { set!(r, x.a, u64::from(int!(r, x.b) <= int!(r, x.c))); }
            EqI => { set!(r, x.a, u64::from(int!(r, x.b) == small!(x.c))); }
            NeI => { set!(r, x.a, u64::from(int!(r, x.b) != small!(x.c))); }
            LtI => { set!(r, x.a, u64::from(int!(r, x.b) < small!(x.c))); }
            LeI => { set!(r, x.a, u64::from(int!(r, x.b) <= small!(x.c))); }
            GtI => { set!(r, x.a, u64::from(int!(r, x.b) > small!(x.c))); }
            GeI => { set!(r, x.a, u64::from(int!(r, x.b) >= small!(x.c))); }
            FEq => { set!(r, x.a, u64::from(float!(r, x.b) == float!(r, x.c))); }
            FNe => { set!(r, x.a, u64::from(float!(r, x.b) != float!(r, x.c))); }
            FLt => { set!(r, x.a, u64::from(float!(r, x.b) < float!(r, x.c))); }
            FLe => { set!(r, x.a, u64::from(float!(r, x.b) <= float!(r, x.c))); }

            Jump => { pc = pc.offset(x.wide() as i32 as isize); }
            JumpIf => { if get!(r, x.a) != 0 { pc = pc.offset(x.wide() as i32 as isize); } }
            JumpIfNot => { if get!(r, x.a) == 0 { pc = pc.offset(x.wide() as i32 as isize); } }
            JumpEq => { if get!(r, x.a) == get!(r, x.b) { short!(pc, x); } }
            JumpNe => { if get!(r, x.a) != get!(r, x.b) { short!(pc, x); } }
            JumpLt => { if int!(r, x.a) < int!(r, x.b) { short!(pc, x); } }
            JumpLe => { if int!(r, x.a) <= int!(r, x.b) { short!(pc, x); } }
            JumpEqI => { if int!(r, x.a) == small!(x.b) { short!(pc, x); } }
            JumpNeI => { if int!(r, x.a) != small!(x.b) { short!(pc, x); } }
            JumpLtI => { if int!(r, x.a) < small!(x.b) { short!(pc, x); } }
            JumpLeI => { if int!(r, x.a) <= small!(x.b) { short!(pc, x); } }
            JumpGtI => { if int!(r, x.a) > small!(x.b) { short!(pc, x); } }
            JumpGeI => { if int!(r, x.a) >= small!(x.b) { short!(pc, x); } }
            JumpFEq => { if float!(r, x.a) == float!(r, x.b) { short!(pc, x); } }
            JumpFNe => { if float!(r, x.a) != float!(r, x.b) { short!(pc, x); } }
            JumpFLt => { if float!(r, x.a) < float!(r, x.b) { short!(pc, x); } }
            JumpFLe => { if float!(r, x.a) <= float!(r, x.b) { short!(pc, x); } }
            JumpFNotLt => { if !(float!(r, x.a) < float!(r, x.b)) { short!(pc, x); } }
            JumpFNotLe => { if !(float!(r, x.a) <= float!(r, x.b)) { short!(pc, x); } }

            Tag => { set!(r, x.a, step::tag(get!(r, x.b))); }
            Field => { set!(r, x.a, *step::word(get!(r, x.b), x.c)); }
            TakeField => {
                let place = step::word(get!(r, x.b), x.c);
                set!(r, x.a, *place);
                *place = 0;
            }
            PutField => {
                let old = std::mem::replace(&mut *step::word(get!(r, x.a), x.c), get!(r, x.b));
                step::drop_word(old);
            }
            PutWord => { *step::word(get!(r, x.a), x.c) = get!(r, x.b); }
            Fresh => { set!(r, x.a, step::fresh(get!(r, x.b))); }
            ListLen => { set!(r, x.a, step::list_len(get!(r, x.b))); }
            ListGet => { set!(r, x.a, step::list_get(get!(r, x.b), get!(r, x.c))); }
            Dup => { step::dup_word(get!(r, x.a)); }
            Drop => { step::drop_word(get!(r, x.a)); }
            Record => {
                let fields = step::gather(pc, r, code, x.c);
                set!(r, x.a, step::record(*(*code).constants.as_ptr().add(x.b as usize), fields, x.c));
                pc = pc.add(operand_words(x.c));
            }
            Variant => {
                let fields = step::gather(pc, r, code, x.c);
                set!(r, x.a, step::variant(*(*code).constants.as_ptr().add(x.b as usize), fields, x.c));
                pc = pc.add(operand_words(x.c));
            }
            Closure => {
                let captures = step::gather(pc, r, code, x.c);
                set!(r, x.a, step::closure(&*(*code).closures.as_ptr().add(x.b as usize), captures));
                pc = pc.add(operand_words(x.c));
            }

            Call => {
                let slot = *(*code).calls.as_ptr().add(x.b as usize);
                match step::target(cx, slot) {
                    Some(target) => {
                        let registers = frame::enter(cx, &*target);
                        if registers.is_null() {
                            raise!(pc r code cx, step::too_deep(cx, slot, step::gather(pc, r, code, x.c)));
                        }
                        frame::set_caller(registers, Position { pc: pc.sub(1), registers: r, code });
                        step::gather_into(registers, pc, r, code, x.c);
                        r = registers;
                        code = target;
                        pc = (*target).instrs.as_ptr();
                    }
                    None => {
                        let args = step::gather(pc, r, code, x.c);
                        if step::call_native(cx, slot, args, x.c) != OK {
                            raise!(pc r code cx, FAULT);
                        }
                        set!(r, x.a, (*cx).result);
                        pc = pc.add(operand_words(x.c));
                    }
                }
            }
            CallValue => {
                let callee = get!(r, x.b);
                let slot = step::function_slot(callee);
                match step::target(cx, slot) {
                    Some(target) => {
                        let registers = frame::enter(cx, &*target);
                        if registers.is_null() {
                            let args = step::gather(pc, r, code, x.c);
                            raise!(pc r code cx, step::too_deep_value(cx, slot, callee, args));
                        }
                        frame::set_caller(registers, Position { pc: pc.sub(1), registers: r, code });
                        let after = step::captures_into(registers, callee);
                        step::gather_into(after, pc, r, code, x.c);
                        r = registers;
                        code = target;
                        pc = (*target).instrs.as_ptr();
                    }
                    None => {
                        let args = step::gather(pc, r, code, x.c);
                        if step::call_native_value(cx, callee, args, x.c) != OK {
                            raise!(pc r code cx, FAULT);
                        }
                        set!(r, x.a, (*cx).result);
                        pc = pc.add(operand_words(x.c));
                    }
                }
            }
            Native => {
                let args = step::gather(pc, r, code, x.c);
                let native = *(*code).natives.as_ptr().add(x.b as usize);
                if native(cx, args) != OK {
                    raise!(pc r code cx, FAULT);
                }
                set!(r, x.a, (*cx).result);
                pc = pc.add(operand_words(x.c));
            }
            Help => {
                let args = step::gather(pc, r, code, x.c);
                let helper = &*(*code).helpers.as_ptr().add(x.b as usize);
                if step::help(cx, helper, args, x.c) != OK {
                    raise!(pc r code cx, FAULT);
                }
                set!(r, x.a, (*cx).result);
                pc = pc.add(operand_words(x.c));
            }
            Safepoint => {
                if (*cx).safepoint() != OK {
                    raise!(pc r code cx, FAULT);
                }
                if tier::is_due((*cx).fuel)
                    && let Some(start) = step::look(cx, code, pc)
                {
                    let (status, caller) = stubs::run_loop(cx, r, start);
                    let Some(caller) = caller else { return status };
                    (pc, r, code) = (caller.pc.add(1), caller.registers, caller.code);
                    if status != OK {
                        raise!(pc r code cx, FAULT);
                    }
                    let call: Instr = *caller.pc;
                    set!(r, call.a, (*cx).result);
                    pc = pc.add(operand_words(call.c));
                }
            }
            Return => {
                let value = get!(r, x.a);
                match frame::leave(cx, r) {
                    Some(caller) => {
                        let call: Instr = *caller.pc;
                        r = caller.registers;
                        code = caller.code;
                        set!(r, call.a, value);
                        pc = caller.pc.add(1 + operand_words(call.c));
                    }
                    None => {
                        (*cx).result = value;
                        return OK;
                    }
                }
            }
            Unreachable => { raise!(pc r code cx, step::unreachable_code(cx)); }
            Operands => { raise!(pc r code cx, step::unreachable_code(cx)); }
        }
    };
}

/// Reads a register.
macro_rules! get {
    ($r:ident, $at:expr) => {
        *$r.add($at as usize)
    };
}

/// Writes a register.
macro_rules! set {
    ($r:ident, $at:expr, $value:expr) => {
        *$r.add($at as usize) = $value
    };
}

macro_rules! int {
    ($r:ident, $at:expr) => {
        *$r.add($at as usize) as i64
    };
}

macro_rules! float {
    ($r:ident, $at:expr) => {
        f64::from_bits(*$r.add($at as usize))
    };
}

/// An immediate.
macro_rules! small {
    ($field:expr) => {
        i64::from($field as i16)
    };
}

/// Takes a jump whose offset is in the last field.
macro_rules! short {
    ($pc:ident, $x:ident) => {
        $pc = $pc.offset($x.c as i16 as isize)
    };
}

/// Arithmetic that faults where the result does not fit.
macro_rules! checked {
    ($pc:ident $r:ident $code:ident $cx:ident $x:ident, $how:ident, $lhs:expr, $rhs:expr) => {
        let (lhs, rhs): (i64, i64) = ($lhs, $rhs);
        let (value, overflows) = lhs.$how(rhs);
        if overflows {
            raise!($pc $r $code $cx, step::arithmetic($cx, $code, $pc, lhs, rhs));
        }
        set!($r, $x.a, value as u64);
    };
}

/// Leaves by a Fault: to the handler of a `try`, or out of the loop.
macro_rules! raise {
    ($pc:ident $r:ident $code:ident $cx:ident, $fault:expr) => {{
        let _: Status = $fault;
        let here = Position { pc: $pc, registers: $r, code: $code };
        match unwind::leave_frames($cx, here) {
            Some(handler) => {
                ($pc, $r, $code) = (handler.pc, handler.registers, handler.code);
                continue;
            }
            None => return FAULT,
        }
    }};
}

pub(crate) use {checked, float, get, int, operations, raise, set, short, small};

//! Execution of Core IR: bytecode, the interpreter that defines what the language means, and compiled code that means the same.

pub mod bytecode;
pub mod emit;
pub mod frame;
pub mod helper;
pub mod interp;
pub mod jit;
pub mod tier;

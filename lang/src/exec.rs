//! Execution of Core IR: bytecode, and the interpreter that defines what the language means.

pub mod bytecode;
pub mod emit;
pub mod frame;
pub mod helper;
pub mod interp;

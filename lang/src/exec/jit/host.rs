//! The machine that code is made for, and the way from a definition to memory that runs.
//!
//! Never: knows bytecode.

use crate::exec::jit::Refused;
use crate::exec::jit::memory::Unit;
use cranelift_codegen::ir::{Function, UserFuncName};
use cranelift_codegen::isa::{CallConv, OwnedTargetIsa};
use cranelift_codegen::settings::{self, Configurable};
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext};
use cranelift_jit::{JITBuilder, JITModule};
use cranelift_module::{Module, default_libcall_names};
use std::sync::OnceLock;

/// The settings of compiled code, made once: reading what the processor can do takes longer than a small function.
fn isa() -> Result<OwnedTargetIsa, Refused> {
    static ISA: OnceLock<Result<OwnedTargetIsa, String>> = OnceLock::new();
    ISA.get_or_init(|| make_isa().map_err(|error| error.to_string())).clone().map_err(Refused::Host)
}

fn make_isa() -> Result<OwnedTargetIsa, Box<dyn std::error::Error>> {
    let mut flags = settings::builder();
    flags.set("opt_level", "speed")?;
    // It costs as much again as compiling; the tests run with it.
    flags.set("enable_verifier", if cfg!(debug_assertions) { "true" } else { "false" })?;
    flags.set("is_pic", "false")?;
    flags.set("use_colocated_libcalls", "false")?;
    // Frames are small and begin only where hundreds of KiB are left.
    flags.set("enable_probestack", "false")?;
    let builder = cranelift_native::builder()?;
    Ok(builder.finish(settings::Flags::new(flags))?)
}

/// One function, defined by `build`, in memory of its own.
pub fn define(build: impl FnOnce(&mut FunctionBuilder<'_>, CallConv)) -> Result<Unit, Refused> {
    let failed = |error: &dyn std::fmt::Display| Refused::Host(error.to_string());
    let builder = JITBuilder::with_isa(isa()?, default_libcall_names());
    let mut module = JITModule::new(builder);
    let call_conv = module.isa().default_call_conv();
    let mut context = module.make_context();
    let mut parts = FunctionBuilderContext::new();
    context.func = Function::with_name_signature(UserFuncName::default(), module.make_signature());
    let mut builder = FunctionBuilder::new(&mut context.func, &mut parts);
    build(&mut builder, call_conv);
    builder.finalize(module.target_config());
    let id = module
        .declare_anonymous_function(&context.func.signature)
        .map_err(|error| failed(&error))?;
    module.define_function(id, &mut context).map_err(|error| failed(&error))?;
    let bytes = context.compiled_code().map_or(0, |code| code.code_buffer().len());
    module.finalize_definitions().map_err(|error| failed(&error))?;
    let start = module.get_finalized_function(id);
    Ok(Unit::new(module, start, bytes))
}

//! The machine that code is made for, and the way from a definition to memory that runs.
//!
//! Never: knows bytecode.

use crate::exec::jit::Refused;
use crate::exec::jit::listing::Listing;
use crate::exec::jit::memory::Unit;
use cranelift_codegen::Context;
use cranelift_codegen::control::ControlPlane;
use cranelift_codegen::ir::{Function, Signature, UserFuncName};
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
    let isa = isa()?;
    let mut context = drawn(&isa, build);
    let mut module = JITModule::new(JITBuilder::with_isa(isa, default_libcall_names()));
    let id = module.declare_anonymous_function(&context.func.signature).map_err(failed)?;
    module.define_function(id, &mut context).map_err(failed)?;
    let bytes = context.compiled_code().map_or(0, |code| code.code_buffer().len());
    module.finalize_definitions().map_err(failed)?;
    let start = module.get_finalized_function(id);
    Ok(Unit::new(module, start, bytes))
}

/// The same function as text.
pub fn list(build: impl FnOnce(&mut FunctionBuilder<'_>, CallConv)) -> Result<Listing, Refused> {
    let isa = isa()?;
    let mut context = drawn(&isa, build);
    let clif = context.func.display().to_string();
    context.set_disasm(true);
    let made = context.compile(&*isa, &mut ControlPlane::default());
    let made = made.map_err(|error| failed(error.inner))?;
    Ok(Listing {
        machine: instructions(made.vcode.as_deref().unwrap_or_default()),
        clif,
        bytes: made.code_buffer().len(),
        machine_name: isa.triple().architecture.to_string(),
    })
}

/// Without what Cranelift notes for unwinders and for itself, of which no machine code comes.
fn instructions(vcode: &str) -> String {
    let is_note = |line: &&str| {
        let line = line.trim_start();
        line.starts_with("unwind ") || line.starts_with("uninit ")
    };
    vcode.lines().filter(|line| !is_note(line)).flat_map(|line| [line, "\n"]).collect()
}

fn drawn(isa: &OwnedTargetIsa, build: impl FnOnce(&mut FunctionBuilder<'_>, CallConv)) -> Context {
    let call_conv = isa.default_call_conv();
    let signature = Signature::new(call_conv);
    let function = Function::with_name_signature(UserFuncName::default(), signature);
    let mut context = Context::for_function(function);
    let mut parts = FunctionBuilderContext::new();
    let mut builder = FunctionBuilder::new(&mut context.func, &mut parts);
    build(&mut builder, call_conv);
    builder.finalize(isa.frontend_config());
    context
}

fn failed(error: impl std::fmt::Display) -> Refused {
    Refused::Host(error.to_string())
}

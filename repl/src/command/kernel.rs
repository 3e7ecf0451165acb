//! `ag kernel install | start | uninstall`.

use ag_kernel::jupyter::install::Place;
use ag_kernel::jupyter::{install, serve};
use ag_kernel::session::Session;

use crate::args::KernelAction;
use crate::exit::Exit;
use crate::jupyter::{data_folders, on_path};
use crate::refuse;
use crate::term::paint;

pub fn kernel(action: &KernelAction) -> Exit {
    match action {
        KernelAction::Install(place) => {
            let program = match std::env::current_exe() {
                Ok(program) => program,
                Err(error) => {
                    return refuse(format!("cannot find the path of this program: {error}"));
                }
            };
            match install::install(&place.place(), &program) {
                Ok(folder) => {
                    paint::line(&format!(
                        "installed the kernel {} in {}",
                        install::KERNEL_NAME,
                        folder.display()
                    ));
                    if let Some(warning) = shadowed(&place.place()) {
                        paint::line(&format!("warning: {warning}"));
                    }
                    Exit::Success
                }
                Err(error) => refuse(format!(
                    "cannot install in {}: {error}",
                    place.place().folder().display()
                )),
            }
        }
        KernelAction::Uninstall(place) => match install::uninstall(&place.place()) {
            Ok(true) => {
                paint::line(&format!("removed the kernel {}", install::KERNEL_NAME));
                Exit::Success
            }
            Ok(false) => {
                refuse(format!("no kernel is installed in {}", place.place().folder().display()))
            }
            Err(error) => refuse(format!(
                "cannot remove it from {}: {error}",
                place.place().folder().display()
            )),
        },
        KernelAction::Start { connection_file, session } => {
            let options = session.options(None);
            match serve(connection_file, move || Session::open(options)) {
                Ok(()) => Exit::Success,
                Err(error) => refuse(error),
            }
        }
    }
}

/// Jupyter looks elsewhere before it comes to what was installed, and finds one there.
fn shadowed(place: &Place) -> Option<String> {
    let own = match place {
        Place::Prefix(prefix) => Some(prefix.join("bin/jupyter")).filter(|file| file.is_file()),
        Place::User => None,
    };
    let folders = data_folders(&own.or_else(on_path)?)?;
    let here = place.folder();
    let before = folders.iter().position(|folder| *folder == here)?;
    let other = install::installed(folders.get(..before)?)?;
    let way = match other.prefix() {
        Some(prefix) => format!("--prefix {}", prefix.display()),
        None => "--user".to_owned(),
    };
    Some(format!(
        "Jupyter takes {} before it: `ag kernel install {way}` renews that one, `ag kernel uninstall {way}` removes it",
        other.kernelspec.display()
    ))
}

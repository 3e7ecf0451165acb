//! What of the machine a world's programs may reach: where their paths start, their arguments, and what needs permission.
//!
//! Never: reads or writes anything itself; `builtin/{file,fetch,process}.rs` do, after asking here (L-92).

use crate::fault::{Fault, code};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU8, Ordering::Relaxed};

/// How a world is opened towards the machine.
#[derive(Clone, Debug, Default)]
pub struct Outside {
    /// The folder of the notebook or file. Empty: the current one.
    pub folder: PathBuf,
    /// What stood after `--`.
    pub arguments: Vec<String>,
    /// Who grants and approves here, as the journal names them.
    pub person: String,
    pub net: Access,
    /// Writing outside of `folder`.
    pub files: Access,
}

/// What needs permission.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reach {
    /// Requests to any URL.
    Net,
    /// Writing files outside the folder of the notebook or file.
    Files,
}

impl Reach {
    pub const ALL: [Self; 2] = [Self::Net, Self::Files];

    /// As settings and the command line name it: the effect.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Net => "net",
            Self::Files => "fs",
        }
    }

    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reach| reach.name() == name)
    }
}

/// The rule in force. While nobody can be asked, `Ask` refuses and says how to allow it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Access {
    #[default]
    Ask,
    Allow,
    Deny,
}

impl Access {
    pub const ALL: [Self; 3] = [Self::Ask, Self::Allow, Self::Deny];

    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ask => "ask",
            Self::Allow => "allow",
            Self::Deny => "deny",
        }
    }

    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|access| access.name() == name)
    }
}

/// The permissions of a world, changed by its session while programs run.
#[derive(Debug)]
pub struct Permissions {
    // Written by the session, read before an effect; an effect already past the question is not called back.
    net: AtomicU8,
    files: AtomicU8,
}

impl Permissions {
    #[must_use]
    pub fn new(outside: &Outside) -> Self {
        let permissions = Self { net: AtomicU8::new(0), files: AtomicU8::new(0) };
        permissions.set(Reach::Net, outside.net);
        permissions.set(Reach::Files, outside.files);
        permissions
    }

    pub fn set(&self, reach: Reach, access: Access) {
        self.rule(reach).store(access as u8, Relaxed);
    }

    #[must_use]
    pub fn get(&self, reach: Reach) -> Access {
        let stored = self.rule(reach).load(Relaxed);
        Access::ALL.into_iter().find(|access| *access as u8 == stored).unwrap_or_default()
    }

    /// Why it may not be done; none if it may. `what` is what the program wants, as a clause: "`fetch` reaches the network".
    #[must_use]
    pub fn refusal(&self, reach: Reach, what: &str) -> Option<Fault> {
        let name = reach.name();
        match self.get(reach) {
            Access::Allow => None,
            Access::Deny => {
                Some(Fault::new(code::DENIED, format!("{what}, which `:set {name} deny` denies")))
            }
            Access::Ask => Some(Fault::new(
                code::REFUSED,
                format!(
                    "{what}, which needs permission: `:set {name} allow` gives it to this session, \
                     `--allow {name}` on the command line to a new one"
                ),
            )),
        }
    }

    fn rule(&self, reach: Reach) -> &AtomicU8 {
        match reach {
            Reach::Net => &self.net,
            Reach::Files => &self.files,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Access, Outside, Permissions, Reach};

    #[test]
    fn what_is_not_allowed_is_refused_with_the_way_out() {
        let permissions = Permissions::new(&Outside::default());
        let fault = permissions.refusal(Reach::Net, "it asks").unwrap();
        assert_eq!(fault.code, "R0702");
        assert!(fault.message.contains(":set net allow"), "{fault}");
        permissions.set(Reach::Net, Access::Deny);
        assert_eq!(permissions.refusal(Reach::Net, "it asks").unwrap().code, "R0701");
        permissions.set(Reach::Net, Access::Allow);
        assert_eq!(permissions.refusal(Reach::Net, "it asks"), None);
        assert_eq!(permissions.get(Reach::Files), Access::Ask);
        for access in Access::ALL {
            assert_eq!(Access::named(access.name()), Some(access));
        }
        assert_eq!(Reach::named("fs"), Some(Reach::Files));
    }
}

//! How much memory this process may have, and who says so: the machine, its container, or `ulimit -v`.
//!
//! Never: looks at values; `heap` counts those.

use std::path::Path;
use std::sync::LazyLock;

/// Who says how much there is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Bound {
    Machine,
    Container,
    AddressSpace,
}

/// The most that values may take, whatever the limits say.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ceiling {
    pub bytes: u64,
    pub bound: Bound,
}

impl Ceiling {
    /// What the limit is half of, in words.
    #[must_use]
    pub fn half(self) -> &'static str {
        match self.bound {
            Bound::Machine => "half of the machine's memory",
            Bound::Container => "half of the container's memory",
            Bound::AddressSpace => "a quarter of what `ulimit -v` leaves",
        }
    }

    /// All of it, in words.
    #[must_use]
    pub fn whole(self) -> &'static str {
        match self.bound {
            Bound::Machine => "the machine's memory",
            Bound::Container => "the container's memory",
            Bound::AddressSpace => "half of what `ulimit -v` leaves",
        }
    }
}

/// The same for the life of the process: a limit that moved would make Faults nobody can repeat.
#[must_use]
pub fn ceiling() -> Ceiling {
    static CEILING: LazyLock<Ceiling> = LazyLock::new(|| {
        let groups = std::fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
        let container = container_bytes(Path::new("/sys/fs/cgroup"), &groups);
        lowest(memory_bytes(), container, *ADDRESS_LIMIT, address_bytes().unwrap_or(0))
    });
    *CEILING
}

/// Half of the address space that is left: a list that grows takes twice its size at once, and looks at the limit after that.
/// Where it ends, the process aborts; memory that is merely scarce only makes it slow.
fn lowest(machine: u64, container: Option<u64>, address: Option<u64>, used: u64) -> Ceiling {
    let address = address.map(|limit| limit.saturating_sub(used) / 2);
    let all = [
        (Some(machine), Bound::Machine),
        (container, Bound::Container),
        (address, Bound::AddressSpace),
    ];
    let least = all.into_iter().filter_map(|(bytes, bound)| Some(Ceiling { bytes: bytes?, bound }));
    let machine = Ceiling { bytes: machine, bound: Bound::Machine };
    least.min_by_key(|ceiling| ceiling.bytes).unwrap_or(machine)
}

fn memory_bytes() -> u64 {
    let pages = constant(libc::_SC_PHYS_PAGES).zip(constant(libc::_SC_PAGESIZE));
    // Where the system does not say, what is addressable in practice.
    pages.map_or(1 << 40, |(pages, size)| pages.saturating_mul(size))
}

fn constant(name: libc::c_int) -> Option<u64> {
    // SAFETY: it only reads a constant of the system.
    u64::try_from(unsafe { libc::sysconf(name) }).ok()
}

/// What the control groups of this process allow, each of which is bounded by those around it: `groups` as in
/// `/proc/self/cgroup`, `root` where they are mounted (both generations). A container may see paths of the machine around it,
/// which it has not; then its own group is the root.
fn container_bytes(root: &Path, groups: &str) -> Option<u64> {
    let of_line = |line: &str| {
        let mut parts = line.splitn(3, ':');
        let (_, controllers, path) = (parts.next()?, parts.next()?, parts.next()?);
        let (base, file) = match controllers {
            "" => (root.to_owned(), "memory.max"),
            all if all.split(',').any(|one| one == "memory") => {
                (root.join("memory"), "memory.limit_in_bytes")
            }
            _ => return None,
        };
        let inner = Path::new(path.trim_start_matches('/'));
        let limits = inner.ancestors().filter_map(|group| limit_in(&base.join(group).join(file)));
        limits.min()
    };
    groups.lines().filter_map(of_line).min()
}

fn limit_in(file: &Path) -> Option<u64> {
    std::fs::read_to_string(file).ok()?.trim().parse().ok()
}

/// `ulimit -v`, if there is one.
static ADDRESS_LIMIT: LazyLock<Option<u64>> = LazyLock::new(|| {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: it writes one `rlimit`, which is ours.
    let is_told = unsafe { libc::getrlimit(libc::RLIMIT_AS, &mut limit) } == 0;
    let limit = limit.rlim_cur;
    (is_told && limit != libc::RLIM_INFINITY).then_some(limit)
});

/// The address space this process uses, where the system tells.
fn address_bytes() -> Option<u64> {
    let sizes = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: u64 = sizes.split(' ').next()?.parse().ok()?;
    pages.checked_mul(constant(libc::_SC_PAGESIZE)?)
}

/// Before the first thread: under `ulimit -v` all threads share one arena of the C library's allocator. It would reserve 64 MiB of
/// address space for each thread (`M_ARENA_MAX`, mallopt(3)), of which nothing is left for values where there is little.
pub fn share_address_space() {
    #[cfg(target_env = "gnu")]
    if ADDRESS_LIMIT.is_some() {
        // SAFETY: it sets a number, and no other thread allocates yet.
        unsafe { libc::mallopt(libc::M_ARENA_MAX, 1) };
    }
}

/// What code, buffers and stacks may need between two looks.
const RESERVE: u64 = 16 << 20;

/// How much address space is used and how much there is, if `bytes` more would not fit. Without `ulimit -v` everything fits.
#[must_use]
pub fn crowded(bytes: u64) -> Option<(u64, u64)> {
    let limit = (*ADDRESS_LIMIT)?;
    let used = address_bytes()?;
    (used.saturating_add(bytes).saturating_add(RESERVE) > limit).then_some((used, limit))
}

#[cfg(test)]
mod tests {
    use super::{Bound, container_bytes, lowest};

    #[test]
    fn the_least_of_machine_container_and_address_space_counts() {
        let told = |machine, container, address, used| {
            let ceiling = lowest(machine, container, address, used);
            (ceiling.bytes, ceiling.bound)
        };
        assert_eq!(told(100, None, None, 0), (100, Bound::Machine));
        assert_eq!(told(100, Some(60), None, 0), (60, Bound::Container));
        assert_eq!(told(100, Some(u64::MAX), None, 0), (100, Bound::Machine));
        assert_eq!(told(100, Some(60), Some(90), 10), (40, Bound::AddressSpace));
        assert_eq!(told(100, None, Some(10), 90), (0, Bound::AddressSpace));
    }

    #[test]
    fn the_group_of_the_process_counts_and_those_around_it() {
        let place = tempfile::tempdir().unwrap();
        let root = place.path();
        let write = |file: &str, text: &str| {
            let file = root.join(file);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, text).unwrap();
        };
        assert_eq!(container_bytes(root, "0::/\n"), None);
        write("a/b/memory.max", "max\n");
        write("a/memory.max", "4096\n");
        write("other/memory.max", "1\n");
        assert_eq!(container_bytes(root, "0::/a/b\n"), Some(4096), "the group around it");
        write("a/b/memory.max", "1024\n");
        assert_eq!(container_bytes(root, "0::/a/b\n"), Some(1024));
        assert_eq!(container_bytes(root, "0::/of/the/host\n"), None);
        write("memory.max", "2048\n");
        assert_eq!(container_bytes(root, "0::/of/the/host\n"), Some(2048), "a container's own");
        write("memory/c/memory.limit_in_bytes", "512\n");
        write("memory/memory.limit_in_bytes", "9223372036854771712\n");
        let first = "5:cpu,cpuacct:/c\n4:memory:/c\n";
        assert_eq!(container_bytes(root, first), Some(512));
        assert_eq!(container_bytes(root, "4:memory:/d\n"), Some(9_223_372_036_854_771_712));
    }
}

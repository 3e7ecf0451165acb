//! Programs that grow without end under `ulimit -v`: a Fault with its code, and never an abort.

#![allow(clippy::unwrap_used)]

use std::process::Command;

const GIB: u64 = 1 << 20;

/// What a program says, and its exit code, with so many KiB of address space.
fn limited(program: &str, kib: u64) -> (Option<i32>, String) {
    let place = tempfile::tempdir().unwrap();
    std::fs::write(place.path().join("a.ag"), program).unwrap();
    let line = format!("ulimit -v {kib} && exec \"$AG\" run a.ag --ephemeral");
    let mut command = Command::new("sh");
    command.args(["-c", &line]).current_dir(place.path());
    command.env("AG", env!("CARGO_BIN_EXE_ag")).env("AG_HOME", place.path().join("home"));
    let output = command.output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8_lossy(&said).into_owned())
}

#[test]
fn what_grows_meets_the_limit_as_a_fault() {
    let growing = [
        "var xs := [1]\nloop { xs.push(2) }\n",
        "var xs := [1]\nloop { xs = xs + xs }\n",
        "var xs := [\"\"]\nvar n := 0\nloop { n = n + 1\n xs.push(\"number ${n}\") }\n",
        "var text := \"ab\"\nloop { text = text + text }\n",
        "var by := {\"0\": 1}\nvar n := 0\nloop { n = n + 1\n by[\"number ${n}\"] = n }\n",
        "var xs := [[1]]\nloop { xs.push([1, 2, 3]) }\n",
    ];
    for program in growing {
        // Small, because the tests run without optimisation.
        let (code, said) = limited(program, 400_000);
        assert_eq!(code, Some(1), "{program}{said}");
        assert!(said.contains("R0113") && said.contains("`ulimit -v`"), "{program}{said}");
    }
}

/// There is hardly room for the program itself: it says so, and does not wait for room that never comes.
#[test]
fn what_has_no_room_at_all_says_so() {
    let (code, said) = limited("var xs := [1]\nloop { xs.push(2) }\n", 250_000);
    assert!(code == Some(1) && said.contains("R0113"), "{said}");
}

#[test]
fn what_fits_runs_as_ever_and_a_fault_can_be_handled() {
    let fits = "var xs := range(0, 1_000_000, 1)\nxs.push(1)\nprint(xs.len)\n";
    let (code, said) = limited(fits, GIB);
    assert!(code == Some(0) && said.contains("1000001"), "{said}");
    let handled = "let r := match try { range(0, 100_000_000, 1).len } { Ok(n) => \"fits\", Err(f) => f.message }\nprint(r)\n";
    let (code, said) = limited(handled, GIB);
    assert!(code == Some(0), "{said}");
    let whole = [
        "a value of 762.9 MiB",
        "would exceed the memory limit of",
        "a quarter of what `ulimit -v` leaves",
    ];
    assert!(whole.iter().all(|words| said.contains(words)), "{said}");
}

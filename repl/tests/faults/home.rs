//! Homes and folders that cannot be, or are taken away.

use std::process::{Command, Stdio};

use crate::place::{Place, RECALL, REMEMBER, SPEND, THINK, WAIT, ended};

#[test]
fn a_home_that_cannot_be_is_told_with_the_ways_out() {
    let place = Place::new();
    place.write("a.ag", THINK);
    place.write("plain", "a file");
    for home in ["plain", "plain/below", "/proc/no/such", "/dev/null"] {
        for arguments in
            [&["run", "a.ag", "--home", home][..], &["--home", home], &["repl", "--home", home]]
        {
            let (code, out, err) = place.ag(arguments, "1 + 1\n");
            assert_eq!((code, out.as_str()), (2, ""), "{arguments:?}: {err}");
            for wanted in ["R1006", home, "--home", "--ephemeral"] {
                assert!(err.contains(wanted), "{arguments:?}, {wanted}: {err}");
            }
        }
        let mut command = place.command(&["run", "a.ag", "--ephemeral"]);
        let (code, out, err) = ended(command.env("AG_HOME", home).output().unwrap());
        assert_eq!((code, out.as_str()), (0, "42\n"), "{err}");
        let mut command = place.command(&["check", "a.ag"]);
        assert_eq!(
            ended(command.env("AG_HOME", home).output().unwrap()).0,
            0,
            "checking needs no home"
        );
    }
    let mut command = place.command(&["run", "a.ag", "--ephemeral"]);
    let (code, _, err) = ended(command.env("TMPDIR", place.path().join("plain")).output().unwrap());
    assert!(code == 2 && err.contains("R1006"), "{err}");
    assert_eq!(std::fs::read(place.path().join("plain")).unwrap(), b"a file");
}

/// Writes to a deleted file would succeed and be lost.
#[test]
fn a_home_deleted_in_the_middle_acknowledges_nothing_more() {
    let place = Place::new();
    let cells = [REMEMBER, SPEND, WAIT, "@remember(\"more\")", SPEND, THINK];
    let more = "@remember(Episode { context: \"more tea\", action: \"b\" })";
    let cells = cells.map(|cell| if cell.contains("more") { more } else { cell });
    let ran = place.cells_with(&cells, |_| std::fs::remove_dir_all(place.home()).unwrap());
    assert_eq!(ran[3].code("was deleted or moved while this session used it"), "R1006");
    assert_eq!(ran[4].code("was deleted or moved while this session used it"), "R1006");
    assert_eq!(ran[5].value(), "42");
    let again = place.cells(&[REMEMBER, SPEND, RECALL]);
    assert_eq!((again[0].value(), again[1].value(), again[2].value()), ("ep1", "true", "1"));
}

#[test]
fn a_home_that_is_put_back_is_used_on() {
    let place = Place::new();
    let away = place.path().join("away");
    let more = "@remember(Episode { context: \"more tea\", action: \"b\" })";
    let ran = place.cells_with(
        &[REMEMBER, SPEND, WAIT, more, SPEND, WAIT, more, SPEND, RECALL],
        |number| {
            if number == 0 {
                std::fs::rename(place.home(), &away).unwrap();
            } else {
                // What was entered in between was remembered in a home of its own.
                let _ = std::fs::remove_dir_all(place.home());
                std::fs::rename(&away, place.home()).unwrap();
            }
        },
    );
    assert_eq!((ran[3].code("put it back"), ran[4].code("put it back")), ("R1006", "R1006"));
    assert_eq!((ran[6].value(), ran[7].value(), ran[8].value()), ("ep2", "true", "2"));
    assert_eq!(place.cells(&[RECALL])[0].value(), "2");
}

#[test]
fn a_file_or_folder_that_is_not_there_is_named() {
    let place = Place::new();
    for file in ["no/such.ipynb", "no/such.ag", "."] {
        let (code, _, err) = place.ag(&["run", file], "");
        assert!(code == 2 && err.contains(file) && err.contains("cannot be read"), "{err}");
    }
    assert!(!place.home().exists(), "nothing ran");
}

#[test]
fn a_folder_deleted_under_the_session_costs_only_what_needs_it() {
    let place = Place::new();
    std::fs::create_dir(place.path().join("work")).unwrap();
    let mut command = Command::new("bash");
    let script = "cd work && rmdir ../work && exec \"$0\" --home \"$1\"";
    command
        .args(["-c", script, env!("CARGO_BIN_EXE_ag")])
        .arg(place.home())
        .current_dir(place.path());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let text = format!("{THINK}\n{REMEMBER}\n");
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), text.as_bytes()).unwrap();
    let (code, out, err) = ended(child.wait_with_output().unwrap());
    assert_eq!((code, out.as_str()), (0, "42\nep1\n"), "{err}");
}

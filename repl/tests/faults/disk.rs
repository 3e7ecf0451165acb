//! Disks without room: what was acknowledged stays, the session goes on, and works again when there is room.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::place::{Place, RECALL, REMEMBER, SPEND, THINK, WAIT};
use crate::skip::skip;

/// Remembers until it cannot, and says what it did.
const REMEMBER_ON: &str = "var n := 0
while true {
  n = n + 1
  let id := @remember(Episode { context: \"tea number $n\", action: \"leaf \".repeat(200) })
  print(\"ack $id\")
}";

/// Spends until it cannot, and says what it did.
const SPEND_ON: &str = "while true {
  let answer : Text = @llm_call(provider: echo, prompt: \"A call that counts\")
  print(\"ack ${@spent()}\")
}";

#[test]
fn a_store_that_cannot_grow_keeps_what_it_acknowledged() {
    let place = Place::new();
    let cells = place.cells_limited(&[REMEMBER_ON, THINK, "@recall(\"tea\", limit: 3).len"], 400);
    assert_eq!(cells[0].code("no space left for the memory store"), "R1001");
    assert_eq!((cells[1].value(), cells[2].value()), ("42", "3"));
    let acknowledged = cells[0].printed().len();
    assert!(acknowledged > 3, "the limit came too early: {acknowledged}");
    let count = "@recall(\"tea\", limit: 100_000).len";
    let cells = place.cells(&[count, REMEMBER, count]);
    let stored: usize = cells[0].value().parse().unwrap();
    assert_eq!(stored, acknowledged);
    assert_eq!(cells[2].value(), (stored + 1).to_string());
}

#[test]
fn a_journal_that_cannot_grow_keeps_what_it_acknowledged() {
    let place = Place::new();
    let cells = place.cells_limited(&[SPEND_ON, THINK, SPEND], 16);
    assert_eq!(cells[0].code("no space left for the money journal"), "R1001");
    assert_eq!(cells[2].code("no space left"), "R1001");
    assert_eq!(cells[1].value(), "42");
    let acknowledged = cells[0].printed().len();
    assert!(acknowledged > 3, "the limit came too early: {acknowledged}");
    let before = std::fs::read(place.journal()).unwrap();
    let cells = place.cells(&[SPEND, THINK]);
    assert_eq!(cells[0].value(), "true");
    let after = std::fs::read_to_string(place.journal()).unwrap();
    let kept = before.iter().rposition(|byte| *byte == b'\n').unwrap() + 1;
    assert!(after.as_bytes().starts_with(&before[..kept]), "what was written was changed");
    let settled = after.matches("\"op\":\"settle\"").count();
    // One call may have been cut between its mark and its end: it is charged in full, never less.
    assert!(
        settled == acknowledged + 1 || settled == acknowledged + 2,
        "{acknowledged}: {settled}"
    );
}

/// A small disk, gone with this value.
struct Disk(PathBuf);

impl Disk {
    /// Where nothing may be mounted the test is told as skipped, and there is none.
    fn mount(at: &Path, test: &str) -> Option<Disk> {
        std::fs::create_dir(at).unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=4m", "tmpfs"]).arg(at);
        let done = mount.output().is_ok_and(|output| output.status.success());
        if !done {
            skip(test, "no small disk may be mounted here (as root it may)");
        }
        done.then(|| Disk(at.to_owned()))
    }

    fn fill(&self) {
        let mut filler =
            OpenOptions::new().create(true).append(true).open(self.0.join("filler")).unwrap();
        // The last part of a page too.
        for size in [65_536, 4_096, 1] {
            while filler.write_all(&vec![0; size]).is_ok() {}
        }
    }

    fn make_room(&self) {
        std::fs::remove_file(self.0.join("filler")).unwrap();
    }

    fn read_only(&self) {
        let remounted = Command::new("mount").args(["-o", "remount,ro"]).arg(&self.0).status();
        assert!(remounted.unwrap().success());
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

/// Remembers something new, larger than what is left of a page that was begun.
const LARGE: &str =
    "@remember(Episode { context: \"large tea\", action: \"leaf \".repeat(20_000) })";
/// Enough calls to pass the end of a page that was begun.
const CALLS: &str =
    "for n in 0..100 { let spent : Text = @llm_call(provider: echo, prompt: \"hi\") }\n1";

#[test]
fn a_full_disk_is_told_and_what_comes_after_room_is_made_works() {
    let place = Place::new();
    let test = "a_full_disk_is_told_and_what_comes_after_room_is_made_works";
    let Some(disk) = Disk::mount(&place.home(), test) else { return };
    let act = |number| if number == 0 { disk.fill() } else { disk.make_room() };
    let cells = [REMEMBER, SPEND, WAIT, LARGE, CALLS, THINK, RECALL, WAIT, LARGE, CALLS, RECALL];
    let ran = place.cells_with(&cells, act);
    assert_eq!((ran[0].value(), ran[1].value()), ("ep1", "true"));
    assert_eq!(ran[3].code("free some"), "R1001");
    assert_eq!(ran[4].code("free some"), "R1001");
    assert_eq!((ran[5].value(), ran[6].value()), ("42", "1"));
    assert!(ran[8].value().starts_with("ep"));
    assert_eq!((ran[9].value(), ran[10].value()), ("1", "2"));
    assert_eq!(place.cells(&[RECALL])[0].value(), "2");
    let history = std::fs::read_to_string(place.home().join("history.ndjson")).unwrap();
    let last = history.lines().rev().find(|line| line.contains("\"line\":11,"));
    assert!(
        last.is_some_and(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()),
        "{history}"
    );
}

#[test]
fn a_disk_that_was_full_from_the_start_is_no_obstacle_later() {
    let place = Place::new();
    let test = "a_disk_that_was_full_from_the_start_is_no_obstacle_later";
    let Some(disk) = Disk::mount(&place.home(), test) else { return };
    disk.fill();
    let cells =
        place.cells_with(&[REMEMBER, SPEND, THINK, WAIT, REMEMBER, SPEND], |_| disk.make_room());
    assert_eq!(cells[0].code("free some"), "R1001");
    assert_eq!(cells[1].code("free some"), "R1001");
    assert_eq!(cells[2].value(), "42");
    assert_eq!((cells[4].value(), cells[5].value()), ("ep1", "true"));
}

#[test]
fn a_read_only_home_refuses_only_what_writes() {
    let place = Place::new();
    let test = "a_read_only_home_refuses_only_what_writes";
    let Some(disk) = Disk::mount(&place.home(), test) else { return };
    place.cells(&[REMEMBER, SPEND]);
    disk.read_only();
    let cells = place.cells(&[REMEMBER, SPEND, THINK]);
    assert_eq!(cells[0].code("writable"), "R1006");
    assert_eq!(cells[1].code("writable"), "R1006");
    assert_eq!(cells[2].value(), "42");
}

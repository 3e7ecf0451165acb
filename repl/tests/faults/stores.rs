//! Stores and journals that are damaged, cut, foreign or too new: left byte for byte as they are.

use std::path::Path;

use rusqlite::Connection;

use crate::place::{Place, RECALL, REMEMBER, SPEND, THINK};

/// A home with an episode and a settled call.
fn used() -> Place {
    let place = Place::new();
    let cells = place.cells(&[REMEMBER, SPEND]);
    assert_eq!((cells[0].value(), cells[1].value()), ("ep1", "true"));
    place
}

/// On a store that cannot be used, memory says so with this code and all else works.
fn only_memory_refuses(place: &Place, code: &str, says: &str) {
    let before = bytes(&place.store());
    let cells = place.cells(&[REMEMBER, RECALL, ":memory", SPEND, THINK]);
    for cell in &cells[..2] {
        assert_eq!(cell.code(says), code);
        cell.code("mem.agdb");
    }
    assert_eq!(cells[3].value(), "true");
    assert_eq!(cells[4].value(), "42");
    assert_eq!(bytes(&place.store()), before, "the store was changed");
}

/// On a journal that cannot be used, spending says so with this code and all else works.
fn only_money_refuses(place: &Place, code: &str, says: &str) {
    let before = bytes(&place.journal());
    let cells = place.cells(&[SPEND, ":cost", REMEMBER, RECALL, THINK]);
    assert_eq!(cells[0].code(says), code);
    cells[0].code("ledger.jsonl");
    assert!(cells[2].value().starts_with("ep"));
    assert!(cells[3].value().parse::<u32>().unwrap() > 0);
    assert_eq!(cells[4].value(), "42");
    assert_eq!(bytes(&place.journal()), before, "the journal was changed");
}

/// Empty for what is no file.
fn bytes(path: &Path) -> Vec<u8> {
    std::fs::read(path).unwrap_or_default()
}

fn garbage(length: usize) -> Vec<u8> {
    let mut state = 7_u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    (0..length).map(|_| next()).collect()
}

#[test]
fn a_damaged_store_is_left_alone() {
    let place = used();
    let whole = bytes(&place.store());
    let mut middle = whole.clone();
    middle[4_096..].fill(0x5a);
    let damaged = [garbage(9_000), whole[..5_000].to_vec(), whole[..100].to_vec(), middle];
    for bytes in damaged {
        std::fs::write(place.store(), bytes).unwrap();
        only_memory_refuses(&place, "R1002", "Restore the file, or move it away");
    }
    // Restored, it is what it was.
    std::fs::write(place.store(), whole).unwrap();
    assert_eq!(place.cells(&[RECALL])[0].value(), "1");
}

#[test]
fn a_foreign_database_is_no_store() {
    let place = Place::new();
    std::fs::create_dir(place.home()).unwrap();
    Connection::open(place.store()).unwrap().execute("CREATE TABLE mine(x)", []).unwrap();
    only_memory_refuses(&place, "R1002", "it is no memory store");
}

#[test]
fn a_store_of_a_newer_version_is_left_alone() {
    let place = used();
    let store = Connection::open(place.store()).unwrap();
    store.execute("UPDATE meta SET value = '99' WHERE key = 'version'", []).unwrap();
    drop(store);
    only_memory_refuses(&place, "R1003", "update ag, or move the file away");
}

#[test]
fn a_folder_in_the_place_of_a_file_refuses_only_what_needs_the_file() {
    let place = Place::new();
    std::fs::create_dir_all(place.store()).unwrap();
    only_memory_refuses(&place, "R1006", "Make the file and its folder writable");
    let place = Place::new();
    std::fs::create_dir_all(place.journal()).unwrap();
    std::fs::create_dir_all(place.home().join("history.ndjson")).unwrap();
    only_money_refuses(&place, "R1006", "Make it writable");
}

#[test]
fn a_journal_damaged_in_the_middle_is_left_alone() {
    let place = used();
    let whole = bytes(&place.journal());
    let mut lines: Vec<&[u8]> = whole.split_inclusive(|byte| *byte == b'\n').collect();
    let noise = garbage(80);
    lines[1] = &noise;
    let replaced = lines.concat();
    lines.remove(1);
    let taken_out = lines.concat();
    let mut flipped = whole.clone();
    flipped[40] ^= 1;
    let inserted = [&whole[..], b"{}\n", &whole[..]].concat();
    // Nor is what never was a journal a cut line: what was spent before would count no more.
    let others =
        [b"hello".to_vec(), b"hello\nworld\n".to_vec(), garbage(3_000), b"0123abcd {}".to_vec()];
    let ends_bad = [&whole[..], b"hello\n"].concat();
    for bytes in [replaced, taken_out, flipped, inserted, ends_bad].into_iter().chain(others) {
        std::fs::write(place.journal(), bytes).unwrap();
        only_money_refuses(&place, "R1002", "Restore the file, or move it away");
    }
    std::fs::write(place.journal(), &whole).unwrap();
    assert_eq!(place.cells(&[SPEND])[0].value(), "true");
    assert!(bytes(&place.journal()).starts_with(&whole));
}

#[test]
fn the_cut_end_of_a_journal_is_kept_beside_it() {
    let place = used();
    let whole = bytes(&place.journal());
    let cut = &whole[..whole.len() - 20];
    std::fs::write(place.journal(), cut).unwrap();
    let cells = place.cells(&[SPEND, ":cost"]);
    assert_eq!(cells[0].value(), "true");
    let kept = cut.len() - cut.iter().rev().position(|byte| *byte == b'\n').unwrap();
    assert!(bytes(&place.journal()).starts_with(&cut[..kept]));
    let torn = place.home().join(format!("ledger.{kept}.torn"));
    assert_eq!(bytes(&torn), &cut[kept..]);
    let told = cells[1].outputs.iter().find(|output| output["output"] == "cost").unwrap();
    let told = told["data"]["crash"]["torn_tail"].as_str().unwrap();
    assert!(told.ends_with(&format!("ledger.{kept}.torn")), "{told}");
}

#[test]
fn a_journal_of_a_newer_version_is_left_alone() {
    let place = used();
    let text = String::from_utf8(bytes(&place.journal())).unwrap();
    let body = r#"{"n":0,"at_ns":1,"op":"format","version":99}"#;
    let rest = text.split_once('\n').unwrap().1;
    std::fs::write(place.journal(), format!("{:08x} {body}\n{rest}", crc32(body))).unwrap();
    only_money_refuses(&place, "R1003", "update ag, or use another --home");
}

/// As in the journal's lines; kept apart from the code under test.
fn crc32(text: &str) -> u32 {
    let step = |crc: u32, byte: &u8| {
        let shift = |crc: u32, _| if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 };
        (0..8).fold(crc ^ u32::from(*byte), shift)
    };
    !text.as_bytes().iter().fold(u32::MAX, step)
}

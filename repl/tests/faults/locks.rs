//! Files that another process holds: a clear code after a while, and on it goes when they are let go.

use std::fs::File;

use rusqlite::Connection;

use crate::place::{Place, RECALL, REMEMBER, SPEND, THINK, WAIT};

#[test]
fn what_is_held_is_refused_and_works_once_it_is_let_go() {
    let place = Place::new();
    place.cells(&[REMEMBER, SPEND]);
    let mut journal = Some(File::open(place.journal()).unwrap());
    journal.as_ref().unwrap().lock().unwrap();
    let mut store = Some(Connection::open(place.store()).unwrap());
    store.as_ref().unwrap().execute_batch("BEGIN EXCLUSIVE").unwrap();
    let second = "@remember(Episode { context: \"more tea\", action: \"b\" })";
    let cells = place.cells_with(&[second, SPEND, THINK, WAIT, second, SPEND, RECALL], |_| {
        journal.take();
        store.take();
    });
    assert_eq!(cells[0].code("held by another process"), "R1004");
    assert_eq!(cells[1].code("held by another process"), "R1004");
    assert_eq!(cells[2].value(), "42");
    assert_eq!((cells[4].value(), cells[5].value(), cells[6].value()), ("ep2", "true", "2"));
}

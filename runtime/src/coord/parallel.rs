//! `@parallel`: one function over many elements, so many at a time.
//!
//! Never: leaves a call running behind it. The results have the order of the elements, whatever the order of the ends; the
//! first Fault cancels the calls under way, and is raised when they have ended.

use crate::context::Cx;
use crate::context::task::Callee;
use crate::coord::race;
use crate::coord::work::{Outcome, Reason, Work};
use crate::fault::{Fault, Faulted, code};
use crate::value::list::{ListBuf, ListRef};
use crate::value::owned::Owned;
use crate::value::shape::ShapeId;
use std::sync::Arc;

pub fn run(
    cx: &mut Cx,
    xs: ListRef<'_>,
    f: &Owned,
    limit: i64,
    result: ShapeId,
) -> Result<ListBuf, Faulted> {
    let Some(limit) = usize::try_from(limit).ok().filter(|&limit| limit > 0) else {
        cx.fail(code::INVALID_CONVERSION, format!("`limit` is {limit}: at least 1 runs at a time"));
        return Err(Faulted);
    };
    let group = Work::new("parallel".into(), cx.audience.clone(), cx.work.as_ref(), 0);
    let f = cx.crossing_whole(f.clone())?;
    let mut calls = Calls { group: &group, f, results: Vec::new(), running: Vec::new() };
    calls.results.resize_with(xs.len(), || None);
    let done = calls.all(cx, xs, limit);
    group.close_block();
    done?;
    let words: Vec<u64> = calls.results.into_iter().flatten().map(Owned::into_word).collect();
    let mut list = ListBuf::with_capacity(ShapeId::list(result), words.len());
    list.extend(&words);
    Ok(list)
}

struct Calls<'a> {
    /// What all calls are asked for by.
    group: &'a Arc<Work>,
    f: Owned,
    results: Vec<Option<Owned>>,
    /// Calls under way with the place of their element, in the order they were started.
    running: Vec<(usize, Arc<Work>)>,
}

impl Calls<'_> {
    fn all(&mut self, cx: &mut Cx, xs: ListRef<'_>, limit: usize) -> Result<(), Faulted> {
        let mut elements = xs.items().iter().enumerate();
        loop {
            while self.running.len() < limit
                && let Some((at, &element)) = elements.next()
            {
                let element = cx.crossing(Owned::retained(element, xs.element()))?;
                let callee = Callee::Value(self.f.clone(), vec![element]);
                self.running.push((at, cx.start(callee, "parallel", Some(self.group))));
            }
            if self.running.is_empty() {
                return Ok(());
            }
            let (at, outcome) = self.next_end(cx)?;
            match outcome {
                Ok(value) => {
                    if let Some(place) = self.results.get_mut(at) {
                        *place = Some(value);
                    }
                }
                Err(fault) => return self.give_up(cx, fault),
            }
        }
    }

    fn next_end(&mut self, cx: &mut Cx) -> Result<(usize, Outcome), Faulted> {
        let running = &self.running;
        let ended = cx.poll_until(|waker| {
            running
                .iter()
                .enumerate()
                .find_map(|(place, (_, work))| Some((place, work.poll(waker)?)))
        });
        let waker = cx.waker();
        self.running.iter().for_each(|(_, work)| work.forget_waiter(&waker));
        let (place, outcome) = ended?;
        let (at, _) = self.running.remove(place);
        Ok((at, outcome))
    }

    fn give_up(&mut self, cx: &mut Cx, fault: Box<Fault>) -> Result<(), Faulted> {
        let works: Vec<Arc<Work>> = self.running.drain(..).map(|(_, work)| work).collect();
        race::end(
            cx,
            &works,
            &Reason::new(fault.code, "another call of the same @parallel faulted"),
        )?;
        cx.raise(fault);
        Err(Faulted)
    }
}

//! Webs: the lives of values in registers. A register that holds one thing here and another there is two variables.
//!
//! A web is everything that the same values reach; its kind is what the operations on it say. Never: splits a life that is one.

use crate::exec::bytecode::Code;
use crate::exec::jit::flow::{self, Flow, Kind, Touch};
use crate::exec::jit::lists;
use rustc_hash::FxHashMap;

/// Number of a web; of a part of one while they are found.
pub type Web = u32;

#[derive(Debug, Default)]
pub struct Webs {
    /// At the start of a run, by register.
    live: FxHashMap<(u32, u16), Web>,
    /// Begun by the instruction at a place.
    begun: FxHashMap<u32, Web>,
    joined: Vec<Web>,
    has_float: Vec<bool>,
    has_whole: Vec<bool>,
    is_list: Vec<bool>,
}

impl Webs {
    pub fn of(code: &Code, flow: &Flow) -> Self {
        let mut webs = Self::default();
        for start in flow.runs.keys() {
            for register in flow.live_at(*start) {
                let web = webs.new_part();
                webs.live.insert((*start, register), web);
            }
        }
        for (start, run) in &flow.runs {
            webs.walk(code, flow, *start, run.end);
        }
        webs.settle();
        webs
    }

    /// The web of a register at the start of a run, if it is live there.
    pub fn live(&self, start: u32, register: u16) -> Option<Web> {
        self.live.get(&(start, register)).copied()
    }

    /// The web that an instruction's result begins or goes on with.
    pub fn begun(&self, at: u32) -> Option<Web> {
        self.begun.get(&at).copied()
    }

    /// Float operations are the only ones that say what it is.
    pub fn is_float(&self, web: Web) -> bool {
        let of = |list: &[bool]| list.get(web as usize).copied().unwrap_or(false);
        of(&self.has_float) && !of(&self.has_whole)
    }

    /// Lists that are looked into in line, so that their length is worth a variable.
    pub fn is_list(&self, web: Web) -> bool {
        self.is_list.get(web as usize).copied().unwrap_or(false)
    }

    /// Numbers of webs are below this.
    pub fn count(&self) -> usize {
        self.joined.len()
    }

    fn new_part(&mut self) -> Web {
        let web = self.joined.len() as Web;
        self.joined.push(web);
        self.has_float.push(false);
        self.has_whole.push(false);
        self.is_list.push(false);
        web
    }

    fn walk(&mut self, code: &Code, flow: &Flow, start: u32, end: u32) {
        let live = flow
            .live_at(start)
            .filter_map(|register| Some((register, self.live(start, register)?)));
        let mut current: FxHashMap<u16, Web> = live.collect();
        let mut last = start;
        for at in flow::places(code, start, end) {
            last = at;
            let list = lists::list_op(code, at).and_then(|op| current.get(&op.list));
            if let Some(is_list) = list.and_then(|web| self.is_list.get_mut(*web as usize)) {
                *is_list = true;
            }
            flow::touched(code, at, &mut |touch, register, kind| {
                if touch == Touch::Def {
                    let web = self.new_part();
                    self.begun.insert(at, web);
                    current.insert(register, web);
                }
                if let Some(web) = current.get(&register) {
                    self.note(*web, kind);
                }
            });
            // What a handler finds in the frame is the same value.
            let handler = code.fault_point(at).and_then(|point| point.handler);
            handler.into_iter().for_each(|handler| self.join(flow, &current, handler));
        }
        for next in flow::successors(code, last) {
            self.join(flow, &current, next);
        }
    }

    fn note(&mut self, web: Web, kind: Kind) {
        let list = match kind {
            Kind::Float => &mut self.has_float,
            Kind::Whole => &mut self.has_whole,
            Kind::Either => return,
        };
        if let Some(has) = list.get_mut(web as usize) {
            *has = true;
        }
    }

    fn join(&mut self, flow: &Flow, current: &FxHashMap<u16, Web>, next: u32) {
        for register in flow.live_at(next) {
            if let (Some(from), Some(to)) = (current.get(&register), self.live(next, register)) {
                let (from, to) = (self.first(*from), self.first(to));
                if let Some(joined) = self.joined.get_mut(from.max(to) as usize) {
                    *joined = from.min(to);
                }
            }
        }
    }

    fn first(&mut self, web: Web) -> Web {
        let mut at = web;
        while let Some(next) = self.joined.get(at as usize).copied().filter(|next| *next != at) {
            at = next;
        }
        if let Some(joined) = self.joined.get_mut(web as usize) {
            *joined = at;
        }
        at
    }

    /// Every part gets the number of its web, and every web what its parts say.
    fn settle(&mut self) {
        for part in 0..self.joined.len() as Web {
            let web = self.first(part);
            for list in [&mut self.has_float, &mut self.has_whole, &mut self.is_list] {
                let has = list.get(part as usize).copied().unwrap_or(false);
                if let Some(of_web) = list.get_mut(web as usize) {
                    *of_web |= has;
                }
            }
        }
        let mut live = std::mem::take(&mut self.live);
        live.values_mut().for_each(|web| *web = self.first(*web));
        let mut begun = std::mem::take(&mut self.begun);
        begun.values_mut().for_each(|web| *web = self.first(*web));
        (self.live, self.begun) = (live, begun);
    }
}

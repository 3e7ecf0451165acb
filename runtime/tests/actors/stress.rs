//! Everything at once on real workers: whatever the interleaving, nothing hangs, nothing is left, nothing is counted twice.

use crate::support::{Agent, INT, TEXT, Test, ask, int, selector, text};
use ag_runtime::actor::supervisor::Supervise;
use ag_runtime::context::Cx;
use ag_runtime::fault::Faulted;
use ag_runtime::rng::{Rng, Seed};
use std::sync::{Arc, Mutex};

type Peers = Arc<Mutex<Vec<u64>>>;

fn pick(peers: &Peers, rng: &mut Rng) -> u64 {
    let peers = peers.lock().unwrap();
    peers[rng.below(peers.len() as u64) as usize]
}

/// Does one of many things, deeper and deeper.
fn act(cx: &mut Cx, peers: &Peers, depth: u64, seed: u64) -> Result<u64, Faulted> {
    let mut rng = Seed(seed).fork_at(depth).rng();
    cx.set_field(1, text("changed by the message").into_word());
    if depth == 0 {
        return Ok(1);
    }
    let payload = |rng: &mut Rng| vec![int(depth - 1), int(rng.next_u64() >> 1)];
    match rng.below(8) {
        0 => cx.sleep_ns(rng.below(200_000)).map(|()| 1),
        1 => cx.wait(|completer| {
            std::thread::spawn(move || completer.complete(1));
        }),
        2 => {
            cx.fail("R0401", "on purpose");
            Err(Faulted)
        }
        3 => {
            let _ = cx.signal(pick(peers, &mut rng), selector("act"), payload(&mut rng))?;
            Ok(1)
        }
        4 => {
            let scope = cx.open_time_limit(rng.below(300_000));
            let asked = ask(cx, pick(peers, &mut rng), "act", payload(&mut rng));
            cx.close_scopes(scope);
            asked
        }
        _ => {
            let first = cx.ask(pick(peers, &mut rng), selector("act"), payload(&mut rng))?;
            let second = cx.ask(pick(peers, &mut rng), selector("act"), payload(&mut rng))?;
            Ok(cx.await_work(&first)?.value() + cx.await_work(&second)?.value())
        }
    }
}

#[test]
fn random_work_with_interrupts_ends_and_leaves_nothing() {
    // One run in ten found a cycle of waits that nobody saw, when there were any.
    (0..40).for_each(random_work);
}

fn random_work(run: u64) {
    let mut test = Test::real(4);
    let peers: Peers = Arc::default();
    let others = peers.clone();
    let kind = Agent::new(test.world(), "Peer", &[("name", TEXT)], &[("t", TEXT)], |_, _| {
        Ok(vec![text("initial").into_word()])
    })
    .mailbox(10)
    .on("act", &[INT, INT], INT, move |cx, args| act(cx, &others, args[0], args[1]))
    .install();
    let all = peers.clone();
    let spawned = test.cell(move |cx| {
        for number in 0..30 {
            let supervise = match number % 3 {
                0 => Supervise::Escalate,
                _ => Supervise::Restart { max: 1000, within_ns: 1_000_000 },
            };
            let agent = cx.spawn(kind, vec![text("a peer")], supervise)?.pack();
            all.lock().unwrap().push(agent);
        }
        Ok(0)
    });
    assert_eq!(spawned.unwrap(), 0);
    for round in 0..40u64 {
        let handles: Vec<_> = (0..8u64)
            .map(|number| {
                let peers = peers.clone();
                test.start((round * 8 + number) as u32, move |cx| {
                    let agent = pick(&peers, &mut Seed(run * 40 + round).fork_at(number).rng());
                    ask(cx, agent, "act", vec![int(6), int(run * 320 + round * 8 + number)])
                })
            })
            .collect();
        for number in (round % 3..8).step_by(3) {
            test.world().interrupt((round * 8 + number) as u32);
        }
        for handle in handles {
            if let Err(fault) = handle.join() {
                assert!(["R0401", "R0602", "R0710"].contains(&fault.code), "{fault}");
            }
        }
    }
    let (first, _) = peers.lock().unwrap().split_first().map(|(first, _)| (*first, ())).unwrap();
    let answered = test.cell(move |cx| ask(cx, first, "act", vec![int(0), int(0)]));
    assert_eq!(answered.unwrap(), 1, "an agent that was interrupted lives on");
    let totals = test.world().trace(&Default::default()).totals;
    assert_eq!(totals.sent, totals.handled + totals.waiting);
    test.close();
}

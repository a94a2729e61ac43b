//! What may go wrong between one client and the cluster, drawn at random: every fault that the cluster has.

use std::sync::Mutex;
use std::time::Duration;

use fastrand::Rng;
use kubeops_testkit::AuditEvent;
use kubeops_testkit::cluster::{Fault, Faults};

use super::Author;
use super::world::{Roads, World};

/// Strikes until it is mended.
pub(super) fn strike(world: &World, author: Author) {
    let faults = world.faults(author);
    let kind = match world.draw(|random| random.u8(0..15)) {
        0 => all_at_once("cut off", &faults, |faults| _ = faults.cut()),
        1 => all_at_once("network swallows everything", &faults, |faults| _ = faults.hang()),
        2 => all_at_once("watches silent", &faults, |faults| _ = faults.silence_watches()),
        3 => all_at_once("watches break", &faults, |faults| _ = faults.break_watches()),
        4 => all_at_once("watches end", &faults, |faults| _ = faults.end_watches()),
        5 => {
            let (shortest, longest) = world.draw(|random| (random.u64(1..300), random.u64(300..4000)));
            world.set_roads(author, Roads { shortest, longest });
            "slow network"
        }
        _ => some_of(world, &faults),
    };
    world.strike(kind, author);
}

/// All is well again.
pub(super) fn mend(world: &World, author: Author) {
    world.faults(author).mend();
    world.set_roads(author, Roads::default());
}

fn all_at_once(kind: &'static str, faults: &Faults, strike: impl FnOnce(&Faults)) -> &'static str {
    strike(faults);
    kind
}

/// One fault for a part of the requests.
fn some_of(world: &World, faults: &Faults) -> &'static str {
    let (fault, kind) = world.draw(fault);
    let share = world.draw(|random| *random.choice([0.1, 0.5, 1.0].iter()).unwrap());
    let random = Mutex::new(Rng::with_seed(world.draw(|random| random.u64(..))));
    let chance = move || random.lock().unwrap().f64() < share;
    let matches: fn(&AuditEvent) -> bool = match world.draw(|random| random.u8(0..4)) {
        0 => |request| request.resource == "leases",
        1 => |request| request.resource != "leases",
        2 => AuditEvent::is_write,
        _ => |_| true,
    };
    let times = world.draw(|random| random.bool().then(|| random.usize(1..6)));
    faults.when(move |request| matches(request) && chance(), times, fault);
    kind
}

fn fault(random: &mut Rng) -> (Fault, &'static str) {
    let refuse = |code, retry_after| Fault::Refuse { code, retry_after };
    match random.u8(0..11) {
        0 => (Fault::Latency(Duration::from_millis(random.u64(50..4000))), "latency"),
        1 => (refuse(429, Some(random.u32(1..5))), "429"),
        2 => (refuse(*random.choice([500, 502, 503, 504].iter()).unwrap(), None), "5xx"),
        3 => (refuse(503, Some(random.u32(1..5))), "503 with Retry-After"),
        4 => (refuse(*random.choice([401, 403].iter()).unwrap(), None), "401 and 403"),
        5 => (Fault::LoseRequest, "requests lost"),
        6 => (Fault::LoseAnswer, "answers lost after the commit"),
        7 => (Fault::Hang, "requests hang"),
        8 => (Fault::HangAnswer, "answers hang after the commit"),
        9 => (Fault::Garble, "answers garbled"),
        _ => (
            Fault::EndWatch { error: *random.choice([None, Some(410), Some(500)].iter()).unwrap() },
            "watches end at once",
        ),
    }
}

use super::*;

/// Leads again as soon as it wants to, after it has lost its lock, and has led for so long when it loses it once more. Returns how
/// long it paused before.
fn leads_again_for(candidate: &mut Candidate, seconds: f64, version: u64) -> f64 {
    let lost = candidate.now;
    candidate.step(Input::Watched(Observation::Absent { version }));
    let effects = candidate.step(WORK_ENDED);
    let put = put_of(&if effects.is_empty() { candidate.wake() } else { effects });
    let paused = candidate.now - lost;
    assert!(matches!(candidate.step(Input::Answered(written(&put, version + 1)))[..], [Effect::Begin { .. }]));
    renewed_for(candidate, seconds, version + 2);
    paused
}

fn renewed_for(candidate: &mut Candidate, seconds: f64, mut version: u64) {
    let end = candidate.now + seconds;
    while candidate.wakes_at() < end {
        let put = put_of(&candidate.wake());
        candidate.step(Input::Answered(written(&put, version)));
        version += 1;
    }
    candidate.now = end;
}

#[test]
fn terms_that_end_again_and_again_are_paused_after_for_longer_and_longer_up_to_a_lease() {
    let mut candidate = Candidate::that_leads();
    candidate.now += 1.0;
    let pauses: Vec<f64> = (1..8).map(|round| leads_again_for(&mut candidate, 1.0, round * 100)).collect();
    for (pause, expected) in pauses.iter().zip([0.0, 2.0, 4.0, 8.0, 15.0, 15.0, 15.0]) {
        assert!((pause - expected).abs() < 1e-6, "{pauses:?}");
    }
}

#[test]
fn a_term_that_lasts_for_a_lease_makes_good_for_the_short_ones_before() {
    let mut candidate = Candidate::that_leads();
    candidate.now += 1.0;
    leads_again_for(&mut candidate, 1.0, 100);
    assert!(leads_again_for(&mut candidate, LEASE.as_secs_f64(), 200) > 1.0);
    assert!(leads_again_for(&mut candidate, 1.0, 300) < 1e-6);
    assert!(leads_again_for(&mut candidate, 1.0, 400) < 1e-6, "the first short one again");
    assert!(leads_again_for(&mut candidate, 1.0, 500) > 1.0);
}

#[test]
fn a_write_that_shows_during_the_pause_begins_no_term() {
    let mut candidate = Candidate::that_leads();
    candidate.now += 1.0;
    leads_again_for(&mut candidate, 4.0, 100);
    let renewal = {
        let mut effects = candidate.step(Input::Woken);
        while !effects.iter().any(|effect| matches!(effect, Effect::Put(_))) {
            effects = candidate.wake();
        }
        put_of(&effects)
    };
    candidate.step(Input::Blocked(true));
    candidate.step(WORK_ENDED);
    candidate.step(Input::Blocked(false));
    let effects = candidate.step(Input::Answered(written(&renewal, 150)));
    assert!(!effects.iter().any(|effect| matches!(effect, Effect::Begin { .. })), "{effects:?}");
    put_of(&candidate.wake());
}

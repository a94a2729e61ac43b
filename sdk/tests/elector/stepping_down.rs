//! Leaders that are asked to let others lead.

use kubeops::leadership::EndReason;

use super::*;

/// The pause before who has stepped down stands again.
const PAUSE: Duration = Duration::from_secs(17);

#[tokio::test(start_paused = true)]
async fn another_leads_as_soon_as_the_work_has_ended_and_who_stepped_down_stands_by() {
    let site = Site::start().await;
    let mut first = replica(&site, "a");
    let term = first.leads().await;
    let mut second = replica(&site, "b");
    sleep(LEASE).await;
    let work = term.begin_work().unwrap();
    assert!(first.leadership.step_down("its disk is full"));
    term.draining().await;
    assert!(!first.leadership.step_down("twice"), "it does already");
    sleep(LEASE * 2).await;
    assert!(term.is_valid() && second.leadership.term().is_none(), "renewed while work goes on");
    let ended = Instant::now();
    drop(work);
    let next = second.leads().await;
    assert!(ended.elapsed() < Duration::from_millis(50), "{:?}", ended.elapsed());
    let reason = EndReason::SteppedDown { reason: "its disk is full".to_owned() };
    assert_eq!(term.end_reason(), Some(reason));

    sleep(PAUSE * 2).await;
    assert!(next.is_valid() && first.leadership.term().is_none());
    second.stop.cancel();
    let stopped = Instant::now();
    first.leads_after(term.id()).await;
    assert!(stopped.elapsed() < Duration::from_millis(50), "it stands as ever: {:?}", stopped.elapsed());
    assert_eq!(site.holders().await, ["a", "", "b", "", "a"]);
}

#[tokio::test(start_paused = true)]
async fn who_steps_down_alone_leads_again_after_a_pause() {
    let site = Site::start().await;
    let mut only = replica(&site, "a");
    let term = only.leads().await;
    assert!(term.step_down("a test"));
    term.ended().await;
    let ended = Instant::now();
    let next = only.leads_after(term.id()).await;
    assert!(ended.elapsed() >= PAUSE && ended.elapsed() < PAUSE * 2, "{:?}", ended.elapsed());
    assert!(!term.step_down("too late") && next.is_valid());
}

#[tokio::test(start_paused = true)]
async fn work_that_goes_on_for_longer_than_the_patience_does_not_hold_it_up() {
    let site = Site::start().await;
    let mut first = patient_replica(&site, "a", Duration::from_secs(5));
    let term = first.leads().await;
    let _work = term.begin_work().unwrap();
    let asked = Instant::now();
    assert!(term.step_down("a test"));
    timeout(HOUR, term.ended()).await.unwrap();
    assert!(asked.elapsed() < Duration::from_secs(6), "{:?}", asked.elapsed());
    assert_eq!(site.holder().await.as_deref(), Some("a"), "not given back: its work goes on");
}

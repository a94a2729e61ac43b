//! What the page shows, and that it does so by itself.

use kubeops_testkit::cluster::Fault;
use serde_json::json;

use crate::browser::{Browser, DESKTOP, PHONE_IN_THE_DARK, Screen};
use crate::stage::Stage;

/// Nothing is broader than the screen, and the text is to be told from what is behind it.
const FITS: &str = "const page = document.documentElement; return page.scrollWidth <= page.clientWidth";
const BACK: &str = "return getComputedStyle(document.body).backgroundColor";
const TEXT: &str = "return getComputedStyle(document.body).color";

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a browser: cargo xtask ci"]
async fn a_standbys_page_names_the_leader_and_turns_by_itself_when_it_takes_over() {
    let stage = Stage::set().await;
    for name in ["hello", "visitors", "wedding"] {
        stage.put(name).await;
    }
    let mut leader = stage.leader("replica-a").await;
    let standby = stage.replica("replica-b").await;
    let browser = Browser::start().await;

    browser.open(&leader.page()).await;
    browser.shows(&["Leading", "replica-a leads", "All is well", "3\n"]).await;
    assert_eq!(browser.title().await, "replica-a leads · guestbook");
    pictures(&browser, "status-leading").await;

    browser.open(&standby.page()).await;
    browser.shows(&["Standing by", "replica-a leads", "All is well"]).await;
    pictures(&browser, "status-standby").await;
    // Gone if the page were loaded anew, or if what is selected were written anew.
    browser.run("window.same = true; getSelection().selectAllChildren(document.querySelector('.mono'))").await;
    let selected = browser.run("return getSelection().toString()").await;
    assert!(selected.as_str().unwrap().starts_with("replica-b_"), "{selected}");
    browser.assert_no_complaint().await;

    leader.kill();
    browser.shows(&["Leading", "replica-b leads", "took the lock"]).await;
    assert_eq!(browser.title().await, "replica-b leads · guestbook");
    assert_eq!(browser.run("return window.same").await, json!(true));
    assert_eq!(browser.run("return getSelection().toString()").await, selected);
    browser.assert_no_complaint().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a browser: cargo xtask ci"]
async fn objects_that_fail_are_shown_until_they_are_mended() {
    let stage = Stage::set().await;
    let refused = Fault::Refuse { code: 403, retry_after: None };
    let of_broken =
        |request: &kubeops_testkit::AuditEvent| request.resource == "configmaps" && request.name == "broken";
    stage.cluster.faults("replica-a").when(of_broken, None, refused);
    for name in ["hello", "broken", "guestbook-archive"] {
        stage.put(name).await;
    }
    let leader = stage.leader("replica-a").await;
    let browser = Browser::start().await;
    browser.open(&leader.page()).await;
    browser.shows(&["2 objects fail", "default/broken", "Tried again in", "3 times in a row"]).await;
    browser.shows(&["default/guestbook-archive", "Not tried again until the object changes."]).await;
    pictures(&browser, "status-failing").await;

    browser.look_with(PHONE_IN_THE_DARK).await;
    browser.run("for (const part of document.querySelectorAll('details')) part.open = true; scrollTo(0, 500)").await;
    browser.assert_no_complaint().await;
    stage.cluster.faults("replica-a").mend();
    browser.shows(&["1 object fails"]).await;
    browser.shows_no_more("default/broken").await;
    let unfolded = "return document.querySelectorAll('details[open]').length";
    assert_eq!(browser.run(unfolded).await, json!(2), "what was unfolded stays so");
    assert_ne!(browser.run("return scrollY").await, json!(0), "and so does the place on the page");
    browser.assert_no_complaint().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a browser: cargo xtask ci"]
async fn an_operator_that_does_not_answer_is_told_and_found_again() {
    let stage = Stage::set().await;
    let mut leader = stage.leader("replica-a").await;
    let browser = Browser::start().await;
    browser.open(&leader.page()).await;
    browser.shows(&["replica-a leads"]).await;
    let lost = "return document.getElementById('lost').checkVisibility()";
    assert_eq!(browser.run(lost).await, json!(false));
    browser.run("window.same = true").await;

    leader.stop().await;
    browser.shows(&["No answer since", "still trying", "replica-a leads"]).await;
    pictures(&browser, "status-lost").await;

    let _again = stage.replica_at("replica-c", leader.port()).await;
    browser.shows(&["replica-c leads"]).await;
    assert_eq!(browser.run(lost).await, json!(false));
    assert_eq!(browser.run("return window.same").await, json!(true));
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a browser: cargo xtask ci"]
async fn it_fits_small_and_large_screens_in_light_and_dark() {
    let stage = Stage::set().await;
    let long = format!("guestbook-{}", "x".repeat(180));
    let refused = Fault::Refuse { code: 503, retry_after: None };
    let of_long = |request: &kubeops_testkit::AuditEvent| request.resource == "configmaps" && request.name.len() > 100;
    stage.cluster.faults("replica-a").when(of_long, None, refused);
    stage.put(&long).await;
    let leader = stage.leader("replica-a").await;
    let browser = Browser::start().await;
    browser.open(&leader.page()).await;
    browser.shows(&["1 object fails", &long]).await;
    browser.run("for (const part of document.querySelectorAll('details')) part.open = true").await;
    pictures(&browser, "status-unfolded").await;
    for width in [320, 360, 500, 641, 800, 1080, 2000] {
        for dark in [false, true] {
            browser.look_with(Screen { width, dark }).await;
            assert_eq!(browser.run(FITS).await, json!(true), "at {width} px");
            let (back, text) = (brightness(&browser, BACK).await, brightness(&browser, TEXT).await);
            let (low, high) = if dark { (back, text) } else { (text, back) };
            assert!(low < 60 && high > 200, "at {width} px, dark: {dark}: {back} behind {text}");
        }
    }
    browser.assert_no_complaint().await;
}

/// Of a colour that a script gives as `rgb(r, g, b)`: 0 to 255.
async fn brightness(browser: &Browser, script: &str) -> u32 {
    let colour = browser.run(script).await;
    let parts = colour.as_str().and_then(|text| text.strip_prefix("rgb(")?.strip_suffix(')')).expect("a colour");
    parts.split(", ").map(|part| part.parse::<u32>().expect("a number")).sum::<u32>() / 3
}

async fn pictures(browser: &Browser, name: &str) {
    browser.picture(name, DESKTOP).await;
    browser.picture(&format!("{name}-phone"), PHONE_IN_THE_DARK).await;
    browser.look_with(DESKTOP).await;
}

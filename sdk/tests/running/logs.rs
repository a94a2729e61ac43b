//! What an operator logs in a test.

use std::process::Command;

use crate::pages::{cluster, leads, replica, until};

#[tokio::test(start_paused = true)]
async fn an_operator_that_says_that_it_leads() {
    let cluster = cluster().await;
    let running = replica(&cluster, "a").await;
    until("it leads", async || leads(&running).await).await;
}

/// What the test above prints, for somebody who runs it so.
fn printed(arguments: &[&str]) -> String {
    let mut command = Command::new(std::env::current_exe().unwrap());
    let output =
        command.args(["--exact", "logs::an_operator_that_says_that_it_leads"]).args(arguments).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
    text
}

#[test]
fn it_is_not_shown_with_a_test_that_passes() {
    assert!(printed(&["--nocapture"]).contains("became leader"));
    let text = printed(&[]);
    assert!(!text.contains("became leader"), "{text}");
}

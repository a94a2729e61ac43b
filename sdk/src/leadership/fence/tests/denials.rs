//! Denials by the fence in the API server, which may not know yet who leads.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::json;
use tokio::time::Instant;

use super::*;

/// A server whose policy denies so many writes.
fn denying(code: u16, policy: &'static str, denials: u32) -> (Client, Arc<AtomicU32>) {
    let asked = Arc::new(AtomicU32::new(0));
    let count = asked.clone();
    let service = tower::service_fn(move |_: Request<Body>| {
        let denied = count.fetch_add(1, Ordering::SeqCst) < denials;
        async move {
            let message = format!("ValidatingAdmissionPolicy '{policy}' with binding '{policy}' denied request: no");
            let denial = json!({ "kind": "Status", "status": "Failure", "message": message, "code": code });
            let (code, body) = if denied { (code, denial) } else { (201, json!(map())) };
            let body = Body::from(body.to_string().into_bytes());
            Ok::<_, BoxError>(Response::builder().status(code).body(body)?)
        }
    });
    (Client::new(service, "default"), asked)
}

async fn create(client: &Client, term: &Term) -> kube::Result<ConfigMap> {
    let maps: Api<ConfigMap> = Api::default_namespaced(fence(client, term, &Metrics::default()));
    maps.create(&PostParams::default(), &map()).await
}

#[tokio::test(start_paused = true)]
async fn a_server_that_does_not_know_the_new_leader_yet_is_asked_again() {
    for code in [403, 422] {
        let (client, asked) = denying(code, "shop.shop-system.leader-fence", 3);
        let (control, term) = Term::unending(ME);
        let start = Instant::now();
        create(&client, &term).await.unwrap();
        assert_eq!((asked.load(Ordering::SeqCst), start.elapsed()), (4, Duration::from_millis(35)));
        assert_eq!(control.unanswered(), None);
    }
}

#[tokio::test(start_paused = true)]
async fn a_denial_that_lasts_is_an_ordinary_failure() {
    let (client, _) = denying(403, "shop.shop-system.leader-fence", u32::MAX);
    let (control, term) = Term::unending(ME);
    let start = Instant::now();
    let error = create(&client, &term).await.unwrap_err();
    assert!(error.to_string().contains("denied request: no") && !is_fenced(&error), "{error}");
    assert!(start.elapsed() > Duration::from_millis(800) && start.elapsed() <= Duration::from_secs(1));
    assert_eq!(control.unanswered(), None, "it was not committed");
}

#[tokio::test(start_paused = true)]
async fn a_denial_by_another_policy_stands() {
    let (client, asked) = denying(403, "signed-images", 1);
    let (_control, term) = Term::unending(ME);
    create(&client, &term).await.unwrap_err();
    assert_eq!(asked.load(Ordering::SeqCst), 1);
}

#[tokio::test(start_paused = true)]
async fn a_denied_write_is_not_tried_again_after_the_term() {
    let (client, asked) = denying(403, "shop.shop-system.leader-fence", u32::MAX);
    let (control, term) = Term::unending(ME);
    let (error, ()) = tokio::join!(create(&client, &term), async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        control.end(EndReason::Expired);
    });
    assert!(is_fenced(&error.unwrap_err()));
    assert_eq!(asked.load(Ordering::SeqCst), 5, "at 0, 5, 15, 35 and 75 ms");
}

//! The proxy fails as it is told, and as networks do.

#![allow(clippy::unwrap_used, reason = "in helpers of tests as in tests")]

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use k8s_openapi::api::core::v1::ConfigMap;
use kube::Api;
use kube::api::{ListParams, ObjectMeta, PostParams};
use kubeops_testkit::{ControlPlane, Proxy, eventually};

type TestResult = Result<(), Box<dyn std::error::Error>>;

/// Generous: a test that passes does not wait for it.
const SOON: Duration = Duration::from_secs(60);
/// How long nothing must come to count as nothing.
const A_WHILE: Duration = Duration::from_millis(300);

/// Sends back what it gets, and counts it. Ends with the test's process.
fn echo() -> io::Result<(SocketAddr, Arc<AtomicUsize>)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let address = listener.local_addr()?;
    let received = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&received);
    thread::spawn(move || {
        for connection in listener.incoming() {
            let (mut connection, counter) = (connection.unwrap(), Arc::clone(&counter));
            thread::spawn(move || {
                let mut byte = [0];
                while connection.read(&mut byte).is_ok_and(|length| length == 1) {
                    counter.fetch_add(1, Ordering::SeqCst);
                    connection.write_all(&byte).unwrap();
                }
            });
        }
    });
    Ok((address, received))
}

fn connect(proxy: &Proxy) -> io::Result<TcpStream> {
    let connection = TcpStream::connect(proxy.address())?;
    connection.set_read_timeout(Some(SOON))?;
    Ok(connection)
}

fn ask(mut connection: &TcpStream, byte: u8) -> io::Result<u8> {
    connection.write_all(&[byte])?;
    answer(connection)
}

fn answer(mut connection: &TcpStream) -> io::Result<u8> {
    let mut byte = [0];
    connection.read_exact(&mut byte).map(|()| byte[0])
}

fn says_nothing(connection: &TcpStream) -> io::Result<()> {
    connection.set_read_timeout(Some(A_WHILE))?;
    let nothing = answer(connection).unwrap_err().kind();
    assert!(matches!(nothing, io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut), "{nothing}");
    connection.set_read_timeout(Some(SOON))
}

fn is_closed(connection: &TcpStream) {
    let end = answer(connection).unwrap_err().kind();
    assert!(matches!(end, io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset), "{end}");
}

#[test]
fn cut_closes_what_is_open_and_what_is_opened_until_it_is_mended() -> TestResult {
    let proxy = Proxy::open(echo()?.0)?;
    let open = connect(&proxy)?;
    assert_eq!(ask(&open, 1)?, 1);
    proxy.cut();
    is_closed(&open);
    is_closed(&connect(&proxy)?);
    proxy.mend();
    assert_eq!(ask(&connect(&proxy)?, 2)?, 2);
    Ok(())
}

#[test]
fn hang_holds_bytes_back_both_ways_and_mend_lets_them_go_on() -> TestResult {
    let (server, received) = echo()?;
    let proxy = Proxy::open(server)?;
    let open = connect(&proxy)?;
    assert_eq!(ask(&open, 1)?, 1);
    proxy.hang();
    (&open).write_all(&[2])?;
    let new = connect(&proxy)?;
    (&new).write_all(&[3])?;
    says_nothing(&open)?;
    says_nothing(&new)?;
    assert_eq!(received.load(Ordering::SeqCst), 1, "the server got nothing");
    proxy.mend();
    assert_eq!((answer(&open)?, answer(&new)?), (2, 3));
    Ok(())
}

#[test]
fn a_request_that_was_held_back_is_answered_before_the_close_behind_it_arrives() -> TestResult {
    let (server, received) = echo()?;
    let proxy = Proxy::open(server)?;
    let open = connect(&proxy)?;
    assert_eq!(ask(&open, 1)?, 1);
    proxy.hang_requests();
    (&open).write_all(&[2])?;
    says_nothing(&open)?;
    assert_eq!(received.load(Ordering::SeqCst), 1, "the server got nothing");
    open.shutdown(Shutdown::Write)?;
    proxy.mend();
    let mended = Instant::now();
    assert_eq!(answer(&open)?, 2);
    is_closed(&open);
    assert!(mended.elapsed() >= Duration::from_millis(500), "{:?}", mended.elapsed());
    Ok(())
}

#[test]
fn a_close_hangs_like_a_byte() -> TestResult {
    let proxy = Proxy::open(echo()?.0)?;
    let open = connect(&proxy)?;
    assert_eq!(ask(&open, 1)?, 1);
    proxy.hang();
    open.shutdown(Shutdown::Write)?;
    says_nothing(&open)?;
    proxy.mend();
    is_closed(&open);
    Ok(())
}

#[test]
fn with_hanging_answers_requests_still_arrive() -> TestResult {
    let (server, received) = echo()?;
    let proxy = Proxy::open(server)?;
    let open = connect(&proxy)?;
    assert_eq!(ask(&open, 1)?, 1);
    proxy.hang_answers();
    (&open).write_all(&[2])?;
    let start = Instant::now();
    while received.load(Ordering::SeqCst) < 2 {
        assert!(start.elapsed() < SOON, "the request does not arrive");
        thread::yield_now();
    }
    says_nothing(&open)?;
    proxy.cut();
    is_closed(&open);
    Ok(())
}

#[test]
fn nobody_listens_after_the_proxy_is_dropped() -> TestResult {
    let proxy = Proxy::open(echo()?.0)?;
    let open = connect(&proxy)?;
    let address = proxy.address();
    drop(proxy);
    is_closed(&open);
    assert!(TcpStream::connect(address).is_err());
    Ok(())
}

#[tokio::test]
#[ignore = "needs a control plane: cargo xtask test"]
async fn a_write_whose_answer_hangs_is_done_and_a_client_that_was_cut_off_comes_back() -> TestResult {
    let plane = ControlPlane::start().await?;
    let proxy = plane.proxy()?;
    let cut_off: Api<ConfigMap> = Api::namespaced(plane.client_via("replica-a", &proxy)?, "default");
    let direct: Api<ConfigMap> = Api::namespaced(plane.client()?, "default");
    cut_off.list(&ListParams::default()).await?;

    proxy.hang_answers();
    let metadata = ObjectMeta { name: Some("page".to_owned()), ..ObjectMeta::default() };
    let page = ConfigMap { metadata, ..ConfigMap::default() };
    let params = PostParams::default();
    let create = cut_off.create(&params, &page);
    let seen = eventually("another sees it", SOON, async || direct.get("page").await);
    tokio::select! {
        answered = create => panic!("it was answered: {answered:?}"),
        seen = seen => { seen?; }
    }

    proxy.cut();
    assert!(cut_off.get("page").await.is_err());
    assert!(direct.get("page").await.is_ok(), "others go on");
    proxy.mend();
    eventually("it is there again", SOON, async || cut_off.get("page").await).await?;
    Ok(())
}

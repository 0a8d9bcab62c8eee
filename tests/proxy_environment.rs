//! The environment is read once a client, and once a process for the calls without one.

use std::env;

use support::call;
use support::proxied::{ENDPOINT, child, child_client, tell};
use support::proxies::{recorder_on, told};
use support::routes::H;

#[test]
fn the_environment_is_read_once_a_client_and_once_a_process() {
    // The proxies close each connection, which may pass.
    const ATTEMPTS: usize = 3;
    let [first, second] = [(); 2].map(|()| recorder_on("127.0.0.1:0").unwrap());
    let [first_url, second_url] =
        [&first, &second].map(|proxy| format!("http://{}", proxy.address()));
    child(
        "changes",
        H,
        &[("FIRST", &first_url), ("SECOND", &second_url)],
    );
    assert_eq!(
        told(&first.finish()).as_deref(),
        Some(
            ["CONNECT service.invalid:443"; ATTEMPTS]
                .join(" + ")
                .as_str()
        )
    );
    assert_eq!(second.finish().connections, 3 * ATTEMPTS);
}

/// Changes the environment between its calls.
#[test]
#[ignore = "only in a process that another test starts"]
fn child_changes() {
    let Ok(endpoint) = env::var(ENDPOINT) else {
        return;
    };
    let set = |value: &str| {
        // SAFETY: nothing else in this process reads or changes the environment now.
        unsafe { env::set_var("https_proxy", value) };
    };
    let [first, second] = ["FIRST", "SECOND"].map(|name| env::var(name).unwrap());
    set(&first);
    let client = child_client(&endpoint);
    set(&second);
    tell(&client.example());
    tell(&child_client(&endpoint).example());
    tell(&call::example(&endpoint));
    set(&first);
    tell(&call::example(&endpoint));
}

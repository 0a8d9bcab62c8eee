//! Which credentials are taken, and where they may go.

use std::ffi::CString;
use std::net::UdpSocket;
use std::ptr;
use std::thread;

use fpga_associate::capi;
use fpga_associate::status::Status;
use support::call::{associate_bytes, outcome};
use support::client::config;
use support::credentials::{ACCESS_KEY, SECRET_KEY, SECURITY_TOKEN};
use support::raw::{NO_CONTENT, Server, Then};
use support::slow::{with_own_dns, with_own_dns_alone};

support::tests! {
    keys_that_could_not_sign_are_refused_when_they_are_set,
    a_call_without_any_credentials_is_the_callers_mistake,
    nothing_signed_goes_over_plain_http_to_other_machines,
    no_credentials_go_to_a_link_local_address,
    nothing_signed_goes_over_plain_http_through_a_proxy,
    a_name_that_leads_to_a_link_local_address_gets_no_credentials,
    localhost_is_this_machine_or_nothing,
    a_null_in_place_of_a_configuration_or_a_grant_is_refused,
}

fn keys_that_could_not_sign_are_refused_when_they_are_set() {
    let long = "k".repeat(70_000);
    let config = config();
    let text = |text: Option<&str>| text.map(|text| CString::new(text).unwrap());
    for (access_key, secret_key, security_token, message) in [
        (None, Some("SK"), None, "access_key: is NULL"),
        (Some("AK"), None, None, "secret_key: is NULL"),
        (Some(""), Some("SK"), None, "access_key: is empty"),
        (Some("A,K"), Some("SK"), None, "access_key: has a comma"),
        (
            Some("AK "),
            Some("SK"),
            None,
            "access_key: has white space at its beginning or end",
        ),
        (
            Some("AK"),
            Some("\tSK"),
            None,
            "secret_key: has white space at its beginning or end",
        ),
        (
            Some("AK"),
            Some("S K"),
            None,
            "secret_key: byte 2 is not visible ASCII",
        ),
        (
            Some("AK"),
            Some(&long[..257]),
            None,
            "secret_key: is 257 bytes long; at most 256 are allowed",
        ),
        (
            Some(&long[..129]),
            Some("SK"),
            None,
            "access_key: is 129 bytes long; at most 128 are allowed",
        ),
        (Some("AK"), Some("SK"), Some(""), "security_token: is empty"),
        (
            Some("AK"),
            Some("SK"),
            Some("a\r\nX: b"),
            "security_token: byte 2 is not visible ASCII",
        ),
        (
            Some("AK"),
            Some("SK"),
            Some(&long),
            "security_token: is 70000 bytes long; at most 65536 are allowed",
        ),
    ] {
        let texts = [access_key, secret_key, security_token].map(text);
        let [access_key, secret_key, security_token] = texts
            .each_ref()
            .map(|text| text.as_ref().map_or(ptr::null(), |text| text.as_ptr()));
        // SAFETY: the configuration is alive, and the texts live for the call.
        let status = outcome(unsafe {
            capi::fpga_assoc_config_set_access_key(
                config.as_ptr(),
                access_key,
                secret_key,
                security_token,
            )
        });
        assert!(status.is(Status::INVALID_ARGUMENT), "{status:?}");
        assert_eq!(status.message, message);
    }
}

fn a_call_without_any_credentials_is_the_callers_mistake() {
    let server = Server::answering(NO_CONTENT, Then::Keep);
    let client = config().client(&server.endpoint());
    let outcome = client.own_example();
    assert!(outcome.is(Status::INVALID_ARGUMENT), "{outcome:?}");
    assert!(outcome.message.starts_with("token: is NULL"), "{outcome:?}");

    let endpoint = server.endpoint();
    let arguments = [
        Some(endpoint.as_bytes()),
        None,
        Some(b"p"),
        Some(b"f"),
        Some(b"e"),
    ];
    let outcome = associate_bytes(arguments);
    assert!(outcome.is(Status::INVALID_ARGUMENT), "{outcome:?}");
    assert_eq!(outcome.message, "token: is NULL");
    assert_eq!(server.finish().connections, 0);
}

/// 0.0.0.0 leads to this machine, and is not its loopback address.
fn nothing_signed_goes_over_plain_http_to_other_machines() {
    let server = Server::serve_on("0.0.0.0:0", |mut visit| {
        visit.read_request();
    })
    .unwrap();
    let endpoint = format!("http://0.0.0.0:{}", server.port());
    let with_http = || config().allow_http();
    for refused in [
        with_http()
            .access_key(ACCESS_KEY, SECRET_KEY, None)
            .try_client(&endpoint),
        with_http().ecs_agency().try_client(&endpoint),
    ] {
        let outcome = refused.err().unwrap();
        assert!(outcome.is(Status::INVALID_ARGUMENT), "{outcome:?}");
        assert!(
            outcome.message.starts_with("endpoint: is plain http"),
            "{outcome:?}"
        );
    }
    let client = with_http()
        .credentials(|_, grant| assert_eq!(grant.access_key(ACCESS_KEY, SECRET_KEY, None, 0), 0))
        .client(&endpoint);
    let outcome = client.own_example();
    assert!(outcome.is(Status::CREDENTIALS_FAILED), "{outcome:?}");
    assert!(outcome.message.contains("plain http"), "{outcome:?}");
    assert!(!outcome.outcome_unknown);
    drop(client);
    assert_eq!(server.finish().requests.len(), 0);
}

fn no_credentials_go_to_a_link_local_address() {
    for host in [
        "169.254.169.254",
        "169.254.0.1:8080",
        "https://169.254.169.254",
        "http://169.254.169.254",
        "[fe80::1]",
        "[febf::1]:443",
        "[::ffff:169.254.169.254]",
        "[::ffff:a9fe:a9fe]",
        "[::169.254.169.254]",
        "[64:ff9b::169.254.169.254]",
        "[64:ff9b:1:a9fe:a9:fe00::]",
        "[2002:a9fe:a9fe::1]",
        "[2001:db8::5efe:a9fe:a9fe]",
        "[2001:0:1:2:3:4:5601:5601]",
    ] {
        let configs = [
            config().allow_http(),
            config()
                .allow_http()
                .access_key(ACCESS_KEY, SECRET_KEY, Some(SECURITY_TOKEN)),
        ];
        for config in configs {
            let outcome = config.try_client(host).err().unwrap();
            assert!(outcome.is(Status::INVALID_ARGUMENT), "{host}: {outcome:?}");
            assert!(
                outcome.message.contains("link-local"),
                "{host}: {outcome:?}"
            );
        }
    }
    for host in [
        "169.253.169.254",
        "[fec0::1]",
        "[::ffff:10.0.0.1]",
        "[2001:db8::1]",
    ] {
        assert!(config().try_client(host).is_ok(), "{host}");
    }
}

/// Such a proxy would read it, and connect to itself.
fn nothing_signed_goes_over_plain_http_through_a_proxy() {
    let proxy = Server::answering(NO_CONTENT, Then::Keep);
    for host in ["127.0.0.1:9", "localhost:9", "[::1]:9"] {
        let client = config()
            .proxy(&proxy.endpoint())
            .access_key(ACCESS_KEY, SECRET_KEY, Some(SECURITY_TOKEN))
            .client(&format!("http://{host}"));
        let outcome = client.own_example();
        assert!(outcome.is(Status::CREDENTIALS_FAILED), "{outcome:?}");
        assert!(outcome.message.contains("through a proxy"), "{outcome:?}");
    }
    assert_eq!(proxy.finish().connections, 0);
}

/// A name can be made to lead anywhere.
fn a_name_that_leads_to_a_link_local_address_gets_no_credentials() {
    let test = "a_name_that_leads_to_a_link_local_address_gets_no_credentials";
    with_own_dns(test, |dns| {
        thread::spawn(move || answer_with(&dns, [169, 254, 169, 254]));
        for endpoint in ["https://service.test", "http://service.test"] {
            let client = config().allow_http().client(endpoint);
            let outcome = client.example();
            assert!(outcome.is(Status::RESOLVE_FAILED), "{outcome:?}");
            assert!(outcome.message.contains("link-local"), "{outcome:?}");
            assert_eq!((outcome.attempts, outcome.outcome_unknown), (1, false));
        }
    });
}

/// Without TLS nothing else proves that a name leads to this machine.
fn localhost_is_this_machine_or_nothing() {
    with_own_dns_alone("localhost_is_this_machine_or_nothing", |dns| {
        thread::spawn(move || answer_with(&dns, [192, 0, 2, 1]));
        let signing = config().access_key(ACCESS_KEY, SECRET_KEY, None);
        for config in [
            config().token("a-token"),
            config().allow_http().token("a-token"),
            signing,
        ] {
            let outcome = config.client("http://localhost:8080").own_example();
            assert!(outcome.is(Status::RESOLVE_FAILED), "{outcome:?}");
            assert!(
                outcome.message.contains("this machine's own"),
                "{outcome:?}"
            );
        }
    });
}

fn answer_with(dns: &UdpSocket, address: [u8; 4]) {
    let mut query = [0; 512];
    while let Ok((length, client)) = dns.recv_from(&mut query) {
        dns.send_to(&reply_to(&query[..length], address), client)
            .unwrap();
    }
}

/// The reply to a query of one question: this address, or nothing where IPv6 is asked for.
fn reply_to(query: &[u8], address: [u8; 4]) -> Vec<u8> {
    let end = 12 + query[12..].iter().position(|byte| *byte == 0).unwrap() + 5;
    let is_a = query[end - 3] == 1;
    let mut reply = query[..end].to_vec();
    reply[2..12].copy_from_slice(&[0x81, 0x80, 0, 1, 0, u8::from(is_a), 0, 0, 0, 0]);
    if is_a {
        reply.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4]);
        reply.extend(address);
    }
    reply
}

fn a_null_in_place_of_a_configuration_or_a_grant_is_refused() {
    let text = CString::new("text").unwrap();
    let (null, text) = (ptr::null_mut(), text.as_ptr());
    // SAFETY: NULL is allowed, and the text lives for the calls.
    let statuses = unsafe {
        [
            capi::fpga_assoc_config_set_token(null, text),
            capi::fpga_assoc_config_set_access_key(null, text, text, ptr::null()),
            capi::fpga_assoc_config_set_environment_credentials(null),
            capi::fpga_assoc_config_set_ecs_agency(null),
            capi::fpga_assoc_config_set_credentials_callback(null, None, ptr::null_mut()),
            capi::fpga_assoc_grant_token(ptr::null_mut(), text, 0),
            capi::fpga_assoc_grant_access_key(ptr::null_mut(), text, text, text, 0),
            capi::fpga_assoc_grant_refuse(ptr::null_mut(), text),
        ]
    };
    assert_eq!(statuses, [Status::INVALID_ARGUMENT.number(); 8]);
}

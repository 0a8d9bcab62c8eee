//! Requests that an access key signs: what is taken, and every refusal with its text.
mod support;

use ecs_emulator::{AccessKey, Emulator};
use support::signing::{Draft, first_key, list, now, refused, sdk_date, with_another_secret};
use support::{Client, image};

const MINUTE: i64 = 60;

#[test]
fn a_signature_is_as_good_as_a_token() {
    let ecs = Emulator::start().unwrap();
    let client = Client::new(&ecs);
    let (fpga_id, ecs_id) = (&ecs.fpga_ids()[0], &ecs.ecs_ids()[0]);
    let keys = [
        first_key(&ecs),
        ecs.issue_access_key(),
        ecs.issue_temporary_access_key(900),
    ];
    for key in &keys {
        let association = |method| {
            let mut draft = Draft::new(&ecs, key, method, &client.association(fpga_id))
                .signing("content-type", "application/json")
                .signing("x-project-id", ecs.project_id());
            draft.body = image(ecs_id);
            draft.send(&client)
        };
        assert_eq!(association("POST").status, 204);
        let mut draft = list(&ecs, key);
        draft.query = format!("image_id={ecs_id}&page=1&size=100");
        let answer = draft.send(&client);
        assert_eq!(answer.json()["associations"][0]["image_id"], *ecs_id);
        assert_eq!(association("DELETE").status, 204);
    }
}

#[test]
fn the_order_in_which_a_query_is_sent_is_free() {
    let ecs = Emulator::start().unwrap();
    let client = Client::new(&ecs);
    let mut draft = list(&ecs, &first_key(&ecs));
    draft.query = "page=1&size=2".to_owned();
    let authorization = draft.authorization();
    draft.query = "size=2&page=1".to_owned();
    assert_eq!(draft.send_as(&client, &authorization).status, 200);
}

#[test]
fn security_token_and_project_may_come_unsigned() {
    let ecs = Emulator::start().unwrap();
    let client = Client::new(&ecs);
    let key = ecs.issue_temporary_access_key(900);
    let mut draft = list(&ecs, &key);
    let token = draft.signed.pop().unwrap();
    draft.unsigned.push(token);
    let draft = draft.adding("x-project-id", ecs.project_id());
    assert_eq!(draft.send(&client).status, 200);
}

#[test]
fn a_wrong_signature_shows_the_canonical_request_with_all_its_values() {
    let ecs = Emulator::start().unwrap();
    let client = Client::new(&ecs);
    for key in [first_key(&ecs), ecs.issue_temporary_access_key(900)] {
        let mut draft = list(&ecs, &with_another_secret(&key));
        draft.query = "page=1&size=2".to_owned();
        let canonical_request = draft.canonical_request().replace('\n', "|");
        assert!(canonical_request.contains(key.security_token.as_deref().unwrap_or("|host:")));
        let cause = format!("verify aksk signature fail, canonicalRequest:{canonical_request}");
        refused(&draft.send(&client), &cause);
    }
}

#[test]
fn what_is_signed_must_come_as_it_was_signed() {
    let ecs = Emulator::start().unwrap();
    let client = Client::new(&ecs);
    let path = client.association(&ecs.fpga_ids()[0]);
    let changes: [fn(&mut Draft); 6] = [
        |draft| draft.method = "DELETE",
        |draft| draft.path = draft.path.replace("/association", "x/association"),
        |draft| draft.query = "a=1".to_owned(),
        |draft| draft.body.push(' '),
        |draft| draft.signed[1].1 = "0".repeat(32),
        |draft| draft.signed[2].1 = sdk_date(now() - 10),
    ];
    for change in changes {
        let key = ecs.issue_access_key();
        let mut draft =
            Draft::new(&ecs, &key, "POST", &path).signing("x-project-id", ecs.project_id());
        draft.body = image(&ecs.ecs_ids()[0]);
        let mut changed = draft.clone();
        change(&mut changed);
        let answer = changed.send_as(&client, &draft.authorization());
        let canonical_request = changed.canonical_request().replace('\n', "|");
        let cause = format!("verify aksk signature fail, canonicalRequest:{canonical_request}");
        refused(&answer, &cause);
        assert_eq!(ecs.failures_of(&key.access_key), 1);
        assert_eq!(ecs.associations(), []);
        assert_eq!(draft.send(&client).status, 204);
        ecs.clear();
    }
}

#[test]
fn a_time_that_is_off_by_more_than_fifteen_minutes_is_refused_either_way() {
    let ecs = Emulator::start().unwrap();
    let client = Client::new(&ecs);
    let key = first_key(&ecs);
    for offset in [0, 30 * MINUTE, -365 * 24 * 60 * MINUTE] {
        ecs.set_clock_offset(offset);
        for off in [-15 * MINUTE + 10, 0, 15 * MINUTE] {
            let draft = list(&ecs, &key).at(now() + offset + off);
            assert_eq!(draft.send(&client).status, 200, "{offset} {off}");
        }
        for off in [-15 * MINUTE - 1, 15 * MINUTE + 10] {
            let time = now() + offset + off;
            let answer = list(&ecs, &key).at(time).send(&client);
            let (status, _, text) = answer.refusal();
            assert_eq!(status, 401);
            let (start, server_time) = text.split_once(",server time:").unwrap();
            let signed = sdk_date(time);
            assert!(start.ends_with(&format!(
                ": calc aksk signature fail:signature expired, signature time:{signed}"
            )));
            let server_now = now() + offset;
            let mut times = (server_now - 10..=server_now).map(sdk_date);
            assert!(times.any(|time| time == server_time), "{server_time}");
        }
    }
}

#[test]
fn a_security_token_goes_with_its_own_key_only() {
    let ecs = Emulator::start().unwrap();
    let client = Client::new(&ecs);
    let (key, other) = (
        ecs.issue_temporary_access_key(900),
        ecs.issue_temporary_access_key(900),
    );
    let with = |key: &AccessKey, security_token: Option<String>| AccessKey {
        security_token,
        ..key.clone()
    };
    for wrong in [
        with(&key, None),
        with(&key, Some("x".to_owned())),
        with(&key, other.security_token),
        with(&first_key(&ecs), key.security_token.clone()),
    ] {
        let cause = "verify aksk signature fail: security token is wrong";
        refused(&list(&ecs, &wrong).send(&client), cause);
    }
    assert_eq!(list(&ecs, &key).send(&client).status, 200);
}

#[test]
fn a_token_and_a_signature_together_are_refused() {
    let ecs = Emulator::start().unwrap();
    let client = Client::new(&ecs);
    let draft = list(&ecs, &first_key(&ecs)).adding("x-auth-token", ecs.token());
    refused(&draft.send(&client), "both x-auth-token and authorization");
}

#[test]
fn a_key_is_good_for_its_own_project() {
    let ecs = Emulator::start().unwrap();
    let client = Client::new(&ecs);
    let key = first_key(&ecs);
    let other = "0".repeat(32);
    let path = format!("/v1/{other}/cloudservers/fpga_image/associations");
    for draft in [
        Draft::new(&ecs, &key, "GET", &path),
        Draft::new(&ecs, &key, "GET", &path).signing("x-project-id", &other),
        Draft::new(&ecs, &key, "GET", &path).signing("x-project-id", ecs.project_id()),
        list(&ecs, &key).signing("x-project-id", &other),
        list(&ecs, &key).adding("x-project-id", &other),
    ] {
        let (status, code, _) = draft.send(&client).refusal();
        assert_eq!((status, code.as_str()), (400, "Ecs.0023"));
    }
    assert_eq!(ecs.failures_of(ecs.access_key()), 0);
}

#[test]
fn a_signature_that_can_t_be_read_is_refused_and_not_counted() {
    let ecs = Emulator::start().unwrap();
    let client = Client::new(&ecs);
    let draft = list(&ecs, &first_key(&ecs));
    let good = draft.authorization();
    let wrong = |from, to| good.replace(from, to);
    for authorization in [
        String::new(),
        "Basic eDp5".to_owned(),
        wrong("SDK-HMAC-SHA256", "SDK-HMAC-SM3"),
        wrong("Access=", "Credential="),
        wrong("host;x-sdk-date", "x-sdk-date;host"),
        format!("{good}0"),
    ] {
        let answer = draft.send_as(&client, &authorization);
        refused(&answer, "malformed authorization");
    }
    let answer = draft.send_as(&client, &wrong("host;x-sdk-date", "host"));
    refused(&answer, "x-sdk-date is not signed");
    let answer = draft.send_as(&client, &wrong("host;x", "host;via;x"));
    refused(&answer, "a signed header is not there once");
    let repeated = draft.clone().adding("x-sdk-date", &sdk_date(now()));
    refused(&repeated.send(&client), "malformed x-sdk-date");
    for date in [
        "",
        "20240229T235959",
        "20240229T235959.0Z",
        "2024-02-29T23:59:59Z",
        "20230229T235959Z",
        "20240229T245959Z",
        "+0240229T235959Z",
    ] {
        let draft = draft.clone().signing("x-sdk-date", date);
        refused(&draft.send(&client), "malformed x-sdk-date");
    }
    assert_eq!(ecs.failures_of(ecs.access_key()), 0);
}

//! The vendor's own signatures: each is taken as it is, and not with anything in it changed.

use std::collections::BTreeMap;

use hyper::Request;
use serde::Deserialize;

use super::*;

#[derive(Deserialize)]
struct File {
    vectors: Vec<Vector>,
}

#[derive(Deserialize)]
struct Vector {
    id: String,
    method: String,
    request_target: String,
    host: String,
    caller_headers: BTreeMap<String, String>,
    project_id_header: Option<String>,
    security_token: Option<String>,
    x_sdk_date: String,
    body: String,
    secret_key: String,
    authorization: String,
    canonical_request: String,
}

impl Vector {
    fn headers(&self) -> BTreeMap<String, String> {
        let mut headers: BTreeMap<String, String> = self
            .caller_headers
            .iter()
            .map(|(name, value)| (name.to_lowercase(), value.clone()))
            .collect();
        let mut add = |name: &str, value: Option<&String>| {
            headers.extend(value.map(|value| (name.to_owned(), value.clone())));
        };
        add("host", Some(&self.host));
        add("x-sdk-date", Some(&self.x_sdk_date));
        add("x-project-id", self.project_id_header.as_ref());
        add("x-security-token", self.security_token.as_ref());
        add("authorization", Some(&self.authorization));
        headers
    }

    fn signed_headers(&self) -> Vec<&str> {
        let (_, rest) = self.authorization.split_once("SignedHeaders=").unwrap();
        rest.split_once(',').unwrap().0.split(';').collect()
    }
}

fn vectors() -> Vec<Vector> {
    let file: File = serde_json::from_str(include_str!("../../../support/vectors.json")).unwrap();
    assert!(file.vectors.len() >= 16);
    file.vectors
}

fn read(
    method: &str,
    target: &str,
    headers: &BTreeMap<String, String>,
    body: &str,
) -> Result<SignedRequest, Refusal> {
    let mut request = Request::builder().method(method).uri(target);
    for (name, value) in headers {
        request = request.header(name, value);
    }
    let (parts, ()) = request.body(()).unwrap().into_parts();
    SignedRequest::read(&parts, body.as_bytes())
}

/// With another letter or digit at the end, where it changes no form.
fn changed(text: &str) -> String {
    let at = text.rfind(|c: char| c.is_ascii_alphanumeric() && c != 'Z');
    let (start, rest) = text.split_at(at.unwrap());
    let other = if rest.starts_with('1') { '2' } else { '1' };
    format!("{start}{other}{}", &rest[1..])
}

#[test]
fn the_vendors_requests_are_taken_as_signed() {
    for vector in vectors() {
        let request = read(
            &vector.method,
            &vector.request_target,
            &vector.headers(),
            &vector.body,
        );
        let request = request.unwrap();
        let canonical_request = String::from_utf8(request.canonical.clone()).unwrap();
        assert_eq!(canonical_request, vector.canonical_request, "{}", vector.id);
        assert!(request.is_signed_with(&vector.secret_key), "{}", vector.id);
        assert!(!request.is_signed_with(&changed(&vector.secret_key)));
    }
}

#[test]
fn one_byte_changed_in_any_signed_part_breaks_the_signature() {
    for vector in vectors() {
        let headers = vector.headers();
        let breaks =
            |method: &str, target: &str, headers: &BTreeMap<String, String>, body: &str| {
                let request = read(method, target, headers, body).unwrap();
                let broken = !request.is_signed_with(&vector.secret_key);
                assert!(
                    broken,
                    "{}: {method} {target} {headers:?} {body}",
                    vector.id
                );
            };
        let (method, target) = (vector.method.as_str(), vector.request_target.as_str());
        let body = vector.body.as_str();
        breaks("PUT", target, &headers, body);
        breaks(method, &format!("{target}x"), &headers, body);
        breaks(method, &target.replacen('/', "/x", 1), &headers, body);
        breaks(method, target, &headers, &format!("{body} "));
        if !body.is_empty() {
            breaks(method, target, &headers, &changed(body));
            breaks(method, target, &headers, "");
        }
        for name in vector.signed_headers().into_iter().chain(["authorization"]) {
            let mut headers = headers.clone();
            let value = headers.get_mut(name).unwrap();
            *value = changed(value);
            breaks(method, target, &headers, body);
        }
    }
}

#[test]
fn what_a_proxy_may_change_does_not_matter() {
    for vector in vectors() {
        let mut headers = vector.headers();
        headers.insert("user-agent".to_owned(), "x".to_owned());
        headers.insert("via".to_owned(), "1.1 x".to_owned());
        let request = read(
            &vector.method,
            &vector.request_target,
            &headers,
            &vector.body,
        );
        assert!(request.unwrap().is_signed_with(&vector.secret_key));
    }
}

#[test]
fn paths_are_decoded_and_encoded_once() {
    for (sent, signed) in [
        ("/", "/"),
        ("/a", "/a/"),
        ("/a/", "/a/"),
        ("/a%20b", "/a%20b/"),
        ("/a%2fb", "/a/b/"),
        ("/%41-._~", "/A-._~/"),
        ("/a:b@c+d", "/a%3Ab%40c%2Bd/"),
        ("/%e4%b8%ad", "/%E4%B8%AD/"),
        ("/a//b", "/a//b/"),
    ] {
        assert_eq!(path(sent), signed);
    }
}

#[test]
fn queries_are_sorted_by_what_they_mean() {
    for (sent, signed) in [
        ("", ""),
        ("b=2&a=1", "a=1&b=2"),
        ("a=b&a=a&a=B", "a=B&a=a&a=b"),
        ("a&b=", "a=&b="),
        ("a=x%20y&A=%7e", "A=~&a=x%20y"),
        ("a=%2F+%3d", "a=%2F%2B%3D"),
        ("a%2d=1&a=2", "a=2&a-=1"),
        ("a=b=c&&", "a=b%3Dc"),
    ] {
        assert_eq!(query(sent), signed);
    }
}

#[test]
fn an_authorization_has_one_form() {
    let signature = "0".repeat(64);
    let good =
        format!("SDK-HMAC-SHA256 Access=AK, SignedHeaders=host;x-sdk-date, Signature={signature}");
    assert!(Authorization::parse(&good).is_some());
    for (part, other) in [
        ("SDK-HMAC-SHA256", "SDK-HMAC-SM3"),
        ("SDK-HMAC-SHA256 ", "SDK-HMAC-SHA256, "),
        ("SDK-HMAC-SHA256 ", "SDK-HMAC-SHA256  "),
        ("Access=", "Credential="),
        ("Access=AK", "Access="),
        ("Access=AK", "Access=A K"),
        (", Signed", ",Signed"),
        ("SignedHeaders", "signedheaders"),
        ("host;x-sdk-date", "x-sdk-date;host"),
        ("host;x-sdk-date", "host;host;x-sdk-date"),
        ("host;x-sdk-date", "Host;x-sdk-date"),
        ("host;x-sdk-date", "host;x-sdk-date;"),
        ("host;x-sdk-date", "authorization;host;x-sdk-date"),
        ("host;x-sdk-date", ""),
        ("Signature=0", "Signature="),
        ("Signature=0", "Signature=A"),
        ("Signature=0", "Signature=00"),
    ] {
        let wrong = good.replacen(part, other, 1);
        assert_ne!(wrong, good);
        assert!(Authorization::parse(&wrong).is_none(), "{wrong}");
    }
}

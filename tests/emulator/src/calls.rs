//! One request, from its bytes to its answer: which call it is, who asks, what it carries.
//!
//! The order of the checks is the gateway's: rate, path, method, size, token or signature; then the
//! service's: project, body, images.

use std::borrow::Cow;
use std::time::Instant;

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{ALLOW, CONTENT_TYPE, DATE, RETRY_AFTER};
use hyper::http;
use hyper::http::request::Parts;
use hyper::{Method, Response, StatusCode};
use percent_encoding::percent_decode_str;
use serde::Deserialize;
use serde_json::Value;

use crate::listing::{self, Query};
use crate::record::Recorded;
use crate::refusal::Refusal;
use crate::server::Site;
use crate::traffic::Serving;
use crate::{Shared, identity, lock, random};

/// What a request asks for.
enum Call<'a> {
    Associate { fpga_id: Cow<'a, str> },
    Disassociate { fpga_id: Cow<'a, str> },
    List,
}

/// `{"image":{"id":"…"}}` and nothing else.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    image: Image,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Image {
    id: String,
}

impl Site for Shared {
    async fn answer(
        &self,
        parts: &Parts,
        body: Option<&Bytes>,
    ) -> Result<Response<Full<Bytes>>, http::Error> {
        let _serving = Serving::begin(&self.traffic, changed_ecs_image(parts, body));
        let admitted = lock(&self.traffic).admit(Instant::now());
        let service_time = lock(&self.traffic).service_time();
        // Even no sleep ends at the timer's next tick, a millisecond later.
        if !service_time.is_zero() {
            tokio::time::sleep(service_time).await;
        }
        let answered = admitted.and_then(|()| answer(self, parts, body));

        let request_id = random::hex(32);
        let mut response = Response::builder()
            .header("x-request-id", &request_id)
            .header(DATE, self.clock.http_date());
        let (status, json) = match answered {
            Ok(None) => (StatusCode::NO_CONTENT, None),
            Ok(Some(json)) => (StatusCode::OK, Some(json)),
            Err(refusal) => {
                if let Some(allow) = refusal.allow() {
                    response = response.header(ALLOW, allow);
                }
                if let Some(retry_after) = refusal.retry_after() {
                    response = response.header(RETRY_AFTER, retry_after);
                }
                (refusal.status(), Some(refusal.body(&request_id)))
            }
        };
        let response = response.status(status);
        match json {
            None => response.body(Full::default()),
            Some(json) => response
                .header(CONTENT_TYPE, "application/json;charset=utf8")
                .body(Full::new(Bytes::from(json.to_string()))),
        }
    }

    fn record(&self, recorded: Recorded) {
        if let Some(on_request) = self.on_request {
            on_request(&recorded);
        }
        lock(&self.records).push(recorded);
    }
}

/// The answer's body, if it has one. `body` is None when it was longer than any call's.
fn answer(shared: &Shared, parts: &Parts, body: Option<&Bytes>) -> Result<Option<Value>, Refusal> {
    let (project_id, call) = route(&parts.method, parts.uri.path())?;
    let body = body.ok_or(Refusal::TooLarge)?;
    identity::check(shared, parts, body, &project_id)?;
    match call {
        Call::Associate { fpga_id } => {
            let ecs_id = ecs_id(body)?;
            lock(&shared.service).associate(&fpga_id, &ecs_id)?;
            Ok(None)
        }
        Call::Disassociate { fpga_id } => {
            let ecs_id = ecs_id(body)?;
            lock(&shared.service).disassociate(&fpga_id, &ecs_id)?;
            Ok(None)
        }
        Call::List => {
            let query = Query::parse(parts.uri.query().unwrap_or_default());
            listing::list(&lock(&shared.service), &query).map(Some)
        }
    }
}

/// The project in the path, and the call.
fn route<'a>(method: &Method, path: &'a str) -> Result<(Cow<'a, str>, Call<'a>), Refusal> {
    let segments: Vec<&str> = path.split('/').collect();
    let [
        "",
        "v1",
        project_id,
        "cloudservers",
        "fpga_image",
        rest @ ..,
    ] = segments.as_slice()
    else {
        return Err(Refusal::NoSuchApi);
    };
    let call = match (rest, method) {
        ([fpga_id, "association"], &Method::POST) => Call::Associate {
            fpga_id: decode(fpga_id),
        },
        ([fpga_id, "association"], &Method::DELETE) => Call::Disassociate {
            fpga_id: decode(fpga_id),
        },
        ([_, "association"], _) => {
            return Err(Refusal::Method {
                allow: "POST, DELETE",
            });
        }
        (["associations"], &Method::GET) => Call::List,
        (["associations"], _) => return Err(Refusal::Method { allow: "GET" }),
        _ => return Err(Refusal::NoSuchApi),
    };
    Ok((decode(project_id), call))
}

/// The ECS image that the request is to change, whether or not it may.
fn changed_ecs_image(parts: &Parts, body: Option<&Bytes>) -> Option<String> {
    match route(&parts.method, parts.uri.path()) {
        Ok((_, Call::Associate { .. } | Call::Disassociate { .. })) => ecs_id(body?).ok(),
        _ => None,
    }
}

fn decode(segment: &str) -> Cow<'_, str> {
    percent_decode_str(segment).decode_utf8_lossy()
}

fn ecs_id(body: &Bytes) -> Result<String, Refusal> {
    if body.is_empty() {
        return Err(Refusal::EmptyBody);
    }
    serde_json::from_slice::<Body>(body)
        .ok()
        .map(|body| body.image.id)
        .filter(|ecs_id| !ecs_id.is_empty())
        .ok_or(Refusal::Body)
}

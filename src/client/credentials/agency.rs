//! Has the metadata service of the ECS server that this runs on give the keys of the server's agency.

use super::asking::Asking;
use super::held::Held;
use crate::association::{
    AGENCY_KEYS_PATH, AgencyKeys, METADATA_TOKEN_PATH, Token, is_page, says_no_agency,
};
use crate::error::Error;
use crate::memory;
use crate::status::Status;
use crate::transport::{Answer, Failure};

/// How long the token is for, in seconds. It is used at once and once.
const TOKEN_LIFE: &[u8] = b"60";

/// Keys that the service gives now. Nothing of its answers is in an error: they may hold keys.
pub fn keys(asking: &Asking<'_>) -> Result<Held, Error> {
    let failed = |words: &str| {
        let reason = format!("the metadata service at 169.254.169.254 {words}");
        asking.failed(Status::CREDENTIALS_FAILED, &reason)
    };
    let ask = |method, path, headers: &[(&'static str, &[u8])]| {
        let transport = asking.transport;
        let answer = transport.ask_metadata(method, path, headers, asking.deadline);
        answer.map_err(|failure| broken(&failure, asking))
    };
    let life = ("x-metadata-token-ttl-seconds", TOKEN_LIFE);
    let answer = ask("PUT", METADATA_TOKEN_PATH, &[life])?;
    let token = match answer.http_status {
        200 => {
            let token = token_of(&answer).ok_or_else(|| failed("gave a token that is none"))?;
            Some(("x-metadata-token", token))
        }
        // It has no tokens.
        404 | 405 | 503 => None,
        status => {
            return Err(failed(&format!(
                "answered HTTP {status} when asked for a token"
            )));
        }
    };
    let answer = ask("GET", AGENCY_KEYS_PATH, token.as_slice())?;
    match answer.http_status {
        200 => held_of(&answer, &failed),
        401 if says_no_agency(&answer.body) => Err(failed(
            "has no keys, because this server has no agency: bind one for the service ECS to it",
        )),
        status => Err(failed(&format!(
            "answered HTTP {status} when asked for keys"
        ))),
    }
}

/// Who has no time left learns that; for everyone else there is no metadata service.
fn broken(failure: &Failure, asking: &Asking<'_>) -> Error {
    match failure.status {
        Status::CANCELLED | Status::OUT_OF_MEMORY => asking.interrupted(failure),
        Status::TIMEOUT if asking.deadline.left().is_zero() => asking.interrupted(failure),
        _ => {
            let reason = format!(
                "{} the metadata service at 169.254.169.254: {}; is this an ECS server?",
                failure.step, failure.reason
            );
            asking.failed(Status::CREDENTIALS_FAILED, &reason)
        }
    }
}

/// It will stand in a header.
fn token_of(answer: &Answer) -> Option<&[u8]> {
    let token = answer.body.trim_ascii();
    (is_whole(answer) && Token::new(token).is_ok()).then_some(token)
}

fn held_of(answer: &Answer, failed: &dyn Fn(&str) -> Error) -> Result<Held, Error> {
    let keys = Some(&answer.body).filter(|_| is_whole(answer));
    let keys = keys
        .and_then(|body| AgencyKeys::read(body))
        .ok_or_else(|| failed("answered with something that is no key"))?;
    // A large answer may have taken what is needed next.
    memory::check()?;
    let held = Held::of_access_key(
        &keys.access_key,
        &keys.secret_key,
        Some(&keys.security_token),
        Some(keys.expires_at),
    );
    held.map_err(|error| match error.status {
        Status::OUT_OF_MEMORY => error,
        _ => failed(&format!("gave a key that can't be used: {}", error.message)),
    })
}

fn is_whole(answer: &Answer) -> bool {
    answer.is_complete && !is_page(answer.header("content-type").unwrap_or_default())
}

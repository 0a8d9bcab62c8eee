//! Who asks: a token, or a signature by an access key, never both.

use hyper::header::AUTHORIZATION;
use hyper::http::request::Parts;

use crate::refusal::Refusal;
use crate::signature::SignedRequest;
use crate::{Shared, lock};

/// `project_id` is the URL's.
pub(crate) fn check(
    shared: &Shared,
    parts: &Parts,
    body: &[u8],
    project_id: &str,
) -> Result<(), Refusal> {
    let header = |name: &str| parts.headers.get(name).map(|value| value.as_bytes());
    match (header("x-auth-token"), header(AUTHORIZATION.as_str())) {
        (Some(_), Some(_)) => return Err(Refusal::TokenAndSignature),
        (None, None) => return Err(Refusal::Token),
        (Some(token), None) => {
            let now = shared.clock.now();
            lock(&shared.accounts).check_token(token, now)?;
        }
        (None, Some(_)) => {
            let request = SignedRequest::read(parts, body)?;
            let now = shared.clock.now();
            let security_token = header("x-security-token");
            lock(&shared.accounts).check_signature(&request, security_token, now)?;
            if header("x-project-id").is_some_and(|named| named != project_id.as_bytes()) {
                return Err(Refusal::OtherProject);
            }
        }
    }
    if project_id == shared.tenant.project_id {
        Ok(())
    } else {
        Err(Refusal::OtherProject)
    }
}

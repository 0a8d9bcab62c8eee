//! The metadata service of a server that has an agency: where programs on it find temporary access
//! keys, here ones that the emulator knows.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{CONTENT_TYPE, DATE, LOCATION};
use hyper::http;
use hyper::http::request::Parts;
use hyper::{Method, Response};
use serde_json::json;

use crate::record::{Recorded, Records};
use crate::server::{Server, Site};
use crate::{Emulator, Shared, clock, lock, random};

const TOKEN_PATH: &str = "/meta-data/latest/api/token";
const KEY_PATH: &str = "/openstack/latest/securitykey";
const SERVER_PATH: &str = "/openstack/latest/meta_data.json";

const SIX_HOURS: i64 = 6 * 60 * 60;

/// A running metadata service, plain HTTP; it ends, with all its connections, when dropped.
///
/// Who asks for keys gets new ones each time. They stay good when the service ends.
#[derive(Debug)]
pub struct Metadata {
    instance: Arc<Instance>,
    server: Server,
}

/// How the service behaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MetadataMode {
    /// There are no tokens here: asking for one is 404, and whatever comes as one is ignored.
    Open,
    /// There are tokens, and who sends none is answered as well; a wrong one is 401.
    TokenOptional,
    /// Without a valid token all but the token itself is 401.
    TokenRequired,
    /// No agency is bound to the server: asking for keys is 401 and says so.
    NoAgency,
    /// What is answered instead of keys, whoever asks. All else is as in
    /// [`Self::TokenOptional`], here and below.
    Answer {
        /// The answer's status; one that HTTP can't carry ends the connection.
        status: u16,
        /// The answer's `Content-Type`; one that HTTP can't carry ends the connection.
        content_type: String,
        /// The answer's body, byte for byte.
        body: Vec<u8>,
    },
    /// What is answered instead of a token.
    TokenAnswer {
        /// As in [`Self::Answer`].
        status: u16,
        /// As in [`Self::Answer`].
        content_type: String,
        /// As in [`Self::Answer`].
        body: Vec<u8>,
    },
    /// Who asks for keys is sent to another place.
    Redirect {
        /// 301, 302, 303, 307 or 308.
        status: u16,
        /// The value of `Location`.
        location: String,
    },
}

/// The server that the service speaks of.
#[derive(Debug)]
struct Instance {
    shared: Arc<Shared>,
    id: String,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    mode: MetadataMode,
    key_life: i64,
    /// Each with its end.
    tokens: HashMap<String, i64>,
    records: Records,
}

impl Emulator {
    /// Starts a metadata service on this address; port 0 takes a free one. Its keys are temporary
    /// access keys of the tenant. It may outlive the emulator.
    pub fn start_metadata(&self, address: impl Into<SocketAddr>) -> io::Result<Metadata> {
        let instance = Arc::new(Instance {
            shared: Arc::clone(&self.shared),
            id: random::uuid(),
            state: Mutex::new(State {
                mode: MetadataMode::TokenOptional,
                key_life: SIX_HOURS,
                tokens: HashMap::new(),
                records: Records::default(),
            }),
        });
        let server = Server::start(address.into(), None, Arc::clone(&instance))?;
        Ok(Metadata { instance, server })
    }
}

impl Metadata {
    /// The socket's address.
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// How the service behaves from now on; [`MetadataMode::TokenOptional`] at the start.
    pub fn set_mode(&self, mode: MetadataMode) {
        lock(&self.instance.state).mode = mode;
    }

    /// How long keys live that are given from now on; six hours at the start.
    pub fn set_key_life(&self, seconds: i64) {
        lock(&self.instance.state).key_life = seconds;
    }

    /// From now on every token given so far is a wrong one.
    pub fn forget_tokens(&self) {
        lock(&self.instance.state).tokens.clear();
    }

    /// The last 1,000 requests, oldest first, in the order of their answers.
    pub fn requests(&self) -> Vec<Recorded> {
        lock(&self.instance.state).records.all()
    }

    /// Forgets the requests so far.
    pub fn clear_requests(&self) {
        lock(&self.instance.state).records.clear();
    }
}

impl Site for Instance {
    async fn answer(
        &self,
        parts: &Parts,
        _body: Option<&Bytes>,
    ) -> Result<Response<Full<Bytes>>, http::Error> {
        let answer = self.page(parts);
        let mut response = Response::builder()
            .status(answer.status)
            .header(DATE, self.shared.clock.http_date())
            .header(CONTENT_TYPE, answer.content_type);
        if let Some(location) = answer.location {
            response = response.header(LOCATION, location);
        }
        response.body(Full::new(Bytes::from(answer.body)))
    }

    fn record(&self, recorded: Recorded) {
        if let Some(on_request) = self.shared.on_request {
            on_request(&recorded);
        }
        lock(&self.state).records.push(recorded);
    }
}

/// Any answer of the service.
struct Page {
    status: u16,
    content_type: String,
    location: Option<String>,
    body: Vec<u8>,
}

impl Page {
    fn new(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status,
            content_type: content_type.to_owned(),
            location: None,
            body: body.into(),
        }
    }

    fn text(status: u16, text: &str) -> Self {
        Self::new(status, "text/plain; charset=UTF-8", text)
    }

    fn json(json: &serde_json::Value) -> Self {
        Self::new(200, "application/json", json.to_string())
    }
}

impl Instance {
    fn page(&self, parts: &Parts) -> Page {
        let mut state = lock(&self.state);
        match (parts.uri.path(), &parts.method) {
            (TOKEN_PATH, &Method::PUT) => self.token(&mut state, parts),
            (KEY_PATH, &Method::GET) => self.key(&state, parts),
            (SERVER_PATH, &Method::GET) => match self.refused(&state, parts) {
                Some(refusal) => refusal,
                None => Page::json(&json!({
                    "uuid": self.id,
                    "region_id": "cn-north-1",
                    "availability_zone": "cn-north-1a",
                    "project_id": self.shared.tenant.project_id,
                })),
            },
            (TOKEN_PATH | KEY_PATH | SERVER_PATH, _) => Page::text(405, "Method Not Allowed"),
            _ => Page::text(404, "Not Found"),
        }
    }

    fn token(&self, state: &mut State, parts: &Parts) -> Page {
        match &state.mode {
            MetadataMode::Open => return Page::text(404, "Not Found"),
            MetadataMode::TokenAnswer {
                status,
                content_type,
                body,
            } => return Page::new(*status, content_type, body.clone()),
            _ => {}
        }
        let life = header(parts, "x-metadata-token-ttl-seconds")
            .and_then(|seconds| seconds.parse().ok())
            .filter(|seconds| (1..=SIX_HOURS).contains(seconds));
        let Some(life) = life else {
            return Page::text(400, "Bad Request: X-Metadata-Token-Ttl-Seconds");
        };
        let token = random::metadata_token();
        let expires_at = self.shared.clock.now() + life;
        state.tokens.insert(token.clone(), expires_at);
        Page::text(200, &token)
    }

    fn key(&self, state: &State, parts: &Parts) -> Page {
        match &state.mode {
            MetadataMode::Answer {
                status,
                content_type,
                body,
            } => return Page::new(*status, content_type, body.clone()),
            MetadataMode::Redirect { status, location } => {
                return Page {
                    location: Some(location.clone()),
                    ..Page::text(*status, "")
                };
            }
            _ => {}
        }
        if let Some(refusal) = self.refused(state, parts) {
            return refusal;
        }
        if state.mode == MetadataMode::NoAgency {
            return Page::text(401, "Please configure Cloud Service Agency first");
        }
        let key = self.shared.issue_temporary_access_key(state.key_life);
        Page::json(&json!({"credential": {
            "access": key.access_key,
            "secret": key.secret_key,
            "securitytoken": key.security_token,
            "expires_at": key.expires_at.map(clock::iso_date),
        }}))
    }

    /// For the token that came with the request, or did not.
    fn refused(&self, state: &State, parts: &Parts) -> Option<Page> {
        let required = state.mode == MetadataMode::TokenRequired;
        let valid = match header(parts, "x-metadata-token") {
            _ if state.mode == MetadataMode::Open => true,
            None => !required,
            Some(token) => state
                .tokens
                .get(token)
                .is_some_and(|&expires_at| self.shared.clock.now() < expires_at),
        };
        (!valid).then(|| Page::text(401, "Unauthorized: X-Metadata-Token"))
    }
}

/// Text that is not visible ASCII is no token and no number: it is empty then, and wrong.
fn header<'a>(parts: &'a Parts, name: &str) -> Option<&'a str> {
    let value = parts.headers.get(name)?;
    Some(value.to_str().unwrap_or_default())
}

//! How a client behaves, and the ranges of its numbers.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::credentials::{FromEnvironment, Held, Source, keys_of_the_environment};
use crate::error::Error;
use crate::log::{Level, Log};
use crate::transport::{DialSettings, Endpoint, Identity, Routes, Trust};

const USER_AGENT: &str = concat!("fpga-associate/", env!("CARGO_PKG_VERSION"));

const MAX_ATTEMPTS: u32 = 100;
const MAX_PRODUCT: usize = 256;

/// All settings of a client, each checked when it is set.
#[derive(Clone, Debug)]
pub struct Settings {
    pub(super) timeout: Duration,
    pub(super) connect_timeout: Duration,
    pub(super) max_attempts: u32,
    pub(super) user_agent: String,
    pub(super) log: Log,
    pub(super) confirm: bool,
    pub(super) idempotent: bool,
    allow_http: bool,
    trust: Trust,
    identity: Option<Identity>,
    credentials: Option<Source>,
    /// What the log is told when a client is made.
    warning: Option<String>,
    /// Nothing: the environment's, as it is when a client is made.
    routes: Option<Routes>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(30),
            connect_timeout: Duration::from_secs(10),
            max_attempts: 3,
            user_agent: USER_AGENT.to_owned(),
            log: Log::default(),
            confirm: true,
            idempotent: false,
            allow_http: false,
            trust: Trust::System,
            identity: None,
            credentials: None,
            warning: None,
            routes: None,
        }
    }
}

impl Settings {
    /// The time for a whole call, in milliseconds.
    pub fn set_timeout_ms(&mut self, ms: u32) -> Result<(), Error> {
        self.timeout = time("timeout_ms", ms)?;
        Ok(())
    }

    /// The time for the connection of one attempt, in milliseconds.
    pub fn set_connect_timeout_ms(&mut self, ms: u32) -> Result<(), Error> {
        self.connect_timeout = time("connect_timeout_ms", ms)?;
        Ok(())
    }

    /// How often a request may be tried, 1 to 100.
    pub fn set_max_attempts(&mut self, attempts: u32) -> Result<(), Error> {
        if !(1..=MAX_ATTEMPTS).contains(&attempts) {
            let reason = format!("is not a number from 1 to {MAX_ATTEMPTS}");
            return Err(Error::invalid_argument("max_attempts", &reason));
        }
        self.max_attempts = attempts;
        Ok(())
    }

    /// The certificates of a PEM file, for [`Settings::set_trust`].
    pub fn read_ca_file(path: &Path) -> Result<Trust, Error> {
        Trust::in_file(path).map_err(|reason| Error::invalid_argument("ca_file", &reason))
    }

    /// The certificates of a text in PEM, for [`Settings::set_trust`].
    pub fn read_ca_pem(pem: &[u8]) -> Result<Trust, Error> {
        Trust::in_pem(pem).map_err(|reason| Error::invalid_argument("ca_pem", &reason))
    }

    /// Trusts these certificates in place of the system's.
    pub fn set_trust(&mut self, trust: Trust) {
        self.trust = trust;
    }

    /// A certificate and its key, in PEM, for [`Settings::set_identity`].
    pub fn read_client_certificate(pem: &[u8]) -> Result<Identity, Error> {
        Identity::in_pem(pem)
            .map_err(|reason| Error::invalid_argument("client_certificate", reason))
    }

    /// Shows this certificate to servers that ask for one.
    pub fn set_identity(&mut self, identity: Identity) {
        self.identity = Some(identity);
    }

    /// An IAM token, for [`Settings::set_credentials`].
    pub fn token(token: &str) -> Result<Option<Source>, Error> {
        let held = Held::of_token(token, None)?;
        Ok(Some(Source::Fixed(Arc::new(held))))
    }

    /// An access key, for [`Settings::set_credentials`].
    pub fn access_key(
        access_key: &str,
        secret_key: &str,
        security_token: Option<&str>,
    ) -> Result<Option<Source>, Error> {
        let held = Held::of_access_key(access_key, secret_key, security_token, None)?;
        Ok(Some(Source::Fixed(Arc::new(held))))
    }

    /// The access key of the environment as it is now, for
    /// [`Settings::set_environment_credentials`].
    pub fn read_environment_credentials() -> Result<FromEnvironment, Error> {
        keys_of_the_environment()
    }

    /// Keys that were found there.
    pub fn set_environment_credentials(&mut self, found: FromEnvironment) {
        self.credentials = Some(Source::Fixed(Arc::new(found.held)));
        self.warning = found.warning;
    }

    /// What calls use that bring no token.
    pub fn set_credentials(&mut self, source: Option<Source>) {
        self.credentials = source;
        self.warning = None;
    }

    /// What calls use that bring no token.
    pub fn credentials(&self) -> Option<&Source> {
        self.credentials.as_ref()
    }

    /// Whether a client with these settings can speak with the endpoint.
    pub fn check(&self, endpoint: &Endpoint) -> Result<(), Error> {
        match &self.credentials {
            Some(source) if source.signs() => endpoint.check_for_signed(),
            _ => Ok(()),
        }
    }

    /// One proxy in place of the environment's; "" is none.
    pub fn set_proxy(&mut self, url: &str) -> Result<(), Error> {
        let routes = Routes::fixed(url);
        self.routes = Some(routes.map_err(|reason| Error::invalid_argument("proxy", reason))?);
        Ok(())
    }

    /// Names the caller's product in front of the library's.
    pub fn set_user_agent(&mut self, product: &str) -> Result<(), Error> {
        let is_visible = |byte: u8| byte.is_ascii_graphic() || byte == b' ';
        let reason = if product.trim().is_empty() {
            "is empty"
        } else if product.len() > MAX_PRODUCT {
            "is over 256 bytes long"
        } else if !product.bytes().all(is_visible) {
            "has a character that is not visible ASCII or a space"
        } else {
            self.user_agent = format!("{} {USER_AGENT}", product.trim());
            return Ok(());
        };
        Err(Error::invalid_argument("user_agent", reason))
    }

    /// Whether plain http may go to other machines.
    pub fn set_allow_http(&mut self, allow: bool) {
        self.allow_http = allow;
    }

    /// Whether the list is asked what became of a request whose outcome is not known.
    pub fn set_confirm(&mut self, confirm: bool) {
        self.confirm = confirm;
    }

    /// Whether what is as wanted before the call is a success.
    pub fn set_idempotent(&mut self, idempotent: bool) {
        self.idempotent = idempotent;
    }

    /// Who wants to read what the client does.
    pub fn set_log(&mut self, log: Log) {
        self.log = log;
    }

    /// Whether plain http may go to other machines.
    pub fn allows_http(&self) -> bool {
        self.allow_http
    }

    /// The same with what the environment says now.
    pub(super) fn settled(mut self) -> Self {
        self.routes.get_or_insert_with(Routes::from_environment);
        if let Some(warning) = self.warning.take() {
            self.log.line(Level::LOG_WARNING, || warning);
        }
        self
    }

    pub(super) fn dial(&self) -> DialSettings {
        DialSettings {
            connect_timeout: self.connect_timeout,
            trust: self.trust.clone(),
            identity: self.identity.clone(),
            routes: self.routes.clone().unwrap_or_default(),
            log: self.log.clone(),
        }
    }
}

/// A time that is given in milliseconds.
pub fn time(argument: &str, ms: u32) -> Result<Duration, Error> {
    if !(1..=i32::MAX.unsigned_abs()).contains(&ms) {
        let reason = format!("is not a number from 1 to {}", i32::MAX);
        return Err(Error::invalid_argument(argument, &reason));
    }
    Ok(Duration::from_millis(ms.into()))
}

//! Who may call, and until when: tokens, access keys, and how often each key has failed.

use std::collections::HashMap;

use crate::clock;
use crate::credentials::{AccessKey, Tenant};
use crate::refusal::Refusal;
use crate::signature::SignedRequest;

/// How far a request's time may be from the service's, in either direction.
const SKEW: u64 = 15 * 60;
/// So many failures in a row lock an access key.
const FAILURES: u32 = 5;
/// For so many seconds.
const LOCK: i64 = 5 * 60;

/// The tenant's tokens and access keys. All times are those of the emulator's clock.
#[derive(Debug, Default)]
pub(crate) struct Accounts {
    /// Each with its end.
    tokens: HashMap<String, i64>,
    access_keys: HashMap<String, Holder>,
}

#[derive(Debug)]
struct Holder {
    key: AccessKey,
    failures: u32,
    locked_until: Option<i64>,
}

impl Accounts {
    pub(crate) fn of(tenant: &Tenant) -> Self {
        let mut accounts = Self::default();
        accounts.add_token(tenant.token.clone(), i64::MAX);
        accounts.add_token(tenant.expired_token.clone(), i64::MIN);
        accounts.add_access_key(tenant.access_key.clone());
        accounts
    }

    pub(crate) fn add_token(&mut self, token: String, expires_at: i64) {
        self.tokens.insert(token, expires_at);
    }

    pub(crate) fn add_access_key(&mut self, key: AccessKey) {
        let holder = Holder {
            key,
            failures: 0,
            locked_until: None,
        };
        self.access_keys
            .insert(holder.key.access_key.clone(), holder);
    }

    pub(crate) fn revoke_access_key(&mut self, access_key: &str) {
        self.access_keys.remove(access_key);
    }

    /// Before any time that the clock can show.
    pub(crate) fn expire_token(&mut self, token: &str) {
        if let Some(expires_at) = self.tokens.get_mut(token) {
            *expires_at = i64::MIN;
        }
    }

    pub(crate) fn expire_access_key(&mut self, access_key: &str) {
        if let Some(holder) = self.access_keys.get_mut(access_key) {
            holder.key.expires_at = Some(i64::MIN);
        }
    }

    pub(crate) fn failures_of(&self, access_key: &str) -> u32 {
        self.access_keys
            .get(access_key)
            .map_or(0, |holder| holder.failures)
    }

    pub(crate) fn check_token(&self, token: &[u8], now: i64) -> Result<(), Refusal> {
        let expires_at = std::str::from_utf8(token)
            .ok()
            .and_then(|token| self.tokens.get(token))
            .ok_or(Refusal::Token)?;
        if now < *expires_at {
            Ok(())
        } else {
            Err(Refusal::ExpiredToken)
        }
    }

    /// `security_token` is what the request carries, signed or not.
    pub(crate) fn check_signature(
        &mut self,
        request: &SignedRequest,
        security_token: Option<&[u8]>,
        now: i64,
    ) -> Result<(), Refusal> {
        let holder = self
            .access_keys
            .get_mut(&request.access_key)
            .ok_or_else(|| Refusal::UnknownAccessKey(request.access_key.clone()))?;
        match holder.locked_until {
            Some(until) if now < until => return Err(Refusal::LockedAccessKey),
            Some(_) => holder.unlock(),
            None => {}
        }
        let checked = holder.check(request, security_token, now);
        match checked {
            Ok(()) => holder.failures = 0,
            Err(_) => holder.failed(now),
        }
        checked
    }
}

impl Holder {
    fn check(
        &self,
        request: &SignedRequest,
        security_token: Option<&[u8]>,
        now: i64,
    ) -> Result<(), Refusal> {
        if now.abs_diff(request.date) > SKEW {
            return Err(Refusal::SignatureExpired {
                signature_time: clock::sdk_date(request.date),
                server_time: clock::sdk_date(now),
            });
        }
        if !request.is_signed_with(&self.key.secret_key) {
            return Err(Refusal::Signature {
                canonical_request: request.echo(),
            });
        }
        if security_token != self.key.security_token.as_deref().map(str::as_bytes) {
            return Err(Refusal::SecurityToken);
        }
        match self.key.expires_at {
            Some(expires_at) if now >= expires_at => Err(Refusal::ExpiredSecurityToken),
            _ => Ok(()),
        }
    }

    fn failed(&mut self, now: i64) {
        self.failures += 1;
        if self.failures == FAILURES {
            self.locked_until = Some(now + LOCK);
        }
    }

    fn unlock(&mut self) {
        self.failures = 0;
        self.locked_until = None;
    }
}

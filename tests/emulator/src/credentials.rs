//! What the emulator's owner can hand out, take back and look at: tokens, access keys, the clock.

use crate::{Emulator, Shared, lock, random};

/// The one account that may call, as it is at the start.
#[derive(Debug)]
pub(crate) struct Tenant {
    pub(crate) project_id: String,
    pub(crate) token: String,
    pub(crate) expired_token: String,
    pub(crate) access_key: AccessKey,
}

impl Tenant {
    pub(crate) fn of(project_id: String) -> Self {
        Self {
            project_id,
            token: random::token(),
            expired_token: random::token(),
            access_key: AccessKey::permanent(),
        }
    }
}

/// An access key with what belongs to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessKey {
    /// The public half, 20 capital letters and digits.
    pub access_key: String,
    /// The half that signs, 40 characters of base64 with both `+` and `/` among them.
    pub secret_key: String,
    /// Goes with every request that is signed by a temporary key; None for a permanent one.
    pub security_token: Option<String>,
    /// Seconds since 1970 on the emulator's clock; None for a permanent key.
    pub expires_at: Option<i64>,
}

impl AccessKey {
    pub(crate) fn permanent() -> Self {
        Self {
            access_key: random::access_key(),
            secret_key: random::secret_key(),
            security_token: None,
            expires_at: None,
        }
    }

    pub(crate) fn temporary(expires_at: i64) -> Self {
        Self {
            security_token: Some(random::security_token()),
            expires_at: Some(expires_at),
            ..Self::permanent()
        }
    }
}

impl Emulator {
    /// A valid token of [`Self::project_id`], as long as a real one.
    pub fn token(&self) -> &str {
        &self.shared.tenant.token
    }

    /// A token that was valid once.
    pub fn expired_token(&self) -> &str {
        &self.shared.tenant.expired_token
    }

    /// A permanent access key of the tenant.
    pub fn access_key(&self) -> &str {
        &self.shared.tenant.access_key.access_key
    }

    /// The secret key of [`Self::access_key`].
    pub fn secret_key(&self) -> &str {
        &self.shared.tenant.access_key.secret_key
    }

    /// A further permanent access key.
    pub fn issue_access_key(&self) -> AccessKey {
        let key = AccessKey::permanent();
        lock(&self.shared.accounts).add_access_key(key.clone());
        key
    }

    /// A further access key, good for so many seconds of the emulator's clock.
    pub fn issue_temporary_access_key(&self, seconds: i64) -> AccessKey {
        self.shared.issue_temporary_access_key(seconds)
    }

    /// A further token, good for so many seconds of the emulator's clock.
    pub fn issue_token(&self, seconds: i64) -> String {
        let token = random::token();
        let expires_at = self.shared.clock.now().saturating_add(seconds);
        lock(&self.shared.accounts).add_token(token.clone(), expires_at);
        token
    }

    /// From now on no access key of this name exists.
    pub fn revoke_access_key(&self, access_key: &str) {
        lock(&self.shared.accounts).revoke_access_key(access_key);
    }

    /// From now on the token is an expired one, whatever the clock says.
    pub fn expire_token(&self, token: &str) {
        lock(&self.shared.accounts).expire_token(token);
    }

    /// From now on the access key is refused as a temporary one that has expired, whatever the
    /// clock says.
    pub fn expire_access_key(&self, access_key: &str) {
        lock(&self.shared.accounts).expire_access_key(access_key);
    }

    /// The emulator's clock is the system's and so many seconds more, or less.
    pub fn set_clock_offset(&self, seconds: i64) {
        self.shared.clock.set_offset(seconds);
    }

    /// How many signed requests of this access key have been refused in a row: for their time,
    /// their signature or their security token. Five lock it for five minutes, in which no further
    /// ones are counted.
    pub fn failures_of(&self, access_key: &str) -> u32 {
        lock(&self.shared.accounts).failures_of(access_key)
    }
}

impl Shared {
    pub(crate) fn issue_temporary_access_key(&self, seconds: i64) -> AccessKey {
        let key = AccessKey::temporary(self.clock.now().saturating_add(seconds));
        lock(&self.accounts).add_access_key(key.clone());
        key
    }
}

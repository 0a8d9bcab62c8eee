//! Signs requests with an access key, by the recipe of the vendor's guide, and sends them.

use std::time::{SystemTime, UNIX_EPOCH};

use ecs_emulator::{AccessKey, Emulator};
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use time::OffsetDateTime;

use super::{Answer, Client};

/// A request that is still to be signed. Its query must be sorted and encoded already.
#[derive(Clone)]
pub struct Draft {
    pub method: &'static str,
    pub path: String,
    pub query: String,
    pub body: String,
    pub key: AccessKey,
    /// Names in small letters, sorted.
    pub signed: Vec<(String, String)>,
    pub unsigned: Vec<(String, String)>,
}

impl Draft {
    /// Signed are the host, the time and, where there is one, the security token.
    pub fn new(ecs: &Emulator, key: &AccessKey, method: &'static str, path: &str) -> Self {
        let mut signed = vec![
            pair("host", &format!("localhost:{}", ecs.address().port())),
            pair("x-sdk-date", &sdk_date(now())),
        ];
        let token = key.security_token.as_ref();
        signed.extend(token.map(|token| pair("x-security-token", token)));
        Self {
            method,
            path: path.to_owned(),
            query: String::new(),
            body: String::new(),
            key: key.clone(),
            signed,
            unsigned: Vec::new(),
        }
    }

    /// Sets a header that is signed.
    pub fn signing(mut self, name: &str, value: &str) -> Self {
        self.signed.retain(|(known, _)| known != name);
        self.signed.push(pair(name, value));
        self.signed.sort();
        self
    }

    /// Adds a header after the signing.
    pub fn adding(mut self, name: &str, value: &str) -> Self {
        self.unsigned.push(pair(name, value));
        self
    }

    pub fn at(self, time: i64) -> Self {
        self.signing("x-sdk-date", &sdk_date(time))
    }

    pub fn canonical_request(&self) -> String {
        let mut lines = vec![
            self.method.to_owned(),
            format!("{}/", self.path),
            self.query.clone(),
        ];
        lines.extend(
            self.signed
                .iter()
                .map(|(name, value)| format!("{name}:{value}")),
        );
        lines.extend([
            String::new(),
            self.names(),
            hex(&Sha256::digest(&self.body)),
        ]);
        lines.join("\n")
    }

    pub fn authorization(&self) -> String {
        let hash = hex(&Sha256::digest(self.canonical_request()));
        let date = self.signed.iter().find(|(name, _)| name == "x-sdk-date");
        let date = date.map_or("", |(_, value)| value);
        let mut hmac = Hmac::<Sha256>::new_from_slice(self.key.secret_key.as_bytes()).unwrap();
        hmac.update(format!("SDK-HMAC-SHA256\n{date}\n{hash}").as_bytes());
        format!(
            "SDK-HMAC-SHA256 Access={}, SignedHeaders={}, Signature={}",
            self.key.access_key,
            self.names(),
            hex(&hmac.finalize().into_bytes())
        )
    }

    pub fn send(&self, client: &Client) -> Answer {
        self.send_as(client, &self.authorization())
    }

    pub fn send_as(&self, client: &Client, authorization: &str) -> Answer {
        let mut headers = [self.signed.as_slice(), &self.unsigned].concat();
        headers.push(pair("authorization", authorization));
        let target = match self.query.as_str() {
            "" => self.path.clone(),
            query => format!("{}?{query}", self.path),
        };
        client.send_with(self.method, &target, &headers, &self.body)
    }

    fn names(&self) -> String {
        let names: Vec<&str> = self.signed.iter().map(|(name, _)| name.as_str()).collect();
        names.join(";")
    }
}

/// The system's clock.
pub fn now() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    now.as_secs() as i64
}

pub fn sdk_date(seconds: i64) -> String {
    let date = OffsetDateTime::from_unix_timestamp(seconds).unwrap();
    let (hour, minute, second) = date.to_hms();
    let (year, month, day) = date.to_calendar_date();
    let month = u8::from(month);
    format!("{year:04}{month:02}{day:02}T{hour:02}{minute:02}{second:02}Z")
}

/// A list of nothing, the least that can be asked.
pub fn list(ecs: &Emulator, key: &AccessKey) -> Draft {
    let project_id = ecs.project_id();
    let path = format!("/v1/{project_id}/cloudservers/fpga_image/associations");
    Draft::new(ecs, key, "GET", &path)
}

#[track_caller]
pub fn refused(answer: &Answer, cause: &str) {
    let text = format!("Incorrect IAM authentication information: {cause}");
    assert_eq!(answer.refusal(), (401, "APIGW.0301".to_owned(), text));
}

pub fn with_another_secret(key: &AccessKey) -> AccessKey {
    AccessKey {
        secret_key: "another".to_owned(),
        ..key.clone()
    }
}

/// The key that the emulator starts with.
pub fn first_key(ecs: &Emulator) -> AccessKey {
    AccessKey {
        access_key: ecs.access_key().to_owned(),
        secret_key: ecs.secret_key().to_owned(),
        security_token: None,
        expires_at: None,
    }
}

fn pair(name: &str, value: &str) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

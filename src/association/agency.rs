//! The keys of an ECS server's agency as its metadata service gives them: "Obtaining Metadata" of the
//! Elastic Cloud Server user guide (`securitykey`).

use std::time::UNIX_EPOCH;

use super::document::Fields;
use super::time;

/// Where a token for the metadata service is asked for, with `PUT`.
pub const METADATA_TOKEN_PATH: &str = "/meta-data/latest/api/token";

/// Where the keys are.
pub const AGENCY_KEYS_PATH: &str = "/openstack/latest/securitykey";

/// What a server without an agency answers with.
const NO_AGENCY: &[u8] = b"Please configure Cloud Service Agency first";

/// A temporary access key.
#[derive(Debug)]
pub struct AgencyKeys {
    /// Its name.
    pub access_key: String,
    /// What signs.
    pub secret_key: String,
    /// What requests carry beside the signature.
    pub security_token: String,
    /// When it expires, in seconds since 1970.
    pub expires_at: i64,
}

impl AgencyKeys {
    /// `{"credential":{"access":"…","secret":"…","securitytoken":"…","expires_at":"…"}}`; nothing for
    /// all else.
    pub fn read(body: &[u8]) -> Option<Self> {
        let document = Fields::read(std::str::from_utf8(body).ok()?).ok()?;
        let credential = document.only("credential").ok()??;
        let fields = Fields::read(credential.get()).ok()?;
        let expires_at = time::read(&fields.text("expires_at")?)?;
        let expires_at = expires_at.duration_since(UNIX_EPOCH).ok()?.as_secs();
        Some(Self {
            access_key: fields.text("access")?,
            secret_key: fields.text("secret")?,
            security_token: fields.text("securitytoken")?,
            expires_at: i64::try_from(expires_at).ok()?,
        })
    }
}

/// Whether an answer says that the server has no agency.
pub fn says_no_agency(body: &[u8]) -> bool {
    body.windows(NO_AGENCY.len()).any(|text| text == NO_AGENCY)
}

/// Whether an answer of this content type is a page for people, such as that of a captive portal,
/// whatever is in it.
pub fn is_page(content_type: &str) -> bool {
    let kind = content_type.split(';').next().unwrap_or_default().trim();
    let data = ["", "application/json", "text/json", "text/plain"];
    !data.iter().any(|data| kind.eq_ignore_ascii_case(data))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_those_of_the_document_and_nothing_else_is_one() {
        let document = r#"{"credential":{"access":"AK","secret":"SK","securitytoken":"ST","expires_at":"2020-01-04T09:05:22.701000Z"}}"#;
        let keys = AgencyKeys::read(document.as_bytes()).unwrap();
        assert_eq!(
            (
                &*keys.access_key,
                &*keys.secret_key,
                &*keys.security_token,
                keys.expires_at
            ),
            ("AK", "SK", "ST", 1_578_128_722)
        );
        for (part, other) in [
            (document, ""),
            (document, "[]"),
            (document, "<html>"),
            ("credential", "credentials"),
            ("\"AK\"", "7"),
            ("\"AK\"", "null"),
            ("secret\"", "secret_\""),
            ("2020-01-04T09:05:22.701000Z", "tomorrow"),
            ("}}", "}"),
            ("}}", "},\"credential\":{}}"),
        ] {
            let document = document.replace(part, other);
            assert!(
                AgencyKeys::read(document.as_bytes()).is_none(),
                "{document}"
            );
        }
    }

    #[test]
    fn a_page_is_told_by_its_type() {
        for (kind, is_one) in [
            ("", false),
            ("application/json", false),
            ("Application/JSON; charset=utf-8", false),
            ("text/plain", false),
            ("text/html", true),
            ("text/html; charset=utf-8", true),
            ("application/xml", true),
            ("json", true),
        ] {
            assert_eq!(is_page(kind), is_one, "{kind}");
        }
    }
}

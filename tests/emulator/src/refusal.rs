//! Every way to say no: status, code and text, in the two shapes that the service has.

use hyper::StatusCode;
use serde_json::{Value, json};

use crate::rate::Flow;

/// The code of whatever is wrong with the proof of who asks.
const UNAUTHENTICATED: &str = "APIGW.0301";

/// Why a call was refused.
#[derive(Debug)]
pub(crate) enum Refusal {
    Flow {
        flow: Flow,
        retry_after: Option<String>,
    },
    NoSuchApi,
    Method {
        allow: &'static str,
    },
    TooLarge,
    Token,
    ExpiredToken,
    TokenAndSignature,
    /// What is wrong with the form.
    Authorization(&'static str),
    UnknownAccessKey(String),
    LockedAccessKey,
    SignatureExpired {
        signature_time: String,
        server_time: String,
    },
    Signature {
        canonical_request: String,
    },
    SecurityToken,
    ExpiredSecurityToken,
    OtherProject,
    EmptyBody,
    Body,
    Parameter(&'static str),
    NoFpgaImage {
        tenant: String,
        fpga_id: String,
    },
    NoEcsImage {
        tenant: String,
        ecs_id: String,
    },
    FpgaImageNotActive {
        tenant: String,
        fpga_id: String,
    },
    NotPrivate {
        tenant: String,
        ecs_id: String,
    },
    NotOwner {
        tenant: String,
        fpga_id: String,
    },
    RelationExistsOrLimit {
        tenant: String,
        fpga_id: String,
        ecs_id: String,
    },
    NoRelation {
        tenant: String,
        fpga_id: String,
        ecs_id: String,
    },
}

impl Refusal {
    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::Flow { flow, .. } => match flow {
                Flow::TooManyRequests => StatusCode::TOO_MANY_REQUESTS,
                Flow::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
                Flow::Accepted => StatusCode::ACCEPTED,
            },
            Self::NoSuchApi | Self::NoFpgaImage { .. } => StatusCode::NOT_FOUND,
            Self::Method { .. } => StatusCode::METHOD_NOT_ALLOWED,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::ExpiredToken => StatusCode::UNAUTHORIZED,
            _ if self.code() == UNAUTHENTICATED => StatusCode::UNAUTHORIZED,
            _ => StatusCode::BAD_REQUEST,
        }
    }

    /// The methods that would have been right.
    pub(crate) fn allow(&self) -> Option<&'static str> {
        match self {
            Self::Method { allow } => Some(allow),
            _ => None,
        }
    }

    pub(crate) fn retry_after(&self) -> Option<&str> {
        match self {
            Self::Flow { retry_after, .. } => retry_after.as_deref(),
            _ => None,
        }
    }

    pub(crate) fn body(&self, request_id: &str) -> Value {
        let (code, message) = (self.code(), self.message());
        if code.starts_with("APIGW.") {
            json!({"error_code": code, "error_msg": message, "request_id": request_id})
        } else {
            json!({"error": {"code": code, "message": message}})
        }
    }

    /// Where no document names a code, it is that of a request error, `Ecs.0000`.
    fn code(&self) -> &'static str {
        match self {
            Self::Flow { flow, .. } => match flow {
                Flow::TooManyRequests => "APIGW.0308",
                Flow::Unavailable => "Common.1503",
                Flow::Accepted => "Common.0024",
            },
            Self::NoSuchApi => "APIGW.0101",
            Self::Method { .. } => "APIGW.0103",
            Self::TooLarge => "APIGW.0201",
            Self::Token
            | Self::TokenAndSignature
            | Self::Authorization(_)
            | Self::UnknownAccessKey(_)
            | Self::LockedAccessKey
            | Self::SignatureExpired { .. }
            | Self::Signature { .. }
            | Self::SecurityToken
            | Self::ExpiredSecurityToken => UNAUTHENTICATED,
            Self::ExpiredToken => "APIGW.0307",
            Self::OtherProject => "Ecs.0023",
            Self::EmptyBody => "Common.0002",
            Self::Body | Self::Parameter(_) => "Ecs.0005",
            Self::NoFpgaImage { .. } | Self::NoEcsImage { .. } => "Ecs.0031",
            Self::FpgaImageNotActive { .. } => "Ecs.0032",
            Self::NotPrivate { .. }
            | Self::NotOwner { .. }
            | Self::RelationExistsOrLimit { .. }
            | Self::NoRelation { .. } => "Ecs.0000",
        }
    }

    fn message(&self) -> String {
        match self {
            Self::Flow { flow, .. } => match flow {
                Flow::TooManyRequests => "The throttling threshold has been reached".to_owned(),
                Flow::Unavailable => "flow control".to_owned(),
                Flow::Accepted => "exceeds flow over limit".to_owned(),
            },
            Self::NoSuchApi => {
                "The API does not exist or has not been published in the environment".to_owned()
            }
            Self::Method { .. } => "The API does not support this request method".to_owned(),
            Self::TooLarge => "Request entity too large".to_owned(),
            Self::Token => "Incorrect IAM authentication information".to_owned(),
            Self::ExpiredToken => "The token must be updated".to_owned(),
            Self::TokenAndSignature => unauthenticated("both x-auth-token and authorization"),
            Self::Authorization(fault) => unauthenticated(fault),
            Self::UnknownAccessKey(access_key) => {
                unauthenticated(&format!("ak {access_key} not exist"))
            }
            Self::LockedAccessKey => {
                unauthenticated("AK access failed to reach the limit,forbidden.")
            }
            Self::SignatureExpired {
                signature_time,
                server_time,
            } => unauthenticated(&format!(
                "calc aksk signature fail:signature expired, \
                 signature time:{signature_time},server time:{server_time}"
            )),
            // With every signed value, a security token too: so the gateway does it.
            Self::Signature { canonical_request } => unauthenticated(&format!(
                "verify aksk signature fail, canonicalRequest:{canonical_request}"
            )),
            // No document has the texts of these two.
            Self::SecurityToken => {
                unauthenticated("verify aksk signature fail: security token is wrong")
            }
            Self::ExpiredSecurityToken => {
                unauthenticated("verify aksk signature fail: security token expired")
            }
            Self::OtherProject => {
                "the project of the token is not the project of the URL.".to_owned()
            }
            Self::EmptyBody => "The request body is empty.".to_owned(),
            Self::Body => "request body is illegal.".to_owned(),
            Self::Parameter(name) => format!("parameter {name} is invalid."),
            Self::NoFpgaImage { tenant, fpga_id } => {
                format!("tenant [{tenant}] fpga image [{fpga_id}] doesn't exist")
            }
            Self::NoEcsImage { tenant, ecs_id } => {
                format!("tenant [{tenant}] image [{ecs_id}] doesn't exist")
            }
            Self::FpgaImageNotActive { tenant, fpga_id } => {
                format!("tenant [{tenant}] fpga image [{fpga_id}] is not active")
            }
            Self::NotPrivate { tenant, ecs_id } => {
                format!("tenant [{tenant}] image [{ecs_id}] type [shared] is not private")
            }
            Self::NotOwner { tenant, fpga_id } => {
                format!("tenant [{tenant}] is not the owner of fpga image [{fpga_id}]")
            }
            Self::RelationExistsOrLimit {
                tenant,
                fpga_id,
                ecs_id,
            } => format!(
                "tenant [{tenant}] relate fpga image [{fpga_id}] and image [{ecs_id}] failed: \
                 relation already exist or the related fpga image count of image reach the max limit"
            ),
            Self::NoRelation {
                tenant,
                fpga_id,
                ecs_id,
            } => format!(
                "tenant [{tenant}] relation of fpga image [{fpga_id}] and image [{ecs_id}] doesn't exist"
            ),
        }
    }
}

fn unauthenticated(cause: &str) -> String {
    format!("Incorrect IAM authentication information: {cause}")
}

//! What the service lists, which need not be what it knows.

use std::time::Duration;

use super::super::call::ECS_ID;

/// How the service answers a list call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listing {
    Truthful,
    /// From a replica that is behind.
    Lagging,
    /// Without what the caller may not see.
    Hiding,
    /// 403.
    Forbidden,
    /// An empty list under 200, which is an error as well.
    WithError,
    /// 200 without a list.
    WithoutList,
    /// The answer ends in its middle.
    Broken,
    /// The ids are spelled in capitals.
    InCapitals,
    /// All fields but the ids are of another type.
    OfOtherTypes,
}

pub const LISTINGS: &[Listing] = &[
    Listing::Truthful,
    Listing::Lagging,
    Listing::Hiding,
    Listing::Forbidden,
    Listing::WithError,
    Listing::WithoutList,
    Listing::Broken,
    Listing::InCapitals,
    Listing::OfOtherTypes,
];

const LAG: Duration = Duration::from_millis(300);

impl Listing {
    /// How far it is behind.
    pub fn lag(self) -> Duration {
        match self {
            Self::Lagging => LAG,
            _ => Duration::ZERO,
        }
    }

    /// Whether what it shows is what the service knows.
    pub fn is_true(self) -> bool {
        matches!(self, Self::Truthful | Self::InCapitals | Self::OfOtherTypes)
    }

    /// What the answer shows of a pair, if it can be read.
    pub fn shown(self, is_associated: bool) -> Option<bool> {
        match self {
            Self::Hiding => Some(false),
            Self::Forbidden | Self::WithError | Self::WithoutList | Self::Broken => None,
            _ => Some(is_associated),
        }
    }

    /// The status and the body for the FPGA images that are associated.
    pub fn answer(self, fpga_ids: &[String]) -> (u16, String) {
        let body = match self {
            Self::Forbidden => {
                r#"{"error":{"code":"Pdp.0001","message":"not permitted"}}"#.to_owned()
            }
            Self::WithError => {
                r#"{"associations":[],"error_code":"APIGW.0106","error_msg":"x"}"#.to_owned()
            }
            Self::WithoutList => "{}".to_owned(),
            Self::Hiding => r#"{"associations":[]}"#.to_owned(),
            Self::InCapitals => {
                let fpga_ids: Vec<_> = fpga_ids.iter().map(|id| id.to_uppercase()).collect();
                list(&ECS_ID.to_uppercase(), &fpga_ids, DOCUMENTED)
            }
            Self::OfOtherTypes => list(ECS_ID, fpga_ids, OF_OTHER_TYPES),
            Self::Truthful | Self::Lagging | Self::Broken => list(ECS_ID, fpga_ids, DOCUMENTED),
        };
        let http_status = if self == Self::Forbidden { 403 } else { 200 };
        (http_status, body)
    }
}

const DOCUMENTED: &str = r#""name":"n","description":"d","status":"active","size":40,"createdAt":"2017-10-16 07:46:06","protected":true,"message":null,"metadata":{"shell_type":"OCL"},"log_directory":null"#;

const OF_OTHER_TYPES: &str = r#""name":7,"description":[],"status":{},"size":"forty","createdAt":17,"protected":"yes","message":5,"metadata":3,"log_directory":false"#;

fn list(ecs_id: &str, fpga_ids: &[String], fields: &str) -> String {
    let images: Vec<_> = fpga_ids
        .iter()
        .map(|id| format!(r#"{{"id":"{id}",{fields}}}"#))
        .collect();
    let images = images.join(",");
    format!(r#"{{"associations":[{{"image_id":"{ecs_id}","fpgaimages":[{images}]}}]}}"#)
}

//! The three identifiers of a call, checked before anything is sent.

use super::{Brought, PAGE_SIZE};
use crate::error::Error;

const MAX_LENGTH: usize = 128;

/// An FPGA image and an ECS image of one project: what an association joins.
#[derive(Clone, Copy, Debug)]
pub struct Pair<'a> {
    pub(super) project_id: &'a str,
    pub(super) fpga_id: &'a str,
    pub(super) ecs_id: &'a str,
}

impl<'a> Pair<'a> {
    /// Checks the three identifiers. The error names the first that is unusable, and why.
    pub fn new(project_id: &'a str, fpga_id: &'a str, ecs_id: &'a str) -> Result<Self, Error> {
        check_project(project_id)?;
        check_images(fpga_id, ecs_id)?;
        Ok(Self {
            project_id,
            fpga_id,
            ecs_id,
        })
    }
}

/// Which associations of a project to list: those of an FPGA image, of an ECS image, or of both.
#[derive(Clone, Copy, Debug)]
pub struct Filter<'a> {
    pub(super) project_id: &'a str,
    pub(super) fpga_id: Option<&'a str>,
    pub(super) ecs_id: Option<&'a str>,
}

impl<'a> Filter<'a> {
    /// Checks the identifiers that are given, one of the images at least.
    pub fn new(
        project_id: &'a str,
        fpga_id: Option<&'a str>,
        ecs_id: Option<&'a str>,
    ) -> Result<Self, Error> {
        match (fpga_id, ecs_id) {
            (Some(fpga_id), Some(ecs_id)) => {
                Pair::new(project_id, fpga_id, ecs_id)?;
            }
            (None, None) => {
                let reason = "and ecs_id are both NULL; one of them must be given";
                return Err(Error::invalid_argument("fpga_id", reason));
            }
            _ => {
                check("project_id", project_id)?;
                fpga_id.map_or(Ok(()), |id| check("fpga_id", id))?;
                ecs_id.map_or(Ok(()), |id| check("ecs_id", id))?;
            }
        }
        Ok(Self {
            project_id,
            fpga_id,
            ecs_id,
        })
    }

    /// The list of one pair: that pair, or nothing.
    pub fn of(pair: Pair<'a>) -> Self {
        Self {
            project_id: pair.project_id,
            fpga_id: Some(pair.fpga_id),
            ecs_id: Some(pair.ecs_id),
        }
    }

    /// All associations of the pair's ECS image.
    pub fn of_ecs_image(pair: Pair<'a>) -> Self {
        Self {
            project_id: pair.project_id,
            fpga_id: None,
            ecs_id: Some(pair.ecs_id),
        }
    }

    /// Whether the service answers in pages.
    pub fn is_paged(self) -> bool {
        self.fpga_id.is_none() || self.ecs_id.is_none()
    }

    /// Whether more may follow a page. An ECS image has ten FPGA images at most; a page of an FPGA
    /// image's can be short though more follow, because what the caller may not see is left out.
    pub fn goes_on_after(self, page: Brought) -> bool {
        match (self.fpga_id, self.ecs_id) {
            (Some(_), Some(_)) => false,
            (Some(_), None) => page.pairs > 0,
            _ => page.pairs >= PAGE_SIZE && page.new > 0,
        }
    }
}

/// Checks a project's identifier.
pub fn check_project(project_id: &str) -> Result<(), Error> {
    check("project_id", project_id)
}

/// Checks the identifiers of a pair.
pub fn check_images(fpga_id: &str, ecs_id: &str) -> Result<(), Error> {
    check("fpga_id", fpga_id)?;
    check("ecs_id", ecs_id)?;
    if is_uuid(fpga_id) && is_hex_id(ecs_id) {
        return Err(Error::invalid_argument(
            "fpga_id",
            "is a UUID and ecs_id is 32 hex digits: the two look swapped",
        ));
    }
    Ok(())
}

/// No document states a pattern, so this refuses only what could change the request's meaning.
fn check(argument: &str, id: &str) -> Result<(), Error> {
    let is_fine = id.bytes().fold(true, |fine, byte| fine & is_id_byte(byte));
    if is_fine && (1..=MAX_LENGTH).contains(&id.len()) {
        return Ok(());
    }
    let reason = if id.is_empty() {
        "is empty".to_owned()
    } else if id.len() > MAX_LENGTH {
        format!(
            "is {} bytes long; at most {MAX_LENGTH} are allowed",
            id.len()
        )
    } else {
        let at = id.bytes().position(|byte| !is_id_byte(byte));
        let at = at.unwrap_or_default().saturating_add(1);
        format!("byte {at} is not one of A-Z a-z 0-9 - _")
    };
    Err(Error::invalid_argument(argument, &reason))
}

fn is_id_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() | (byte == b'-') | (byte == b'_')
}

/// 8-4-4-4-12 hex digits, as every ECS image id in the documents.
fn is_uuid(id: &str) -> bool {
    let lengths = [8, 4, 4, 4, 12];
    let mut groups = id.split('-');
    lengths.iter().all(|&length| {
        groups
            .next()
            .is_some_and(|group| group.len() == length && is_hex(group))
    }) && groups.next().is_none()
}

/// 32 hex digits, as every FPGA image id in the documents.
fn is_hex_id(id: &str) -> bool {
    id.len() == 32 && is_hex(id)
}

fn is_hex(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEX: &str = "4010a32b5f231f04015f24259efd0429";
    const UUID: &str = "18efee75-e058-4c52-a49c-9e3ba4d1c8de";

    #[test]
    fn images_look_swapped_only_as_a_uuid_with_32_hex_digits() {
        for (fpga_id, ecs_id, accepted) in [
            (HEX, UUID, true),
            (UUID, HEX, false),
            (UUID, UUID, true),
            (HEX, HEX, true),
            ("my_image", "18efee75", true),
            (&UUID.to_uppercase(), &HEX.to_uppercase(), false),
        ] {
            let pair = Pair::new("p", fpga_id, ecs_id);
            assert_eq!(pair.is_ok(), accepted, "{fpga_id} {ecs_id}");
        }
    }
}

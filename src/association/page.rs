//! One page of the list call, as far as each reader needs it.

use std::fmt;

use serde_json::value::RawValue;

use super::Pair;
use super::document::{Fields, carries_error, items};

const ASSOCIATIONS: &str = "associations";
pub const FPGA_IMAGES: &str = "fpgaimages";

/// Why there is nothing to be had of a page.
#[derive(Debug, PartialEq, Eq)]
pub enum Unusable {
    /// It is none, or not as documented.
    NotAList(String),
    /// It carries an error.
    Error,
    /// There was no time to read it to its end.
    NoTime,
}

impl From<String> for Unusable {
    fn from(reason: String) -> Self {
        Self::NotAList(reason)
    }
}

impl fmt::Display for Unusable {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAList(reason) => formatter.write_str(reason),
            Self::Error => formatter.write_str("it carries an error"),
            Self::NoTime => formatter.write_str("no time was left to read it"),
        }
    }
}

/// A page, none of whose entries has been looked at.
pub struct Page<'a> {
    /// The document's other fields.
    pub fields: Fields<'a>,
    groups: Vec<&'a RawValue>,
}

/// An ECS image, its other fields, and the FPGA images that are associated with it.
pub struct Group<'a> {
    pub ecs_id: String,
    pub fields: Fields<'a>,
    pub images: Vec<&'a RawValue>,
}

impl<'a> Page<'a> {
    /// Reads a page's outermost form.
    pub fn read(body: &'a [u8]) -> Result<Self, Unusable> {
        let json = std::str::from_utf8(body).map_err(|error| format!("not JSON: {error}"))?;
        let mut fields =
            Fields::read(json).map_err(|reason| format!("the document is {reason}"))?;
        let associations = fields.take(ASSOCIATIONS)?;
        if carries_error(&fields) {
            return Err(Unusable::Error);
        }
        let groups = associations.and_then(items);
        let groups = groups.ok_or_else(|| wrong(ASSOCIATIONS, "a list"))?;
        Ok(Self { fields, groups })
    }

    /// Its ECS images, each read when its turn comes.
    pub fn groups(&self) -> impl Iterator<Item = Result<Group<'a>, Unusable>> {
        self.groups.iter().map(|group| group_of(group.get()))
    }

    /// Whether it has a pair; nothing where it has something else, so that it can't tell. Only ids
    /// count; the service may spell one in another letter case.
    pub fn shows(
        &self,
        pair: Pair<'_>,
        mut has_time: impl FnMut() -> bool,
    ) -> Result<Option<bool>, Unusable> {
        let mut is_empty = true;
        for group in self.groups() {
            let Ok(group) = group else {
                is_empty = false;
                continue;
            };
            for image in group.images {
                if !has_time() {
                    return Err(Unusable::NoTime);
                }
                is_empty = false;
                let is_it = Fields::read(image.get())
                    .ok()
                    .and_then(|fields| fields.text("id"))
                    .is_some_and(|id| id.eq_ignore_ascii_case(pair.fpga_id));
                if is_it && group.ecs_id.eq_ignore_ascii_case(pair.ecs_id) {
                    return Ok(Some(true));
                }
            }
        }
        Ok(is_empty.then_some(false))
    }
}

fn group_of(json: &str) -> Result<Group<'_>, Unusable> {
    let mut fields = Fields::read(json).map_err(|reason| format!("an association is {reason}"))?;
    let ecs_id = id(&fields, "image_id")?;
    let images = match fields.take(FPGA_IMAGES)? {
        None => Vec::new(),
        Some(images) if images.get() == "null" => Vec::new(),
        Some(images) => items(images).ok_or_else(|| wrong(FPGA_IMAGES, "a list"))?,
    };
    Ok(Group {
        ecs_id,
        fields,
        images,
    })
}

/// An id, without which a pair is none; "" where it is missing or null.
pub fn id(fields: &Fields<'_>, name: &str) -> Result<String, Unusable> {
    if fields.get(name).is_none() {
        return Ok(String::new());
    }
    Ok(fields.text(name).ok_or_else(|| wrong(name, "a text"))?)
}

pub fn wrong(name: &str, expected: &str) -> String {
    format!("{name} is not {expected}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shows(body: &str) -> Result<Option<bool>, Unusable> {
        let pair = Pair::new("p", "abc1", "EF-2").unwrap();
        Page::read(body.as_bytes())?.shows(pair, || true)
    }

    #[test]
    fn a_list_tells_of_a_pair_only_where_it_has_that_pair_or_nothing() {
        for (body, shown) in [
            (r#"{"associations":[]}"#, Some(false)),
            (r#"{"associations":[{"image_id":"EF-2"}]}"#, Some(false)),
            (
                r#"{"associations":[{"image_id":"EF-2","fpgaimages":[]}]}"#,
                Some(false),
            ),
            (
                r#"{"associations":[{"image_id":"EF-2","fpgaimages":[{"id":"abc1"}]}]}"#,
                Some(true),
            ),
            (
                r#"{"associations":[{"image_id":"ef-2","fpgaimages":[{"id":"ABC1"}]}]}"#,
                Some(true),
            ),
            (
                r#"{"associations":[{"image_id":"EF-2","fpgaimages":[{"id":"other"}]}]}"#,
                None,
            ),
            (r#"{"associations":[{"fpgaimages":[{"id":"abc1"}]}]}"#, None),
            (
                r#"{"associations":[{"image_id":"EF-2","fpgaimages":[{}]}]}"#,
                None,
            ),
            (r#"{"associations":[7]}"#, None),
            (
                r#"{"associations":[{"image_id":"EF-2","fpgaimages":{}}]}"#,
                None,
            ),
            (
                r#"{"associations":[7,{"image_id":"EF-2","fpgaimages":["x",{"id":7},{"id":"abc1","size":[],"name":"\ud800"}]}]}"#,
                Some(true),
            ),
        ] {
            assert_eq!(shows(body), Ok(shown), "{body}");
        }
    }

    #[test]
    fn a_page_with_an_error_or_without_associations_shows_nothing() {
        for (body, is_error) in [
            (
                r#"{"associations":[],"error":{"code":"Ecs.0000","message":"no"}}"#,
                true,
            ),
            (r#"{"associations":[],"error_code":"APIGW.0301"}"#, true),
            (
                r#"{"message":"Authorization information is wrong","request_id":"r"}"#,
                true,
            ),
            (r#"{"associations":[],"associations":[]}"#, false),
            (r#"{"associations":null}"#, false),
            (r#"{"associations":{}}"#, false),
            ("{}", false),
            ("[]", false),
            ("", false),
            ("<html></html>", false),
        ] {
            match shows(body) {
                Err(Unusable::Error) => assert!(is_error, "{body}"),
                Err(Unusable::NotAList(_)) => assert!(!is_error, "{body}"),
                other => panic!("{body}: {other:?}"),
            }
        }
    }

    #[test]
    fn reading_ends_with_the_time() {
        let pair = Pair::new("p", "f", "e").unwrap();
        let body = br#"{"associations":[{"image_id":"e","fpgaimages":[{"id":"x"},{"id":"f"}]}]}"#;
        let page = Page::read(body).unwrap();
        let mut left = 2;
        let mut has_time = || {
            left -= 1;
            left > 0
        };
        assert_eq!(page.shows(pair, &mut has_time), Err(Unusable::NoTime));
    }
}

//! One page of the list call, as far as each reader needs it.

use serde_json::value::RawValue;

use super::document::{Fields, is_too_deep, items, text};
use super::sign::{Sign, sign_of};
use super::{Filter, Pair};
use crate::memory::OutOfMemory;

/// The longest id that is one, in bytes.
const MAX_ID: usize = 1024;

const ASSOCIATIONS: &str = "associations";
pub const FPGA_IMAGES: &str = "fpgaimages";

/// Why there is nothing to be had of a page.
#[derive(Debug, PartialEq, Eq)]
pub enum Unusable {
    /// It is none, or not as documented.
    NotAList(String),
    /// It carries an error.
    Error,
    /// There was no time, or no memory, to read it to its end.
    NoTime,
}

impl From<OutOfMemory> for Unusable {
    fn from(_: OutOfMemory) -> Self {
        Self::NoTime
    }
}

impl From<String> for Unusable {
    fn from(reason: String) -> Self {
        Self::NotAList(reason)
    }
}

/// A page, none of whose entries has been looked at.
pub struct Page<'a> {
    /// The document's other fields.
    pub fields: Fields<'a>,
    groups: Vec<&'a RawValue>,
    has_time: &'a dyn Fn() -> bool,
}

/// An ECS image, its other fields, and the FPGA images that are associated with it.
pub struct Group<'a> {
    pub ecs_id: String,
    pub fields: Fields<'a>,
    pub images: Vec<&'a RawValue>,
    has_images: bool,
}

/// Who is associated with an ECS image.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fill {
    /// The very FPGA image that it is asked about.
    pub has_the_pair: bool,
    /// As many others as the service allows.
    pub is_full: bool,
}

/// The most FPGA images that an ECS image may have.
pub const LIMIT: usize = 10;

impl<'a> Page<'a> {
    /// Reads a page's outermost form. Reading it ends where `has_time` says so.
    pub fn read(json: &'a str, has_time: &'a dyn Fn() -> bool) -> Result<Self, Unusable> {
        if is_too_deep(json) {
            return Err("the document has lists in lists without an end"
                .to_owned()
                .into());
        }
        let mut fields =
            Fields::read(json).map_err(|reason| format!("the document is {reason}"))?;
        let associations = fields.take(ASSOCIATIONS)?;
        let sign = sign_of(&fields);
        if sign == Sign::Error {
            return Err(Unusable::Error);
        }
        check(has_time)?;
        let groups = associations.and_then(items);
        let groups = match groups {
            Some(groups) if groups.is_empty() && sign == Sign::Words => {
                return Err(Unusable::Error);
            }
            None if sign == Sign::Words => return Err(Unusable::Error),
            None => return Err(wrong(ASSOCIATIONS, "a list").into()),
            Some(groups) => groups,
        };
        Ok(Self {
            fields,
            groups,
            has_time,
        })
    }

    /// Its ECS images, each read when its turn comes.
    pub fn groups(&self) -> impl Iterator<Item = Result<Group<'a>, Unusable>> {
        self.groups.iter().map(|group| group_of(group.get()))
    }

    /// Whether it has a pair; nothing where it has something else, so that it can't tell. Only ids
    /// count; the service may spell one in another letter case.
    pub fn shows(&self, pair: Pair<'_>) -> Result<Option<bool>, Unusable> {
        let mut is_empty = true;
        for group in self.groups() {
            check(self.has_time)?;
            let Ok(group) = group else {
                is_empty = false;
                continue;
            };
            // An ECS image without that field has it by another name, perhaps.
            is_empty &= group.has_images && group.images.is_empty();
            for id in self.ids_in(&group) {
                if is(&id?, pair.fpga_id) && is(&group.ecs_id, pair.ecs_id) {
                    return Ok(Some(true));
                }
            }
        }
        Ok(is_empty.then_some(false))
    }

    /// Who is associated with a pair's ECS image. Only ids count.
    pub fn fill_of(&self, pair: Pair<'_>) -> Result<Fill, Unusable> {
        let mut has_the_pair = false;
        let mut others: Vec<String> = Vec::new();
        for group in self.groups() {
            check(self.has_time)?;
            let Ok(group) = group else { continue };
            if !is(&group.ecs_id, pair.ecs_id) {
                continue;
            }
            for id in self.ids_in(&group) {
                let id = id?;
                let is_counted = others.iter().any(|other| is(other, &id));
                if is(&id, pair.fpga_id) {
                    has_the_pair = true;
                } else if !id.is_empty() && !is_counted && others.len() < LIMIT {
                    others.push(id);
                }
            }
        }
        Ok(Fill {
            has_the_pair,
            is_full: others.len() == LIMIT,
        })
    }

    /// Hands out all its pairs as ids, those of an ECS image and of an FPGA image, and says how many they
    /// are. A page with anything else is unusable: a pair that it does not show may be that.
    pub fn for_each_pair(
        &self,
        filter: Filter<'_>,
        each: &mut dyn FnMut(&str, &str),
    ) -> Result<usize, Unusable> {
        let is_of = |wanted: Option<&str>, id: &str| wanted.is_none_or(|wanted| is(id, wanted));
        let mut count = 0;
        for group in self.groups() {
            check(self.has_time)?;
            let group = group?;
            if !group.has_images {
                return Err(wrong(FPGA_IMAGES, "there").into());
            }
            if !is_of(filter.ecs_id, &group.ecs_id) {
                return Err("it is of other images".to_owned().into());
            }
            for id in self.ids_in(&group) {
                let id = id?;
                if id.is_empty() || group.ecs_id.is_empty() {
                    return Err("an image has no id".to_owned().into());
                }
                if !is_of(filter.fpga_id, &id) {
                    return Err("it is of other images".to_owned().into());
                }
                each(&group.ecs_id, &id);
                count += 1;
            }
        }
        Ok(count)
    }

    /// Whether it can be the answer to a list of these: as far as its first ECS image tells.
    pub fn can_be_of(&self, filter: Filter<'_>) -> bool {
        match (self.groups().next(), filter.ecs_id) {
            (Some(Ok(group)), Some(ecs_id)) => is(&group.ecs_id, ecs_id),
            _ => true,
        }
    }

    /// The id of each FPGA image; "" where it can't be read.
    fn ids_in(&self, group: &Group<'a>) -> impl Iterator<Item = Result<String, Unusable>> {
        group.images.iter().map(|image| {
            check(self.has_time)?;
            let fields = Fields::read(image.get()).unwrap_or_default();
            Ok(id(&fields, "id").unwrap_or_default())
        })
    }
}

/// The service may spell an id in another letter case.
fn is(id: &str, wanted: &str) -> bool {
    id.eq_ignore_ascii_case(wanted)
}

pub fn check(has_time: &dyn Fn() -> bool) -> Result<(), Unusable> {
    if has_time() {
        Ok(())
    } else {
        Err(Unusable::NoTime)
    }
}

fn group_of(json: &str) -> Result<Group<'_>, Unusable> {
    let mut fields = Fields::read(json).map_err(|reason| format!("an association is {reason}"))?;
    let ecs_id = id(&fields, "image_id")?;
    let images = fields.take(FPGA_IMAGES)?;
    let images = images.filter(|images| images.get() != "null");
    let has_images = images.is_some();
    let images = match images {
        None => Vec::new(),
        Some(images) => items(images).ok_or_else(|| wrong(FPGA_IMAGES, "a list"))?,
    };
    Ok(Group {
        ecs_id,
        fields,
        images,
        has_images,
    })
}

/// An id, without which a pair is none; "" where it is missing or null.
pub fn id(fields: &Fields<'_>, name: &str) -> Result<String, Unusable> {
    let value = fields.only(name)?;
    let Some(value) = value.filter(|value| value.get() != "null") else {
        return Ok(String::new());
    };
    let id = text(value).ok_or_else(|| wrong(name, "a text"))?;
    if id.len() > MAX_ID {
        return Err(wrong(name, "as short as an id").into());
    }
    Ok(id)
}

pub fn wrong(name: &str, expected: &str) -> String {
    format!("{name} is not {expected}")
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    const ALWAYS: &dyn Fn() -> bool = &|| true;

    fn pair() -> Pair<'static> {
        Pair::new("p", "abc1", "EF-2").unwrap()
    }

    fn shows(body: &str) -> Result<Option<bool>, Unusable> {
        Page::read(body, ALWAYS)?.shows(pair())
    }

    #[test]
    fn a_list_tells_of_a_pair_only_where_it_has_that_pair_or_nothing() {
        for (body, shown) in [
            (r#"{"associations":[]}"#, Some(false)),
            (r#"{"associations":[{"image_id":"EF-2"}]}"#, None),
            (
                r#"{"associations":[{"image_id":"EF-2","fpgaimages":null}]}"#,
                None,
            ),
            (
                r#"{"associations":[{"error":"no","fpgaimages":[]}]}"#,
                Some(false),
            ),
            (
                r#"{"associations":[],"default_page_size":100,"note":"\ud800"}"#,
                Some(false),
            ),
            (
                r#"{"associations":[{"image_id":"EF-2","fpgaimages":[{"id":"abc1","id":"x"}]}]}"#,
                None,
            ),
            (
                r#"{"associations":[{"image_id":"EF-2","fpgaimages":[{"\ud800":1,"id":"abc1"}]}],"message":"1 found"}"#,
                Some(true),
            ),
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
            (r#"{"associations":[],"message":"no"}"#, true),
            (
                r#"{"associations":[],"response":{"error":{"code":"Ecs.0005"}}}"#,
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
    fn an_ecs_image_is_counted_by_its_ids_whatever_else_is_wrong() {
        let ten: Vec<String> = (0..10)
            .map(|number| format!(r#"{{"id":"f{number}"}}"#))
            .collect();
        let with = |ecs_id: &str, images: &[&str]| {
            let images = images.join(",");
            format!(r#"{{"associations":[7,{{"image_id":"{ecs_id}","fpgaimages":[{images}]}}]}}"#)
        };
        let nine = ten[..9].join(",");
        let ten = ten.join(",");
        for (body, has_the_pair, is_full) in [
            (r#"{"associations":[]}"#.to_owned(), false, false),
            (with("ef-2", &[&ten]), false, true),
            (with("ef-2", &[r#"{"id":5},{},"x""#, &ten]), false, true),
            (with("ef-2", &[&nine, r#"{"id":5},{},"x""#]), false, false),
            (
                with("ef-2", &[&nine, r#"{"id":"F0"},{"id":"f0"}"#]),
                false,
                false,
            ),
            (with("ef-2", &[&nine, r#"{"id":"ABC1"}"#]), true, false),
            (with("other", &[&ten]), false, false),
        ] {
            let fill = Page::read(&body, ALWAYS).unwrap().fill_of(pair());
            let expected = Fill {
                has_the_pair,
                is_full,
            };
            assert_eq!(fill, Ok(expected), "{body}");
        }
    }

    #[test]
    fn reading_ends_with_the_time() {
        let body =
            r#"{"associations":[{"image_id":"EF-2","fpgaimages":[{"id":"x"},{"id":"abc1"}]}]}"#;
        let left = Cell::new(100);
        let has_time = || {
            left.set(left.get() - 1);
            left.get() > 0
        };
        assert_eq!(
            Page::read(body, &has_time).unwrap().shows(pair()),
            Ok(Some(true))
        );
        let needed = 100 - left.get();
        for enough in 1..=needed {
            left.set(enough);
            let page = Page::read(body, &has_time);
            let shown = page.and_then(|page| page.shows(pair()));
            assert_eq!(shown, Err(Unusable::NoTime), "{enough}");
        }
    }
}

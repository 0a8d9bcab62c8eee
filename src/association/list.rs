//! The answers of the list call, put together from their pages.

use std::borrow::Cow;
use std::collections::HashMap;
use std::collections::hash_map::Entry;

use serde_json::value::RawValue;

use super::document::{Fields, MAX_TEXT, quoted};
use super::page::{self, FPGA_IMAGES, Page, Unusable};
use crate::memory::{self, OutOfMemory};
use crate::secret::Traces;

/// What stands in place of a text that repeats the token.
pub const WITHHELD: &str = "the answer repeats the token";

/// The associations that the service listed, and its documents, put together.
#[derive(Debug, Default)]
pub struct List {
    associations: Vec<Association>,
    /// The documents' other fields as JSON, each with a comma before it.
    fields: String,
    names: Vec<String>,
    groups: Vec<Group>,
    /// Where the group of an ECS image is.
    places: HashMap<String, usize>,
    pages: usize,
}

/// An ECS image and the FPGA images that are associated with it, as the service has them.
#[derive(Debug)]
struct Group {
    /// All fields but the FPGA images, as JSON, each with a comma behind it.
    fields: String,
    /// The FPGA images as JSON, with commas between them: text takes a fraction of the memory of
    /// what was parsed.
    fpga_images: String,
    /// Each with the page that brought it.
    fpga_ids: HashMap<String, usize>,
}

/// One pair of a list: the documented fields, empty where the service gave none.
#[derive(Debug, Default, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Association {
    pub ecs_id: String,
    pub fpga_id: String,
    pub name: String,
    pub description: String,
    pub status: String,
    pub created_at: String,
    pub message: String,
    /// JSON.
    pub metadata: String,
    pub log_directory: String,
    pub size_mb: u64,
    pub is_protected: bool,
}

/// How much a page brought.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Brought {
    /// All its pairs.
    pub pairs: usize,
    /// Those that were not there yet.
    pub new: usize,
    /// Those that an earlier page had: the pages moved.
    pub repeated: usize,
}

/// The most pairs of a list.
const MAX_PAIRS: usize = 500_000;

impl List {
    /// Adds a page. The error says what is not as documented, and where; then nothing was added,
    /// unless the time ended.
    ///
    /// A pair that is there already is left out: pages shift when the service's data changes between
    /// them. What repeats the token is withheld.
    pub fn add(
        &mut self,
        page: &Page<'_>,
        token: &Traces,
        has_time: &dyn Fn() -> bool,
    ) -> Result<Brought, Unusable> {
        let shown = Shown { token, has_time };
        let mut read = Vec::new();
        let mut brought = Brought::default();
        for group in page.groups() {
            page::check(has_time)?;
            let group = group?;
            let mut images = Vec::new();
            memory::reserve_exact(&mut images, group.images.len())?;
            for image in group.images {
                page::check(has_time)?;
                // Its other fields later: those of all at once would take many times the memory.
                images.push((image_id(image)?, image));
            }
            brought.pairs += images.len();
            if self.associations.len() + brought.pairs > MAX_PAIRS {
                return Err(Unusable::NotAList(
                    "more pairs than can be listed".to_owned(),
                ));
            }
            memory::push(&mut read, (group.ecs_id, group.fields, images))?;
        }

        self.add_fields(&page.fields, &shown)?;
        self.pages += 1;
        let number = self.pages;
        for (ecs_id, fields, images) in read {
            let mut added = Vec::new();
            let shown_ecs_id = shown.text(ecs_id.clone())?;
            let Some(group) = self.group_of(ecs_id, &fields, &shown)? else {
                continue;
            };
            for (fpga_id, image) in images {
                page::check(has_time)?;
                memory::ask(|| group.fpga_ids.try_reserve(1))?;
                let is_new = match group.fpga_ids.entry(fpga_id) {
                    // Without an id nobody can say that it is the same.
                    Entry::Occupied(place) if place.key().is_empty() => true,
                    Entry::Occupied(place) => {
                        brought.repeated += usize::from(*place.get() != number);
                        false
                    }
                    Entry::Vacant(place) => {
                        place.insert(number);
                        true
                    }
                };
                if is_new {
                    brought.new += 1;
                    group.add(&shown.image(image)?)?;
                    memory::push(&mut added, association(&shown_ecs_id, image, &shown)?)?;
                }
            }
            memory::reserve(&mut self.associations, added.len())?;
            self.associations.append(&mut added);
        }
        Ok(brought)
    }

    /// All pairs, in the service's order.
    pub fn associations(&self) -> &[Association] {
        &self.associations
    }

    /// Whether another list has the same pairs in the same order.
    pub fn has_the_pairs_of(&self, other: &Self) -> bool {
        let ids = |one: &'_ Association| (one.ecs_id.clone(), one.fpga_id.clone());
        let [own, others] = [self, other].map(|list| list.associations.iter().map(ids));
        own.eq(others)
    }

    /// One document of the service's form with all pages. What this library does not know is as it
    /// came.
    pub fn json(&self) -> Result<String, OutOfMemory> {
        let mut json = String::new();
        memory::reserve_text(&mut json, self.length_of_json())?;
        memory::add(&mut json, &[r#"{"associations":["#])?;
        for (place, group) in self.groups.iter().enumerate() {
            let comma = if place > 0 { "," } else { "" };
            memory::add(&mut json, &[comma, "{", &group.fields])?;
            memory::add(
                &mut json,
                &["\"", FPGA_IMAGES, "\":[", &group.fpga_images, "]}"],
            )?;
        }
        memory::add(&mut json, &["]", &self.fields, "}"])?;
        Ok(json)
    }

    /// With room for what C wants at its end.
    fn length_of_json(&self) -> usize {
        const AROUND_A_GROUP: usize = r#",{"fpgaimages":[]}"#.len();
        const AROUND_ALL: usize = r#"{"associations":[]}"#.len() + 1;
        let groups = self.groups.iter();
        let groups =
            groups.map(|group| group.fields.len() + group.fpga_images.len() + AROUND_A_GROUP);
        groups.sum::<usize>() + self.fields.len() + AROUND_ALL
    }

    /// A field that several pages have is that of the first.
    fn add_fields(&mut self, fields: &Fields<'_>, shown: &Shown<'_>) -> Result<(), Unusable> {
        let names = &mut self.names;
        let is_new = &mut |name: &str| {
            let is_new = !names.iter().any(|one| one == name);
            if is_new {
                names.push(name.to_owned());
            }
            is_new
        };
        for json in shown.fields(fields, is_new)? {
            memory::add(&mut self.fields, &[",", &json])?;
        }
        Ok(())
    }

    fn group_of(
        &mut self,
        ecs_id: String,
        fields: &Fields<'_>,
        shown: &Shown<'_>,
    ) -> Result<Option<&mut Group>, Unusable> {
        let new = self.groups.len();
        memory::ask(|| self.places.try_reserve(1))?;
        memory::reserve(&mut self.groups, 1)?;
        let place = *self.places.entry(ecs_id).or_insert(new);
        if place == new {
            let mut json = String::new();
            for field in shown.fields(fields, &mut |_| true)? {
                memory::add(&mut json, &[&field, ","])?;
            }
            self.groups.push(Group {
                fields: json,
                fpga_images: String::new(),
                fpga_ids: HashMap::new(),
            });
        }
        Ok(self.groups.get_mut(place))
    }
}

impl Group {
    fn add(&mut self, image: &str) -> Result<(), OutOfMemory> {
        let comma = if self.fpga_images.is_empty() { "" } else { "," };
        memory::add(&mut self.fpga_images, &[comma, image])
    }
}

/// What may be shown of what came.
struct Shown<'a> {
    token: &'a Traces,
    has_time: &'a dyn Fn() -> bool,
}

impl Shown<'_> {
    fn hides(&self, text: &str) -> Result<bool, Unusable> {
        let found = self.token.are_in_within(text, self.has_time);
        found.ok_or(Unusable::NoTime)
    }

    fn text(&self, text: String) -> Result<String, Unusable> {
        if self.hides(&text)? {
            return Ok(WITHHELD.to_owned());
        }
        Ok(text)
    }

    /// A field that is a text; "" for every other.
    fn field_text(&self, fields: &Fields<'_>, name: &str) -> Result<String, Unusable> {
        memory::check()?;
        let value = fields.get(name).map_or("", RawValue::get);
        if value.len() > MAX_TEXT {
            return Err(format!("{name} is over 64 KiB long").into());
        }
        self.text(fields.text(name).unwrap_or_default())
    }

    /// A field as it came; one that is withheld is JSON too.
    fn field_json(&self, fields: &Fields<'_>, name: &str) -> Result<String, Unusable> {
        let value = fields.get(name).map_or("", RawValue::get);
        if self.hides(value)? {
            return Ok(quoted(WITHHELD));
        }
        Ok(memory::concat(&[value])?)
    }

    /// Fields as JSON: each that repeats the token is withheld, and all where they do so together.
    fn fields(
        &self,
        fields: &Fields<'_>,
        is_wanted: &mut dyn FnMut(&str) -> bool,
    ) -> Result<Vec<String>, Unusable> {
        let mut shown = Vec::new();
        for field in fields.iter().filter(|field| is_wanted(&field.name)) {
            page::check(self.has_time)?;
            let name = if self.hides(&field.name)? {
                quoted(WITHHELD)
            } else {
                field.raw_name.to_owned()
            };
            shown.push(if self.hides(field.value.get())? {
                format!(r#"{name}:"{WITHHELD}""#)
            } else {
                memory::concat(&[&name, ":", field.value.get()])?
            });
        }
        if shown.len() > 1 && self.hides(&joined(&shown)?)? {
            shown = vec![format!(r#""note":"{WITHHELD}""#)];
        }
        Ok(shown)
    }

    /// An FPGA image as JSON: as it came, unless a field of it is withheld.
    fn image<'a>(&self, image: &'a RawValue) -> Result<Cow<'a, str>, Unusable> {
        if !self.hides(image.get())? {
            return Ok(Cow::Borrowed(image.get()));
        }
        let fields = Fields::read(image.get()).unwrap_or_default();
        let fields = self.fields(&fields, &mut |_| true)?;
        let fields = joined(&fields)?;
        Ok(Cow::Owned(memory::concat(&["{", &fields, "}"])?))
    }
}

/// The texts with commas between them.
fn joined(texts: &[String]) -> Result<String, OutOfMemory> {
    let mut joined = String::new();
    for (place, text) in texts.iter().enumerate() {
        memory::add(&mut joined, &[if place > 0 { "," } else { "" }, text])?;
    }
    Ok(joined)
}

fn image_id(image: &RawValue) -> Result<String, Unusable> {
    let fields = Fields::read(image.get())
        .map_err(|reason| format!("an entry of {FPGA_IMAGES} is {reason}"))?;
    page::id(&fields, "id")
}

/// A field of another type than documented is empty, unless it is the id.
fn association(ecs_id: &str, image: &RawValue, shown: &Shown<'_>) -> Result<Association, Unusable> {
    let fields = Fields::read(image.get())?;
    let text = |name: &str| shown.field_text(&fields, name);
    let value = |name: &str| shown.field_json(&fields, name);
    Ok(Association {
        ecs_id: ecs_id.to_owned(),
        fpga_id: shown.text(page::id(&fields, "id")?)?,
        name: text("name")?,
        description: text("description")?,
        status: text("status")?,
        created_at: text("createdAt")?,
        message: text("message")?,
        metadata: value("metadata")?,
        log_directory: text("log_directory")?,
        size_mb: value("size")?.parse().unwrap_or_default(),
        is_protected: value("protected")? == "true",
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const DOCUMENT: &str = r#"{"associations":[{"image_id":"89e38a0a-de83-4f3d-83b9-a2df2c605487","fpgaimages":[
        {"id":"4010a32b5f231f04015f24259efd0429","name":"relate-test","description":"relate-test","status":"active",
         "size":40,"createdAt":"2017-10-16 07:46:06","protected":true,"message":null,
         "metadata":{"shell_type":"OCL","shell_version":"1.0"},"log_directory":"obs-fpga:vu9p/log"}]}]}"#;

    fn read(body: &str) -> Result<List, Unusable> {
        let mut list = List::default();
        add(&mut list, body, "")?;
        Ok(list)
    }

    fn add(list: &mut List, page: &str, token: &str) -> Result<Brought, Unusable> {
        let page = Page::read(page, &|| true)?;
        list.add(&page, &Traces::of(token), &|| true)
    }

    #[test]
    fn the_documents_example_is_read_in_all_its_fields() {
        let list = read(DOCUMENT).unwrap();
        let expected = Association {
            ecs_id: "89e38a0a-de83-4f3d-83b9-a2df2c605487".to_owned(),
            fpga_id: "4010a32b5f231f04015f24259efd0429".to_owned(),
            name: "relate-test".to_owned(),
            description: "relate-test".to_owned(),
            status: "active".to_owned(),
            created_at: "2017-10-16 07:46:06".to_owned(),
            message: "".to_owned(),
            metadata: r#"{"shell_type":"OCL","shell_version":"1.0"}"#.to_owned(),
            log_directory: "obs-fpga:vu9p/log".to_owned(),
            size_mb: 40,
            is_protected: true,
        };
        assert_eq!(list.associations(), [expected]);
        let json: Value = serde_json::from_str(&list.json().unwrap()).unwrap();
        assert_eq!(json, serde_json::from_str::<Value>(DOCUMENT).unwrap());
    }

    #[test]
    fn what_is_missing_or_null_is_empty() {
        for (body, pairs) in [
            (r#"{"associations":[]}"#, 0),
            (r#"{"associations":[{"image_id":"e"}]}"#, 0),
            (
                r#"{"associations":[{"image_id":"e","fpgaimages":null}]}"#,
                0,
            ),
            (
                r#"{"associations":[{"image_id":"e","fpgaimages":[{"id":"f"}]}]}"#,
                1,
            ),
            (
                r#"{"associations":[{"image_id":null,"fpgaimages":[{}]}]}"#,
                1,
            ),
            (
                r#"{"associations":[{"fpgaimages":[{"id":"f","size":null,"protected":null,"metadata":null}]}]}"#,
                1,
            ),
        ] {
            let list = read(body).unwrap_or_else(|error| panic!("{body}: {error:?}"));
            assert_eq!(list.associations().len(), pairs, "{body}");
        }
    }

    #[test]
    fn what_is_no_list_of_pairs_is_refused() {
        for (body, reason) in [
            ("", "not JSON"),
            ("<html></html>", "not JSON"),
            (&DOCUMENT[..DOCUMENT.len() - 1], "not JSON"),
            ("[]", "not an object"),
            ("{}", "associations is not a list"),
            (r#"{"associations":null}"#, "associations is not a list"),
            (r#"{"associations":{}}"#, "associations is not a list"),
            (r#"{"associations":[1]}"#, "not an object"),
            (
                r#"{"associations":[{"image_id":7}]}"#,
                "image_id is not a text",
            ),
            (
                r#"{"associations":[{"fpgaimages":{}}]}"#,
                "fpgaimages is not a list",
            ),
            (
                r#"{"associations":[{"fpgaimages":["f"]}]}"#,
                "not an object",
            ),
            (
                r#"{"associations":[{"fpgaimages":[{"id":1}]}]}"#,
                "id is not a text",
            ),
        ] {
            let error = format!("{:?}", read(body).map(|_| ()).unwrap_err());
            assert!(error.contains(reason), "{body}: {error}");
        }
    }

    #[test]
    fn a_field_of_another_type_is_empty_and_the_list_is_whole() {
        let image = r#"{"id":"f","name":[],"description":7,"status":{},"size":"40","createdAt":true,"protected":"yes","message":"\ud800","metadata":[1e999],"log_directory":1}"#;
        let body = format!(r#"{{"associations":[{{"image_id":"e","fpgaimages":[{image}]}}]}}"#);
        let list = read(&body).unwrap();
        let expected = Association {
            ecs_id: "e".to_owned(),
            fpga_id: "f".to_owned(),
            metadata: "[1e999]".to_owned(),
            ..Association::default()
        };
        assert_eq!(list.associations(), [expected]);
        assert_eq!(list.json().unwrap(), body);
    }

    #[test]
    fn what_the_service_said_stays_as_it_came() {
        let body = r#"{"associations":[{"image_id":"e","x":0.10,"fpgaimages":[{"id":"f", "n":123456789012345678901234567890,"z":1,"a":1e-9 }]}],"count":18446744073709551616,"next":null}"#;
        assert_eq!(read(body).unwrap().json().unwrap(), body);
    }

    #[test]
    fn what_repeats_the_token_is_withheld() {
        let token = "MIIFNgYJKoZIhvcNAQcCoIIF";
        let body = r#"{"associations":[{"image_id":"e","y":"MIIFNgYJ","fpgaimages":[
            {"id":"f","name":"MIIF NgYJ KoZI","description":"fine","metadata":{"x":["\u004dIIFNgYJKo"]},"z":[1]},
            {"id":"g","name":"MIIFN","description":"gYJKoZ"},
            {"id":"hMIIFNgYJ"},{"id":"iMIIFNgYJ"}]}],"note":"%4dIIFNgYJ"}"#;
        let mut list = List::default();
        add(&mut list, body, token).unwrap();
        let [first, second, third, fourth] = list.associations() else {
            panic!("not four")
        };
        assert_eq!((&*third.fpga_id, &*fourth.fpga_id), (WITHHELD, WITHHELD));
        assert_eq!(first.name, WITHHELD);
        assert_eq!(first.metadata, format!("\"{WITHHELD}\""));
        assert_eq!(first.description, "fine");
        assert_eq!(second.name, "MIIFN");
        let json: Value = serde_json::from_str(&list.json().unwrap()).unwrap();
        assert_eq!(json["note"], WITHHELD);
        assert_eq!(json["associations"][0]["y"], WITHHELD);
        let images = &json["associations"][0]["fpgaimages"];
        assert_eq!(images[0]["name"], WITHHELD);
        assert_eq!(images[0]["z"], json!([1]));
        assert_eq!(images[1]["id"], "g");
        assert!(!Traces::of(token).are_in(&list.json().unwrap()));
    }

    #[test]
    fn pages_are_put_together_without_a_pair_twice() {
        let page = |ecs_id: &str, fpga_ids: &[&str]| {
            let images: Vec<Value> = fpga_ids
                .iter()
                .map(|id| json!({ "id": id, "new": 1 }))
                .collect();
            json!({ "associations": [{ "image_id": ecs_id, "extra": "kept", "fpgaimages": images }] }).to_string()
        };
        let mut list = List::default();
        for (ecs_id, fpga_ids, pairs, new, repeated) in [
            ("a", &["1", "2", "1"][..], 3, 2, 0),
            ("a", &["2", "3"], 2, 1, 1),
            ("b", &["2"], 1, 1, 0),
            ("b", &["2"], 1, 0, 1),
        ] {
            let brought = add(&mut list, &page(ecs_id, fpga_ids), "");
            let expected = Brought {
                pairs,
                new,
                repeated,
            };
            assert_eq!(brought, Ok(expected));
        }
        let pairs: Vec<_> = list
            .associations()
            .iter()
            .map(|one| (one.ecs_id.as_str(), one.fpga_id.as_str()))
            .collect();
        assert_eq!(pairs, [("a", "1"), ("a", "2"), ("a", "3"), ("b", "2")]);
        let json: Value = serde_json::from_str(&list.json().unwrap()).unwrap();
        assert_eq!(json.pointer("/associations/0/extra"), Some(&json!("kept")));
        assert_eq!(
            json.pointer("/associations/0/fpgaimages/2/new"),
            Some(&json!(1))
        );
    }
}

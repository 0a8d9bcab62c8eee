//! The answers of the list call, read strictly and put together from their pages.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value};

use super::Pair;

/// The associations that the service listed, and its documents, put together.
#[derive(Debug, Default)]
pub struct List {
    associations: Vec<Association>,
    groups: Vec<Group>,
    /// Where the group of an ECS image is.
    places: HashMap<String, usize>,
}

/// An ECS image and the FPGA images that are associated with it, as the service has them.
#[derive(Debug)]
struct Group {
    /// All fields but the FPGA images.
    document: Map<String, Value>,
    /// The FPGA images as JSON, with commas between them: text takes a fraction of the memory of
    /// what was parsed.
    fpga_images: String,
    fpga_ids: HashSet<String>,
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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Brought {
    /// All its pairs.
    pub pairs: usize,
    /// Those that were not on an earlier page.
    pub new: usize,
}

const FPGA_IMAGES: &str = "fpgaimages";

impl List {
    /// Adds a page. The error says what is not as documented, and where; then nothing was added.
    ///
    /// A pair that an earlier page brought already is left out: pages shift when the service's data
    /// changes between them.
    pub fn add_page(&mut self, body: &[u8]) -> Result<Brought, String> {
        let document: Value =
            serde_json::from_slice(body).map_err(|error| format!("not JSON: {error}"))?;
        let mut brought = Brought { pairs: 0, new: 0 };
        for (ecs_id, document, images) in groups_of(document)? {
            let place = self.place_of(ecs_id, document);
            let group = self.groups.get_mut(place).ok_or("a group is lost")?;
            for (association, image) in images {
                brought.pairs += 1;
                if group.fpga_ids.insert(association.fpga_id.clone()) {
                    brought.new += 1;
                    group.add(&image);
                    self.associations.push(association);
                }
            }
        }
        Ok(brought)
    }

    /// Whether the list of a pair has it; nothing where it has something else, so that it can't
    /// tell. The service may spell an id in another letter case.
    pub fn tells_of(&self, pair: Pair<'_>) -> Option<bool> {
        let is_it = |one: &Association| {
            one.fpga_id.eq_ignore_ascii_case(pair.fpga_id)
                && one.ecs_id.eq_ignore_ascii_case(pair.ecs_id)
        };
        if self.associations.iter().any(is_it) {
            Some(true)
        } else if self.associations.is_empty() {
            Some(false)
        } else {
            None
        }
    }

    /// All pairs, in the service's order.
    pub fn associations(&self) -> &[Association] {
        &self.associations
    }

    /// One document of the service's form with all pages, fields that are not documented included.
    pub fn json(&self) -> String {
        let mut json = String::from(r#"{"associations":["#);
        for (place, group) in self.groups.iter().enumerate() {
            if place > 0 {
                json.push(',');
            }
            json.push('{');
            for (name, value) in &group.document {
                let name = Value::String(name.clone());
                json.push_str(&format!("{name}:{value},"));
            }
            json.push_str(&format!(r#""{FPGA_IMAGES}":["#));
            json.push_str(&group.fpga_images);
            json.push_str("]}");
        }
        json.push_str("]}");
        json
    }

    fn place_of(&mut self, ecs_id: String, document: Map<String, Value>) -> usize {
        let new = self.groups.len();
        let place = *self.places.entry(ecs_id).or_insert(new);
        if place == new {
            self.groups.push(Group {
                document,
                fpga_images: String::new(),
                fpga_ids: HashSet::new(),
            });
        }
        place
    }
}

impl Group {
    fn add(&mut self, image: &Value) {
        if !self.fpga_images.is_empty() {
            self.fpga_images.push(',');
        }
        self.fpga_images.push_str(&image.to_string());
    }
}

/// An ECS image's id, its other fields, and its FPGA images, each as it is read and as it is.
type PageGroup = (String, Map<String, Value>, Vec<(Association, Value)>);

fn groups_of(document: Value) -> Result<Vec<PageGroup>, String> {
    let Value::Object(mut document) = document else {
        return Err("the document is not an object".to_owned());
    };
    let Some(Value::Array(groups)) = document.remove("associations") else {
        return Err("associations is not a list".to_owned());
    };
    groups.into_iter().map(group_of).collect()
}

fn group_of(group: Value) -> Result<PageGroup, String> {
    let Value::Object(mut document) = group else {
        return Err("an association is not an object".to_owned());
    };
    let ecs_id = text(&document, "image_id")?;
    let images = match document.remove(FPGA_IMAGES) {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Array(images)) => images,
        Some(_) => return Err(wrong(FPGA_IMAGES, "a list")),
    };
    let read = |image: Value| Ok((association(&ecs_id, &image)?, image));
    let images = images
        .into_iter()
        .map(read)
        .collect::<Result<_, String>>()?;
    Ok((ecs_id, document, images))
}

fn association(ecs_id: &str, image: &Value) -> Result<Association, String> {
    let image = image
        .as_object()
        .ok_or_else(|| wrong(FPGA_IMAGES, "a list of objects"))?;
    Ok(Association {
        ecs_id: ecs_id.to_owned(),
        fpga_id: text(image, "id")?,
        name: text(image, "name")?,
        description: text(image, "description")?,
        status: text(image, "status")?,
        created_at: text(image, "createdAt")?,
        message: text(image, "message")?,
        metadata: match image.get("metadata") {
            None | Some(Value::Null) => String::new(),
            Some(metadata) => metadata.to_string(),
        },
        log_directory: text(image, "log_directory")?,
        size_mb: match image.get("size") {
            None | Some(Value::Null) => 0,
            Some(size) => size.as_u64().ok_or_else(|| wrong("size", "a number"))?,
        },
        is_protected: match image.get("protected") {
            None | Some(Value::Null) => false,
            Some(Value::Bool(is_protected)) => *is_protected,
            Some(_) => return Err(wrong("protected", "true or false")),
        },
    })
}

/// "" for a field that is missing or null.
fn text(fields: &Map<String, Value>, name: &str) -> Result<String, String> {
    match fields.get(name) {
        None | Some(Value::Null) => Ok(String::new()),
        Some(Value::String(text)) => Ok(text.clone()),
        Some(_) => Err(wrong(name, "a text")),
    }
}

fn wrong(name: &str, expected: &str) -> String {
    format!("{name} is not {expected}")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const DOCUMENT: &str = r#"{"associations":[{"image_id":"89e38a0a-de83-4f3d-83b9-a2df2c605487","fpgaimages":[
        {"id":"4010a32b5f231f04015f24259efd0429","name":"relate-test","description":"relate-test","status":"active",
         "size":40,"createdAt":"2017-10-16 07:46:06","protected":true,"message":null,
         "metadata":{"shell_type":"OCL","shell_version":"1.0"},"log_directory":"obs-fpga:vu9p/log"}]}]}"#;

    fn read(body: &str) -> Result<List, String> {
        let mut list = List::default();
        list.add_page(body.as_bytes())?;
        Ok(list)
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
        let json: Value = serde_json::from_str(&list.json()).unwrap();
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
            let list = read(body).unwrap_or_else(|error| panic!("{body}: {error}"));
            assert_eq!(list.associations().len(), pairs, "{body}");
        }
    }

    #[test]
    fn what_is_of_another_type_is_refused() {
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
                "not a list of objects",
            ),
            (
                r#"{"associations":[{"fpgaimages":[{"id":1}]}]}"#,
                "id is not a text",
            ),
            (
                r#"{"associations":[{"fpgaimages":[{"name":[]}]}]}"#,
                "name is not a text",
            ),
            (
                r#"{"associations":[{"fpgaimages":[{"size":"40"}]}]}"#,
                "size is not a number",
            ),
            (
                r#"{"associations":[{"fpgaimages":[{"size":-1}]}]}"#,
                "size is not a number",
            ),
            (
                r#"{"associations":[{"fpgaimages":[{"protected":"yes"}]}]}"#,
                "protected is not",
            ),
        ] {
            let error = read(body).map(|_| ()).unwrap_err();
            assert!(error.contains(reason), "{body}: {error}");
        }
    }

    #[test]
    fn a_list_tells_of_a_pair_only_where_it_has_that_pair_or_nothing() {
        let pair = Pair::new("p", "abc1", "EF-2").unwrap();
        for (body, told) in [
            (r#"{"associations":[]}"#, Some(false)),
            (r#"{"associations":[{"image_id":"EF-2"}]}"#, Some(false)),
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
        ] {
            assert_eq!(read(body).unwrap().tells_of(pair), told, "{body}");
        }
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
        for (ecs_id, fpga_ids, pairs, new) in [
            ("a", &["1", "2"][..], 2, 2),
            ("a", &["2", "3"], 2, 1),
            ("b", &["2"], 1, 1),
            ("b", &["2"], 1, 0),
        ] {
            let brought = list.add_page(page(ecs_id, fpga_ids).as_bytes());
            assert_eq!(brought, Ok(Brought { pairs, new }));
        }
        let pairs: Vec<_> = list
            .associations()
            .iter()
            .map(|one| (one.ecs_id.as_str(), one.fpga_id.as_str()))
            .collect();
        assert_eq!(pairs, [("a", "1"), ("a", "2"), ("a", "3"), ("b", "2")]);
        let json: Value = serde_json::from_str(&list.json()).unwrap();
        assert_eq!(json.pointer("/associations/0/extra"), Some(&json!("kept")));
        assert_eq!(
            json.pointer("/associations/0/fpgaimages/2/new"),
            Some(&json!(1))
        );
    }
}

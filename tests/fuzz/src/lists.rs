//! The pages of a list, with a byte 0x1e between them.

use std::collections::BTreeSet;

use fpga_associate::association::{Association, List, Page, Pair, Unusable};
use fpga_associate::secret::Traces;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::told::repeats;

const BETWEEN: u8 = 0x1e;

/// An answer must not repeat it.
const TOKEN: &str = "MIIF~NgYJK~oZIh~vcNAQ~cCoII~FJzCC~";

const FPGA_ID: &str = "f1";
const ECS_ID: &str = "e1";

pub fn run(data: &[u8]) {
    let pages: Vec<_> = data
        .split(|byte| *byte == BETWEEN)
        .map(String::from_utf8_lossy)
        .collect();
    for page in &pages {
        check_questions(page);
    }
    let shown = read(&pages, &Traces::of(TOKEN));
    check_bounds(&shown);
    check_secret(&shown);

    let nothing = Traces::of("");
    let list = read(&pages, &nothing);
    assert_eq!(list.associations().len(), shown.associations().len());
    check_bounds(&list);
    // The fields of several pages can say something together that none of them does.
    if let [_] = pages[..]
        && !list.associations().is_empty()
    {
        let json = list.json().unwrap();
        let again = read(&[json.as_str().into()], &nothing);
        assert_eq!(sorted(&again), sorted(&list), "{json}");
        assert_eq!(again.json().unwrap(), json);
    }
}

fn read(pages: &[std::borrow::Cow<'_, str>], token: &Traces) -> List {
    let mut list = List::default();
    let mut new = 0;
    for page in pages {
        let brought = Page::read(page, &|| true).and_then(|page| list.add(&page, token, &|| true));
        match brought {
            Ok(brought) => {
                assert!(brought.new + brought.repeated <= brought.pairs);
                new += brought.new;
            }
            Err(unusable) => assert_ne!(unusable, Unusable::NoTime),
        }
        assert_eq!(list.associations().len(), new);
    }
    list
}

fn sorted(list: &List) -> Vec<[&str; 9]> {
    let mut all: Vec<_> = list.associations().iter().map(texts).collect();
    all.sort_unstable();
    all
}

fn texts(one: &Association) -> [&str; 9] {
    [
        &one.ecs_id,
        &one.fpga_id,
        &one.name,
        &one.description,
        &one.status,
        &one.created_at,
        &one.message,
        &one.metadata,
        &one.log_directory,
    ]
}

fn check_bounds(list: &List) {
    let json = list.json().unwrap();
    serde_json::from_str::<&RawValue>(&json).unwrap();
    let mut pairs = BTreeSet::new();
    for one in list.associations() {
        assert!(one.ecs_id.len() <= 1024 && one.fpga_id.len() <= 1024);
        assert!(texts(one).iter().all(|text| text.len() <= 64 * 1024));
        if !one.metadata.is_empty() {
            serde_json::from_str::<&RawValue>(&one.metadata).unwrap();
        }
        let is_withheld = one.fpga_id.contains(' ') || one.ecs_id.contains(' ');
        let is_new = pairs.insert((&one.ecs_id, &one.fpga_id));
        assert!(is_new || one.fpga_id.is_empty() || is_withheld, "{one:?}");
    }
}

fn check_secret(list: &List) {
    let is_told = |text: &str| repeats(text, TOKEN.as_bytes());
    assert!(!is_told(&list.json().unwrap()));
    assert!(
        !list
            .associations()
            .iter()
            .any(|one| texts(one).iter().any(|text| is_told(text)))
    );
}

/// What the list is asked about a pair, and what another reader finds in it.
fn check_questions(json: &str) {
    let pair = Pair::new("p", FPGA_ID, ECS_ID).unwrap();
    let Ok(page) = Page::read(json, &|| true) else {
        return;
    };
    let (shows, fill) = (page.shows(pair).unwrap(), page.fill_of(pair).unwrap());
    assert!(shows != Some(true) || fill.has_the_pair);
    assert!(shows != Some(false) || !(fill.has_the_pair || fill.is_full));
    // Names that stand twice are read as others have them.
    let Ok(document) = serde_json::from_str::<Value>(json) else {
        return;
    };
    let is_twice = |name: &str| json.matches(name).count() > groups(&document).len();
    if is_twice("fpgaimages") || is_twice("image_id") || json.contains('\\') {
        return;
    }
    let ids = |group: &Value, name: &str| {
        group
            .get(name)
            .and_then(Value::as_str)
            .map(str::to_ascii_lowercase)
    };
    let mut found = BTreeSet::new();
    let mut is_empty = true;
    for group in groups(&document) {
        let images = group.get("fpgaimages").and_then(Value::as_array);
        is_empty &= images.is_some_and(Vec::is_empty);
        for image in images.into_iter().flatten() {
            if ids(group, "image_id").as_deref() == Some(ECS_ID) {
                found.extend(ids(image, "id"));
            }
        }
    }
    match shows {
        Some(true) => assert!(found.contains(FPGA_ID), "{json}"),
        Some(false) => assert!(is_empty, "{json}"),
        None => {}
    }
    found.remove(FPGA_ID);
    assert!(!fill.is_full || found.len() >= 10, "{json}");
}

fn groups(document: &Value) -> &[Value] {
    let groups = document.get("associations").and_then(Value::as_array);
    groups.map_or(&[], Vec::as_slice)
}

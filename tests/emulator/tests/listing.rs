//! The list call.
mod support;

use std::collections::HashSet;

use ecs_emulator::Emulator;
use serde_json::{Value, json};
use support::{Answer, Client};

/// (FPGA image, ECS image) of each entry.
fn pairs(answer: &Answer) -> Vec<(String, String)> {
    assert_eq!(answer.status, 200, "{answer:?}");
    let mut pairs = Vec::new();
    for group in answer.json()["associations"].as_array().unwrap() {
        for fpga_image in group["fpgaimages"].as_array().unwrap() {
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            pairs.push((text(&fpga_image["id"]), text(&group["image_id"])));
        }
    }
    pairs
}

#[test]
fn an_associated_image_is_listed_with_all_its_fields_and_protected() {
    let ecs = Emulator::start().unwrap();
    let client = Client::new(&ecs);
    let (fpga_id, ecs_id) = (&ecs.fpga_ids()[0], &ecs.ecs_ids()[0]);
    client.associate(fpga_id, ecs_id);

    let listed = client.list(&format!("?image_id={ecs_id}")).json();
    let expected = json!({"associations": [{"image_id": ecs_id, "fpgaimages": [{
        "id": fpga_id,
        "name": "vu9p-kernel-1",
        "description": "Kernel 1, 250 MHz",
        "status": "active",
        "size": 40,
        "createdAt": "2017-10-16 07:00:06",
        "protected": true,
        "message": null,
        "metadata": {"shell_type": "OCL", "shell_version": "1.0"},
        "log_directory": "obs-fpga:vu9p/log",
    }]}]});
    assert_eq!(listed, expected);

    client.disassociate(fpga_id, ecs_id);
    let listed = client.list(&format!("?image_id={ecs_id}")).json();
    assert_eq!(listed, json!({"associations": []}));
}

#[test]
fn the_ids_choose_the_pairs() {
    let ecs = Emulator::start().unwrap();
    let client = Client::new(&ecs);
    let [f0, f1, ..] = ecs.fpga_ids() else {
        unreachable!()
    };
    let [e0, e1, ..] = ecs.ecs_ids() else {
        unreachable!()
    };
    for (fpga_id, ecs_id) in [(f0, e0), (f0, e1), (f1, e0)] {
        assert!(ecs.associate(fpga_id, ecs_id));
    }
    let table = [
        (String::new(), 0),
        ("?image_id=&fpga_image_id=&page=&size=".to_owned(), 0),
        (format!("?image_id={e0}"), 2),
        (format!("?image_id={e1}"), 1),
        (format!("?fpga_image_id={f0}"), 2),
        (format!("?fpga_image_id={f1}"), 1),
        (format!("?image_id={e0}&fpga_image_id={f1}"), 1),
        (format!("?image_id={e1}&fpga_image_id={f1}"), 0),
        ("?image_id=gone".to_owned(), 0),
        ("?fpga_image_id=gone".to_owned(), 0),
        ("?page=1&size=100".to_owned(), 0),
    ];
    for (query, count) in table {
        assert_eq!(pairs(&client.list(&query)).len(), count, "{query}");
    }
}

#[test]
fn the_pairs_of_one_ecs_image_stand_in_one_group() {
    let ecs = Emulator::start().unwrap();
    let client = Client::new(&ecs);
    for fpga_id in &ecs.fpga_ids()[..3] {
        ecs.associate(fpga_id, &ecs.ecs_ids()[0]);
    }
    let listed = client.list(&format!("?image_id={}", ecs.ecs_ids()[0]));
    assert_eq!(listed.json()["associations"].as_array().unwrap().len(), 1);
    assert_eq!(pairs(&listed).len(), 3);
}

#[test]
fn page_and_size_have_ranges_and_come_together() {
    let ecs = Emulator::start().unwrap();
    let client = Client::new(&ecs);
    let table = [
        ("page=1&size=1", None),
        ("page=65534&size=100", None),
        ("page=1", Some("size")),
        ("size=1", Some("page")),
        ("page=&size=1", Some("page")),
        ("page=0&size=1", Some("page")),
        ("page=65535&size=1", Some("page")),
        ("page=1&size=0", Some("size")),
        ("page=1&size=101", Some("size")),
        ("page=-1&size=1", Some("page")),
        ("page=%2B1&size=1", Some("page")),
        ("page=+1&size=1", Some("page")),
        ("page=1&size=%2B1", Some("size")),
        ("page=0x1&size=1", Some("page")),
        ("page=1&size=99999999999999999999", Some("size")),
    ];
    for id in ["", "image_id=gone&", "fpga_image_id=gone&"] {
        for (paging, wrong) in table {
            let answer = client.list(&format!("?{id}{paging}"));
            match wrong {
                None => assert_eq!(pairs(&answer), [], "{id}{paging}"),
                Some(name) => {
                    let text = format!("parameter {name} is invalid.");
                    let expected = (400, "Ecs.0005".to_owned(), text);
                    assert_eq!(answer.refusal(), expected, "{id}{paging}");
                }
            }
        }
    }
}

#[test]
fn paging_is_ignored_when_both_ids_are_given() {
    let ecs = Emulator::start().unwrap();
    let client = Client::new(&ecs);
    let (fpga_id, ecs_id) = (&ecs.fpga_ids()[0], &ecs.ecs_ids()[0]);
    ecs.associate(fpga_id, ecs_id);
    for paging in ["", "&page=9&size=1", "&page=1", "&size=0"] {
        let query = format!("?image_id={ecs_id}&fpga_image_id={fpga_id}{paging}");
        assert_eq!(pairs(&client.list(&query)).len(), 1, "{paging}");
    }
}

#[test]
fn ten_thousand_pairs_come_in_pages_each_pair_once() {
    let ecs = Emulator::start().unwrap();
    let client = Client::new(&ecs);
    let fpga_id = &ecs.fpga_ids()[0];
    for ecs_id in ecs.add_ecs_images(9_950) {
        assert!(ecs.associate(fpga_id, &ecs_id));
    }
    let mut seen = HashSet::new();
    for page in 1..=100 {
        let query = format!("?fpga_image_id={fpga_id}&page={page}&size=100");
        let listed = pairs(&client.list(&query));
        assert_eq!(listed.len(), if page < 100 { 100 } else { 50 });
        seen.extend(listed);
    }
    assert_eq!(seen, ecs.associations().into_iter().collect());
    let query = format!("?fpga_image_id={fpga_id}&page=101&size=100");
    assert_eq!(pairs(&client.list(&query)), []);
}

#[test]
fn both_images_of_a_pair_tell_the_same_of_it() {
    let ecs = Emulator::start().unwrap();
    let client = Client::new(&ecs);
    let (fpga_id, ecs_id) = (&ecs.fpga_ids()[0], &ecs.ecs_ids()[0]);
    let agree = |count: usize| {
        let expected = vec![(fpga_id.clone(), ecs_id.clone()); count];
        for query in [
            format!("?image_id={ecs_id}"),
            format!("?fpga_image_id={fpga_id}"),
            format!("?image_id={ecs_id}&fpga_image_id={fpga_id}"),
        ] {
            assert_eq!(pairs(&client.list(&query)), expected, "{query}");
        }
        assert_eq!(ecs.associations(), expected);
    };
    agree(0);
    assert_eq!(client.associate(fpga_id, ecs_id).status, 204);
    agree(1);
    assert_eq!(client.disassociate(fpga_id, ecs_id).status, 204);
    agree(0);
    assert!(ecs.associate(fpga_id, ecs_id));
    agree(1);
    ecs.clear();
    agree(0);
}

#[test]
fn a_page_counts_pairs_and_not_groups() {
    let ecs = Emulator::start().unwrap();
    let client = Client::new(&ecs);
    let ecs_id = &ecs.ecs_ids()[0];
    for fpga_id in ecs.add_fpga_images(25) {
        ecs.associate(&fpga_id, ecs_id);
    }
    let sizes = [1, 2, 3, 4].map(|page| {
        let query = format!("?image_id={ecs_id}&page={page}&size=10");
        pairs(&client.list(&query)).len()
    });
    assert_eq!(sizes, [10, 10, 5, 0]);
}

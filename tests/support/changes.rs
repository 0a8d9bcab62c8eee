//! Changes of the emulator's associations, and a server that lists what a test says.

use std::io::Write;

use ecs_emulator::Emulator;

use super::call::Outcome;
use super::client::Client;
use super::raw::{Server, Then, answer};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    Associate,
    Disassociate,
}

/// A service with room for all associations of a test.
pub fn service() -> Emulator {
    let service = Emulator::start_plain().unwrap();
    service.set_limit(100_000);
    service
}

pub fn make(client: &Client, service: &Emulator, call: Call, fpga_id: &str) -> Outcome {
    let (token, project_id) = (service.token(), service.project_id());
    let ecs_id = &service.ecs_ids()[0];
    match call {
        Call::Associate => client.associate(token, project_id, fpga_id, ecs_id),
        Call::Disassociate => client.disassociate(token, project_id, fpga_id, ecs_id),
    }
}

pub fn has(service: &Emulator, fpga_id: &str) -> bool {
    service.associations().iter().any(|(id, _)| id == fpga_id)
}

/// The list of one pair.
pub fn list_of(ecs_id: &str, fpga_id: &str) -> String {
    format!(r#"{{"associations":[{{"image_id":"{ecs_id}","fpgaimages":[{{"id":"{fpga_id}"}}]}}]}}"#)
}

/// Answers the first request with these bytes, and every later one with the list.
pub fn first_then_list(first: impl Into<Vec<u8>>, list: &str) -> Server {
    let (first, list) = (first.into(), answer(200, "", list));
    Server::start(move |nth, stream| {
        stream.write_all(if nth == 0 { &first } else { &list }).ok();
        Then::Keep
    })
}

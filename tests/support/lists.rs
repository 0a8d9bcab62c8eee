//! Lists, by the emulator and by a server of bytes.

use std::io::Write;

use ecs_emulator::{Emulator, Settings};
use serde_json::{Value, json};

use super::call::{ECS_ID, Outcome, PROJECT_ID, TOKEN};
use super::client::{Client, List, config};
use super::raw::{Server, Then, answer};

pub fn service() -> Emulator {
    let service = Emulator::start_with(Settings {
        tls: false,
        ..Settings::default()
    })
    .unwrap();
    service.set_limit(1_000_000);
    service
}

/// The list of an ECS image from a server of bytes.
pub fn list_from(client: &Client) -> Result<List, Outcome> {
    client.associations(TOKEN, PROJECT_ID, None, Some(ECS_ID))
}

pub fn once(server: &Server) -> Result<List, Outcome> {
    // A large list takes a busy machine its time.
    let settings = config().max_attempts(1).timeout_ms(600_000);
    list_from(&settings.client(&server.endpoint()))
}

pub fn json_answer(document: &Value) -> Vec<u8> {
    answer(
        200,
        "Content-Type: application/json\r\n",
        document.to_string(),
    )
}

/// A page of pairs whose FPGA images are numbered from `first`.
pub fn page(first: usize, count: usize) -> Value {
    let images: Vec<Value> = (first..first + count)
        .map(|number| json!({ "id": format!("fpga-{number}"), "name": "n", "size": 40, "protected": true }))
        .collect();
    json!({ "associations": [{ "image_id": ECS_ID, "fpgaimages": images }] })
}

/// Answers the requests in turn, and the ones after them as the last.
pub fn in_turn(documents: Vec<Value>) -> Server {
    Server::start(move |nth, stream| {
        let document = documents.get(nth).or(documents.last()).unwrap();
        stream.write_all(&json_answer(document)).ok();
        Then::Keep
    })
}

pub fn first_line(request: &[u8]) -> String {
    let text = String::from_utf8_lossy(request);
    text.lines().next().unwrap_or_default().to_owned()
}

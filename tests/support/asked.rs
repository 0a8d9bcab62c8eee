//! Clients whose callback remembers why it was asked.

use std::sync::{Arc, Mutex};

use ecs_emulator::Emulator;

use super::call::Outcome;
use super::client::{Client, config};
use super::credentials::Grant;

pub const FIRST: i32 = 1;
pub const REFUSED: i32 = 3;

pub fn associate(client: &Client, service: &Emulator) -> Outcome {
    let (fpga_id, ecs_id) = (&service.fpga_ids()[0], &service.ecs_ids()[0]);
    client.own_associate(service.project_id(), fpga_id, ecs_id)
}

/// Remembers why it was asked.
#[derive(Clone, Default)]
pub struct Asked(Arc<Mutex<Vec<i32>>>);

impl Asked {
    pub fn note(&self, reason: i32) -> usize {
        let mut reasons = self.0.lock().unwrap();
        reasons.push(reason);
        reasons.len()
    }

    pub fn reasons(&self) -> Vec<i32> {
        self.0.lock().unwrap().clone()
    }
}

/// A client that asks this function, and what it was asked for.
pub fn asking(
    endpoint: &str,
    grant: impl Fn(usize, &Grant) + Send + Sync + 'static,
) -> (Client, Asked) {
    let asked = Asked::default();
    let client = config().idempotent().credentials({
        let asked = asked.clone();
        move |reason, answer| grant(asked.note(reason), answer)
    });
    (client.client(endpoint), asked)
}

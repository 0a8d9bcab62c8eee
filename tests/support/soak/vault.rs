//! Where the host's callback gets credentials, which live two seconds.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use ecs_emulator::Emulator;

use super::super::raw::Server;

/// In seconds. Whole ones are counted, so that it may be a second less.
const LIFE: u32 = 2;

/// One question in so many is answered with an access key, whose end is told; the host learns the end of
/// tokens by a refusal.
const QUESTIONS_OF_KEY: u64 = 4;

/// One in so many is not answered.
const QUESTIONS_OF_SILENCE: u64 = 11;

/// Answers each connection.
pub fn vault(emulator: Arc<Emulator>) -> Server {
    let questions = AtomicU64::new(0);
    Server::serve(move |mut visit| {
        let question = questions.fetch_add(1, Ordering::Relaxed);
        let answer = match question {
            _ if question % QUESTIONS_OF_SILENCE == QUESTIONS_OF_SILENCE - 1 => String::new(),
            _ if question % QUESTIONS_OF_KEY == QUESTIONS_OF_KEY - 1 => {
                let key = emulator.issue_temporary_access_key(LIFE.into());
                let security_token = key.security_token.unwrap();
                let ends = now() + u64::from(LIFE);
                format!(
                    "key {} {} {security_token} {ends}",
                    key.access_key, key.secret_key
                )
            }
            _ => format!("token {} 0", emulator.issue_token(LIFE.into())),
        };
        // The host may have ended.
        visit.stream.write_all(answer.as_bytes()).ok();
    })
}

fn now() -> u64 {
    let time = SystemTime::now().duration_since(UNIX_EPOCH);
    time.unwrap_or_default().as_secs()
}

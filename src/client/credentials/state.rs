//! What a keyring has, and what came of the tries to get others.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::held::Held;
use super::renewal::{Life, Need, now};
use super::source::Reason;
use crate::error::Error;
use crate::status::Status;

/// The service locks a key for five minutes. So long it is not tried again, lest that begin anew.
const LOCKED: Duration = Duration::from_secs(60);

/// More locked keys than anybody has.
const MAX_LOCKED: usize = 64;

/// What a keyring has.
#[derive(Debug, Default)]
pub struct State {
    current: Option<Current>,
    /// What it had before.
    previous: Option<Arc<Held>>,
    /// When others were last asked for.
    tried: Option<Instant>,
    /// How often that came to an end, and the error where the last time was in vain.
    ends: u64,
    error: Option<Error>,
    /// The keys that the service locked, and when it said so.
    locked: Vec<(String, Instant)>,
    /// The thread that asks the host now.
    asking: Option<usize>,
}

#[derive(Debug)]
struct Current {
    held: Arc<Held>,
    life: Life,
    /// Which of the tries brought it.
    try_number: u64,
}

/// What a look at the keyring finds.
pub enum Found {
    /// These do.
    Good(Arc<Held>),
    /// These do, and others should be asked for.
    Old(Arc<Held>),
    /// Others are needed, since so many tries came to an end.
    Nothing(Reason, u64),
}

impl State {
    /// Whether what it has does; not where it was refused.
    pub fn look(&self, refused: Option<&Arc<Held>>) -> Found {
        let Some(Current { held, life, .. }) = &self.current else {
            return Found::Nothing(Reason::REASON_FIRST, self.ends);
        };
        if refused.is_some_and(|refused| Arc::ptr_eq(refused, held)) {
            return Found::Nothing(Reason::REASON_REFUSED, self.ends);
        }
        match life.need(now(), self.tried) {
            Need::None => Found::Good(Arc::clone(held)),
            Need::Soft => Found::Old(Arc::clone(held)),
            Need::Hard => Found::Nothing(Reason::REASON_EXPIRING, self.ends),
        }
    }

    /// The same after a wait; what came of it in vain is told to all who waited.
    pub fn look_again(&self, refused: Option<&Arc<Held>>, ends: u64) -> Result<Found, Error> {
        let has_ended = self.ends > ends;
        match (&self.error, &self.current) {
            (Some(error), _) if has_ended => Err(error.clone()),
            // However short its life is, it was got just now.
            (None, Some(current))
                if current.try_number > ends
                    && !refused.is_some_and(|refused| Arc::ptr_eq(refused, &current.held)) =>
            {
                Ok(Found::Good(Arc::clone(&current.held)))
            }
            _ => Ok(self.look(refused)),
        }
    }

    /// For how long the key is not tried.
    pub fn locked_for(&self, held: &Held) -> Option<Duration> {
        let access_key = held.access_key()?;
        let mut locked = self.locked.iter().rev();
        let (_, since) = locked.find(|(locked, _)| locked == access_key)?;
        LOCKED.checked_sub(since.elapsed())
    }

    /// The service said that it locked the key.
    pub fn lock_out(&mut self, access_key: &str) {
        self.locked.retain(|(_, since)| since.elapsed() < LOCKED);
        self.locked.truncate(MAX_LOCKED);
        self.locked.push((access_key.to_owned(), Instant::now()));
    }

    /// All that it has, and had last.
    pub fn known(&self) -> impl Iterator<Item = Arc<Held>> {
        let current = self.current.as_ref().map(|current| &current.held);
        current.into_iter().chain(&self.previous).map(Arc::clone)
    }

    /// The thread that asks for others now.
    pub fn asking(&self) -> Option<usize> {
        self.asking
    }

    /// A thread begins to ask for others.
    pub fn begin(&mut self, thread: usize) {
        self.tried = Some(Instant::now());
        self.asking = Some(thread);
    }

    /// It has ended, and this came of it.
    pub fn end(&mut self, result: &Result<Arc<Held>, Error>) {
        self.asking = None;
        self.ends += 1;
        // That the thread had no time, or memory, is nothing to the others.
        let is_told = |error: &&Error| error.status == Status::CREDENTIALS_FAILED;
        self.error = result.as_ref().err().filter(is_told).cloned();
        if let Ok(held) = result {
            let before = self.current.take();
            self.previous = before.map(|current| current.held);
            self.current = Some(Current {
                try_number: self.ends,
                held: Arc::clone(held),
                life: Life {
                    began: now(),
                    ends: held.expires_at(),
                },
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_locked_key_is_left_alone_for_a_minute() {
        let held = Held::of_access_key("AK", "secret", None, None).unwrap();
        let other = Held::of_access_key("KA", "secret", None, None).unwrap();
        let mut state = State::default();
        assert_eq!(state.locked_for(&held), None);
        state.lock_out("AK");
        let left = state.locked_for(&held).unwrap();
        assert!(left > Duration::from_secs(50) && left <= LOCKED, "{left:?}");
        assert_eq!(state.locked_for(&other), None);
        for (seconds, is_locked) in [(59, true), (61, false)] {
            if let Some(then) = Instant::now().checked_sub(Duration::from_secs(seconds)) {
                state.locked = vec![("AK".to_owned(), then)];
                assert_eq!(state.locked_for(&held).is_some(), is_locked, "{seconds}");
            }
        }
    }
}

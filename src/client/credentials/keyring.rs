//! The credentials of one client: one thread at a time gets others, and those that need them wait for
//! it.

use std::cell::Cell;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::held::Held;
use super::renewal::{Life, Need};
use super::source::{Reason, Source};
use crate::error::Error;
use crate::log::{Level, Log};
use crate::memory::{self, OutOfMemory};
use crate::status::Status;
use crate::text;
use crate::transport::{Deadline, Endpoint, Failure, Gate, PerProcess, Transport};

/// The service locks a key for five minutes. So long it is not tried again, lest that begin anew.
const LOCKED: Duration = Duration::from_secs(60);

/// More locked keys than anybody has.
const MAX_LOCKED: usize = 64;

const MAX_REASON: usize = 480;

thread_local! {
    /// The keyring for which this thread asks the host; of several, the latest.
    static ASKING: Cell<usize> = const { Cell::new(0) };
}

/// The credentials that a client has, and where it gets others. A child of fork has its own.
#[derive(Debug)]
pub struct Keyring {
    source: Source,
    own: PerProcess<Own>,
}

#[derive(Debug, Default)]
struct Own {
    state: Mutex<State>,
    /// Through which who gets others goes.
    gate: Gate,
}

#[derive(Debug, Default)]
struct State {
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

/// Who asks for credentials, and how long that may take.
#[derive(Clone, Copy)]
pub struct Asking<'a> {
    /// The name of the call.
    pub call: &'static str,
    /// Where it goes.
    pub endpoint: &'a Endpoint,
    /// Whose waits these are.
    pub transport: &'a Transport,
    /// Until when.
    pub deadline: Deadline,
    /// Who wants to read about it.
    pub log: &'a Log,
}

/// What a look at the keyring finds.
enum Found {
    /// These do.
    Good(Arc<Held>),
    /// These do, and others should be asked for.
    Old(Arc<Held>),
    /// Others are needed, since so many tries came to an end.
    Nothing(Reason, u64),
}

impl Keyring {
    /// Empty, if it is to be filled from elsewhere.
    pub fn new(source: Source) -> Self {
        Self {
            source,
            own: PerProcess::new(),
        }
    }

    /// Where it gets credentials.
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// Wakes those who wait for another thread; the client was shut down.
    pub fn wake_all(&self) {
        if let Some(own) = self.own.get() {
            own.gate.wake_all();
        }
    }

    /// All that it has, and had last: what must not be shown.
    pub fn known(&self) -> Vec<Arc<Held>> {
        let mut known = Vec::new();
        if let Source::Fixed(held) = &self.source {
            known.push(Arc::clone(held));
        }
        if let Some(own) = self.own.get() {
            let state = own.locked();
            let current = state.current.as_ref();
            known.extend(current.map(|current| Arc::clone(&current.held)));
            known.extend(state.previous.clone());
        }
        known
    }

    /// Whether this very thread is asking the host for this client's credentials just now.
    pub fn is_asking_here(&self) -> bool {
        let asking = self.own.get().and_then(|own| own.locked().asking);
        // A child of fork knows nothing of what its parent's threads do.
        asking == Some(this_thread()) || ASKING.get() == self.number()
    }

    /// The key was locked by the service.
    pub fn lock_out(&self, held: &Held) {
        if let (Some(own), Some(access_key)) = (self.own.get(), held.access_key()) {
            let locked = &mut own.locked().locked;
            locked.retain(|(_, since)| since.elapsed() < LOCKED);
            locked.truncate(MAX_LOCKED);
            locked.push((access_key.to_owned(), Instant::now()));
        }
    }

    /// Credentials to send a request with; others than those that were refused, where there are any.
    pub fn take(
        &self,
        refused: Option<&Arc<Held>>,
        asking: &Asking<'_>,
    ) -> Result<Arc<Held>, Error> {
        let mut held = match &self.source {
            Source::Fixed(held) => Arc::clone(held),
            _ => self.current(refused, asking)?,
        };
        if self.source.can_renew() && self.locked_for(&held)?.is_some() {
            held = self.current(Some(&held), asking)?;
        }
        match self.locked_for(&held)? {
            None => Ok(held),
            Some(left) => {
                let seconds = left.as_secs() + 1;
                let reason = format!(
                    "the service has locked the access key after failures; it is not tried again for {seconds} s"
                );
                Err(asking.failed(Status::CREDENTIALS_FAILED, &reason))
            }
        }
    }

    fn locked_for(&self, held: &Held) -> Result<Option<Duration>, OutOfMemory> {
        Ok(self.own()?.locked().locked_for(held))
    }

    /// A number that no other client's has now.
    fn number(&self) -> usize {
        std::ptr::from_ref(self).addr()
    }

    /// What this process has. Whoever asks the host may come back from it in a child.
    fn own(&self) -> Result<&Own, OutOfMemory> {
        self.own.get_or_make(|| Ok(Own::default()))
    }

    fn current(
        &self,
        refused: Option<&Arc<Held>>,
        asking: &Asking<'_>,
    ) -> Result<Arc<Held>, Error> {
        let own = self.own()?;
        let found = own.locked().look(refused);
        match found {
            Found::Good(held) => Ok(held),
            Found::Old(held) => Ok(self.renewed(own, held, asking)),
            Found::Nothing(_, ends) => {
                let mut done = || {
                    let state = own.locked();
                    match state.look_again(refused, ends) {
                        Ok(Found::Good(held) | Found::Old(held)) => Some(Ok(held)),
                        Ok(Found::Nothing(..)) => None,
                        Err(error) => Some(Err(error)),
                    }
                };
                let pass = asking.transport.pass(&own.gate, asking.deadline, &mut done);
                let pass = match pass.map_err(|failure| asking.interrupted(&failure))? {
                    Ok(pass) => pass,
                    Err(done) => return done,
                };
                let found = own.locked().look(refused);
                let reason = match found {
                    Found::Good(held) | Found::Old(held) => return Ok(held),
                    Found::Nothing(reason, _) => reason,
                };
                let result = self.get(own, reason, asking);
                // The host's functions may call this client.
                drop(pass);
                asking.tell(&result);
                // A call that was shut down, or has no time, learns that.
                result.map_err(|error| match asking.transport.check(asking.deadline) {
                    Err(failure) => asking.interrupted(&failure),
                    Ok(()) => error,
                })
            }
        }
    }

    /// Others, where they can be had now; else these.
    fn renewed(&self, own: &Own, held: Arc<Held>, asking: &Asking<'_>) -> Arc<Held> {
        // Whoever is there already sees to it.
        let Some(pass) = own.gate.try_pass() else {
            return held;
        };
        let found = own.locked().look(None);
        if let Found::Good(held) = found {
            return held;
        }
        // The call itself needs most of its time.
        let deadline = asking.deadline.within(asking.deadline.left() / 4);
        let others = self.get(
            own,
            Reason::REASON_EXPIRING,
            &Asking {
                deadline,
                ..*asking
            },
        );
        drop(pass);
        asking.tell(&others);
        others.unwrap_or_else(|error| {
            asking.log.line(Level::LOG_WARNING, || {
                format!("{}; those that are there still do", error.message)
            });
            held
        })
    }

    /// Gets others, for whom it is the turn.
    fn get(&self, own: &Own, reason: Reason, asking: &Asking<'_>) -> Result<Arc<Held>, Error> {
        {
            let mut state = own.locked();
            state.tried = Some(Instant::now());
            state.asking = Some(this_thread());
        }
        let outer = ASKING.replace(self.number());
        let result = self.source.get(reason, asking);
        ASKING.set(outer);
        // What lives on must not be in the allocator's reserve.
        let result = result.and_then(|held| memory::check().map(|()| held).map_err(Error::from));
        // Who forked meanwhile leaves what is its parent's alone.
        if !self.own.get().is_some_and(|now| std::ptr::eq(now, own)) {
            return result;
        }
        let mut state = own.locked();
        state.asking = None;
        state.ends += 1;
        // That this thread had no time, or memory, is nothing to the others.
        let is_told = |error: &&Error| error.status == Status::CREDENTIALS_FAILED;
        state.error = result.as_ref().err().filter(is_told).cloned();
        if let Ok(held) = &result {
            let before = state.current.take();
            state.previous = before.map(|current| current.held);
            state.current = Some(Current {
                try_number: state.ends,
                held: Arc::clone(held),
                life: Life {
                    began: now(),
                    ends: held.expires_at(),
                },
            });
        }
        result
    }
}

impl Own {
    fn locked(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn look(&self, refused: Option<&Arc<Held>>) -> Found {
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
    fn look_again(&self, refused: Option<&Arc<Held>>, ends: u64) -> Result<Found, Error> {
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
    fn locked_for(&self, held: &Held) -> Option<Duration> {
        let access_key = held.access_key()?;
        let mut locked = self.locked.iter().rev();
        let (_, since) = locked.find(|(locked, _)| locked == access_key)?;
        LOCKED.checked_sub(since.elapsed())
    }
}

impl Asking<'_> {
    /// Has the log say what came.
    fn tell(&self, result: &Result<Arc<Held>, Error>) {
        if let Ok(held) = result {
            self.log.line(Level::LOG_INFO, || {
                let life = match held.expires_at() {
                    Some(end) => format!("they expire in {} s", end.saturating_sub(now())),
                    None => "when they expire is not known".to_owned(),
                };
                format!("{}: got credentials; {life}", self.call)
            });
        }
    }

    /// No credentials came.
    pub fn failed(&self, status: Status, reason: &str) -> Error {
        let Self { call, endpoint, .. } = self;
        let reason = text::bounded(&text::one_line(reason), MAX_REASON);
        Error::new(
            status,
            &format!("{call}: getting credentials for {endpoint}: {reason}"),
        )
    }

    /// The wait for them ended first.
    pub fn interrupted(&self, failure: &Failure) -> Error {
        self.failed(failure.status, &failure.reason)
    }
}

/// Seconds since 1970.
pub fn now() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.map_or(0, |now| i64::try_from(now.as_secs()).unwrap_or(i64::MAX))
}

/// A number that no other thread has now.
fn this_thread() -> usize {
    thread_local!(static HERE: u8 = const { 0 });
    HERE.with(|here| std::ptr::from_ref(here).addr())
}

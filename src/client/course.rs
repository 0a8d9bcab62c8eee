//! The course of a call: verdicts are carried out, and what comes of it becomes facts.

use std::time::{Duration, Instant};

use super::exchange::{Attempt, Session, must_stop};
use super::told::{Known, told};
use super::verdict::{Aim, Ending, Facts, Latest, Shown, Verdict, verdict};
use super::waits;
use crate::association::Pair;
use crate::error::{Error, Observed};
use crate::log::Level;
use crate::status::Status;
use crate::transport::{Deadline, Kept};

/// The part of its time that a change leaves for questions to the list, and the most of it.
const TIME_TO_ASK: u32 = 5;
const MOST_TIME_TO_ASK: Duration = Duration::from_secs(5);

/// What a call is about.
#[derive(Clone, Copy)]
pub enum Subject<'a> {
    /// To bring a pair to what is wanted of it.
    Change(Pair<'a>, Aim),
    /// To read something.
    List,
}

/// Sends the request once, and waits for its answer until the moment.
pub type Sending<'a> = &'a mut dyn FnMut(Kept, Deadline) -> Result<(), Attempt>;

/// What has happened so far.
struct Course<'a> {
    session: &'a Session<'a>,
    subject: Subject<'a>,
    /// When the service's own answer is no longer waited for.
    until: Deadline,
    attempt: u32,
    pause: Duration,
    was_replaced: bool,
    requests: u32,
    latest: Latest,
    was_kept: bool,
    is_in_doubt: bool,
    must_stop: bool,
    must_ask_first: bool,
    shown: Shown,
    looks: u32,
    observed: Observed,
    /// What the caller is told of the latest request, and of the latest that is in doubt.
    error: Option<Error>,
    doubt: Option<Error>,
}

impl Session<'_> {
    /// Sends the request, again where that is safe, until the call is done or has failed.
    pub fn carry_out(&self, subject: Subject<'_>, send: Sending<'_>) -> Result<(), Error> {
        let mut course = Course::new(self, subject);
        course.send(send);
        loop {
            match verdict(&course.facts()) {
                Verdict::Done => return Ok(()),
                Verdict::SendAgain => course.send_again(send),
                Verdict::Replace => course.replace(send),
                Verdict::Renew => course.renew(send),
                Verdict::Ask(wait) => course.ask(wait),
                Verdict::Count => course.count(),
                Verdict::GiveUp(ending) => return Err(course.error(ending)),
            }
        }
    }
}

impl<'a> Course<'a> {
    fn new(session: &'a Session<'a>, subject: Subject<'a>) -> Self {
        let settings = session.settings;
        let until = match subject {
            Subject::Change(..) if settings.confirm => session
                .deadline
                .before((session.terms.time / TIME_TO_ASK).min(MOST_TIME_TO_ASK)),
            _ => session.deadline,
        };
        Self {
            session,
            subject,
            until,
            attempt: 0,
            pause: Duration::ZERO,
            was_replaced: false,
            requests: u32::from(session.terms.is_repeated),
            latest: Latest::Unsent,
            was_kept: false,
            is_in_doubt: false,
            must_stop: false,
            must_ask_first: false,
            shown: Shown::Nothing,
            looks: 0,
            observed: Observed::OBSERVED_NOTHING,
            error: None,
            doubt: None,
        }
    }

    fn facts(&self) -> Facts {
        let settings = self.session.settings;
        let caller = self.session.report.caller;
        let is_spent = caller.is_spent();
        let (time_to_send, left) = self.times();
        Facts {
            aim: self.aim(),
            latest: self.latest,
            is_repeated: self.requests > 1,
            is_in_doubt: self.is_in_doubt,
            must_stop: self.must_stop,
            must_ask_first: self.must_ask_first,
            shown: self.shown,
            looks: self.looks,
            has_attempt: self.attempt < settings.max_attempts
                && self.pause < time_to_send
                && !self.leaves_it(),
            may_renew: self.latest == Latest::Denied
                && caller.may_renew()
                && !time_to_send.is_zero(),
            is_spent,
            may_replace: self.was_kept
                && !self.was_replaced
                && !is_spent
                && !time_to_send.is_zero(),
            left,
            confirm: settings.confirm,
            idempotent: self.session.terms.idempotent,
        }
    }

    /// Whether the request is sent again by who made the call.
    fn leaves_it(&self) -> bool {
        let is_throttled = |error: &Error| error.status == Status::THROTTLED;
        self.session.terms.leaves_busy && self.error.as_ref().is_some_and(is_throttled)
    }

    /// How long a request may still take, and the call. A success needs no time, and reading the clock
    /// costs more than all else that is done about one.
    fn times(&self) -> (Duration, Duration) {
        if self.latest == Latest::Success {
            return (Duration::ZERO, Duration::ZERO);
        }
        let now = Instant::now();
        (self.until.left_at(now), self.session.deadline.left_at(now))
    }

    fn send_again(&mut self, send: Sending<'_>) {
        self.log(Level::LOG_WARNING, |course| {
            let ms = course.pause.as_millis();
            format!("{}; again in {ms} ms", course.message())
        });
        if self.wait(self.pause) {
            self.send(send);
        }
    }

    fn send(&mut self, send: Sending<'_>) {
        self.attempt += 1;
        self.was_replaced = false;
        self.log(Level::LOG_DEBUG, |course| {
            let most = course.session.settings.max_attempts;
            format!("{}: attempt {} of {most}", course.name(), course.attempt)
        });
        let result = send(Kept::Welcome, self.until);
        self.note(result);
    }

    fn replace(&mut self, send: Sending<'_>) {
        self.was_replaced = true;
        self.log(Level::LOG_INFO, |course| {
            format!("{}; once more on a new connection", course.message())
        });
        let result = send(Kept::Stale, self.until);
        self.note(result);
    }

    /// Gets other credentials, and sends the request with them as a part of the same attempt.
    fn renew(&mut self, send: Sending<'_>) {
        self.log(Level::LOG_INFO, |course| {
            format!("{}; asking for other credentials", course.message())
        });
        let session = self.session;
        match session.report.caller.renew(&session.asking()) {
            Ok(true) => {
                let result = send(Kept::Welcome, self.until);
                self.note(result);
            }
            // The refusal stands.
            Ok(false) => {}
            Err(error) if error.status == Status::CONNECTION_LOST => {
                self.note(Err(session.unproven(error)));
            }
            Err(error) if must_stop(error.status) => self.stop(error),
            Err(error) => {
                let refusal = self.message().to_owned();
                let error = error.explained(&refusal);
                self.error = Some(match self.error.take() {
                    Some(refused) => Error {
                        http_status: refused.http_status,
                        code: refused.code,
                        request_id: refused.request_id,
                        retry_after_ms: refused.retry_after_ms,
                        ..error
                    },
                    None => error,
                });
            }
        }
    }

    /// Makes facts of what became of a request.
    fn note(&mut self, result: Result<(), Attempt>) {
        self.shown = Shown::Nothing;
        self.looks = 0;
        let attempt = match result {
            Ok(()) => {
                self.latest = Latest::Success;
                return;
            }
            Err(attempt) => attempt,
        };
        self.latest = attempt.latest;
        self.was_kept = attempt.was_kept;
        if attempt.was_sent {
            self.requests += 1;
            // What was seen before tells nothing of it.
            self.observed = Observed::OBSERVED_NOTHING;
        }
        self.pause = waits::pause(self.attempt, attempt.error.retry_after_ms);
        self.error = Some(attempt.error);
        self.must_stop = attempt.must_stop;
        if self.latest.is_in_doubt() && !matches!(self.subject, Subject::List) {
            self.is_in_doubt = true;
            self.must_ask_first |= self.latest.may_have_acted();
            self.doubt.clone_from(&self.error);
        }
    }

    fn ask(&mut self, wait: Duration) {
        let Subject::Change(pair, aim) = self.subject else {
            return;
        };
        if !self.wait(wait) {
            return;
        }
        self.log(Level::LOG_INFO, |course| {
            format!("{}: asking the list what became of it", course.name())
        });
        self.looks += 1;
        match self.session.look(pair) {
            Ok(Some(is_associated)) => self.see(is_associated, aim),
            Ok(None) => self.shown = Shown::Unclear,
            Err(error) => self.cannot_tell(error, Shown::Unclear),
        }
    }

    fn see(&mut self, is_associated: bool, aim: Aim) {
        (self.observed, self.shown) = match (is_associated, aim) {
            (true, Aim::Associated) => (Observed::OBSERVED_ASSOCIATED, Shown::AsWanted),
            (true, _) => (Observed::OBSERVED_ASSOCIATED, Shown::NotAsWanted),
            (false, Aim::Apart) => (Observed::OBSERVED_APART, Shown::AsWanted),
            (false, _) => (Observed::OBSERVED_APART, Shown::NotAsWanted),
        };
        if self.shown == Shown::NotAsWanted {
            self.must_ask_first = false;
        }
    }

    fn count(&mut self) {
        let Subject::Change(pair, aim) = self.subject else {
            return;
        };
        self.log(Level::LOG_INFO, |course| {
            format!("{}: counting what the ECS image has", course.name())
        });
        let not_full = match self.shown {
            Shown::NotAsWanted => Shown::NotFull,
            _ => Shown::Refused,
        };
        match self.session.fill_of(pair) {
            Ok(fill) if fill.has_the_pair => self.see(true, aim),
            Ok(fill) if fill.is_full => self.shown = Shown::Full,
            Ok(_) => self.shown = not_full,
            Err(error) => self.cannot_tell(error, not_full),
        }
    }

    /// The list could not be had. Where it was refused, it will be the next time.
    fn cannot_tell(&mut self, error: Error, shown: Shown) {
        if must_stop(error.status) {
            self.stop(error);
            return;
        }
        self.log(Level::LOG_WARNING, |_| {
            format!("the list can't tell: {}", error.message)
        });
        let is_refused = matches!(
            error.status,
            Status::UNAUTHORIZED | Status::FORBIDDEN | Status::NOT_FOUND | Status::REJECTED
        );
        self.shown = match shown {
            Shown::Unclear if is_refused => Shown::Refused,
            shown => shown,
        };
    }

    /// Whether the wait came to its end; not where the client was shut down.
    fn wait(&mut self, time: Duration) -> bool {
        let time = time.max(self.session.held_back());
        if time.is_zero() {
            return true;
        }
        let slept = self.session.transport.sleep_until(Deadline::after(time));
        if let Err(failure) = slept {
            self.stop(self.session.report.failure(&failure));
            return false;
        }
        true
    }

    fn stop(&mut self, error: Error) {
        self.must_stop = true;
        self.error = Some(error);
    }

    /// What the caller is told.
    fn error(&self, ending: Ending) -> Error {
        let known = Known {
            latest: self.error.as_ref(),
            doubt: self.doubt.as_ref(),
            shown: self.shown,
            observed: self.observed,
        };
        Error {
            attempts: self.attempt,
            ..told(&known, ending, self.aim())
        }
    }

    fn aim(&self) -> Aim {
        match self.subject {
            Subject::Change(_, aim) => aim,
            Subject::List => Aim::List,
        }
    }

    fn message(&self) -> &str {
        let error = self.error.as_ref();
        error.map_or("", |error| error.message.as_str())
    }

    fn name(&self) -> String {
        let report = &self.session.report;
        format!("{} at {}", report.call, report.endpoint)
    }

    fn log(&self, level: Level, line: impl FnOnce(&Self) -> String) {
        self.session.settings.log.line(level, || line(self));
    }
}

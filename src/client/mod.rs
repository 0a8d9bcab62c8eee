//! One call: a request under one deadline, and what its answer or its failure means for the caller.

mod report;

use std::time::Duration;

use crate::association::{self, Method, Pair, Token};
use crate::error::Error;
use crate::transport::{Deadline, Endpoint, Request, Transport};
use report::Report;

/// The whole call: resolving, connecting, TLS, sending, waiting and reading.
const TIMEOUT: Duration = Duration::from_secs(30);

const USER_AGENT: &str = concat!("fpga-associate/", env!("CARGO_PKG_VERSION"));

/// Makes calls, from any number of threads.
#[derive(Debug, Default)]
pub struct Client {
    transport: Transport,
}

impl Client {
    /// Associates the pair's FPGA image with its ECS image.
    pub fn associate(
        &self,
        endpoint: &Endpoint,
        token: Token<'_>,
        pair: Pair<'_>,
    ) -> Result<(), Error> {
        self.call(endpoint, token, &association::associate(pair))
    }

    fn call(
        &self,
        endpoint: &Endpoint,
        token: Token<'_>,
        call: &association::Request,
    ) -> Result<(), Error> {
        let deadline = Deadline::after(TIMEOUT);
        let report = Report {
            call: call.name,
            endpoint,
            token,
        };
        let request = Request {
            method: match call.method {
                Method::Post => "POST",
            },
            path: &call.path,
            headers: &[
                ("user-agent", USER_AGENT),
                ("accept", "application/json"),
                ("content-type", "application/json"),
                ("x-auth-token", token.value()),
            ],
            body: call.body.as_bytes(),
        };
        let answer = self
            .transport
            .exchange(endpoint, request, deadline)
            .map_err(|failure| report.failure(&failure))?;
        association::outcome(answer.http_status, &answer.body)
            .map_err(|refusal| report.refusal(&answer, &refusal))?;
        if answer.is_complete {
            Ok(())
        } else {
            Err(report.endless_success(&answer))
        }
    }
}

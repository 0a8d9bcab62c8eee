//! How a call can end: the numbers, their names, and what to do about each.

use std::ffi::CStr;

/// How a call ended. Every function of this library that can fail returns one of these numbers as
/// `int32_t`.
///
/// A number never changes its meaning and is never used again for another. All fit a process's exit
/// status. `fpga_assoc_status_name` and `fpga_assoc_status_help` explain each in words.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
// The variants are spelled as in C, where each also carries the prefix FPGA_ASSOC_.
#[allow(non_camel_case_types, clippy::upper_case_acronyms)]
pub enum Status {
    /// The service did what was asked.
    OK = 0,
    /// The caller's mistake: an argument is missing or unusable. Nothing was sent.
    INVALID_ARGUMENT = 1,
    /// The host name has no address. Nothing was sent, or all that was sent before was refused.
    RESOLVE_FAILED = 2,
    /// No TCP connection could be made. Nothing was sent, or all that was sent before was refused.
    CONNECT_FAILED = 3,
    /// The proxy refused, failed, or asks for credentials (407). Nothing was sent to the service, or all that
    /// was sent before was refused.
    PROXY_FAILED = 4,
    /// The TLS handshake failed or the certificate is not trusted. Nothing of the request was sent, or all
    /// that was sent before was refused.
    TLS_FAILED = 5,
    /// The deadline passed. `fpga_assoc_error_outcome_unknown` tells whether the request had begun
    /// to go out.
    TIMEOUT = 6,
    /// The connection broke after the request began to go out: the service may have acted on it.
    CONNECTION_LOST = 7,
    /// The answer is not HTTP, is over a size limit, or is not the documented JSON where JSON is
    /// needed.
    BAD_RESPONSE = 8,
    /// The client was shut down.
    CANCELLED = 9,
    /// No usable credentials could be had: nothing was sent to the service, or all that was sent before
    /// was refused, such as with HTTP 401 because of those that there were.
    CREDENTIALS_FAILED = 10,
    /// Memory ran out, and the call was stopped. `fpga_assoc_error_outcome_unknown` tells whether the
    /// request had begun to go out.
    OUT_OF_MEMORY = 11,
    /// The service refused the request: HTTP 400, and any 4xx without a status of its own here.
    REJECTED = 20,
    /// The token or the access key is missing, wrong or expired: HTTP 401.
    UNAUTHORIZED = 21,
    /// The user may not do this: HTTP 403.
    FORBIDDEN = 22,
    /// The service does not know what was named: HTTP 404.
    NOT_FOUND = 23,
    /// Another change is under way: HTTP 409.
    CONFLICT = 24,
    /// Too many requests: HTTP 429, or a flow-control code under any HTTP status.
    THROTTLED = 25,
    /// The service failed: HTTP 5xx. It may have acted, or may yet act.
    SERVICE_FAILED = 26,
    /// An answer that this call does not know: HTTP 1xx, 3xx (redirects are never followed), 600 and
    /// over, and 2xx with something else than success has. The service may have acted.
    UNEXPECTED_STATUS = 27,
    /// The service accepted the request (HTTP 202), and the list did not show it as done within the
    /// call's time. It may be done later.
    PENDING = 28,
    /// The two images were associated already, as the list shows, and not by this call.
    ALREADY_ASSOCIATED = 29,
    /// The two images were not associated, as the list shows, and not because of this call.
    NOT_ASSOCIATED = 30,
    /// The list shows ten or more other FPGA images at the ECS image.
    LIMIT_REACHED = 31,
    /// A plan was carried out, or stopped, and not every pair is as wanted: each that failed has an error
    /// of its own.
    INCOMPLETE = 32,
    /// A defect in this library, contained.
    INTERNAL = 99,
}

impl Status {
    /// All statuses, in the order of their numbers.
    pub const ALL: &'static [Status] = &[
        Self::OK,
        Self::INVALID_ARGUMENT,
        Self::RESOLVE_FAILED,
        Self::CONNECT_FAILED,
        Self::PROXY_FAILED,
        Self::TLS_FAILED,
        Self::TIMEOUT,
        Self::CONNECTION_LOST,
        Self::BAD_RESPONSE,
        Self::CANCELLED,
        Self::CREDENTIALS_FAILED,
        Self::OUT_OF_MEMORY,
        Self::REJECTED,
        Self::UNAUTHORIZED,
        Self::FORBIDDEN,
        Self::NOT_FOUND,
        Self::CONFLICT,
        Self::THROTTLED,
        Self::SERVICE_FAILED,
        Self::UNEXPECTED_STATUS,
        Self::PENDING,
        Self::ALREADY_ASSOCIATED,
        Self::NOT_ASSOCIATED,
        Self::LIMIT_REACHED,
        Self::INCOMPLETE,
        Self::INTERNAL,
    ];

    /// The number that C callers see.
    pub fn number(self) -> i32 {
        self as i32
    }

    /// The status with this number, if there is one.
    pub fn from_number(number: i32) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|status| status.number() == number)
    }

    /// The constant's name in the C header.
    pub fn name(self) -> &'static CStr {
        match self {
            Self::OK => c"FPGA_ASSOC_OK",
            Self::INVALID_ARGUMENT => c"FPGA_ASSOC_INVALID_ARGUMENT",
            Self::RESOLVE_FAILED => c"FPGA_ASSOC_RESOLVE_FAILED",
            Self::CONNECT_FAILED => c"FPGA_ASSOC_CONNECT_FAILED",
            Self::PROXY_FAILED => c"FPGA_ASSOC_PROXY_FAILED",
            Self::TLS_FAILED => c"FPGA_ASSOC_TLS_FAILED",
            Self::TIMEOUT => c"FPGA_ASSOC_TIMEOUT",
            Self::CONNECTION_LOST => c"FPGA_ASSOC_CONNECTION_LOST",
            Self::BAD_RESPONSE => c"FPGA_ASSOC_BAD_RESPONSE",
            Self::CANCELLED => c"FPGA_ASSOC_CANCELLED",
            Self::CREDENTIALS_FAILED => c"FPGA_ASSOC_CREDENTIALS_FAILED",
            Self::OUT_OF_MEMORY => c"FPGA_ASSOC_OUT_OF_MEMORY",
            Self::REJECTED => c"FPGA_ASSOC_REJECTED",
            Self::UNAUTHORIZED => c"FPGA_ASSOC_UNAUTHORIZED",
            Self::FORBIDDEN => c"FPGA_ASSOC_FORBIDDEN",
            Self::NOT_FOUND => c"FPGA_ASSOC_NOT_FOUND",
            Self::CONFLICT => c"FPGA_ASSOC_CONFLICT",
            Self::THROTTLED => c"FPGA_ASSOC_THROTTLED",
            Self::SERVICE_FAILED => c"FPGA_ASSOC_SERVICE_FAILED",
            Self::UNEXPECTED_STATUS => c"FPGA_ASSOC_UNEXPECTED_STATUS",
            Self::PENDING => c"FPGA_ASSOC_PENDING",
            Self::ALREADY_ASSOCIATED => c"FPGA_ASSOC_ALREADY_ASSOCIATED",
            Self::NOT_ASSOCIATED => c"FPGA_ASSOC_NOT_ASSOCIATED",
            Self::LIMIT_REACHED => c"FPGA_ASSOC_LIMIT_REACHED",
            Self::INCOMPLETE => c"FPGA_ASSOC_INCOMPLETE",
            Self::INTERNAL => c"FPGA_ASSOC_INTERNAL",
        }
    }

    /// The likely cause and what to do, in a sentence or two.
    pub fn help(self) -> &'static CStr {
        match self {
            Self::OK => c"The service did what was asked.",
            Self::INVALID_ARGUMENT => {
                c"An argument is missing or unusable; the message names it and the reason. Nothing was sent."
            }
            Self::RESOLVE_FAILED => {
                c"The endpoint's host name has no address. Check its spelling, the region, and this machine's DNS."
            }
            Self::CONNECT_FAILED => {
                c"No TCP connection to the endpoint. Check the host and port, the network, and whether a firewall is in the way."
            }
            Self::PROXY_FAILED => {
                c"The proxy did not let the connection through. Check the proxy's address and its credentials."
            }
            Self::TLS_FAILED => {
                c"The endpoint's certificate is not trusted or the TLS handshake failed. For a private certificate authority set SSL_CERT_FILE to its PEM file; check this machine's clock. Nothing of the request was sent."
            }
            Self::TIMEOUT => {
                c"The deadline passed. If the outcome is unknown, find out what the service did before you repeat the call."
            }
            Self::CONNECTION_LOST => {
                c"The connection broke after the request began to go out, so the service may have acted. Find out what it did before you repeat the call."
            }
            Self::BAD_RESPONSE => {
                c"The answer was not what the service documents. Check that the endpoint is an ECS endpoint and that nothing between rewrites answers."
            }
            Self::CANCELLED => c"The client was shut down while the call was under way, or before it.",
            Self::CREDENTIALS_FAILED => {
                c"The client got no credentials from where they come from; the message says what went wrong there. The service did nothing."
            }
            Self::OUT_OF_MEMORY => {
                c"The system gave this process no memory. Free some, or raise its limit, and call again; if the outcome is unknown, find out first what the service did."
            }
            Self::REJECTED => {
                c"The service refused the request; its code and message say why. Check the two image ids, that the ECS image is private, and that it has fewer than 10 FPGA images."
            }
            Self::UNAUTHORIZED => {
                c"The token is missing, wrong or expired (tokens live 24 hours), or from another region: get a new one of project scope. With an access key, check both its parts and this machine's clock."
            }
            Self::FORBIDDEN => {
                c"The user may not do this. Of ecs:cloudServerFpgaImages the IAM action relate is needed to associate, unrelate to disassociate, and getRelations to list; the account must be in good standing."
            }
            Self::NOT_FOUND => {
                c"The service does not know what was named. Check the ids, the project, and that the endpoint is of the region where the FPGA image lives."
            }
            Self::CONFLICT => c"Another change is under way. Call again later.",
            Self::THROTTLED => {
                c"The service asks to slow down. Wait, as long as it asked for if it did, and call again."
            }
            Self::SERVICE_FAILED => {
                c"The service failed. Call again later; if the outcome is unknown, find out first what it did. Give the request id to the service's support."
            }
            Self::UNEXPECTED_STATUS => {
                c"The answer is none that the service documents: a redirect (never followed: give the final endpoint), a login page, a proxy's own words. If the outcome is unknown, find out what was done before you repeat the call."
            }
            Self::PENDING => {
                c"The service accepted the request and had not done it when the call's time was over. Ask the list later."
            }
            Self::ALREADY_ASSOCIATED => {
                c"Nothing is left to do: the two images were associated before the call. fpga_assoc_config_set_idempotent makes this a success."
            }
            Self::NOT_ASSOCIATED => {
                c"Nothing is left to do: the two images were not associated. fpga_assoc_config_set_idempotent makes this a success."
            }
            Self::LIMIT_REACHED => {
                c"The ECS image has as many FPGA images as the service allows. Take one of them away first."
            }
            Self::INCOMPLETE => {
                c"Not every pair of the plan is as wanted. Look at the error of each pair that failed, and at the message for why the plan was stopped; then carry out the same plan again, which goes on where it ended."
            }
            Self::INTERNAL => {
                c"A defect in this library. Please report it with the message and the version."
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_leads_back_to_its_status_and_no_other_number_does() {
        for number in -1_000..1_000 {
            match Status::from_number(number) {
                Some(status) => assert_eq!(status.number(), number),
                None => assert!(Status::ALL.iter().all(|status| status.number() != number)),
            }
        }
    }
}

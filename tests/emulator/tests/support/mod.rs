//! A client that asks and reports, and judges nothing.
#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

pub mod signing;

use std::sync::Arc;

use ecs_emulator::Emulator;
use serde_json::{Value, json};
use ureq::Agent;
use ureq::http::Request;
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig};

pub struct Client<'a> {
    pub ecs: &'a Emulator,
    pub token: Option<String>,
    pub agent: Agent,
}

#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub request_id: String,
    pub allow: Option<String>,
    pub retry_after: Option<String>,
    pub date: String,
    pub text: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).expect("a JSON body")
    }

    /// Status, code and message, in either of the two shapes.
    pub fn refusal(&self) -> (u16, String, String) {
        let body = self.json();
        let (code, message) = if body["error"].is_object() {
            (&body["error"]["code"], &body["error"]["message"])
        } else {
            assert_eq!(body["request_id"], json!(self.request_id));
            (&body["error_code"], &body["error_msg"])
        };
        let text = |value: &Value| value.as_str().expect("a string").to_owned();
        (self.status, text(code), text(message))
    }
}

impl<'a> Client<'a> {
    pub fn new(ecs: &'a Emulator) -> Self {
        Self {
            ecs,
            token: Some(ecs.token().to_owned()),
            agent: agent(ecs),
        }
    }

    pub fn associate(&self, fpga_id: &str, ecs_id: &str) -> Answer {
        self.send("POST", &self.association(fpga_id), &image(ecs_id))
    }

    pub fn disassociate(&self, fpga_id: &str, ecs_id: &str) -> Answer {
        self.send("DELETE", &self.association(fpga_id), &image(ecs_id))
    }

    pub fn list(&self, query: &str) -> Answer {
        let project_id = self.ecs.project_id();
        let path = format!("/v1/{project_id}/cloudservers/fpga_image/associations{query}");
        self.send("GET", &path, "")
    }

    pub fn association(&self, fpga_id: &str) -> String {
        let project_id = self.ecs.project_id();
        format!("/v1/{project_id}/cloudservers/fpga_image/{fpga_id}/association")
    }

    pub fn send(&self, method: &str, path: &str, body: &str) -> Answer {
        let token = self.token.as_ref();
        let token = token.map(|token| ("x-auth-token".to_owned(), token.clone()));
        self.send_with(method, path, token.as_slice(), body)
    }

    /// With these headers and no token of its own.
    pub fn send_with(
        &self,
        method: &str,
        path: &str,
        headers: &[(String, String)],
        body: &str,
    ) -> Answer {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.ecs.endpoint()));
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let request = request.body(body.to_owned()).unwrap();
        let mut response = self.agent.run(request).expect("an answer");
        let header = |name: &str| {
            let value = response.headers().get(name)?;
            Some(value.to_str().unwrap().to_owned())
        };
        Answer {
            status: response.status().as_u16(),
            request_id: header("x-request-id").expect("a request id"),
            allow: header("allow"),
            retry_after: header("retry-after"),
            date: header("date").expect("a date"),
            text: response.body_mut().read_to_string().unwrap(),
        }
    }
}

/// Trusts the emulator's authority and nothing else.
pub fn agent(ecs: &Emulator) -> Agent {
    let pem = std::fs::read(ecs.ca_file()).unwrap();
    let roots: Vec<Certificate<'static>> = ureq::tls::parse_pem(&pem)
        .filter_map(|item| match item.unwrap() {
            PemItem::Certificate(certificate) => Some(certificate),
            _ => None,
        })
        .collect();
    assert_eq!(roots.len(), 1);
    trusting(RootCerts::Specific(Arc::new(roots)))
}

pub fn trusting(roots: RootCerts) -> Agent {
    Agent::config_builder()
        .tls_config(TlsConfig::builder().root_certs(roots).build())
        .proxy(None)
        .http_status_as_error(false)
        .allow_non_standard_methods(true)
        .build()
        .new_agent()
}

pub fn image(ecs_id: &str) -> String {
    json!({"image": {"id": ecs_id}}).to_string()
}

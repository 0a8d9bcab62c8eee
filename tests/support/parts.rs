//! A request taken apart.

use super::raw::Request;

/// The headers are in the order of their names, which are in lower case.
#[derive(Debug, PartialEq, Eq)]
pub struct Parts {
    pub line: String,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Parts {
    pub fn of(request: &Request) -> Self {
        let text = String::from_utf8(request.bytes.clone()).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let mut lines = head.split("\r\n");
        let line = lines.next().unwrap().to_owned();
        let mut headers: Vec<_> = lines
            .map(|header| header.split_once(": ").unwrap())
            .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
            .collect();
        headers.sort();
        Self {
            line,
            headers,
            body: body.to_owned(),
        }
    }

    pub fn header(&self, name: &str) -> &str {
        let mut found = self.headers.iter().filter(|header| header.0 == name);
        let value = &found.next().unwrap_or_else(|| panic!("{name}: {self:?}")).1;
        assert_eq!(found.next(), None, "{name} twice");
        value
    }
}

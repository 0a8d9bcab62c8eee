//! The requests, exactly as documented.

use super::{Filter, Pair};

/// The HTTP methods that the service's calls use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Associate.
    Post,
    /// Disassociate.
    Delete,
    /// List.
    Get,
}

/// A call of the service: all of the request but who asks (the credentials) and where (the endpoint).
#[derive(Debug)]
pub struct Request<'a> {
    /// What is asked for, in a word: "associate".
    pub name: &'static str,
    /// The HTTP method.
    pub method: Method,
    /// The project, which signed requests name in a header too.
    pub project_id: &'a str,
    /// The path and the query, from the first slash.
    pub path: String,
    /// The JSON body; empty for none.
    pub body: String,
}

/// `POST /v1/{project_id}/cloudservers/fpga_image/{fpga_image_id}/association` with the ECS image's
/// id in the body.
pub fn associate(pair: Pair<'_>) -> Request<'_> {
    change("associate", Method::Post, pair)
}

/// `DELETE` of the same, with the same body.
pub fn disassociate(pair: Pair<'_>) -> Request<'_> {
    change("disassociate", Method::Delete, pair)
}

fn change<'a>(name: &'static str, method: Method, pair: Pair<'a>) -> Request<'a> {
    let Pair {
        project_id,
        fpga_id,
        ecs_id,
    } = pair;
    Request {
        name,
        method,
        project_id,
        path: [
            "/v1/",
            project_id,
            "/cloudservers/fpga_image/",
            fpga_id,
            "/association",
        ]
        .concat(),
        // The characters of an id need no escape, neither in JSON nor in a path.
        body: [r#"{"image":{"id":""#, ecs_id, r#""}}"#].concat(),
    }
}

/// `GET /v1/{project_id}/cloudservers/fpga_image/associations` for one page, counted from 1;
/// without paging where both ids are given, because the service ignores it then.
pub fn list(filter: Filter<'_>, page: u32) -> Request<'_> {
    let mut query = Vec::new();
    if let Some(ecs_id) = filter.ecs_id {
        query.push(format!("image_id={ecs_id}"));
    }
    if let Some(fpga_id) = filter.fpga_id {
        query.push(format!("fpga_image_id={fpga_id}"));
    }
    if filter.is_paged() {
        query.push(format!("page={page}&size={PAGE_SIZE}"));
    }
    Request {
        name: "list",
        method: Method::Get,
        project_id: filter.project_id,
        path: format!(
            "/v1/{}/cloudservers/fpga_image/associations?{}",
            filter.project_id,
            query.join("&")
        ),
        body: String::new(),
    }
}

/// The most pairs that the service puts on a page.
pub const PAGE_SIZE: usize = 100;

/// The last page that the service knows.
pub const LAST_PAGE: u32 = 65_534;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_request_is_the_documents_example() {
        let pair = Pair::new(
            "9451dc59feef4bcab18d1d0a9bd8fd10",
            "4010a32b5f231f04015f24259efd0429",
            "18efee75-e058-4c52-a49c-9e3ba4d1c8de",
        );
        let request = associate(pair.unwrap());
        assert_eq!(request.method, Method::Post);
        assert_eq!(
            request.path,
            "/v1/9451dc59feef4bcab18d1d0a9bd8fd10/cloudservers/fpga_image/4010a32b5f231f04015f24259efd0429/association"
        );
        assert_eq!(
            request.body,
            r#"{"image":{"id":"18efee75-e058-4c52-a49c-9e3ba4d1c8de"}}"#
        );
    }

    #[test]
    fn disassociate_is_the_same_with_another_method() {
        let pair = Pair::new("p", "f", "e").unwrap();
        let (one, other) = (associate(pair), disassociate(pair));
        assert_eq!(other.method, Method::Delete);
        assert_eq!((one.path, one.body), (other.path, other.body));
    }

    #[test]
    fn a_list_is_paged_unless_both_ids_are_given() {
        for (fpga_id, ecs_id, query) in [
            (Some("f"), None, "fpga_image_id=f&page=2&size=100"),
            (None, Some("e"), "image_id=e&page=2&size=100"),
            (Some("f"), Some("e"), "image_id=e&fpga_image_id=f"),
        ] {
            let request = list(Filter::new("p", fpga_id, ecs_id).unwrap(), 2);
            let path = "/v1/p/cloudservers/fpga_image/associations";
            assert_eq!(request.path, format!("{path}?{query}"));
            assert_eq!(request.method, Method::Get);
            assert!(request.body.is_empty());
        }
    }

    #[test]
    fn every_character_that_an_id_may_have_stands_for_itself_in_json() {
        let ecs_id: String = (0..=127_u8)
            .map(char::from)
            .filter(|c| Pair::new("p", "f", &c.to_string()).is_ok())
            .collect();
        assert_eq!(ecs_id.len(), 64);
        let request = associate(Pair::new("p", "f", &ecs_id).unwrap());
        let body: serde_json::Value = serde_json::from_str(&request.body).unwrap();
        assert_eq!(body, serde_json::json!({ "image": { "id": ecs_id } }));
    }
}

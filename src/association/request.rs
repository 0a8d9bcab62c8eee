//! The request, exactly as documented.

use super::Pair;

/// The HTTP methods that the service's calls use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Associate.
    Post,
}

/// A call of the service: all of the request but who asks (the token) and where (the endpoint).
#[derive(Debug)]
pub struct Request {
    /// What is asked for, in words: "associate".
    pub name: &'static str,
    /// The HTTP method.
    pub method: Method,
    /// The path, from its first slash.
    pub path: String,
    /// The JSON body.
    pub body: String,
}

/// `POST /v1/{project_id}/cloudservers/fpga_image/{fpga_image_id}/association` with the ECS image's id in the body.
pub fn associate(pair: Pair<'_>) -> Request {
    let Pair {
        project_id,
        fpga_id,
        ecs_id,
    } = pair;
    Request {
        name: "associate",
        method: Method::Post,
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

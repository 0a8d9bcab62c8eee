//! The list call: what the query asks for, and the page that answers it.

use serde_json::{Value, json};

use crate::refusal::Refusal;
use crate::service::Service;

/// The query of a list call. A parameter without a value counts as not given.
#[derive(Debug, Default)]
pub(crate) struct Query {
    ecs_id: Option<String>,
    fpga_id: Option<String>,
    page: Option<String>,
    size: Option<String>,
}

impl Query {
    pub(crate) fn parse(query: &str) -> Self {
        let mut parsed = Self::default();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let parameter = match &*name {
                "image_id" => &mut parsed.ecs_id,
                "fpga_image_id" => &mut parsed.fpga_id,
                "page" => &mut parsed.page,
                "size" => &mut parsed.size,
                _ => continue,
            };
            if !value.is_empty() {
                parameter.get_or_insert(value.into_owned());
            }
        }
        parsed
    }
}

/// The answer's body.
pub(crate) fn list(service: &Service, query: &Query) -> Result<Value, Refusal> {
    let all = service.pairs();
    let pairs = match (query.ecs_id.as_deref(), query.fpga_id.as_deref()) {
        (Some(ecs_id), Some(fpga_id)) if all.contains(ecs_id, fpga_id) => vec![(ecs_id, fpga_id)],
        (Some(_), Some(_)) => Vec::new(),
        (Some(ecs_id), None) => cut(all.of_ecs_image(ecs_id), query)?,
        (None, Some(fpga_id)) => cut(all.of_fpga_image(fpga_id), query)?,
        (None, None) => cut(std::iter::empty(), query)?,
    };
    group(service, &pairs)
}

/// One page of the pairs, or all of them when no page is asked for.
fn cut<T>(pairs: impl Iterator<Item = T>, query: &Query) -> Result<Vec<T>, Refusal> {
    match (&query.page, &query.size) {
        (None, None) => Ok(pairs.collect()),
        (Some(page), Some(size)) => {
            let page = number("page", page, 65_534)?;
            let size = number("size", size, 100)?;
            Ok(pairs.skip((page - 1) * size).take(size).collect())
        }
        (Some(_), None) => Err(Refusal::Parameter("size")),
        (None, Some(_)) => Err(Refusal::Parameter("page")),
    }
}

/// A decimal of 1 to `max`. Digits only, as `parse` would let a `+` through.
fn number(name: &'static str, text: &str, max: usize) -> Result<usize, Refusal> {
    Some(text)
        .filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()))
        .and_then(|text| text.parse().ok())
        .filter(|number| (1..=max).contains(number))
        .ok_or(Refusal::Parameter(name))
}

/// One entry for each ECS image, its FPGA images inside. The pairs arrive sorted by ECS image.
fn group(service: &Service, pairs: &[(&str, &str)]) -> Result<Value, Refusal> {
    let mut associations = Vec::new();
    for pairs in pairs.chunk_by(|(left, _), (right, _)| left == right) {
        let fpga_images = pairs
            .iter()
            .map(|(_, fpga_id)| Ok(service.fpga_image(fpga_id)?.to_json(fpga_id)))
            .collect::<Result<Vec<Value>, Refusal>>()?;
        let ecs_id = pairs.first().map(|(ecs_id, _)| ecs_id);
        associations.push(json!({"image_id": ecs_id, "fpgaimages": fpga_images}));
    }
    Ok(json!({"associations": associations}))
}

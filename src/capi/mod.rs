//! The C interface. Each export borrows its arguments, calls the floor below, and keeps the
//! outcome, inside one guard.
//!
//! The doc comments of the exports become `include/fpga_associate.h`, so they are written for C
//! programmers, and name types and functions as C has them. The conventions:
//!
//! - Arguments stand in the order: the thing itself, inputs, outputs.
//! - Text is UTF-8 and ends in a NUL byte. What is given is borrowed for the call alone; what is
//!   returned belongs to the library.
//! - NULL and text that is not UTF-8 are answered with a status, never with a crash.
//! - No panic leaves an export.

#![allow(unsafe_code)]
// Safety is told in the words of the C comments; the names are those of the header.
#![allow(clippy::missing_safety_doc, non_camel_case_types)]

// The exports, in the order in which the header tells of them.
mod one_line;
mod last_error;
mod error;
mod status;
mod version;
mod config;
mod credentials;
mod client;
mod list;
mod plan;

// What they are made with.
#[cfg(c_library)]
mod allocator;
mod arguments;
mod guard;
mod handle;
mod results;

pub use client::{
    fpga_assoc_client, fpga_assoc_client_associate, fpga_assoc_client_associations,
    fpga_assoc_client_close_idle, fpga_assoc_client_disassociate, fpga_assoc_client_free,
    fpga_assoc_client_new, fpga_assoc_client_shutdown,
};
pub use config::{
    fpga_assoc_config, fpga_assoc_config_free, fpga_assoc_config_new,
    fpga_assoc_config_set_allow_http, fpga_assoc_config_set_ca_file, fpga_assoc_config_set_ca_pem,
    fpga_assoc_config_set_client_certificate, fpga_assoc_config_set_confirm,
    fpga_assoc_config_set_connect_timeout_ms, fpga_assoc_config_set_idempotent,
    fpga_assoc_config_set_log, fpga_assoc_config_set_max_attempts, fpga_assoc_config_set_proxy,
    fpga_assoc_config_set_timeout_ms, fpga_assoc_config_set_user_agent, fpga_assoc_log_fn,
};
pub use credentials::{
    fpga_assoc_config_set_access_key, fpga_assoc_config_set_credentials_callback,
    fpga_assoc_config_set_ecs_agency, fpga_assoc_config_set_environment_credentials,
    fpga_assoc_config_set_token, fpga_assoc_credentials_fn, fpga_assoc_grant,
    fpga_assoc_grant_access_key, fpga_assoc_grant_refuse, fpga_assoc_grant_token,
};
pub use error::{
    fpga_assoc_error, fpga_assoc_error_attempts, fpga_assoc_error_code, fpga_assoc_error_free,
    fpga_assoc_error_http_status, fpga_assoc_error_message, fpga_assoc_error_observed,
    fpga_assoc_error_outcome_unknown, fpga_assoc_error_request_id, fpga_assoc_error_retry_after_ms,
    fpga_assoc_error_status,
};
pub use last_error::{fpga_assoc_last_error, fpga_assoc_last_error_detail};
pub use list::{
    fpga_assoc_entry, fpga_assoc_list, fpga_assoc_list_free, fpga_assoc_list_get,
    fpga_assoc_list_json, fpga_assoc_list_len,
};
pub use one_line::{fpga_assoc_close_idle, fpga_associate, fpga_associations, fpga_disassociate};
pub use plan::{
    fpga_assoc_client_apply, fpga_assoc_client_compare, fpga_assoc_plan, fpga_assoc_plan_add,
    fpga_assoc_plan_error, fpga_assoc_plan_free, fpga_assoc_plan_len, fpga_assoc_plan_new,
    fpga_assoc_plan_result, fpga_assoc_plan_set_parallel, fpga_assoc_plan_set_progress,
    fpga_assoc_plan_set_timeout_ms, fpga_assoc_progress_fn,
};
pub use status::{fpga_assoc_status_help, fpga_assoc_status_name};
pub use version::fpga_assoc_version;

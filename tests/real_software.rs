//! Behind the software that ends TLS in front of services, a call comes to what it comes to without.

use fpga_associate::status::Status;
use support::call::{ECS_ID, Outcome};
use support::client::{Client, config};
use support::needs;
use support::real::daemon::wait_for;
use support::real::front::{APACHE, Front, HAPROXY, NGINX, STUNNEL, Software};
use support::slow::sockets_to;

support::tests! {
    nginx_changes_nothing_about_a_call,
    haproxy_changes_nothing_about_a_call,
    apache_changes_nothing_about_a_call,
    stunnel_changes_nothing_about_a_call,
}

fn nginx_changes_nothing_about_a_call() {
    behind(&NGINX);
}

fn haproxy_changes_nothing_about_a_call() {
    behind(&HAPROXY);
}

fn apache_changes_nothing_about_a_call() {
    behind(&APACHE);
}

fn stunnel_changes_nothing_about_a_call() {
    behind(&STUNNEL);
}

/// All that is the same behind each of them.
fn behind(software: &'static Software) {
    needs::tools(&[software.program]);
    let front = Front::start(software, 60);
    a_pair_is_associated_listed_and_taken_apart(&front);
    a_list_has_all_its_pages(&front);
    refusals_are_those_of_the_service(&front);
    a_long_token_is_answered(&front, software.long_token);
    another_certificate_is_not_trusted(&front);

    let front = Front::start(software, 60);
    many_calls_take_one_connection(&front);
    let front = Front::start(software, 2);
    a_connection_that_it_has_closed_is_replaced(&front);
}

fn a_pair_is_associated_listed_and_taken_apart(front: &Front) {
    let (service, client) = (&front.service, front.client());
    let (fpga_id, ecs_id) = (&service.fpga_ids()[0], &service.ecs_ids()[0]);
    let pair = (fpga_id.clone(), ecs_id.clone());
    let (token, project_id) = (service.token(), service.project_id());
    let list = || {
        let list = client.associations(token, project_id, None, Some(ecs_id));
        list.unwrap().pairs()
    };
    for (associates, status) in [
        (true, Status::OK),
        (true, Status::ALREADY_ASSOCIATED),
        (false, Status::OK),
        (false, Status::NOT_ASSOCIATED),
    ] {
        let outcome = match associates {
            true => client.associate(token, project_id, fpga_id, ecs_id),
            false => client.disassociate(token, project_id, fpga_id, ecs_id),
        };
        assert!(outcome.is(status), "{outcome:?}");
        let expected = if associates {
            vec![pair.clone()]
        } else {
            vec![]
        };
        assert_eq!(service.associations(), expected);
        assert_eq!(list(), expected);
    }
}

fn a_list_has_all_its_pages(front: &Front) {
    let service = &front.service;
    let ecs_id = &service.ecs_ids()[1];
    for fpga_id in service.add_fpga_images(250) {
        assert!(service.associate(&fpga_id, ecs_id));
    }
    let list =
        front
            .client()
            .associations(service.token(), service.project_id(), None, Some(ecs_id));
    assert_eq!(list.unwrap().pairs(), service.associations());
}

/// The same call straight to the service is refused in the same words.
fn refusals_are_those_of_the_service(front: &Front) {
    let service = &front.service;
    let (token, project_id) = (service.token(), service.project_id());
    let (fpga_id, ecs_id) = (&*service.fpga_ids()[0], &*service.ecs_ids()[0]);
    for (token, project_id, fpga_id, ecs_id, status) in [
        ("wrong", project_id, fpga_id, ecs_id, Status::UNAUTHORIZED),
        (token, "another", fpga_id, ecs_id, Status::REJECTED),
        (token, project_id, "unknown", ecs_id, Status::NOT_FOUND),
        (
            token,
            project_id,
            service.foreign_fpga_id(),
            ecs_id,
            Status::REJECTED,
        ),
        (token, project_id, fpga_id, ECS_ID, Status::REJECTED),
    ] {
        let told = |client: &Client, endpoint: &str| {
            let outcome = client.associate(token, project_id, fpga_id, ecs_id);
            assert!(outcome.is(status), "{outcome:?}");
            assert_ne!(outcome.request_id, "");
            let host = endpoint.split_once("://").unwrap().1;
            let message = outcome.message.replace(host, "HOST");
            Outcome {
                message: message.replace(&outcome.request_id, "ID"),
                request_id: String::new(),
                ..outcome
            }
        };
        let straight = config().client(service.endpoint());
        assert_eq!(
            told(&front.client(), &front.endpoint()),
            told(&straight, service.endpoint())
        );
    }
}

/// Some refuse headers that long, and close the connection while the rest of it is being sent.
fn a_long_token_is_answered(front: &Front, status: Status) {
    let service = &front.service;
    let token = "t".repeat(20_000);
    for _ in 0..20 {
        let outcome = front.client().associate(
            &token,
            service.project_id(),
            &service.fpga_ids()[0],
            &service.ecs_ids()[0],
        );
        assert!(outcome.is(status), "{outcome:?}");
        assert!(!outcome.outcome_unknown, "{outcome:?}");
        assert_eq!(outcome.attempts, 1, "{outcome:?}");
    }
}

fn another_certificate_is_not_trusted(front: &Front) {
    front.service.clear_requests();
    let stranger = support::certificates::Authority::new();
    let client = config().ca_pem(stranger.pem()).client(&front.endpoint());
    let outcome = client.example();
    assert!(outcome.is(Status::TLS_FAILED), "{outcome:?}");
    assert!(!outcome.outcome_unknown, "{outcome:?}");
    assert_eq!(front.service.requests(), []);
}

fn many_calls_take_one_connection(front: &Front) {
    const CALLS: usize = 10;
    let client = front.client();
    let outcomes = change_to_and_fro(front, &client, CALLS);
    assert!(
        outcomes.iter().all(|outcome| outcome.is(Status::OK)),
        "{outcomes:?}"
    );
    assert_eq!(front.service.requests().len(), CALLS);
    wait_for(|| front.connections() > 0);
    assert_eq!(front.connections(), 1, "{}", front.daemon.log());
}

/// Without a word, after two seconds without a request.
fn a_connection_that_it_has_closed_is_replaced(front: &Front) {
    let client = front.client();
    for _ in 0..2 {
        let outcomes = change_to_and_fro(front, &client, 2);
        assert!(
            outcomes.iter().all(|outcome| outcome.is(Status::OK)),
            "{outcomes:?}"
        );
        wait_for(|| {
            let sockets = sockets_to(front.daemon.port());
            sockets
                .iter()
                .all(|socket| socket.is_ended || !socket.is_open)
        });
    }
    wait_for(|| front.connections() >= 2);
}

/// Associates a pair and takes it apart again, so often in all.
fn change_to_and_fro(front: &Front, client: &Client, calls: usize) -> Vec<Outcome> {
    let service = &front.service;
    let (token, project_id) = (service.token(), service.project_id());
    let (fpga_id, ecs_id) = (&*service.fpga_ids()[0], &*service.ecs_ids()[0]);
    let call = |nth| match nth % 2 {
        0 => client.associate(token, project_id, fpga_id, ecs_id),
        _ => client.disassociate(token, project_id, fpga_id, ecs_id),
    };
    (0..calls).map(call).collect()
}

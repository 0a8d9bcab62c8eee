//! The emulator as a program: prints what a shell needs to call it, then one line a request.

#![forbid(unsafe_code)]
#![deny(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use std::io::{self, Write};
use std::net::SocketAddr;
use std::process::ExitCode;

use ecs_emulator::{Emulator, Metadata, Rate, Recorded, Settings};
use tokio::signal::unix::{SignalKind, signal};

const USAGE: &str = "\
The FPGA image calls of Huawei Cloud ECS, in memory, on 127.0.0.1.

Usage: ecs-emulator [--port N] [--http] [--rate N] [--metadata ADDRESS:PORT]

  --port N                  the port; without it, a free one
  --http                    plain HTTP instead of HTTPS
  --rate N                  so many requests a second; what is over it is answered with 429
  --metadata ADDRESS:PORT   a metadata service there, which gives temporary access keys away;
                            programs look for it at 169.254.169.254:80
  --help                    this text
";

/// What the command line asks for.
struct Options {
    settings: Settings,
    rate: Option<Rate>,
    metadata: Option<SocketAddr>,
}

fn main() -> ExitCode {
    let options = match options(std::env::args().skip(1)) {
        Ok(Some(options)) => options,
        Ok(None) => {
            say(USAGE);
            return ExitCode::SUCCESS;
        }
        Err(message) => {
            let _ = write!(io::stderr(), "ecs-emulator: {message}\n\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    match run(options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "ecs-emulator: {error}");
            ExitCode::FAILURE
        }
    }
}

/// None asks for help.
fn options(mut arguments: impl Iterator<Item = String>) -> Result<Option<Options>, String> {
    let mut settings = Settings {
        on_request: Some(log),
        ..Settings::default()
    };
    let mut rate = None;
    let mut metadata = None;
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--help" | "-h" => return Ok(None),
            "--http" => settings.tls = false,
            "--port" => {
                settings.port = arguments
                    .next()
                    .and_then(|port| port.parse().ok())
                    .ok_or("--port needs a number from 0 to 65535")?;
            }
            "--rate" => {
                let per_second = arguments
                    .next()
                    .and_then(|number| number.parse().ok())
                    .filter(|number: &f64| number.is_finite() && *number > 0.0);
                rate = Some(Rate::of(per_second.ok_or("--rate needs a number above 0")?));
            }
            "--metadata" => {
                let address = arguments.next().and_then(|address| address.parse().ok());
                metadata = Some(address.ok_or("--metadata needs ADDRESS:PORT, both in digits")?);
            }
            other => return Err(format!("unknown argument {other}")),
        }
    }
    Ok(Some(Options {
        settings,
        rate,
        metadata,
    }))
}

fn run(options: Options) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        // Before the first line: who reads it may send the signal at once.
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        let ecs = Emulator::start_with(options.settings)?;
        ecs.set_rate(options.rate);
        let metadata = options
            .metadata
            .map(|address| ecs.start_metadata(address))
            .transpose()?;
        say(&introduction(&ecs, metadata.as_ref()));
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        Ok(())
    })
}

/// All of it can be pasted into a shell, one line or the whole.
fn introduction(ecs: &Emulator, metadata: Option<&Metadata>) -> String {
    let (fpga_id, more_fpga_ids) = split(ecs.fpga_ids());
    let (ecs_id, more_ecs_ids) = split(ecs.ecs_ids());
    let metadata = metadata.map_or_else(String::new, |metadata| {
        format!("# metadata service at http://{}\n", metadata.address())
    });
    format!(
        r#"# ECS emulator at {endpoint}; Ctrl-C ends it.
export FPGA_ENDPOINT={endpoint}
export SSL_CERT_FILE='{ca_file}'
export FPGA_TOKEN={token}
# An access key, for programs that sign; where both are known, FPGA_TOKEN comes first.
export HUAWEICLOUD_SDK_AK={access_key}
export HUAWEICLOUD_SDK_SK='{secret_key}'
{metadata}export FPGA_PROJECT_ID={project_id}
export FPGA_ID={fpga_id}
# more FPGA images: {more_fpga_ids}
export ECS_ID={ecs_id}
# more ECS images: {more_ecs_ids}
curl -i --cacert "$SSL_CERT_FILE" -H "X-Auth-Token: $FPGA_TOKEN" -H 'Content-Type: application/json' -d '{{"image":{{"id":"'"$ECS_ID"'"}}}}' "$FPGA_ENDPOINT/v1/$FPGA_PROJECT_ID/cloudservers/fpga_image/$FPGA_ID/association"
# requests:
"#,
        endpoint = ecs.endpoint(),
        ca_file = ecs.ca_file().display(),
        token = ecs.token(),
        access_key = ecs.access_key(),
        secret_key = ecs.secret_key(),
        project_id = ecs.project_id(),
    )
}

fn split(ids: &[String]) -> (String, String) {
    let first = ids.first().cloned().unwrap_or_default();
    let more: Vec<&str> = ids.iter().skip(1).take(3).map(String::as_str).collect();
    (first, more.join(" "))
}

/// Never the headers: tokens are among them.
fn log(recorded: &Recorded) {
    let Recorded {
        method,
        path,
        status,
        ..
    } = recorded;
    say(&format!("{method} {path} {status}\n"));
}

/// Who closes the pipe wants no more lines; that is no reason to end.
fn say(text: &str) {
    let mut stdout = io::stdout().lock();
    let _ = stdout.write_all(text.as_bytes());
    let _ = stdout.flush();
}

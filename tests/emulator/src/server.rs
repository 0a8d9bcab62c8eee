//! The socket: accepts, speaks TLS and HTTP/1.1, and stops when dropped.

use std::error::Error;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{ALLOW, CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;

use crate::record::Recorded;
use crate::{Shared, calls, lock, random};

/// No call's body comes near it.
const BODY_LIMIT: usize = 1 << 20;

/// A thread with a runtime of its own, so that it can be dropped anywhere, async code included.
#[derive(Debug)]
pub(crate) struct Server {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    pub(crate) fn start(
        port: u16,
        tls: Option<Arc<ServerConfig>>,
        shared: Arc<Shared>,
    ) -> io::Result<Self> {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let runtime = Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()?;
        let listener = {
            let _inside = runtime.enter();
            TcpListener::from_std(listener)?
        };
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::Builder::new()
            .name("ecs-emulator".to_owned())
            .spawn(move || {
                run(
                    runtime,
                    listener,
                    tls.map(TlsAcceptor::from),
                    shared,
                    stopped,
                )
            })?;
        Ok(Self {
            address,
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // Its panic was reported already, and there is nobody to tell.
            let _ = thread.join();
        }
    }
}

/// Leaving drops the runtime, and with it the listener and every connection.
fn run(
    runtime: Runtime,
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    shared: Arc<Shared>,
    stopped: oneshot::Receiver<()>,
) {
    runtime.block_on(async {
        tokio::select! {
            _ = stopped => {}
            () = accept(&listener, tls, shared) => {}
        }
    });
}

async fn accept(listener: &TcpListener, tls: Option<TlsAcceptor>, shared: Arc<Shared>) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                tokio::spawn(connection(stream, tls.clone(), Arc::clone(&shared)));
            }
            // Out of file descriptors, or the peer has gone: neither is a reason to end.
            Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
        }
    }
}

async fn connection(stream: TcpStream, tls: Option<TlsAcceptor>, shared: Arc<Shared>) {
    let _ = stream.set_nodelay(true);
    match tls {
        None => serve(stream, shared).await,
        Some(tls) => {
            // A handshake that fails is the client's business; it has been sent the alert.
            if let Ok(stream) = tls.accept(stream).await {
                serve(stream, shared).await;
            }
        }
    }
}

async fn serve(stream: impl AsyncRead + AsyncWrite + Unpin, shared: Arc<Shared>) {
    let service = service_fn(|request| respond(Arc::clone(&shared), request));
    // It ends with an error when the client leaves in the middle, as tests do.
    let _ = http1::Builder::new()
        .title_case_headers(true)
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

/// An error when the client left before its request was whole: that is no request.
async fn respond(
    shared: Arc<Shared>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Box<dyn Error + Send + Sync>> {
    let (parts, body) = request.into_parts();
    let body = match Limited::new(body, BODY_LIMIT).collect().await {
        Ok(body) => Some(body.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => None,
        Err(error) => return Err(error),
    };

    let request_id = random::hex(32);
    let mut response = Response::new(Full::default());
    let headers = response.headers_mut();
    headers.insert("x-request-id", HeaderValue::try_from(&request_id)?);
    let (status, json) = match calls::answer(&shared, &parts, body.as_ref()) {
        Ok(None) => (StatusCode::NO_CONTENT, None),
        Ok(Some(json)) => (StatusCode::OK, Some(json)),
        Err(refusal) => {
            if let Some(allow) = refusal.allow() {
                headers.insert(ALLOW, HeaderValue::from_static(allow));
            }
            (refusal.status(), Some(refusal.body(&request_id)))
        }
    };
    if let Some(json) = json {
        let json_type = HeaderValue::from_static("application/json;charset=utf8");
        headers.insert(CONTENT_TYPE, json_type);
        *response.body_mut() = Full::new(Bytes::from(json.to_string()));
    }
    *response.status_mut() = status;

    let recorded = Recorded::new(&parts, body.as_ref(), status);
    if let Some(on_request) = shared.on_request {
        on_request(&recorded);
    }
    lock(&shared.records).push(recorded);
    Ok(response)
}

//! The socket: accepts, speaks TLS and HTTP/1.1, and stops when dropped.

use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::http;
use hyper::http::request::Parts;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;

use crate::record::Recorded;

/// What stands behind a socket.
pub(crate) trait Site: Send + Sync + 'static {
    /// `body` is None when it was longer than any request's. An error ends the connection.
    fn answer(
        &self,
        parts: &Parts,
        body: Option<&Bytes>,
    ) -> impl Future<Output = Result<Response<Full<Bytes>>, http::Error>> + Send;

    fn record(&self, recorded: Recorded);
}

/// No call's body comes near it.
const BODY_LIMIT: usize = 1 << 20;

/// So many connections may wait to be accepted. The system drops what comes beyond, and who then
/// tries again does so a second later.
const BACKLOG: u32 = 4_096;

/// A thread with a runtime of its own, so that it can be dropped anywhere, async code included.
#[derive(Debug)]
pub(crate) struct Server {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    pub(crate) fn start(
        address: SocketAddr,
        tls: Option<Arc<ServerConfig>>,
        site: Arc<impl Site>,
    ) -> io::Result<Self> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()?;
        let listener = {
            let _inside = runtime.enter();
            listen(address)?
        };
        let address = listener.local_addr()?;
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::Builder::new()
            .name("ecs-emulator".to_owned())
            .spawn(move || run(runtime, listener, tls.map(TlsAcceptor::from), site, stopped))?;
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

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    // A port whose last connections are not forgotten yet is free.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Leaving drops the runtime, and with it the listener and every connection.
fn run(
    runtime: Runtime,
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    site: Arc<impl Site>,
    stopped: oneshot::Receiver<()>,
) {
    runtime.block_on(async {
        tokio::select! {
            _ = stopped => {}
            () = accept(&listener, tls, site) => {}
        }
    });
}

async fn accept(listener: &TcpListener, tls: Option<TlsAcceptor>, site: Arc<impl Site>) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                tokio::spawn(connection(stream, tls.clone(), Arc::clone(&site)));
            }
            // Out of file descriptors, or the peer has gone: neither is a reason to end.
            Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
        }
    }
}

async fn connection(stream: TcpStream, tls: Option<TlsAcceptor>, site: Arc<impl Site>) {
    let _ = stream.set_nodelay(true);
    match tls {
        None => serve(stream, site).await,
        Some(tls) => {
            // A handshake that fails is the client's business; it has been sent the alert.
            if let Ok(stream) = tls.accept(stream).await {
                serve(stream, site).await;
            }
        }
    }
}

async fn serve(stream: impl AsyncRead + AsyncWrite + Unpin, site: Arc<impl Site>) {
    let service = service_fn(|request| respond(Arc::clone(&site), request));
    // It ends with an error when the client leaves in the middle, as tests do.
    let _ = http1::Builder::new()
        .title_case_headers(true)
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

/// An error when the client left before its request was whole: that is no request.
async fn respond(
    site: Arc<impl Site>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Box<dyn Error + Send + Sync>> {
    let (parts, body) = request.into_parts();
    let body = match Limited::new(body, BODY_LIMIT).collect().await {
        Ok(body) => Some(body.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => None,
        Err(error) => return Err(error),
    };

    // A task of its own: what was asked is done though the client leaves before it is answered.
    let answered = tokio::spawn(async move {
        let response = site.answer(&parts, body.as_ref()).await?;
        site.record(Recorded::new(&parts, body.as_ref(), response.status()));
        Ok(response)
    });
    answered.await?
}

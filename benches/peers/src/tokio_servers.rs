//! The peers that run on tokio, each on a runtime of one thread.
//!
//! The opening handshake is the same for all of them, and is not measured here.

use std::future::Future;
use std::io;

use futures_util::{FutureExt, Sink, SinkExt, Stream, StreamExt};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio_util::compat::TokioAsyncReadCompatExt;

use crate::coalesce::Coalesced;
use crate::servers::listen;

type Error = Box<dyn std::error::Error + Send + Sync>;

/// The same limit for all, and as high as it has to be.
const MOST: usize = 64 << 20;

fn serve<F>(handle: fn(TcpStream) -> F) -> io::Result<()>
where
    F: Future<Output = Result<(), Error>> + Send + 'static,
{
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async move {
        let listener = listen()?;
        listener.set_nonblocking(true)?;
        let listener = tokio::net::TcpListener::from_std(listener)?;
        loop {
            let (mut stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            tokio::spawn(tokio::task::unconstrained(async move {
                open(&mut stream).await?;
                handle(stream).await
            }));
        }
    })
}

/// The load generator waits for the response, so nothing follows its request.
async fn open(stream: &mut TcpStream) -> Result<(), Error> {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        if stream.read_buf(&mut request).await? == 0 {
            return Err("the request has no end".into());
        }
    }
    let request = String::from_utf8(request)?;
    let key = request.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Key: "));
    let accept = tungstenite::handshake::derive_accept_key(key.ok_or("no key")?.as_bytes());
    let response = format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {accept}\r\n\r\n"
    );
    Ok(stream.write_all(response.as_bytes()).await?)
}

/// The plain loop over a stream and sink of messages.
async fn echo<S, M, E>(mut socket: S, is_data: fn(&M) -> bool) -> Result<(), Error>
where
    S: Stream<Item = Result<M, E>> + Sink<M> + Unpin,
    E: Into<Error>,
    <S as Sink<M>>::Error: Into<Error>,
{
    while let Some(message) = socket.next().await {
        let message = message.map_err(Into::into)?;
        if is_data(&message) {
            socket.send(message).await.map_err(Into::into)?;
        }
    }
    Ok(())
}

/// Replies are fed, and flushed when there is nothing more to read.
async fn echo_coalesced<S, M, E>(mut socket: S, is_data: fn(&M) -> bool) -> Result<(), Error>
where
    S: Stream<Item = Result<M, E>> + Sink<M> + Unpin,
    E: Into<Error>,
    <S as Sink<M>>::Error: Into<Error>,
{
    loop {
        let next = if let Some(next) = socket.next().now_or_never() {
            next
        } else {
            socket.flush().await.map_err(Into::into)?;
            socket.next().await
        };
        let Some(message) = next else { return Ok(()) };
        let message = message.map_err(Into::into)?;
        if is_data(&message) {
            socket.feed(message).await.map_err(Into::into)?;
        }
    }
}

// ---- tokio-tungstenite

pub fn tungstenite() -> io::Result<()> {
    serve(|stream| async { echo(tungstenite_socket(stream).await, is_tungstenite_data).await })
}

pub fn tungstenite_coalesced() -> io::Result<()> {
    serve(|stream| async {
        echo_coalesced(tungstenite_socket(stream).await, is_tungstenite_data).await
    })
}

async fn tungstenite_socket(stream: TcpStream) -> tokio_tungstenite::WebSocketStream<TcpStream> {
    let role = tungstenite::protocol::Role::Server;
    tokio_tungstenite::WebSocketStream::from_raw_socket(stream, role, None).await
}

fn is_tungstenite_data(message: &tungstenite::Message) -> bool {
    message.is_text() || message.is_binary()
}

// ---- fastwebsockets

pub fn fastwebsockets() -> io::Result<()> {
    serve(fastwebsockets_echo)
}

pub fn fastwebsockets_coalesced() -> io::Result<()> {
    serve(|stream| fastwebsockets_echo(Coalesced::new(stream)))
}

async fn fastwebsockets_echo<S>(stream: S) -> Result<(), Error>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    use fastwebsockets::{FragmentCollector, OpCode, Role, WebSocket};

    let mut socket = FragmentCollector::new(WebSocket::after_handshake(stream, Role::Server));
    loop {
        let frame = socket.read_frame().await?;
        match frame.opcode {
            OpCode::Close => return Ok(()),
            OpCode::Text | OpCode::Binary => socket.write_frame(frame).await?,
            _ => {}
        }
    }
}

// ---- tokio-websockets

pub fn tokio_websockets() -> io::Result<()> {
    serve(|stream| echo(tokio_websockets_socket(stream, 8 * 1024), is_tokio_websockets_data))
}

pub fn tokio_websockets_coalesced() -> io::Result<()> {
    // It flushes before each read, so what it flushes has to be gathered here.
    serve(|stream| {
        let stream = Coalesced::new(stream);
        echo(tokio_websockets_socket(stream, 64 * 1024), is_tokio_websockets_data)
    })
}

fn tokio_websockets_socket<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    flush_threshold: usize,
) -> tokio_websockets::WebSocketStream<S> {
    use tokio_websockets::{Config, Limits, ServerBuilder};

    let config = Config::default().frame_size(usize::MAX).flush_threshold(flush_threshold);
    ServerBuilder::new().config(config).limits(Limits::unlimited()).serve(stream)
}

fn is_tokio_websockets_data(message: &tokio_websockets::Message) -> bool {
    message.is_text() || message.is_binary()
}

// ---- sockudo-ws

pub fn sockudo() -> io::Result<()> {
    serve(|stream| echo(sockudo_socket(stream), is_sockudo_data))
}

pub fn sockudo_coalesced() -> io::Result<()> {
    serve(|stream| echo_coalesced(sockudo_socket(stream), is_sockudo_data))
}

fn sockudo_socket(stream: TcpStream) -> sockudo_ws::WebSocketStream<TcpStream> {
    sockudo_ws::WebSocketStream::server(stream, sockudo_ws::Config::default())
}

fn is_sockudo_data(message: &sockudo_ws::Message) -> bool {
    message.is_text() || message.is_binary()
}

// ---- web-socket

pub fn web_socket() -> io::Result<()> {
    serve(web_socket_echo)
}

pub fn web_socket_coalesced() -> io::Result<()> {
    serve(|stream| web_socket_echo(Coalesced::new(stream)))
}

async fn web_socket_echo<S>(stream: S) -> Result<(), Error>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    use web_socket::{DataType, Event, MessageType, WebSocket};

    let mut socket = WebSocket::server(BufReader::new(stream));
    loop {
        match socket.recv().await? {
            Event::Data { data, ty: DataType::Complete(MessageType::Text) } => {
                socket.send(std::str::from_utf8(&data)?).await?;
            }
            Event::Data { data, .. } => socket.send(&data[..]).await?,
            Event::Ping(data) => socket.send_pong(data).await?,
            Event::Pong(_) => {}
            Event::Error(_) | Event::Close { .. } => return Ok(()),
        }
    }
}

// ---- yawc

pub fn yawc() -> io::Result<()> {
    serve(|stream| async {
        let options = yawc::Options::default().with_limits(MOST, 2 * MOST);
        echo(yawc_socket(stream, options)?.map(Ok::<_, Error>), is_yawc_data).await
    })
}

/// With the buffers of its own benchmark.
pub fn yawc_coalesced() -> io::Result<()> {
    serve(|stream| async {
        let options = yawc::Options::default()
            .with_limits(MOST, 2 * MOST)
            .with_read_buffer_capacity(128 * 1024)
            .with_backpressure_boundary(64 * 1024);
        echo_coalesced(yawc_socket(stream, options)?.map(Ok::<_, Error>), is_yawc_data).await
    })
}

fn yawc_socket(
    stream: TcpStream,
    options: yawc::Options,
) -> Result<yawc::WebSocket<TcpStream>, yawc::WebSocketError> {
    yawc::WebSocket::from_stream(stream, yawc::Role::Server, options.with_utf8())
}

fn is_yawc_data(frame: &yawc::Frame) -> bool {
    matches!(frame.opcode(), yawc::OpCode::Text | yawc::OpCode::Binary)
}

// ---- soketto

pub fn soketto() -> io::Result<()> {
    serve(|stream| {
        let stream = futures_util::io::BufWriter::new(stream.compat());
        soketto_echo(futures_util::io::BufReader::new(stream))
    })
}

pub fn soketto_coalesced() -> io::Result<()> {
    serve(|stream| {
        let stream = Coalesced::new(stream).compat();
        soketto_echo(futures_util::io::BufReader::with_capacity(64 * 1024, stream))
    })
}

async fn soketto_echo<S>(stream: S) -> Result<(), Error>
where
    S: futures_util::AsyncRead + futures_util::AsyncWrite + Unpin,
{
    use soketto::connection::Builder;
    use soketto::{Data, Mode};

    let (mut sender, mut receiver) = Builder::new(stream, Mode::Server).finish();
    let mut message = Vec::new();
    loop {
        message.clear();
        match receiver.receive_data(&mut message).await? {
            Data::Binary(_) => sender.send_binary_mut(&mut message).await?,
            Data::Text(_) => sender.send_text(std::str::from_utf8(&message)?).await?,
        }
        sender.flush().await?;
    }
}

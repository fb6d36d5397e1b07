#![expect(clippy::unnecessary_wraps, reason = "not every library does every job")]

use std::hint::black_box;

use bytes::{Bytes, BytesMut};
use futures_util::{FutureExt, Sink, SinkExt, Stream, StreamExt};
use tokio::io::{AsyncReadExt, AsyncWriteExt, BufReader};
use tokio_util::compat::TokioAsyncReadCompatExt;

use super::{Feed, Job, Run, is_batch};
use crate::wire::Kind;

fn payload(size: usize) -> Bytes {
    Kind::Binary.payload(size).into()
}

/// The feed never makes anybody wait.
fn ready<T>(future: impl Future<Output = T>) -> T {
    future.now_or_never().expect("the feed is always ready")
}

fn decode_stream<S, M, E>(mut socket: S, is_data: fn(&M) -> bool) -> Run
where
    S: Stream<Item = Result<M, E>> + Unpin + 'static,
    M: 'static,
    E: std::fmt::Debug,
{
    Box::new(move |times| {
        for _ in 0..times {
            while !is_data(&black_box(ready(socket.next()).expect("no end").expect("correct"))) {}
        }
    })
}

fn encode_sink<S, M>(mut socket: S, size: usize, message: impl Fn(Bytes) -> M + 'static) -> Run
where
    S: Sink<M> + Unpin + 'static,
    <S as Sink<M>>::Error: std::fmt::Debug,
{
    let payload = payload(size);
    Box::new(move |times| {
        for index in 1..=times {
            ready(socket.feed(message(black_box(&payload).clone()))).expect("open");
            if is_batch(index, size) || index == times {
                ready(socket.flush()).expect("open");
            }
        }
    })
}

pub fn tungstenite(job: Job) -> Option<Run> {
    use tungstenite::Message;
    use tungstenite::protocol::{Role, WebSocket};

    let feed = Feed::new(job);
    let socket = |role| WebSocket::from_raw_socket(feed.clone(), role, None);
    let encode = |role, size| -> Run {
        let mut socket = socket(role);
        let payload = payload(size);
        Box::new(move |times| {
            for index in 1..=times {
                socket.write(Message::Binary(black_box(&payload).clone())).expect("open");
                if is_batch(index, size) || index == times {
                    socket.flush().expect("open");
                }
            }
        })
    };
    Some(match job {
        Job::Decode(..) | Job::Ping | Job::Fragments => {
            let mut socket = socket(Role::Server);
            Box::new(move |times| {
                for _ in 0..times {
                    while black_box(socket.read().expect("correct")).is_ping() {}
                }
            })
        }
        Job::EncodeAsServer(size) => encode(Role::Server, size),
        Job::EncodeAsClient(size) => encode(Role::Client, size),
        Job::Handshake => Box::new(move |times| {
            for _ in 0..times {
                black_box(tungstenite::accept(feed.clone()).expect("valid"));
            }
        }),
    })
}

pub fn fastwebsockets(job: Job) -> Option<Run> {
    use fastwebsockets::{FragmentCollector, Frame, OpCode, Payload, Role, WebSocket};

    let feed = Feed::new(job);
    let encode = |role, size| -> Run {
        let mut socket = WebSocket::after_handshake(feed.clone(), role);
        let payload: &'static [u8] = Kind::Binary.payload(size).leak();
        Box::new(move |times| {
            for _ in 0..times {
                let frame = Frame::binary(Payload::Borrowed(black_box(payload)));
                ready(socket.write_frame(frame)).expect("open");
            }
        })
    };
    match job {
        Job::Decode(..) | Job::Ping | Job::Fragments => {
            let socket = WebSocket::after_handshake(feed.clone(), Role::Server);
            let mut socket = FragmentCollector::new(socket);
            Some(Box::new(move |times| {
                for _ in 0..times {
                    while black_box(ready(socket.read_frame()).expect("correct")).opcode
                        == OpCode::Ping
                    {}
                }
            }))
        }
        Job::EncodeAsServer(size) => Some(encode(Role::Server, size)),
        Job::EncodeAsClient(size) => Some(encode(Role::Client, size)),
        Job::Handshake => None, // by hyper
    }
}

pub fn tokio_websockets(job: Job) -> Option<Run> {
    use tokio_websockets::{ClientBuilder, Config, Message, ServerBuilder};

    let feed = Feed::new(job);
    let config = Config::default().frame_size(usize::MAX).flush_threshold(64 * 1024);
    let server = ServerBuilder::new().config(config);
    Some(match job {
        Job::Decode(..) | Job::Ping | Job::Fragments => {
            decode_stream(server.serve(feed.clone()), |message| {
                Message::is_binary(message) || message.is_text()
            })
        }
        Job::EncodeAsServer(size) => encode_sink(server.serve(feed.clone()), size, Message::binary),
        Job::EncodeAsClient(size) => {
            let client = ClientBuilder::new().config(config);
            encode_sink(client.take_over(feed.clone()), size, Message::binary)
        }
        Job::Handshake => Box::new(move |times| {
            for _ in 0..times {
                black_box(ready(server.accept(feed.clone())).expect("valid"));
            }
        }),
    })
}

pub fn sockudo(job: Job) -> Option<Run> {
    use sockudo_ws::{Config, Message, WebSocketStream};

    let feed = Feed::new(job);
    Some(match job {
        Job::Decode(..) | Job::Ping | Job::Fragments => {
            decode_stream(WebSocketStream::server(feed.clone(), Config::default()), |message| {
                Message::is_binary(message) || message.is_text()
            })
        }
        Job::EncodeAsServer(size) => {
            let socket = WebSocketStream::server(feed.clone(), Config::default());
            encode_sink(socket, size, Message::Binary)
        }
        Job::EncodeAsClient(size) => {
            let socket = WebSocketStream::client(feed.clone(), Config::default());
            encode_sink(socket, size, Message::Binary)
        }
        Job::Handshake => Box::new(move |times| {
            for _ in 0..times {
                ready(sockudo_handshake(feed.clone())).expect("valid");
            }
        }),
    })
}

/// As in its example.
async fn sockudo_handshake(mut stream: Feed) -> Result<(), Box<dyn std::error::Error>> {
    use sockudo_ws::handshake::{build_response, generate_accept_key, parse_request};
    use sockudo_ws::{Config, WebSocketStream};

    let mut buffer = BytesMut::with_capacity(4096);
    stream.read_buf(&mut buffer).await?;
    let (request, _) = parse_request(&buffer)?.ok_or("half a request")?;
    let response = build_response(&generate_accept_key(request.key), None, None);
    stream.write_all(&response).await?;
    black_box(WebSocketStream::server(stream, Config::default()));
    Ok(())
}

pub fn web_socket(job: Job) -> Option<Run> {
    use web_socket::{Event, WebSocket};

    let feed = Feed::new(job);
    let encode = |mut socket: WebSocket<Feed>, size| -> Run {
        let payload = payload(size);
        Box::new(move |times| {
            for _ in 0..times {
                ready(socket.send(&black_box(&payload)[..])).expect("open");
            }
        })
    };
    match job {
        Job::Decode(..) | Job::Ping => {
            let mut socket = WebSocket::server(BufReader::new(feed.clone()));
            Some(Box::new(move |times| {
                for _ in 0..times {
                    while let Event::Ping(data) = black_box(ready(socket.recv()).expect("correct"))
                    {
                        ready(socket.send_pong(data)).expect("open");
                    }
                }
            }))
        }
        Job::EncodeAsServer(size) => Some(encode(WebSocket::server(feed.clone()), size)),
        Job::EncodeAsClient(size) => Some(encode(WebSocket::client(feed.clone()), size)),
        Job::Fragments | Job::Handshake => None, // left to the application
    }
}

pub fn yawc(job: Job) -> Option<Run> {
    use yawc::{Frame, OpCode, Options, Role, WebSocket};

    let feed = Feed::new(job);
    let socket = |role| {
        let options = Options::default().with_limits(64 << 20, 128 << 20).with_utf8();
        WebSocket::from_stream(feed.clone(), role, options).ok()
    };
    match job {
        Job::Decode(..) | Job::Ping | Job::Fragments => {
            let socket = socket(Role::Server)?.map(Ok::<_, ()>);
            Some(decode_stream(socket, |frame: &Frame| {
                matches!(frame.opcode(), OpCode::Binary | OpCode::Text)
            }))
        }
        Job::EncodeAsServer(size) => Some(encode_sink(socket(Role::Server)?, size, Frame::binary)),
        Job::EncodeAsClient(size) => Some(encode_sink(socket(Role::Client)?, size, Frame::binary)),
        Job::Handshake => None, // by hyper
    }
}

pub fn soketto(job: Job) -> Option<Run> {
    use soketto::connection::Builder;
    use soketto::handshake::Server;
    use soketto::handshake::server::Response;

    let feed = Feed::new(job);
    let encode = |mode, size| -> Run {
        let (mut sender, _) = Builder::new(feed.clone().compat(), mode).finish();
        let payload = payload(size);
        Box::new(move |times| {
            for index in 1..=times {
                ready(sender.send_binary(black_box(&payload))).expect("open");
                if is_batch(index, size) || index == times {
                    ready(sender.flush()).expect("open");
                }
            }
        })
    };
    Some(match job {
        Job::Decode(..) | Job::Ping | Job::Fragments => {
            let stream = futures_util::io::BufReader::new(feed.clone().compat());
            let (_sender, mut receiver) = Builder::new(stream, soketto::Mode::Server).finish();
            let mut message = Vec::new();
            Box::new(move |times| {
                for _ in 0..times {
                    message.clear();
                    black_box(ready(receiver.receive_data(&mut message)).expect("correct"));
                }
            })
        }
        Job::EncodeAsServer(size) => encode(soketto::Mode::Server, size),
        Job::EncodeAsClient(size) => encode(soketto::Mode::Client, size),
        Job::Handshake => Box::new(move |times| {
            for _ in 0..times {
                let mut server = Server::new(feed.clone().compat());
                let key = ready(server.receive_request()).expect("valid").key();
                let response = Response::Accept { key, protocol: None };
                ready(server.send_response(&response)).expect("open");
                black_box(server.into_builder().finish());
            }
        }),
    })
}

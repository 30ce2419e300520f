//! MQTT over WebSocket, in the clear and over TLS.

use city_endpoint::{ClientAuth, EndpointConfig, ListenerConfig};
use futures_util::{SinkExt as _, StreamExt as _};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::http::{HeaderValue, StatusCode};
use tokio_tungstenite::tungstenite::{Bytes, Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

use crate::harness::{Bench, commit, connect_v3, connect_v5, puback, publish_v3, publish_v5};
use crate::secure::Authority;

fn config(authority: Option<&Authority>) -> EndpointConfig {
    let listener = ListenerConfig {
        listen: ([127, 0, 0, 1], 0).into(),
        tls: authority.map(|authority| authority.config(ClientAuth::None)),
        websocket: true,
        origins: vec!["https://dashboard.example".to_owned()],
    };
    EndpointConfig { listeners: vec![listener], ..EndpointConfig::default() }
}

type Opened<S> = Result<(WebSocketStream<S>, Option<HeaderValue>), Error>;

/// Shakes hands with these headers; returns the subprotocol too.
async fn open<S>(stream: S, path: &str, headers: &[(&'static str, &str)]) -> Opened<S>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut request = format!("ws://localhost{path}").into_client_request()?;
    for (name, value) in headers {
        request.headers_mut().append(*name, value.parse().expect("a header"));
    }
    let (socket, response) = client_async(request, stream).await?;
    Ok((socket, response.headers().get("Sec-WebSocket-Protocol").cloned()))
}

const MQTT: (&str, &str) = ("Sec-WebSocket-Protocol", "mqtt");

async fn plain(bench: &Bench, path: &str, headers: &[(&'static str, &str)]) -> Opened<TcpStream> {
    let stream = TcpStream::connect(bench.address("ws")).await.expect("listening");
    open(stream, path, headers).await
}

async fn send<S: AsyncRead + AsyncWrite + Unpin>(socket: &mut WebSocketStream<S>, bytes: &[u8]) {
    let frame = Message::Binary(Bytes::copy_from_slice(bytes));
    socket.send(frame).await.expect("the endpoint reads");
}

/// Reads binary frames until so many bytes are there.
async fn read<S: AsyncRead + AsyncWrite + Unpin>(
    socket: &mut WebSocketStream<S>,
    length: usize,
) -> Vec<u8> {
    let mut bytes = Vec::new();
    while bytes.len() < length {
        match socket.next().await.expect("open").expect("good") {
            Message::Binary(frame) => bytes.extend(frame),
            Message::Pong(_) => {}
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(bytes.len(), length, "{bytes:02x?}");
    bytes
}

#[tokio::test]
async fn packets_may_be_cut_into_frames_anywhere() {
    let mut bench = Bench::listen(config(None)).await;
    let (mut socket, protocol) = plain(&bench, "/mqtt", &[MQTT]).await.expect("good");
    assert_eq!(protocol.as_ref().map(HeaderValue::as_bytes), Some(&b"mqtt"[..]));
    for byte in connect_v3("d1", 2, 60) {
        send(&mut socket, &[byte]).await;
    }
    assert_eq!(read(&mut socket, 4).await, [0x20, 2, 0, 0]);
    let publishes: Vec<u8> =
        (1..=3).flat_map(|id| publish_v3(1, id, "city/a", &vec![b'x'; 30_000])).collect();
    send(&mut socket, &publishes[..100]).await;
    socket.send(Message::Ping(Bytes::from_static(b"?"))).await.expect("open");
    send(&mut socket, &publishes[100..]).await;
    bench.take(3).await.into_iter().for_each(commit);
    let answers = read(&mut socket, 12).await;
    assert_eq!(answers, [puback(1), puback(2), puback(3)].concat());
    send(&mut socket, &[0xe0, 0]).await;
    while let Some(Ok(message)) = socket.next().await {
        assert!(matches!(message, Message::Close(_)), "{message:?}");
    }
}

#[tokio::test]
async fn it_works_over_tls_too() {
    let authority = Authority::new();
    let mut bench = Bench::listen(config(Some(&authority))).await;
    let stream = TcpStream::connect(bench.address("wss")).await.expect("listening");
    let name = "localhost".try_into().expect("a name");
    let stream = authority.client(None).connect(name, stream).await.expect("good");
    let (mut socket, _) = open(stream, "/mqtt", &[MQTT]).await.expect("good");
    send(&mut socket, &connect_v3("d1", 2, 60)).await;
    assert_eq!(read(&mut socket, 4).await, [0x20, 2, 0, 0]);
    send(&mut socket, &publish_v3(1, 1, "city/a", b"x")).await;
    commit(bench.take(1).await.remove(0));
    assert_eq!(read(&mut socket, 4).await, puback(1));
}

#[tokio::test]
async fn only_mqtt_from_known_pages_is_let_in() {
    let bench = Bench::listen(config(None)).await;
    for (path, headers, status) in [
        ("/", vec![MQTT], Some(StatusCode::NOT_FOUND)),
        ("/mqtt", vec![], Some(StatusCode::BAD_REQUEST)),
        ("/mqtt", vec![("Sec-WebSocket-Protocol", "amqp")], Some(StatusCode::BAD_REQUEST)),
        ("/mqtt", vec![("Sec-WebSocket-Protocol", "mqttv3.1, mqtt")], None),
        ("/mqtt?x=1", vec![MQTT], None),
        ("/mqtt", vec![MQTT, ("Origin", "https://evil.example")], Some(StatusCode::FORBIDDEN)),
        ("/mqtt", vec![MQTT, ("Origin", "null")], Some(StatusCode::FORBIDDEN)),
        ("/mqtt", vec![MQTT, ("Origin", "http://localhost")], None),
        ("/mqtt", vec![MQTT, ("Origin", "https://dashboard.example")], None),
    ] {
        let answer = match plain(&bench, path, &headers).await {
            Ok(_) => None,
            Err(Error::Http(response)) => Some(response.status()),
            // Our own library misses the subprotocol that was not offered.
            Err(error) => panic!("{error} for {path} {headers:?}"),
        };
        assert_eq!(answer, status, "{path} {headers:?}");
    }
}

#[tokio::test]
async fn text_frames_and_endless_ones_end_the_connection() {
    let bench = Bench::listen(EndpointConfig { max_packet_size: 2000, ..config(None) }).await;
    for message in [Message::text("hello"), Message::binary(vec![0; 1 << 20])] {
        let (mut socket, _) = plain(&bench, "/mqtt", &[MQTT]).await.expect("good");
        send(&mut socket, &connect_v5("d1", 2, 60, 0)).await;
        assert!(matches!(socket.next().await, Some(Ok(Message::Binary(_)))));
        // It may be hung up on while it still sends.
        let _sent = socket.send(message).await;
        let mut rest = 0;
        while let Some(Ok(_)) = socket.next().await {
            rest += 1;
        }
        assert!(rest <= 2, "nothing but goodbyes");
    }
    assert_eq!(bench.doorway.stats().snapshot().received, 0);
}

#[tokio::test]
async fn an_mqtt_5_client_hears_why_it_is_hung_up_on() {
    let bench = Bench::listen(EndpointConfig { max_packet_size: 2000, ..config(None) }).await;
    let (mut socket, _) = plain(&bench, "/mqtt", &[MQTT]).await.expect("good");
    send(&mut socket, &connect_v5("d1", 2, 60, 0)).await;
    assert!(matches!(socket.next().await, Some(Ok(Message::Binary(_)))));
    send(&mut socket, &publish_v5(0, 0, "city/a", &[0; 3000])).await;
    let Some(Ok(Message::Binary(frame))) = socket.next().await else { panic!("no frame") };
    assert_eq!((frame[0], frame[2]), (0xe0, 0x95));
}

//! Round trips of handshakes and pages, WebSocket on the wire, HPACK's numbers.

use crate::table::{Case, bytes, hex, run};
use algorithms::connections::{self, CONNECTIONS_PER_HOST, Design, Link, STREAMS};
use algorithms::connections::{Security, Transport};
use algorithms::hpack;
use algorithms::websocket::{self, Frame, Opcode};
use serde_json::{Value, json};

#[test]
fn http_connections_websocket() {
    run(
        include_str!("http_connections_websocket.json"),
        &[],
        &[],
        answer,
    );
}

/// Transport and security as the table words them.
fn handshake(protocol: &str) -> (Transport, Security) {
    let has = |words: &str| protocol.contains(words);
    let transport = if has("QUIC") {
        Transport::Quic
    } else if has("Fast Open") {
        Transport::TcpFastOpen
    } else {
        Transport::Tcp
    };
    let security = if has("0-RTT") {
        Security::Tls13Early
    } else if has("TLS 1.3") {
        Security::Tls13
    } else if has("TLS 1.2") && has("resum") {
        Security::Tls12Resumed
    } else if has("TLS 1.2") {
        Security::Tls12
    } else {
        Security::None
    };
    (transport, security)
}

fn frame(text: &str, mask: Option<[u8; 4]>, opcode: Opcode) -> Value {
    let frame = Frame {
        mask,
        ..Frame::new(opcode, text)
    };
    let wire = frame.encode();
    assert_eq!(Frame::decode(&wire), Ok(Some((frame, wire.len()))));
    json!({"hex": hex(&wire)})
}

fn answer(case: &Case<'_>) -> Option<Value> {
    let text = |field: &str| case.input[field].as_str();
    if let Some(key) = text("key") {
        return Some(json!({"accept": websocket::accept(key)}));
    }
    if let Some(payload) = text("text").or_else(|| text("payload")) {
        let named = text("mask")
            .or_else(|| text("mask_key"))
            .or_else(|| text("masking_key"));
        let mask = named.map(|hex| bytes(hex).try_into().expect("four bytes"));
        // The only mask that RFC 6455 5.7 uses.
        let usual = (case.input["masked"] == json!(true)).then_some([0x37, 0xfa, 0x21, 0x3d]);
        let opcode = match text("opcode") {
            Some("ping") => Opcode::Ping,
            Some("pong") => Opcode::Pong,
            Some("close") => Opcode::Close,
            Some("binary") => Opcode::Binary,
            _ if case.name.contains("ping") => Opcode::Ping,
            _ if case.name.contains("pong") => Opcode::Pong,
            _ => Opcode::Text,
        };
        return Some(frame(payload, mask.or(usual), opcode));
    }
    if let Some(pieces) = case.input["fragments"].as_array() {
        let pieces: Vec<&[u8]> = pieces
            .iter()
            .map(|p| p.as_str().expect("text").as_bytes())
            .collect();
        let frames = Frame::fragments(Opcode::Text, &pieces);
        let frames: Vec<String> = frames.iter().map(|frame| hex(&frame.encode())).collect();
        return Some(json!({"hex": frames}));
    }
    if let Some(lengths) = case.input["lengths"].as_array() {
        let header = |length: &Value| {
            let length = length.as_u64().expect("a length") as usize;
            hex(&Frame::new(Opcode::Binary, vec![0; length]).header())
        };
        return Some(json!({"headers_hex": lengths.iter().map(header).collect::<Vec<_>>()}));
    }
    if case.takes(&["n", "prefix_bits"]) {
        let (number, prefix_bits) = (case.need("n"), case.count("prefix_bits"));
        let wire = hpack::encode_integer(number, prefix_bits);
        let back = hpack::decode_integer(&wire, prefix_bits);
        assert_eq!(back, Some((number, wire.len())));
        return Some(json!({"hex": hex(&wire)}));
    }
    if let Some(protocol) = text("protocol") {
        let (transport, security) = handshake(protocol);
        let before = connections::setup_round_trips(transport, security);
        return Some(json!({
            "rtts_before_request_can_be_sent": before,
            "rtts_to_first_response_byte": before + 1,
        }));
    }
    if case.takes(&["requests", "rtt_ms"]) {
        let (transport, security) = handshake(&format!("TCP + {}", text("tls").unwrap_or("none")));
        let link = Link {
            round_trip: case.need("rtt_ms"),
            setup_round_trips: connections::setup_round_trips(transport, security),
            server: case.need("server_ms"),
        };
        let requests = case.need("requests") as usize;
        let takes = |design| connections::load_time(design, link, requests);
        return Some(json!({
            "http10_new_connection_each": takes(Design::NewForEach(1)),
            "keep_alive_sequential": takes(Design::Kept(1)),
            "http11_pipelined_serial_server": takes(Design::Pipelined),
            "http2_multiplexed_parallel_server": takes(Design::Streams(STREAMS)),
            "six_parallel_connections_new_each": takes(Design::NewForEach(CONNECTIONS_PER_HOST)),
            "six_parallel_keep_alive": takes(Design::Kept(CONNECTIONS_PER_HOST)),
        }));
    }
    if case.takes(&["poll_s", "rtt_s"]) {
        let (poll, round_trip) = (case.number("poll_s"), case.number("rtt_s"));
        return Some(json!({
            "mean_poll_delay_s": connections::poll_delay_mean(poll, round_trip),
            "mean_push_delay_s": connections::push_delay(round_trip),
            "poll_requests_per_hour": connections::polls(3_600.0, poll),
        }));
    }
    if case.takes(&["km"]) {
        let speed = case.input["fibre_km_per_ms"].as_f64();
        let speed = speed.unwrap_or(connections::FIBRE_KM_PER_MS);
        let floor = connections::round_trip_floor_ms(case.number("km"), speed);
        return Some(json!({"rtt_ms_min": floor}));
    }
    None
}

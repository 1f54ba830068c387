//! Consistent hashing: servers own points on a ring, and a key belongs to the next point clockwise.

use crate::hash::{Crc32, crc32};

/// Points that nginx gives a server per unit of weight.
const NGINX_POINTS: u32 = 160;

/// Places on an [`NginxContinuum`] that are tried before giving up.
const NGINX_TRIES: usize = 21;

/// The ring of nginx's `hash ... consistent`, compatible with Cache::Memcached::Fast.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NginxContinuum {
    /// Point and the server that owns it, by rising point.
    points: Vec<(u32, usize)>,
}

impl NginxContinuum {
    /// Builds the ring from `host` or `host:port` names and weights.
    pub fn new(servers: &[(&str, u32)]) -> NginxContinuum {
        let mut points = Vec::new();
        for (index, &(name, weight)) in servers.iter().enumerate() {
            let (host, port) = split_port(name);
            let mut base = Crc32::new();
            base.update(host.as_bytes());
            base.update(&[0]);
            base.update(port.as_bytes());
            // Each point's hash goes into the next, so a heavier server keeps its first points.
            let mut point = 0_u32;
            for _ in 0..weight.saturating_mul(NGINX_POINTS) {
                let mut crc = base;
                crc.update(&point.to_le_bytes());
                point = crc.finish();
                points.push((point, index));
            }
        }
        points.sort_by_key(|&(point, _)| point);
        points.dedup_by_key(|&mut (point, _)| point);
        NginxContinuum { points }
    }

    /// The points and their servers, by rising point.
    pub fn points(&self) -> &[(u32, usize)] {
        &self.points
    }

    /// The server of a key: the first eligible one within 21 points clockwise of the key's hash.
    pub fn owner(&self, key: &[u8], eligible: impl Fn(usize) -> bool) -> Option<usize> {
        let hash = crc32(key);
        let start = self.points.partition_point(|&(point, _)| point < hash);
        (self.points[start..].iter())
            .chain(&self.points[..start])
            .take(NGINX_TRIES)
            .map(|&(_, server)| server)
            .find(|&server| eligible(server))
    }
}

/// Splits `host:port`; a name without a number behind its last colon is all host.
fn split_port(name: &str) -> (&str, &str) {
    match name.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => (host, port),
        _ => (name, ""),
    }
}

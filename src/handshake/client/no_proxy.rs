//! The servers that are connected to without a proxy.

use core::net::IpAddr;

use crate::handshake::{
    authority::{Authority, without_brackets},
    field::number,
    uri::WebSocketUri,
};

/// A list of servers, as in the variable `no_proxy`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct NoProxy(Vec<Entry>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    hosts: Hosts,
    /// `None` means any port.
    port: Option<u16>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Hosts {
    All,
    /// This name, in lower case, and those that end with a dot and this name.
    Domain(String),
    /// The addresses that share this many leading bits with this one.
    Block(IpAddr, u32),
}

/// A host to look for in the list.
enum Host {
    Name(String),
    Address(IpAddr),
}

impl NoProxy {
    /// Entries that can't be parsed are skipped, as all implementations do.
    pub(super) fn parse(list: &str) -> Self {
        let entries = list.split(|separator: char| separator == ',' || separator.is_whitespace());
        Self(entries.filter_map(Entry::parse).collect())
    }

    pub(super) fn contain(&self, uri: &WebSocketUri) -> bool {
        let host = Host::parse(uri.host());
        self.0.iter().any(|entry| {
            entry.port.is_none_or(|port| port == uri.port()) && entry.hosts.contain(&host)
        })
    }
}

impl Entry {
    fn parse(text: &str) -> Option<Self> {
        if let Some((address, bits)) = text.split_once('/') {
            let hosts = Hosts::block(address.parse().ok()?, number(bits.as_bytes())?)?;
            return Some(Self { hosts, port: None });
        }
        if let Ok(address) = text.parse() {
            return Some(Self { hosts: Hosts::address(address), port: None });
        }
        let Authority { host, port } = Authority::parse(text).ok()?;
        Some(Self { hosts: Hosts::parse(host), port })
    }
}

impl Hosts {
    fn parse(host: &str) -> Self {
        if host == "*" {
            return Self::All;
        }
        let name = host.strip_prefix("*.").or(host.strip_prefix('.')).unwrap_or(host);
        match Host::parse(without_brackets(name)) {
            Host::Address(address) => Self::address(address),
            Host::Name(name) => Self::Domain(name),
        }
    }

    fn address(address: IpAddr) -> Self {
        Self::Block(address.to_canonical(), 128)
    }

    fn block(address: IpAddr, bits: u32) -> Option<Self> {
        // An IPv6 address that stands for an IPv4 one counts as the latter, as in the host of a URL.
        let canonical = address.to_canonical();
        let before = width(address) - width(canonical);
        let block = match bits.checked_sub(before) {
            Some(bits) => Self::Block(canonical, bits),
            None => Self::Block(address, bits),
        };
        (bits <= width(address)).then_some(block)
    }

    fn contain(&self, host: &Host) -> bool {
        match (self, host) {
            (Self::All, _) => true,
            (Self::Domain(domain), Host::Name(name)) => name
                .strip_suffix(domain.as_str())
                .is_some_and(|front| front.is_empty() || front.ends_with('.')),
            (Self::Block(first, bits), Host::Address(address)) => {
                width(*first) == width(*address) && front(*first, *bits) == front(*address, *bits)
            }
            // A name matches no address, even if it ends with digits, nor an address a name.
            (Self::Domain(_), Host::Address(_)) | (Self::Block(..), Host::Name(_)) => false,
        }
    }
}

impl Host {
    /// Parses an address, or a name: in lower case, without the dot that ends an absolute one.
    fn parse(host: &str) -> Self {
        match host.parse::<IpAddr>() {
            Ok(address) => Self::Address(address.to_canonical()),
            Err(_) => Self::Name(host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase()),
        }
    }
}

/// Returns how many bits an address of this family has.
const fn width(address: IpAddr) -> u32 {
    match address {
        IpAddr::V4(_) => 32,
        IpAddr::V6(_) => 128,
    }
}

/// Returns the first bits of an address, or all of them if it has fewer.
fn front(address: IpAddr, bits: u32) -> u128 {
    let number = match address {
        IpAddr::V4(address) => address.to_bits().into(),
        IpAddr::V6(address) => address.to_bits(),
    };
    number.checked_shr(width(address).saturating_sub(bits)).unwrap_or_default()
}

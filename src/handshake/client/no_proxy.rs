//! The servers that no proxy is asked for.

use core::net::IpAddr;

use crate::handshake::{
    authority::{Authority, without_brackets},
    field::number,
    uri::WebSocketUri,
};

/// A list of servers, as the variable `no_proxy` has it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct NoProxy(Vec<Entry>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    hosts: Hosts,
    /// Any, where there is none.
    port: Option<u16>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Hosts {
    All,
    /// This name in lower case, and those that end with a dot and this name.
    Domain(String),
    /// The addresses that begin with this many bits of this one.
    Block(IpAddr, u32),
}

/// A host to be looked for in the list.
enum Host {
    Name(String),
    Address(IpAddr),
}

impl NoProxy {
    /// What can't be made out is passed over, as everybody does.
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
        // An address that stands for one of IPv4 is looked at as that, as the host of a URL is.
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
            // A name that ends with digits is no address, and the other way round.
            (Self::Domain(_), Host::Address(_)) | (Self::Block(..), Host::Name(_)) => false,
        }
    }
}

impl Host {
    /// A name in lower case and without the dot that ends an absolute one, or an address.
    fn parse(host: &str) -> Self {
        match host.parse::<IpAddr>() {
            Ok(address) => Self::Address(address.to_canonical()),
            Err(_) => Self::Name(host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase()),
        }
    }
}

/// How many bits an address of this family has.
const fn width(address: IpAddr) -> u32 {
    match address {
        IpAddr::V4(_) => 32,
        IpAddr::V6(_) => 128,
    }
}

/// The first bits of an address, all of them where it has fewer.
fn front(address: IpAddr, bits: u32) -> u128 {
    let number = match address {
        IpAddr::V4(address) => address.to_bits().into(),
        IpAddr::V6(address) => address.to_bits(),
    };
    number.checked_shr(width(address).saturating_sub(bits)).unwrap_or_default()
}

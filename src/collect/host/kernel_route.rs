//! Asks the kernel which way it would choose to an address: RTM_GETROUTE, which everybody may send.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, UdpSocket};
use std::os::fd::AsRawFd;

use nix::libc;
use nix::sys::socket::sockopt::ReceiveTimeout;
use nix::sys::socket::{
    AddressFamily, MsgFlags, NetlinkAddr, SockFlag, SockProtocol, SockType, recv, sendto, setsockopt, socket,
};
use nix::sys::time::{TimeVal, TimeValLike};

use crate::model::limits::ROUTE_TIMEOUT;

/// The way that a kernel has chosen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KernelRoute {
    /// The address from which it connects.
    pub source: Option<IpAddr>,
    /// The number of the card that the packets leave by.
    pub card: Option<u32>,
    /// Whether the address is one of the same network.
    pub local: bool,
}

/// What is looked for.
#[derive(Clone, Copy, Debug)]
pub struct RouteQuestion {
    /// To where.
    pub to: IpAddr,
    /// The address that the packets carry. `None`: the one that the kernel takes.
    pub from: Option<IpAddr>,
    /// The user whose packets they are; rules can tell users apart.
    pub uid: Option<u32>,
}

const HEADER: usize = 16;
const ROUTE_MESSAGE: usize = 12;

/// The way to an address, in the network of the thread that asks. `Ok(None)`: there is none.
pub fn ask_kernel(question: RouteQuestion) -> io::Result<Option<KernelRoute>> {
    let asked = exchange(&request(&question)).map(|answer| read(&answer));
    match asked {
        Ok(Some(Ok(route))) => Ok(Some(route)),
        Ok(Some(Err(errno))) if is_no_route(errno) => Ok(None),
        Ok(Some(Err(errno))) => Err(io::Error::from_raw_os_error(errno)),
        // Where that kind of socket is not to be had, a datagram that is never sent shows the source, too.
        Ok(None) | Err(_) if question.from.is_none() => by_datagram(question.to),
        Ok(None) => Err(io::Error::from(io::ErrorKind::InvalidData)),
        Err(error) => Err(error),
    }
}

fn is_no_route(errno: i32) -> bool {
    [libc::ENETUNREACH, libc::EHOSTUNREACH, libc::EACCES, libc::EINVAL].contains(&errno)
}

/// Any port will do: nothing is sent.
const DISCARD: u16 = 9;

/// A socket for datagrams that is connected has the source that the kernel takes. Nothing is sent.
fn by_datagram(to: IpAddr) -> io::Result<Option<KernelRoute>> {
    let any: IpAddr = if to.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let socket = UdpSocket::bind((any, 0))?;
    match socket.connect((to, DISCARD)) {
        Ok(()) => {
            let source = socket.local_addr()?.ip();
            Ok(Some(KernelRoute { source: Some(source), card: None, local: source == to }))
        }
        Err(error) if error.raw_os_error().is_some_and(is_no_route) => Ok(None),
        Err(error) => Err(error),
    }
}

fn exchange(request: &[u8]) -> io::Result<Vec<u8>> {
    let socket =
        socket(AddressFamily::Netlink, SockType::Raw, SockFlag::SOCK_CLOEXEC, SockProtocol::NetlinkRoute)?;
    setsockopt(
        &socket,
        ReceiveTimeout,
        &TimeVal::seconds(i64::try_from(ROUTE_TIMEOUT.as_secs()).unwrap_or(1)),
    )?;
    sendto(socket.as_raw_fd(), request, &NetlinkAddr::new(0, 0), MsgFlags::empty())?;
    let mut answer = vec![0; 4096];
    let length = recv(socket.as_raw_fd(), &mut answer, MsgFlags::empty())?;
    answer.truncate(length);
    Ok(answer)
}

/// The bytes of a question.
fn request(question: &RouteQuestion) -> Vec<u8> {
    let octets = |address: IpAddr| match address {
        IpAddr::V4(v4) => v4.octets().to_vec(),
        IpAddr::V6(v6) => v6.octets().to_vec(),
    };
    let (to, from) = (octets(question.to), question.from.map(octets));
    let family = if question.to.is_ipv4() { libc::AF_INET } else { libc::AF_INET6 };
    let bits = |octets: &[u8]| u8::try_from(octets.len() * 8).unwrap_or_default();
    let mut body = vec![0; ROUTE_MESSAGE];
    body[0] = u8::try_from(family).unwrap_or_default();
    body[1] = bits(&to);
    body[2] = from.as_deref().map(bits).unwrap_or_default();
    let mut attribute = |kind: u16, value: &[u8]| {
        let length = u16::try_from(value.len() + 4).unwrap_or_default();
        body.extend(length.to_ne_bytes());
        body.extend(kind.to_ne_bytes());
        body.extend(value);
    };
    attribute(libc::RTA_DST, &to);
    if let Some(from) = &from {
        attribute(libc::RTA_SRC, from);
    }
    if let Some(uid) = question.uid {
        attribute(RTA_UID, &uid.to_ne_bytes());
    }
    let length = u32::try_from(HEADER + body.len()).unwrap_or_default();
    let flags = u16::try_from(libc::NLM_F_REQUEST).unwrap_or_default();
    let mut message = Vec::with_capacity(HEADER + body.len());
    message.extend(length.to_ne_bytes());
    message.extend(libc::RTM_GETROUTE.to_ne_bytes());
    message.extend(flags.to_ne_bytes());
    // The number of the question and the address of who asks: there is one question, and the kernel fills in the other.
    message.extend(1_u32.to_ne_bytes());
    message.extend(0_u32.to_ne_bytes());
    message.extend(body);
    message
}

/// From include/uapi/linux/rtnetlink.h.
const RTA_UID: u16 = 25;

/// The route in an answer, or the error number in its place. `None`: it is neither.
fn read(answer: &[u8]) -> Option<Result<KernelRoute, i32>> {
    let number = |at: usize| Some(u32::from_ne_bytes(answer.get(at..at + 4)?.try_into().ok()?));
    let short = |at: usize| Some(u16::from_ne_bytes(answer.get(at..at + 2)?.try_into().ok()?));
    let kind = short(4)?;
    if i32::from(kind) == libc::NLMSG_ERROR {
        let code = i32::from_ne_bytes(answer.get(HEADER..HEADER + 4)?.try_into().ok()?);
        return Some(Err(-code));
    }
    if kind != libc::RTM_NEWROUTE {
        return None;
    }
    let end = usize::try_from(number(0)?).ok()?.min(answer.len());
    let route_type = *answer.get(HEADER + 7)?;
    let mut route = KernelRoute { local: route_type == libc::RTN_LOCAL, ..KernelRoute::default() };
    let mut at = HEADER + ROUTE_MESSAGE;
    while at + 4 <= end {
        let (length, kind) = (usize::from(short(at)?), short(at + 2)?);
        if length < 4 || at + length > end {
            break;
        }
        let value = &answer[at + 4..at + length];
        match kind {
            libc::RTA_PREFSRC => route.source = address(value),
            libc::RTA_OIF => route.card = Some(number(at + 4)?),
            _ => {}
        }
        at += length.next_multiple_of(4);
    }
    Some(Ok(route))
}

fn address(octets: &[u8]) -> Option<IpAddr> {
    let v4 = <[u8; 4]>::try_from(octets).map(IpAddr::from);
    v4.or_else(|_| <[u8; 16]>::try_from(octets).map(IpAddr::from)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_to_this_host_is_local() {
        let to = IpAddr::from(Ipv4Addr::LOCALHOST);
        let route = ask_kernel(RouteQuestion { to, from: None, uid: None }).unwrap().unwrap();
        assert_eq!((route.source, route.local), (Some(to), true));
        assert_eq!(by_datagram(to).unwrap().unwrap().source, Some(to));
    }

    #[test]
    fn an_answer_that_is_cut_or_is_something_else_is_none() {
        let question = RouteQuestion { to: Ipv4Addr::LOCALHOST.into(), from: None, uid: Some(0) };
        let answer = exchange(&request(&question)).unwrap();
        for length in 0..answer.len() {
            // Whatever is cut off, nothing is read beyond the end.
            let _ = read(&answer[..length]);
        }
        assert!(read(&[]).is_none());
        let mut other = answer.clone();
        other[4] = 0xff;
        assert!(read(&other).is_none());
        let mut refused = vec![0; 36];
        refused[4..6].copy_from_slice(&u16::try_from(libc::NLMSG_ERROR).unwrap().to_ne_bytes());
        refused[16..20].copy_from_slice(&(-libc::ENETUNREACH).to_ne_bytes());
        assert_eq!(read(&refused), Some(Err(libc::ENETUNREACH)));
    }
}

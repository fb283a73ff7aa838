//! The few messages of ZooKeeper's protocol that are needed to read a tree, and none that changes one.
//!
//! A client library would bring calls that write, a session that it keeps alive and moves to other members by
//! itself, and answers that are read to whatever length the other side says. Here what can be sent is what
//! [`Request`] has, and nothing is believed of an answer before it fits into its frame.

use super::tree::AclEntry;
use crate::i18n::reasons;
use crate::model::reason::Reason;

/// The bytes of a `Stat`: five numbers of eight bytes, six of four, and one more of eight.
const STAT_BYTES: usize = 68;
/// The `xid` of an authentication, which has a fixed one.
pub const XID_AUTH: i32 = -4;
/// The `xid` of a notification about a watch. None is ever set.
pub const XID_EVENT: i32 = -1;
/// The `xid` of an answer to a ping.
pub const XID_PING: i32 = -2;

/// `NoNode`: it does not exist.
pub const ERR_NO_NODE: i32 = -101;
/// `NoAuth`: the session may not do this.
pub const ERR_NO_AUTH: i32 = -102;
/// `NotReadOnly`: a member without a majority that serves reading, and no session (measured on 3.8.0 with
/// `readonlymode.enabled` and without `localSessionsEnabled`).
pub const ERR_NOT_READ_ONLY: i32 = -119;
/// `AuthFailed`: the server refuses the credentials.
pub const ERR_AUTH_FAILED: i32 = -115;
/// `SessionClosedRequireSaslAuth`: the server wants another kind of credentials.
pub const ERR_SASL_REQUIRED: i32 = -124;

/// What is sent. Everything here only reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request<'a> {
    /// The content and the state of a node.
    Data(&'a str),
    /// The names of its children.
    Children(&'a str),
    /// Its access control list.
    Acl(&'a str),
    /// The end of the session.
    Close,
}

/// An answer that is not what the protocol says.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Malformed(pub Reason);

/// Opens a session. `read_only`: a member that has lost its majority may serve it, too.
pub fn connect(timeout_ms: i32) -> Vec<u8> {
    let mut out = Vec::new();
    int(&mut out, 0); // the version of the protocol
    long(&mut out, 0); // nothing was seen yet
    int(&mut out, timeout_ms);
    long(&mut out, 0); // a new session
    buffer(&mut out, &[0; 16]);
    out.push(1); // read-only is enough
    framed(&out)
}

/// Gives `user:password` for the scheme `digest`. The server believes it without looking; it shows in what may be
/// read afterwards.
pub fn authenticate(credentials: &str) -> Vec<u8> {
    let mut out = Vec::new();
    int(&mut out, XID_AUTH);
    int(&mut out, 100);
    int(&mut out, 0);
    buffer(&mut out, b"digest");
    buffer(&mut out, credentials.as_bytes());
    framed(&out)
}

impl Request<'_> {
    /// The bytes of the request with the number `xid`.
    pub fn encode(&self, xid: i32) -> Vec<u8> {
        let mut out = Vec::new();
        int(&mut out, xid);
        let (operation, path) = match self {
            Self::Data(path) => (4, Some(path)),
            Self::Acl(path) => (6, Some(path)),
            Self::Children(path) => (8, Some(path)),
            Self::Close => (-11, None),
        };
        int(&mut out, operation);
        if let Some(path) = path {
            buffer(&mut out, path.as_bytes());
        }
        if matches!(self, Self::Data(_) | Self::Children(_)) {
            out.push(0); // no watch
        }
        framed(&out)
    }
}

/// The answer to opening a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Opened {
    /// Whether there is a session. There is none when the server has given it up at once.
    pub accepted: bool,
    /// Whether the member serves only reading: it has lost its majority.
    pub read_only: bool,
}

/// Reads the answer to opening a session.
pub fn opened(frame: &[u8]) -> Result<Opened, Malformed> {
    if let Ok((Header { error: ERR_NOT_READ_ONLY, .. }, [])) = header(frame) {
        return Ok(Opened { accepted: false, read_only: true });
    }
    let mut reader = Reader(frame);
    reader.int()?;
    reader.int()?;
    let session = reader.long()?;
    reader.buffer()?;
    // Before 3.4 there was no such byte.
    let read_only = reader.0.first().is_some_and(|byte| *byte != 0);
    Ok(Opened { accepted: session != 0, read_only })
}

/// What stands before every answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// The number of the request.
    pub xid: i32,
    /// 0, or an error.
    pub error: i32,
}

/// Reads the header of an answer; what is left is its body.
pub fn header(frame: &[u8]) -> Result<(Header, &[u8]), Malformed> {
    let mut reader = Reader(frame);
    let xid = reader.int()?;
    reader.long()?;
    let error = reader.int()?;
    Ok((Header { xid, error }, reader.0))
}

/// The content of a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content {
    /// Its bytes.
    pub data: Vec<u8>,
    /// Whether it goes away with the session that made it.
    pub ephemeral: bool,
    /// How many children it has.
    pub children: usize,
}

/// Reads the answer to [`Request::Data`].
pub fn content(body: &[u8]) -> Result<Content, Malformed> {
    let mut reader = Reader(body);
    let data = reader.buffer()?.to_vec();
    let stat = reader.take(STAT_BYTES)?;
    let number = |at: usize| {
        let bytes = stat.get(at..at + 4).and_then(|bytes| bytes.try_into().ok());
        bytes.map(i32::from_be_bytes).ok_or_else(|| Malformed(reasons::state_cut_off()))
    };
    // czxid, mzxid, ctime, mtime: 8 each; version, cversion, aversion: 4 each; then the owner. The owner of a node
    // that goes away by time or when it is empty is no session: it begins with 0xff, or is the smallest number.
    let owner = (number(44)?, number(48)?);
    let ephemeral = owner != (0, 0) && owner != (i32::MIN, 0) && owner.0 >> 24 != -1;
    let children = usize::try_from(number(56)?).unwrap_or(0);
    Ok(Content { data, ephemeral, children })
}

/// Reads the answer to [`Request::Children`].
pub fn children(body: &[u8], most: usize) -> Result<Vec<String>, Malformed> {
    let mut reader = Reader(body);
    let count = reader.count(most)?;
    (0..count).map(|_| reader.text()).collect()
}

/// Reads the answer to [`Request::Acl`].
pub fn acl(body: &[u8], most: usize) -> Result<Vec<AclEntry>, Malformed> {
    let mut reader = Reader(body);
    let count = reader.count(most)?;
    let entry = |reader: &mut Reader<'_>| {
        Ok(AclEntry { perms: reader.int()?, scheme: reader.text()?, id: reader.text()? })
    };
    (0..count).map(|_| entry(&mut reader)).collect()
}

struct Reader<'b>(&'b [u8]);

impl<'b> Reader<'b> {
    fn take(&mut self, count: usize) -> Result<&'b [u8], Malformed> {
        let (head, rest) =
            self.0.split_at_checked(count).ok_or_else(|| Malformed(reasons::answer_cut_off()))?;
        self.0 = rest;
        Ok(head)
    }

    fn int(&mut self) -> Result<i32, Malformed> {
        let bytes = self.take(4)?.try_into().map_err(|_| Malformed(reasons::number_cut_off()))?;
        Ok(i32::from_be_bytes(bytes))
    }

    fn long(&mut self) -> Result<i64, Malformed> {
        let bytes = self.take(8)?.try_into().map_err(|_| Malformed(reasons::number_cut_off()))?;
        Ok(i64::from_be_bytes(bytes))
    }

    /// A length of -1 is that of nothing at all.
    fn buffer(&mut self) -> Result<&'b [u8], Malformed> {
        match self.int()? {
            -1 => Ok(&[]),
            length => self.take(usize::try_from(length).map_err(|_| Malformed(reasons::length_negative()))?),
        }
    }

    fn text(&mut self) -> Result<String, Malformed> {
        let bytes = self.buffer()?;
        std::str::from_utf8(bytes).map(str::to_owned).map_err(|_| Malformed(reasons::name_not_utf8()))
    }

    fn count(&mut self, most: usize) -> Result<usize, Malformed> {
        match self.int()? {
            -1 => Ok(0),
            count => usize::try_from(count)
                .ok()
                .filter(|count| *count <= most)
                .ok_or_else(|| Malformed(reasons::list_too_long())),
        }
    }
}

fn int(out: &mut Vec<u8>, number: i32) {
    out.extend_from_slice(&number.to_be_bytes());
}

fn long(out: &mut Vec<u8>, number: i64) {
    out.extend_from_slice(&number.to_be_bytes());
}

fn buffer(out: &mut Vec<u8>, bytes: &[u8]) {
    // What is sent is a path or a password, bounded long before.
    int(out, i32::try_from(bytes.len()).unwrap_or(i32::MAX));
    out.extend_from_slice(bytes);
}

fn framed(body: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(body.len() + 4);
    buffer(&mut out, body);
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_request_has_its_number_its_operation_and_its_path() {
        assert_eq!(
            Request::Data("/a").encode(7),
            [&[0, 0, 0, 15, 0, 0, 0, 7, 0, 0, 0, 4, 0, 0, 0, 2][..], b"/a", &[0]].concat()
        );
        assert_eq!(Request::Close.encode(1), [0, 0, 0, 8, 0, 0, 0, 1, 255, 255, 255, 245]);
        assert_eq!(connect(4000).len(), 4 + 4 + 8 + 4 + 8 + 20 + 1);
    }

    #[test]
    fn a_state_tells_the_owner_and_the_children() {
        let mut body = Vec::new();
        buffer(&mut body, b"{}");
        body.extend_from_slice(&[0; 44]);
        long(&mut body, 0x0100_0010_618a_0003);
        int(&mut body, 2);
        int(&mut body, 5);
        long(&mut body, 9);
        assert_eq!(content(&body), Ok(Content { data: b"{}".to_vec(), ephemeral: true, children: 5 }));
        assert!(content(&body[..body.len() - 1]).is_err());
    }

    #[test]
    fn a_member_without_a_majority_gives_no_session() {
        // As ZooKeeper 3.8.0 answered.
        let refusal = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0x89];
        assert_eq!(opened(&refusal), Ok(Opened { accepted: false, read_only: true }));
    }

    #[test]
    fn a_list_that_says_more_than_it_holds_is_refused() {
        let mut body = Vec::new();
        int(&mut body, i32::MAX);
        assert!(children(&body, 100).is_err());
        int(&mut body, 3);
        assert!(acl(&body, usize::MAX).is_err(), "the count fits, the items are not there");
    }

    proptest! {
        #[test]
        fn no_answer_makes_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = opened(&bytes);
            let _ = header(&bytes);
            let _ = content(&bytes);
            let _ = children(&bytes, 1000);
            let _ = acl(&bytes, 1000);
        }
    }
}

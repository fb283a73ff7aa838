//! Channels of a simulated server. Sentinels find each other by what they publish on the servers that they watch.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::broadcast::{self, Receiver, Sender};

/// How many messages wait for a slow reader before it loses the oldest.
const BACKLOG: usize = 64;

/// A message that somebody published.
#[derive(Clone, Debug)]
pub struct Message {
    channel: String,
    text: String,
}

/// The channels of all servers.
#[derive(Debug, Default)]
pub struct Channels {
    servers: Mutex<BTreeMap<usize, Sender<Message>>>,
}

impl Channels {
    fn sender(&self, server: usize) -> Sender<Message> {
        let mut servers = self.servers.lock().unwrap_or_else(PoisonError::into_inner);
        servers.entry(server).or_insert_with(|| broadcast::channel(BACKLOG).0).clone()
    }

    /// Everything that will be published on a server.
    pub fn listen(&self, server: usize) -> Receiver<Message> {
        self.sender(server).subscribe()
    }

    /// Publishes, and returns how many connections listen to that server.
    pub fn publish(&self, server: usize, channel: &str, text: &str) -> usize {
        let message = Message { channel: channel.to_owned(), text: text.to_owned() };
        self.sender(server).send(message).unwrap_or(0)
    }
}

/// What one connection has subscribed to; shared by those who read and write on it.
#[derive(Clone, Debug, Default)]
pub struct Subscriptions {
    /// The channels, each with whether it is a pattern.
    wanted: Arc<Mutex<Vec<(String, bool)>>>,
}

impl Subscriptions {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.wanted.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    /// Adds channels or patterns, and returns what is answered.
    pub fn add(&self, channels: &[String], are_patterns: bool) -> String {
        let word = if are_patterns { "psubscribe" } else { "subscribe" };
        self.change(word, channels, |wanted, channel| {
            if !wanted.contains(&(channel.to_owned(), are_patterns)) {
                wanted.push((channel.to_owned(), are_patterns));
            }
        })
    }

    /// Takes channels or patterns away, and returns what is answered.
    pub fn remove(&self, channels: &[String], are_patterns: bool) -> String {
        let word = if are_patterns { "punsubscribe" } else { "unsubscribe" };
        self.change(word, channels, |wanted, channel| {
            wanted.retain(|(known, pattern)| known != channel || *pattern != are_patterns);
        })
    }

    fn change(
        &self,
        word: &str,
        channels: &[String],
        change: impl Fn(&mut Vec<(String, bool)>, &str),
    ) -> String {
        let mut wanted = self.wanted.lock().unwrap_or_else(PoisonError::into_inner);
        let mut reply = String::new();
        for channel in channels {
            change(&mut wanted, channel);
            reply += &format!("*3\r\n{}{}:{}\r\n", bulk(word), bulk(channel), wanted.len());
        }
        reply
    }

    /// The bytes in which a message reaches this connection; empty where it was not asked for.
    pub fn of_message(&self, message: &Message) -> String {
        let wanted = self.wanted.lock().unwrap_or_else(PoisonError::into_inner);
        let mut bytes = String::new();
        for (channel, is_pattern) in wanted.iter() {
            if *is_pattern && matches(channel, &message.channel) {
                let parts = [bulk("pmessage"), bulk(channel), bulk(&message.channel), bulk(&message.text)];
                bytes += &format!("*4\r\n{}", parts.concat());
            } else if !*is_pattern && *channel == message.channel {
                let parts = [bulk("message"), bulk(channel), bulk(&message.text)];
                bytes += &format!("*3\r\n{}", parts.concat());
            }
        }
        bytes
    }
}

/// Whether a channel fits a pattern that ends with `*`, which is all that is needed here.
fn matches(pattern: &str, channel: &str) -> bool {
    pattern.strip_suffix('*').map_or(pattern == channel, |start| channel.starts_with(start))
}

fn bulk(text: &str) -> String {
    format!("${}\r\n{text}\r\n", text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_reach_those_who_asked_for_them() {
        let (channels, subscriptions) = (Channels::default(), Subscriptions::default());
        let mut listener = channels.listen(0);
        assert_eq!(subscriptions.add(&["a".into()], false), "*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n");
        subscriptions.add(&["b*".into()], true);
        assert_eq!((channels.publish(0, "a", "x"), channels.publish(1, "a", "x")), (1, 0));
        let first = listener.try_recv().unwrap();
        assert_eq!(subscriptions.of_message(&first), "*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$1\r\nx\r\n");
        channels.publish(0, "bc", "y");
        let second = listener.try_recv().unwrap();
        let expected = "*4\r\n$8\r\npmessage\r\n$2\r\nb*\r\n$2\r\nbc\r\n$1\r\ny\r\n";
        assert_eq!(subscriptions.of_message(&second), expected);
        subscriptions.remove(&["a".into()], false);
        assert_eq!(subscriptions.of_message(&first), "");
        assert!(!subscriptions.is_empty());
    }
}

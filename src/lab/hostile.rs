//! Servers that are broken, or want to do harm to whoever asks them.

use std::time::Duration;

use redis::Parser;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::commands::Client;
use super::fault::Hostility;
use super::persona::{self, Persona};
use super::resp::next_command;

/// What is put behind each value: clear the screen, set the title, ring the bell, and no UTF-8.
const ESCAPES: &[u8] = b"\x1b[2J\x1b]0;owned\x07\xff\xfe\x9b31m";

/// How much a flood carries at a time.
const BLOCK: usize = 1 << 16;

/// Answers one connection as such a server does.
pub async fn converse(stream: TcpStream, client: Client, hostility: Hostility) {
    // Whoever asked has gone away; that is no matter.
    let _ = match hostility {
        Hostility::OneByteASecond => drip(stream, client).await,
        Hostility::EndlessBulk => flood(stream, b"$1000000000\r\n", b"x").await,
        Hostility::BillionElements => announce(stream).await,
        Hostility::DeepNesting => flood(stream, b"", b"*1\r\n").await,
        Hostility::ResetInTheMiddle => reset(stream, client).await,
        Hostility::HugeInfo => huge(stream, client).await,
        Hostility::OutOfStep | Hostility::Escapes | Hostility::ShiftingRelease => {
            answer(stream, client, hostility).await
        }
    };
}

async fn drip(mut stream: TcpStream, mut client: Client) -> std::io::Result<()> {
    for byte in info_server(&mut client).into_bytes() {
        stream.write_all(&[byte]).await?;
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    Ok(())
}

async fn flood(mut stream: TcpStream, head: &[u8], body: &[u8]) -> std::io::Result<()> {
    let block = body.repeat(BLOCK / body.len());
    // The question is left unread but for its beginning.
    stream.read_exact(&mut [0; 1]).await?;
    stream.write_all(head).await?;
    loop {
        stream.write_all(&block).await?;
    }
}

/// A billion elements are announced, and the first thousands of them come.
async fn announce(mut stream: TcpStream) -> std::io::Result<()> {
    stream.read_exact(&mut [0; 1]).await?;
    stream.write_all(b"*1000000000\r\n").await?;
    stream.write_all(&b":1\r\n".repeat(BLOCK / 4)).await?;
    while stream.read(&mut [0; 512]).await? > 0 {}
    Ok(())
}

/// A connection that is closed while something of it was not read is reset.
async fn reset(mut stream: TcpStream, mut client: Client) -> std::io::Result<()> {
    stream.read_exact(&mut [0; 1]).await?;
    let (first, second) = (info_server(&mut client), client.reply(&["info".into(), "replication".into()]));
    stream.write_all(first.as_bytes()).await?;
    stream.write_all(&second.as_bytes()[..second.len() / 2]).await?;
    // What was written must have left before the reset overtakes it.
    tokio::time::sleep(Duration::from_millis(100)).await;
    Ok(())
}

/// INFO begins as it should and does not end for 50 MB.
async fn huge(mut stream: TcpStream, mut client: Client) -> std::io::Result<()> {
    const SIZE: usize = 50_000_000;
    let (mut reader, mut writer) = stream.split();
    let mut parser = Parser::new();
    while let Some(words) = next_command(&mut parser, &mut reader).await {
        let reply = client.reply(&words);
        let Some((_, text)) = reply.split_once("\r\n").filter(|_| words[0].eq_ignore_ascii_case("info"))
        else {
            writer.write_all(reply.as_bytes()).await?;
            continue;
        };
        let text = text.trim_end();
        writer.write_all(format!("${SIZE}\r\n{text}\r\n").as_bytes()).await?;
        let block = b"padding:yes\r\n".repeat(BLOCK / 13);
        let mut left = SIZE - text.len() - 2;
        while left > 0 {
            let part = left.min(block.len());
            writer.write_all(&block[..part]).await?;
            left -= part;
        }
        writer.write_all(b"\r\n").await?;
    }
    Ok(())
}

async fn answer(mut stream: TcpStream, mut client: Client, hostility: Hostility) -> std::io::Result<()> {
    let (mut reader, mut writer) = stream.split();
    let mut parser = Parser::new();
    let mut answers = 0;
    while let Some(words) = next_command(&mut parser, &mut reader).await {
        if hostility == Hostility::ShiftingRelease {
            shift(&client);
        }
        let reply = client.reply(&words).into_bytes();
        answers += 1;
        let reply = match hostility {
            Hostility::OutOfStep if answers == 1 => [reply.as_slice(), b":0\r\n"].concat(),
            Hostility::Escapes => defaced(&reply),
            _ => reply,
        };
        writer.write_all(&reply).await?;
    }
    Ok(())
}

/// Makes the server another release.
fn shift(client: &Client) {
    let mut state = client.world.lock();
    let server = &mut state.servers[client.server];
    let tags: Vec<&str> = persona::releases().collect();
    let now =
        tags.iter().position(|tag| Persona::of(tag).is_ok_and(|it| it.version == server.persona.version));
    let next = tags[(now.unwrap_or_default() + 1) % tags.len()];
    if let Ok(persona) = Persona::of(next) {
        server.persona = persona;
    }
}

fn info_server(client: &mut Client) -> String {
    client.reply(&["info".into(), "server".into()])
}

/// Puts [`ESCAPES`] behind each value of a bulk string or an array, but for the release: nothing more
/// would be asked of a server whose release is not known.
fn defaced(reply: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(reply);
    let mut parts = text.split("\r\n");
    let mut out = Vec::new();
    match reply.first() {
        Some(b'$') => {
            let lines = parts.skip(1).filter(|line| !line.is_empty());
            let body: Vec<u8> =
                lines.flat_map(|line| [deface_line(line).as_slice(), b"\r\n"].concat()).collect();
            out.extend(bulk(&body));
        }
        Some(b'*') => {
            out.extend(format!("{}\r\n", parts.next().unwrap_or_default()).bytes());
            // Elements: a length line and then the text; names and values by turns.
            let elements: Vec<&str> = parts.collect();
            for (number, element) in elements.chunks(2).filter(|element| element.len() == 2).enumerate() {
                let behind: &[u8] = if number % 2 == 1 { ESCAPES } else { b"" };
                out.extend(bulk(&[element[1].as_bytes(), behind].concat()));
            }
        }
        _ => out.extend(reply),
    }
    out
}

fn deface_line(line: &str) -> Vec<u8> {
    if !line.contains(':') || line.starts_with("pika_version:") {
        return line.as_bytes().to_vec();
    }
    [line.as_bytes(), ESCAPES].concat()
}

fn bulk(text: &[u8]) -> Vec<u8> {
    [format!("${}\r\n", text.len()).as_bytes(), text, b"\r\n"].concat()
}

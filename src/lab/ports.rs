//! What listens on the ports that are counted from the client port, and how a port goes wrong.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::fault::PortFault;
use super::world::World;
use crate::collect::pika::trysync;
use crate::model::knowledge::{GenerationEntry, PortOpen, PortRule};
use crate::model::network::PortRole;

/// An address of a server.
#[derive(Clone, Copy)]
pub struct Place<'a> {
    /// The world that the server is in.
    pub world: &'a Arc<World>,
    /// The server among those of the world.
    pub server: usize,
    /// The address.
    pub address: SocketAddr,
}

/// Opens the derived ports of one server.
pub async fn open(
    place: Place<'_>,
    generation: &GenerationEntry,
    faults: &[(u16, PortFault)],
    tasks: &mut Vec<JoinHandle<()>>,
) -> io::Result<()> {
    for rule in &generation.ports {
        let fault =
            faults.iter().find(|(offset, _)| u32::from(*offset) == rule.offset).map(|(_, fault)| *fault);
        let Ok(port) = u16::try_from(u32::from(place.address.port()) + rule.offset) else { continue };
        let address = SocketAddr::new(place.address.ip(), port);
        match fault {
            None if rule.open == PortOpen::FullSync && !place.world.lock().runs_rsync(place.server) => {}
            None => tasks.push(behave(place, rule, TcpListener::bind(address).await?)),
            Some(PortFault::Closed) => {}
            Some(PortFault::Taken) => tasks.push(taken(TcpListener::bind(address).await?)),
            Some(PortFault::Filtered) => tasks.push(filtered(address).await?),
        }
    }
    Ok(())
}

fn behave(place: Place<'_>, rule: &PortRule, listener: TcpListener) -> JoinHandle<()> {
    let (shared, server, kind) = (place.world.clone(), place.server, rule.role);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let world = shared.clone();
            let stays = kind != PortRole::Binlog || world.lock().touched(server);
            tokio::spawn(async move {
                // Whoever dialled has gone away; that is no matter.
                let _ = match kind {
                    PortRole::Replication => answer_trysync(stream, &world, server).await,
                    PortRole::Rsync => greet(stream).await,
                    // Whoever is no master, no replica and no hub is turned away without a word.
                    PortRole::Heartbeat | PortRole::Hub => Ok(()),
                    _ if stays => listen_only(stream).await,
                    _ => Ok(()),
                };
            });
        }
    })
}

/// A listener that says nothing by itself.
async fn listen_only(mut stream: TcpStream) -> io::Result<()> {
    let mut buffer = [0; 512];
    while stream.read(&mut buffer).await? > 0 {}
    Ok(())
}

/// An rsync daemon that lets nobody in without a secret.
async fn greet(mut stream: TcpStream) -> io::Result<()> {
    stream.write_all(b"@RSYNCD: 31.0\n").await?;
    let mut buffer = [0; 512];
    if stream.read(&mut buffer).await? > 0 {
        stream.write_all(b"@RSYNCD: AUTHREQD bGFib3JhdG9yeQ\n").await?;
    }
    listen_only(stream).await
}

async fn answer_trysync(mut stream: TcpStream, world: &World, server: usize) -> io::Result<()> {
    let length = stream.read_u32().await?;
    let mut question = vec![0; usize::try_from(length.min(4096)).unwrap_or_default()];
    stream.read_exact(&mut question).await?;
    let (file, offset) = world.lock().servers[server].place();
    stream.write_all(&trysync::answer_frame(u32::try_from(file).unwrap_or(u32::MAX), offset)).await?;
    listen_only(stream).await
}

/// A program that takes connections and says nothing.
pub fn mute(listener: TcpListener) -> JoinHandle<()> {
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(listen_only(stream));
        }
    })
}

/// Another program: a web server.
pub fn taken(listener: TcpListener) -> JoinHandle<()> {
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n").await;
            });
        }
    })
}

/// A listener whose queue is full: the kernel drops further attempts, as a packet filter does.
async fn filtered(address: SocketAddr) -> io::Result<JoinHandle<()>> {
    const MOST: usize = 16;
    let socket = TcpSocket::new_v4()?;
    socket.bind(address)?;
    let listener = socket.listen(0)?;
    let mut fillers = Vec::new();
    while fillers.len() < MOST {
        match timeout(Duration::from_millis(100), TcpStream::connect(address)).await {
            Ok(Ok(filler)) => fillers.push(filler),
            _ => break,
        }
    }
    Ok(tokio::spawn(async move {
        let _kept = (listener, fillers);
        std::future::pending::<()>().await;
    }))
}

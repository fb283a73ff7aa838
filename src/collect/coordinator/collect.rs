//! Collects what a coordinator holds: reaches it, reads its tree, makes facts of it.

use std::path::PathBuf;

use futures_util::StreamExt as _;
use tokio::net::TcpStream;

use super::etcd::NoTree;
use super::layout::{product, registered};
use super::tree::Tree;
use super::zookeeper::{Broken, Session};
use super::{dashboard, etcd, filesystem, proxies};
use crate::collect::codis::registered as addresses;
use crate::collect::net::connect::dial;
use crate::collect::net::deadlines::Deadlines;
use crate::collect::net::http::{self, Client};
use crate::collect::secret::Password;
use crate::i18n::reasons;
use crate::model::address::Address;
use crate::model::codis::coordinator::{Coordinator, CoordinatorKind, CoordinatorState, Member, Product};
use crate::model::codis::topology::{Group, Registered};
use crate::model::limits::{MAX_PARALLEL_PRODUCTS, MAX_PRODUCTS};
use crate::model::reach::{Reach, ReachState};
use crate::model::reason::Reason;
use crate::model::unavailable::Unavailable;
use crate::parse::secret::Tokens;

/// The environment variable with `user:password` for ZooKeeper's digest scheme.
pub const ZOOKEEPER_AUTH: &str = "PIKADOCTOR_ZOOKEEPER_AUTH";

/// The environment variable with `user:password` for etcd.
pub const ETCD_AUTH: &str = "PIKADOCTOR_ETCD_AUTH";

/// A coordinator to look at.
#[derive(Clone, Debug)]
pub enum Place {
    /// The members of a ZooKeeper ensemble, and the path that stands for the root there (`""`: none).
    Zookeeper {
        /// As it was given.
        text: String,
        /// The members.
        members: Vec<Address>,
        /// The path.
        chroot: String,
    },
    /// The members of an etcd, by their URLs.
    Etcd {
        /// As it was given.
        text: String,
        /// The URLs.
        urls: Vec<String>,
    },
    /// The directory of the file-system coordinator (`coordinator_addr`).
    Directory(PathBuf),
}

impl Place {
    /// The place as somebody would write it.
    pub fn text(&self) -> String {
        match self {
            Self::Zookeeper { text, .. } | Self::Etcd { text, .. } => text.clone(),
            Self::Directory(path) => path.to_string_lossy().into_owned(),
        }
    }
}

/// What is looked at, and with what.
#[derive(Clone, Debug, Default)]
pub struct CoordinatorRequest {
    /// The coordinators.
    pub places: Vec<Place>,
    /// The only product that is looked at.
    pub product: Option<String>,
    /// `user:password` for ZooKeeper.
    pub zookeeper_auth: Option<Password>,
    /// `user:password` for etcd.
    pub etcd_auth: Option<Password>,
}

/// Looks at all coordinators side by side.
pub async fn collect_coordinators(request: &CoordinatorRequest, deadlines: &Deadlines) -> Vec<Coordinator> {
    let tokens = Tokens::of_this_run();
    let client = http::client(deadlines.connect);
    let collector = Collector { request, deadlines, tokens, client };
    futures_util::future::join_all(request.places.iter().map(|place| collector.collect(place))).await
}

struct Collector<'r> {
    request: &'r CoordinatorRequest,
    deadlines: &'r Deadlines,
    tokens: &'r Tokens,
    client: Client,
}

impl Collector<'_> {
    async fn collect(&self, place: &Place) -> Coordinator {
        let mut coordinator = Coordinator { wanted: self.request.product.clone(), ..Coordinator::default() };
        let tree = match place {
            Place::Zookeeper { text, members, chroot } => {
                coordinator.kind = CoordinatorKind::Zookeeper;
                coordinator.place.clone_from(text);
                coordinator.name = format!("zookeeper {text}");
                coordinator.credentials = self.request.zookeeper_auth.is_some();
                self.zookeeper(&mut coordinator, members, chroot).await
            }
            Place::Etcd { text, urls } => {
                coordinator.kind = CoordinatorKind::Etcd;
                coordinator.place.clone_from(text);
                coordinator.name = format!("etcd {text}");
                coordinator.credentials = self.request.etcd_auth.is_some();
                self.etcd(&mut coordinator, urls).await
            }
            Place::Directory(directory) => {
                coordinator.kind = CoordinatorKind::Filesystem;
                coordinator.place = directory.display().to_string();
                coordinator.name = format!("filesystem {}", directory.display());
                self.directory(&mut coordinator, directory.clone()).await
            }
        };
        if let Some(tree) = tree {
            self.understand(&mut coordinator, &tree).await;
        } else {
            let reason = coordinator.detail.clone();
            let reason = reason.unwrap_or_else(reasons::coordinator_not_reached);
            for path in ["registered", "products"] {
                coordinator.unavailable.push(Unavailable::failed(path, reason.clone()));
            }
        }
        coordinator
    }

    async fn understand(&self, coordinator: &mut Coordinator, tree: &Tree) {
        let names = match registered(tree) {
            Ok(names) => names,
            Err(gap) => {
                coordinator.unavailable.push(gap.clone().at("registered"));
                coordinator.unavailable.push(gap.at("products"));
                // A product that was asked for by name can be read where the list of all cannot.
                self.request.product.iter().cloned().collect()
            }
        };
        if coordinator.unavailable.is_empty() {
            coordinator.registered = Some(names.clone());
        }
        let open = !coordinator.credentials;
        let wanted = |name: &&String| self.request.product.as_ref().is_none_or(|wanted| wanted == *name);
        let looks = names.iter().filter(wanted).take(MAX_PRODUCTS).map(async |name| {
            let mut product = product(tree, name, self.tokens, open);
            product.addresses = announced(&product);
            product.server_addresses = servers(&product);
            let all = product.addresses.iter_mut().chain(&mut product.server_addresses);
            addresses::look_up(all, self.deadlines).await;
            dashboard::ask(&mut product, &self.client, self.deadlines).await;
            proxies::dial_all(&mut product, self.deadlines).await;
            product
        });
        let products: Vec<Product> =
            futures_util::stream::iter(looks).buffered(MAX_PARALLEL_PRODUCTS).collect().await;
        let left_out = names.iter().filter(wanted).count() - products.len();
        if left_out > 0 {
            coordinator.detail = Some(reasons::products_left_out(left_out));
        }
        if coordinator.unavailable.is_empty() || !products.is_empty() {
            coordinator.products = Some(products);
        }
    }

    /// Reads a directory in a thread of its own, as a network file system can hang.
    async fn directory(&self, coordinator: &mut Coordinator, directory: PathBuf) -> Option<Tree> {
        coordinator.asked = Some(directory.display().to_string());
        coordinator.local = true;
        let wanted = self.request.product.clone();
        let read = tokio::task::spawn_blocking(move || filesystem::read_tree(&directory, wanted.as_deref()));
        let read = tokio::time::timeout_at(self.deadlines.run, read).await;
        match read {
            Ok(Ok(Ok(tree))) => {
                coordinator.state = CoordinatorState::Answered;
                Some(tree)
            }
            Ok(Ok(Err(error))) => {
                coordinator.state = CoordinatorState::Wrong;
                coordinator.detail = Some(Reason::from(&error));
                None
            }
            Ok(Err(_)) | Err(_) => {
                coordinator.detail = Some(reasons::directory_too_slow());
                None
            }
        }
    }

    async fn zookeeper(
        &self,
        coordinator: &mut Coordinator,
        members: &[Address],
        chroot: &str,
    ) -> Option<Tree> {
        let dials = members.iter().map(|member| dial(member, self.deadlines));
        let dials: Vec<(Reach, Option<TcpStream>)> = futures_util::future::join_all(dials).await;
        let mut streams = Vec::new();
        for (address, (reach, stream)) in members.iter().zip(dials) {
            let state = if stream.is_some() { ReachState::Answered } else { reach.state };
            coordinator.members.push(Member {
                name: address.to_string(),
                state,
                detail: reach.detail,
                attempts: reach.attempts,
            });
            streams.push(stream);
        }
        let credentials = self.request.zookeeper_auth.as_ref();
        for (index, stream) in streams.into_iter().enumerate() {
            let Some(stream) = stream else { continue };
            coordinator.local = stream.peer_addr().is_ok_and(|peer| peer.ip().is_loopback());
            let broken = match Session::open(stream, self.deadlines, credentials).await {
                Ok(mut session) => {
                    coordinator.asked = Some(coordinator.members[index].name.clone());
                    coordinator.read_only = Some(session.read_only);
                    coordinator.state = CoordinatorState::Answered;
                    let (tree, broken) = session.read_tree(chroot, self.request.product.as_deref()).await;
                    match broken {
                        None => session.close().await,
                        Some(broken @ (Broken::AuthFailed | Broken::SaslRequired)) => {
                            coordinator.state = CoordinatorState::Refused;
                            coordinator.detail = Some(broken.into());
                        }
                        Some(broken) => coordinator.detail = Some(broken.into()),
                    }
                    return Some(tree);
                }
                Err(broken) => broken,
            };
            let member = &mut coordinator.members[index];
            let reason = Reason::from(broken.clone());
            member.detail = Some(reason.clone());
            member.state = match broken {
                Broken::Silent => ReachState::Silent,
                Broken::Closed | Broken::NoMajority => ReachState::Closed,
                Broken::AuthFailed | Broken::SaslRequired => {
                    coordinator.state = CoordinatorState::Refused;
                    coordinator.detail = Some(reason);
                    ReachState::Answered
                }
                Broken::NotZookeeper(_) | Broken::TooMuch(_) | Broken::EnoughRead => {
                    coordinator.state = CoordinatorState::Wrong;
                    coordinator.detail = Some(reason);
                    ReachState::Answered
                }
                Broken::Io(_) => ReachState::Failed,
            };
        }
        sum_up(coordinator);
        None
    }

    async fn etcd(&self, coordinator: &mut Coordinator, urls: &[String]) -> Option<Tree> {
        let credentials = self.request.etcd_auth.as_ref();
        let client = &self.client;
        for url in urls {
            let mut member = Member { name: url.clone(), ..Member::default() };
            let asked = etcd::Member::new(client, self.deadlines, url, credentials);
            let version = match &asked {
                Ok(asked) => asked.version().await,
                Err(error) => Err(error.clone()),
            };
            match version {
                Ok(Some(version)) => {
                    member.state = ReachState::Answered;
                    if coordinator.asked.is_none() {
                        coordinator.asked = Some(url.clone());
                        coordinator.version = Some(version);
                    }
                }
                Ok(None) => {
                    member.state = ReachState::Answered;
                    member.detail = Some(reasons::not_an_etcd());
                    coordinator.state = CoordinatorState::Wrong;
                    coordinator.detail.clone_from(&member.detail);
                }
                Err(error) => {
                    member.state = etcd::reach_of(&error);
                    member.detail = Some(error.detail);
                    if member.state == ReachState::Answered {
                        coordinator.state = CoordinatorState::Wrong;
                        coordinator.detail.clone_from(&member.detail);
                    }
                }
            }
            coordinator.members.push(member);
        }
        let Some(url) = coordinator.asked.clone() else {
            sum_up(coordinator);
            return None;
        };
        coordinator.detail = None;
        coordinator.local = http::parse_url(&url).is_ok_and(|url| {
            url.host_str()
                .is_some_and(|host| host == "localhost" || host.starts_with("127.") || host == "[::1]")
        });
        let asked = etcd::Member::new(client, self.deadlines, &url, credentials).ok()?;
        let error = match asked.read_tree(self.request.product.as_deref()).await {
            Ok(tree) => {
                (coordinator.state, coordinator.v2) = (CoordinatorState::Answered, Some(true));
                return Some(tree);
            }
            Err(error) => error,
        };
        (coordinator.state, coordinator.v2) = match &error {
            NoTree::NoV2 => (CoordinatorState::NoV2, Some(false)),
            NoTree::Refused(_) => (CoordinatorState::Refused, Some(true)),
            NoTree::Broken(_) => (CoordinatorState::Answered, None),
        };
        coordinator.detail = Some(error.into());
        None
    }
}

/// The addresses of the dashboard and of proxies, and those that are announced to clients.
fn announced(product: &Product) -> Vec<Registered> {
    let dashboard = product.dashboard.as_ref().and_then(addresses::of_dashboard);
    let proxies = product.proxies.as_deref().unwrap_or_default();
    let jodis = product.jodis.iter().flatten().flat_map(|entry| addresses::of_announced(entry, proxies));
    dashboard.into_iter().chain(proxies.iter().flat_map(addresses::of_proxy)).chain(jodis).collect()
}

/// The addresses of the servers of all groups.
fn servers(product: &Product) -> Vec<Registered> {
    let groups = product.groups.iter().flatten();
    let of_group = |group: &Group| {
        let id = group.id;
        group.servers.iter().map(move |server| addresses::of_server(id, &server.server)).collect::<Vec<_>>()
    };
    groups.flat_map(of_group).collect()
}

/// Says in a sentence how it went with all members.
fn sum_up(coordinator: &mut Coordinator) {
    if coordinator.detail.is_none() {
        let each = coordinator.members.iter().map(|member| match &member.detail {
            Some(detail) => reasons::about(&member.name, detail),
            None => Reason::verbatim(&member.name),
        });
        let all = each.reduce(reasons::one_and_other).unwrap_or_else(|| Reason::verbatim(""));
        coordinator.detail = Some(reasons::no_member_answers(all));
    }
}

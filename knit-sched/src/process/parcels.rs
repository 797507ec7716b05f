//! A host's side of the memory that crosses to its worker processes: what is under way to all of them, and what came from each.
//!
//! Any worker may run a call, so what an argument names is passed to all of them, and to those that start while the call is open: once, however many calls name
//! it, since each descriptor counts against the limits of every worker. What a result names comes from the
//! worker that answered, and is believed as far as [`Region::attach`] believes it: memory that its holders could shrink is refused.

use std::collections::{BTreeMap, HashMap};
use std::process::Command;
use std::sync::Arc;

use knit_shm::Region;
use knit_shm::pass::{DescriptorSocket, Heirloom, inherit};

use super::bell::RESERVED;
use super::link::Link;
use crate::error::{Result, SchedError};

/// The book of one host.
#[derive(Default)]
pub(crate) struct Parcels {
    links: Vec<Option<Arc<Link>>>,
    /// What open calls name.
    live: BTreeMap<u32, Parcel>,
    /// Their numbers, by the address of their memory.
    numbers: HashMap<usize, u32>,
    last: u32,
}

struct Parcel {
    region: Arc<Region>,
    /// How many messages name it.
    named: usize,
}

fn address(region: &Region) -> usize {
    region.as_ptr().addr()
}

impl Parcels {
    /// A link for a process that is about to be started in that place, and by what the process finds it.
    pub(crate) fn open(
        &mut self,
        worker: usize,
        command: &mut Command,
    ) -> Result<(Arc<Link>, Heirloom)> {
        let (ours, theirs) = DescriptorSocket::pair()?;
        let heirloom = inherit(command, theirs)?;
        Ok((self.add(worker, Link::of_host(ours)), heirloom))
    }

    /// The same for a process that is going to connect.
    pub(crate) fn open_to_come(&mut self, worker: usize) -> Arc<Link> {
        self.add(worker, Link::to_come())
    }

    fn add(&mut self, worker: usize, link: Link) -> Arc<Link> {
        let link = Arc::new(link);
        for (number, parcel) in &self.live {
            link.pass(*number, &parcel.region);
        }
        if self.links.len() <= worker {
            self.links.resize(worker + 1, None);
        }
        self.links[worker] = Some(link.clone());
        link
    }

    /// The worker in that place is dead, and everything that it has answered was read.
    pub(crate) fn close(&mut self, worker: usize) {
        if let Some(link) = self.links.get_mut(worker) {
            *link = None;
        }
    }

    /// Passes memory to every worker; returns the number for the message, and whether somebody has to see to what could not be sent at once.
    pub(crate) fn share(&mut self, region: &Arc<Region>) -> (u32, bool) {
        if let Some(number) = self.numbers.get(&address(region)) {
            let parcel = self.live.get_mut(number).expect("its number is known");
            parcel.named += 1;
            return (*number, false);
        }
        let number = loop {
            self.last = self.last.wrapping_add(1);
            if self.last != 0 && self.last < RESERVED && !self.live.contains_key(&self.last) {
                break self.last;
            }
        };
        let parcel = Parcel {
            region: region.clone(),
            named: 1,
        };
        self.numbers.insert(address(region), number);
        self.live.insert(number, parcel);
        (number, self.tell(|link| link.pass(number, region)))
    }

    /// One message less names that number.
    pub(crate) fn unshare(&mut self, number: u32) -> bool {
        let Some(parcel) = self.live.get_mut(&number) else {
            return false;
        };
        parcel.named -= 1;
        if parcel.named > 0 {
            return false;
        }
        self.numbers.remove(&address(&parcel.region));
        self.live.remove(&number);
        self.tell(|link| link.forget(number))
    }

    /// Tells every worker; whether one has not heard it yet.
    fn tell(&self, tell: impl Fn(&Link) -> bool) -> bool {
        let links = self.links.iter().flatten();
        links.fold(false, |waits, link| tell(link) | waits)
    }

    /// The memory that an answer of that worker names, once; none if the worker has not passed it.
    pub(crate) fn take(&self, worker: usize, number: u32) -> Result<Option<Region>> {
        let Some(link) = self.links.get(worker).and_then(Option::as_ref) else {
            return Err(SchedError::NoLink);
        };
        Ok(link.take_now(number)?)
    }
}

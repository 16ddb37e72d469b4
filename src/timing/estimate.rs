//! The estimate for what no catalogue lists: from the workloads that can be seen, by one formula.
//!
//! ```text
//! fetch + objects + CRDs + hooks + max(pulls + slowest workload, slowest custom resource) + poll
//! ```

use std::{collections::BTreeMap, fmt, time::Duration};

use super::{
    Profile,
    constants::{self, Constants, HEALTH_POLL, LOW, Warmup},
};
use crate::catalog::Range;

/// What is known of something that is to become Ready.
#[derive(Debug, Clone, Default)]
pub(super) struct Layout {
    /// Objects that are applied.
    pub(super) objects: usize,
    /// Bytes of CustomResourceDefinitions among them.
    pub(super) crds: usize,
    /// Jobs that run one after the other before the rest counts, each with an image of its own.
    pub(super) hooks: u32,
    /// Images by name, and whether every node pulls it.
    pub(super) images: BTreeMap<String, bool>,
    /// What runs.
    pub(super) workloads: Vec<Workload>,
    /// Until the slowest custom resource is Ready that is waited for.
    pub(super) custom: Range,
    /// How many custom resources are waited for.
    pub(super) custom_resources: usize,
    /// Whether the address of a load balancer is waited for.
    pub(super) load_balancer: bool,
    /// Claims that nothing here uses, and that are waited for.
    pub(super) loose_volumes: usize,
}

/// A workload.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Workload {
    /// Until the first probe.
    pub(super) delay: Duration,
    /// Between probes; zero where nothing probes.
    pub(super) period: Duration,
    /// The longest that a startup probe allows; zero where there is none.
    pub(super) budget: Duration,
    /// What the software does before it answers.
    pub(super) warmup: Warmup,
    /// Pods.
    pub(super) replicas: u32,
    /// Whether each pod waits for the one before it (`podManagementPolicy: OrderedReady`).
    pub(super) is_ordered: bool,
    /// Whether it claims a volume.
    pub(super) has_volume: bool,
    /// Init containers, which run one after the other.
    pub(super) inits: u32,
    /// Whether it is to come to an end rather than to answer.
    pub(super) is_job: bool,
}

/// What an estimate rests on, for people.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Seen {
    /// Workloads, Jobs among them.
    pub workloads: usize,
    /// Different images.
    pub images: usize,
    /// Workloads with a volume claim.
    pub volumes: usize,
    /// Custom resources that are waited for.
    pub custom_resources: usize,
}

fn percent(duration: Duration, percent: u32) -> Duration {
    duration * percent / 100
}

impl Workload {
    /// Until it is Ready, images apart.
    fn ready(&self, profile: Profile) -> Duration {
        let c = profile.constants();
        let start = c.start + c.init * self.inits;
        if self.is_job {
            return start + c.job;
        }
        let delay = self.delay.min(constants::LONGEST_DELAY);
        let warmup = self.warmup.time(profile);
        let volume = if self.has_volume { c.volume } else { Duration::ZERO };
        let first = start + delay + percent(self.period, c.probe_period) + warmup + volume;
        let others = if self.is_ordered { self.replicas.saturating_sub(1) } else { 0 };
        first + (start + delay + warmup / 2 + volume) * others.min(MOST_REPLICAS)
    }
}

/// More replicas one after the other than anybody runs: a typing error must not become a year.
const MOST_REPLICAS: u32 = 50;

impl Layout {
    /// Whether there is anything that takes time of its own once it is applied.
    pub(super) fn is_idle(&self) -> bool {
        self.workloads.is_empty()
            && self.custom_resources == 0
            && self.hooks == 0
            && !self.load_balancer
            && self.loose_volumes == 0
    }

    /// What it is for people.
    pub(super) fn seen(&self) -> Seen {
        Seen {
            workloads: self.workloads.len() + self.hooks as usize,
            images: self.images.len(),
            volumes: self.workloads.iter().filter(|workload| workload.has_volume).count() + self.loose_volumes,
            custom_resources: self.custom_resources,
        }
    }

    /// Notes an image; `is_everywhere` where every node pulls it.
    pub(super) fn add_image(&mut self, image: &str, is_everywhere: bool) {
        *self.images.entry(image_name(image).to_owned()).or_default() |= is_everywhere;
    }

    /// From the start of the reconciliation of a chart to its end. `limit` is its timeout: no budget of a probe counts
    /// beyond that.
    pub(super) fn of_chart(&self, profile: Profile, limit: Duration) -> Range {
        let c = profile.constants();
        self.range(c.chart_fetch + self.apply(c) + self.healthy(profile) + HEALTH_POLL.typical, profile, limit)
    }

    /// From the apply of a Kustomization's own objects until they are healthy.
    pub(super) fn after_apply(&self, profile: Profile, limit: Duration) -> Range {
        if self.is_idle() {
            return Range::default();
        }
        self.range(self.healthy(profile) + HEALTH_POLL.typical, profile, limit)
    }

    /// The apply itself.
    pub(super) fn apply(&self, c: &Constants) -> Duration {
        let objects = u32::try_from(self.objects).unwrap_or(u32::MAX);
        let kib = u32::try_from(self.crds / 1024).unwrap_or(u32::MAX);
        c.object.saturating_mul(objects) + c.crd_mib.saturating_mul(kib) / 1024
    }

    fn healthy(&self, profile: Profile) -> Duration {
        let c = profile.constants();
        let hooks = (c.job + c.pull + c.unknown_image) * self.hooks.min(MOST_REPLICAS);
        let slowest = self.workloads.iter().map(|workload| workload.ready(profile)).max().unwrap_or_default();
        let loose = if self.loose_volumes > 0 { c.volume } else { Duration::ZERO };
        let address = if self.load_balancer { c.load_balancer.typical } else { Duration::ZERO };
        hooks + (self.pulls(c) + slowest).max(self.custom.typical).max(loose).max(address)
    }

    fn pulls(&self, c: &Constants) -> Duration {
        let all: Duration = self
            .images
            .iter()
            .map(|(name, is_everywhere)| {
                let image =
                    c.pull + size(name).map_or(c.unknown_image, |mb| Duration::from_secs(mb / c.megabytes_per_second));
                percent(image, if *is_everywhere { c.daemon_pull } else { 100 })
            })
            .sum();
        all / c.parallel_pulls
    }

    fn range(&self, typical: Duration, profile: Profile, limit: Duration) -> Range {
        let c = profile.constants();
        let budget = self.workloads.iter().map(|workload| workload.budget).max().unwrap_or_default().min(limit);
        let by_custom = self.custom.high.max(if self.load_balancer { c.load_balancer.high } else { Duration::ZERO });
        let high = percent(typical, c.high).max(budget).max(by_custom);
        Range { low: percent(typical, LOW), typical, high }
    }
}

/// An image without registry, tag and digest: `ghcr.io/org/app:1.0` is `org/app`.
fn image_name(image: &str) -> &str {
    let image = image.split('@').next().unwrap_or(image);
    let tag = image.rfind(':').filter(|at| !image[*at..].contains('/'));
    let image = &image[..tag.unwrap_or(image.len())];
    match image.split_once('/') {
        Some((host, rest)) if host.contains(['.', ':']) || host == "localhost" => rest,
        _ => image,
    }
}

fn size(image: &str) -> Option<u64> {
    constants::LARGE_IMAGES.iter().find(|(part, _)| image.contains(part)).map(|(_, megabytes)| *megabytes)
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counted = [
            (self.workloads, "workload"),
            (self.images, "image"),
            (self.volumes, "volume"),
            (self.custom_resources, "custom resource"),
        ];
        let mut is_first = true;
        for (count, name) in counted.into_iter().filter(|(count, _)| *count > 0) {
            let (comma, plural) = (if is_first { "" } else { ", " }, if count == 1 { "" } else { "s" });
            write!(f, "{comma}{count} {name}{plural}")?;
            is_first = false;
        }
        if is_first { f.write_str("nothing that runs") } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests;

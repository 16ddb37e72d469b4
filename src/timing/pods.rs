//! Workloads of Kubernetes, as their objects declare them.

use std::time::Duration;

use k8s_openapi::api::{
    apps::v1::{DaemonSetSpec, DeploymentSpec, StatefulSetSpec},
    batch::v1::JobSpec,
    core::v1::{Container, PodSpec, Probe},
};

use super::{
    constants::{FAILURE_THRESHOLD, PROBE_PERIOD, Warmup},
    estimate::{Layout, Workload},
};
use crate::yaml::{Node, decode_lenient};

/// Adds the workload that `object` of `kind` is. One whose text fits no type (a variable stands in it) counts as an
/// ordinary one with an image of its own.
pub(super) fn add(layout: &mut Layout, kind: &str, object: &Node) {
    let read = object.get("spec").and_then(|spec| read(kind, spec));
    let Some((workload, pod)) = read else {
        let name = object.find_str(&["metadata", "name"]).unwrap_or_default();
        return add_unknown(layout, kind, name);
    };
    // A workload that is scaled to nothing, or a Job that is suspended, is healthy at once.
    if workload.replicas == 0 {
        return;
    }
    let containers = || pod.containers.iter().chain(pod.init_containers.iter().flatten());
    for (index, image) in containers().map(|container| container.image.as_deref()).enumerate() {
        let unnamed = || format!("{kind} {} {index}", object.find_str(&["metadata", "name"]).unwrap_or_default());
        layout.add_image(&image.map_or_else(unnamed, str::to_owned), kind == "DaemonSet");
    }
    layout.workloads.push(of_pod(workload, &pod));
}

/// Adds a workload of which only the kind and the name are known.
pub(super) fn add_unknown(layout: &mut Layout, kind: &str, name: &str) {
    layout.add_image(&format!("{kind} {name}"), kind == "DaemonSet");
    let warmup = Warmup::new(name);
    layout.workloads.push(Workload {
        replicas: 1,
        is_job: kind == "Job",
        period: PROBE_PERIOD,
        warmup,
        ..Workload::default()
    });
}

fn read(kind: &str, spec: &Node) -> Option<(Workload, PodSpec)> {
    let replicas = |count: Option<i32>| u32::try_from(count.unwrap_or(1)).unwrap_or_default();
    match kind {
        "Deployment" => {
            let spec: DeploymentSpec = decode_lenient(spec).ok()?;
            // Nothing is rolled out while it is paused, and kstatus knows no such state: it counts as any other.
            Some((Workload { replicas: replicas(spec.replicas), ..Workload::default() }, spec.template.spec?))
        }
        "StatefulSet" => {
            let spec: StatefulSetSpec = decode_lenient(spec).ok()?;
            let is_ordered = spec.pod_management_policy.as_deref() != Some("Parallel");
            let has_volume = spec.volume_claim_templates.is_some_and(|claims| !claims.is_empty());
            let workload =
                Workload { replicas: replicas(spec.replicas), is_ordered, has_volume, ..Workload::default() };
            Some((workload, spec.template.spec?))
        }
        "DaemonSet" => {
            let spec: DaemonSetSpec = decode_lenient(spec).ok()?;
            Some((Workload { replicas: 1, ..Workload::default() }, spec.template.spec?))
        }
        "Job" => {
            let spec: JobSpec = decode_lenient(spec).ok()?;
            let replicas = u32::from(spec.suspend != Some(true));
            Some((Workload { replicas, is_job: true, ..Workload::default() }, spec.template.spec?))
        }
        "ReplicaSet" | "Pod" => {
            let pod = if kind == "Pod" { spec } else { spec.find(&["template", "spec"])? };
            let count = spec.get("replicas").and_then(Node::as_i64).and_then(|count| u32::try_from(count).ok());
            Some((Workload { replicas: count.unwrap_or(1), ..Workload::default() }, decode_lenient(pod).ok()?))
        }
        _ => None,
    }
}

/// Completes a workload by its pod: the slowest of its containers decides.
fn of_pod(mut workload: Workload, pod: &PodSpec) -> Workload {
    let claims = pod
        .volumes
        .iter()
        .flatten()
        .any(|volume| volume.persistent_volume_claim.is_some() || volume.ephemeral.is_some());
    workload.has_volume |= claims;
    workload.inits = pod.init_containers.as_ref().map_or(0, |inits| inits.len() as u32);
    for container in &pod.containers {
        let image = container.image.as_deref().unwrap_or_default();
        workload.warmup = workload.warmup.max(Warmup::new(image.rsplit('/').next().unwrap_or(image)));
        let (delay, period) = probed(container);
        workload.delay = workload.delay.max(delay);
        workload.period = workload.period.max(period);
        workload.budget = workload.budget.max(container.startup_probe.as_ref().map(budget).unwrap_or_default());
    }
    workload
}

/// Until the probes that decide on readiness begin, and their period.
fn probed(container: &Container) -> (Duration, Duration) {
    let probes = || container.readiness_probe.iter().chain(&container.startup_probe);
    let delay = probes().map(|probe| seconds(probe.initial_delay_seconds).unwrap_or_default()).sum();
    let period = probes().map(|probe| seconds(probe.period_seconds).unwrap_or(PROBE_PERIOD)).max();
    (delay, period.unwrap_or_default())
}

/// What a startup probe allows at most.
fn budget(probe: &Probe) -> Duration {
    let period = seconds(probe.period_seconds).unwrap_or(PROBE_PERIOD);
    let threshold = probe.failure_threshold.and_then(|count| u64::try_from(count).ok()).unwrap_or(FAILURE_THRESHOLD);
    seconds(probe.initial_delay_seconds).unwrap_or_default()
        + period.saturating_mul(u32::try_from(threshold).unwrap_or(u32::MAX))
}

fn seconds(count: Option<i32>) -> Option<Duration> {
    count.and_then(|count| u64::try_from(count).ok()).map(Duration::from_secs)
}

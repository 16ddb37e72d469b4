//! What the values of a HelmRelease show of its workloads, for charts whose values are a list of workloads: app-template,
//! and others that build on the common library of bjw-s or k8s-at-home.

use std::time::Duration;

use super::{
    constants::{FAILURE_THRESHOLD, OBJECTS_PER_WORKLOAD, PROBE_PERIOD, Warmup},
    estimate::{Layout, Workload},
};
use crate::yaml::Node;

/// The workloads that `values` declare; `None` where they are of another form, or leave the workload to defaults that
/// cannot be seen.
pub(super) fn layout(values: &Node) -> Option<Layout> {
    let mut layout = Layout::default();
    match values.get("controllers").filter(|controllers| controllers.as_map().is_some()) {
        Some(controllers) => {
            let mut is_seen = false;
            for entry in controllers.entries().filter(|entry| is_on(&entry.value)) {
                is_seen |= controller(&mut layout, values, &entry.key, &entry.value);
            }
            if !is_seen {
                return None;
            }
        }
        None => single(&mut layout, values)?,
    }
    layout.objects = OBJECTS_PER_WORKLOAD
        + ["controllers", "service", "ingress", "route", "persistence", "configMaps", "secrets"]
            .iter()
            .map(|key| values.get(key).and_then(Node::as_map).map_or(0, |map| map.len()))
            .sum::<usize>();
    layout.load_balancer =
        section(values, "service").any(|service| service.find_str(&["type"]) == Some("LoadBalancer"));
    Some(layout)
}

/// The objects that `values` hand on as they are (`rawResources` of app-template).
pub(super) fn raw_objects(values: &Node) -> impl Iterator<Item = &Node> {
    section(values, "rawResources")
}

/// The entries of a map of things that can be switched off one by one.
fn section<'n>(values: &'n Node, key: &str) -> impl Iterator<Item = &'n Node> + use<'n> {
    values.get(key).into_iter().flat_map(Node::entries).map(|entry| &entry.value).filter(|value| is_on(value))
}

fn is_on(value: &Node) -> bool {
    value.get("enabled").and_then(Node::as_bool) != Some(false)
}

/// An entry of `controllers` (bjw-s common v2 and later). Returns whether it says what it runs.
fn controller(layout: &mut Layout, values: &Node, name: &str, controller: &Node) -> bool {
    let kind = controller.find_str(&["type"]).unwrap_or("deployment");
    let containers: Vec<(&str, &Node)> = enabled(controller, "containers").collect();
    // Nothing of a CronJob runs at first.
    if kind.eq_ignore_ascii_case("cronjob") {
        return true;
    }
    let Some(replicas) = replicas(controller) else { return true };
    let images = containers.iter().filter(|(_, container)| container.get("image").is_some()).count();
    if images == 0 {
        return false;
    }
    let is_everywhere = kind.eq_ignore_ascii_case("daemonset");
    let inits: Vec<(&str, &Node)> = enabled(controller, "initContainers").collect();
    for (key, container) in containers.iter().chain(&inits) {
        layout.add_image(&image(container).unwrap_or_else(|| format!("{name}/{key}")), is_everywhere);
    }
    let is_stateful = kind.eq_ignore_ascii_case("statefulset");
    let templates = controller.find(&["statefulset", "volumeClaimTemplates"]);
    let mut workload = Workload {
        replicas: if is_everywhere { 1 } else { replicas },
        is_ordered: is_stateful && controller.find_str(&["statefulset", "podManagementPolicy"]) != Some("Parallel"),
        has_volume: uses_claim(values, name) || templates.is_some_and(|list| list.items().next().is_some()),
        inits: inits.len() as u32,
        is_job: kind.eq_ignore_ascii_case("job"),
        ..Workload::default()
    };
    for (key, container) in &containers {
        let image = image(container).unwrap_or_else(|| (*key).to_owned());
        probe(&mut workload, &image, container.get("probes"));
    }
    layout.workloads.push(workload);
    true
}

/// The only workload of the older form: `image`, `probes` and `persistence` at the top (k8s-at-home common, bjw-s common
/// v0 and v1).
fn single(layout: &mut Layout, values: &Node) -> Option<()> {
    let main = image(values)?;
    let kind = values.find_str(&["controller", "type"]).unwrap_or("deployment");
    let replicas = values.get("controller").map_or(Some(1), replicas)?;
    let is_everywhere = kind.eq_ignore_ascii_case("daemonset");
    layout.add_image(&main, is_everywhere);
    let more = |key: &'static str| {
        values.get(key).into_iter().flat_map(|list| list.entries().map(|entry| &entry.value).chain(list.items()))
    };
    for container in more("additionalContainers").chain(more("initContainers")) {
        if let Some(image) =
            container.get("image").and_then(Node::as_str).map(str::to_owned).or_else(|| image(container))
        {
            layout.add_image(&image, is_everywhere);
        }
    }
    let mut workload = Workload {
        replicas: if is_everywhere { 1 } else { replicas },
        is_ordered: kind.eq_ignore_ascii_case("statefulset"),
        has_volume: uses_claim(values, ""),
        inits: more("initContainers").count() as u32,
        ..Workload::default()
    };
    probe(&mut workload, &main, values.get("probes"));
    layout.workloads.push(workload);
    Some(())
}

fn enabled<'n>(controller: &'n Node, key: &str) -> impl Iterator<Item = (&'n str, &'n Node)> + use<'n> {
    let entries = controller.get(key).into_iter().flat_map(Node::entries);
    entries.filter(|entry| is_on(&entry.value)).map(|entry| (entry.key.as_str(), &entry.value))
}

/// How many pods it has; `None` where it has none. What holds a variable counts as one.
fn replicas(controller: &Node) -> Option<u32> {
    let count = controller.get("replicas").and_then(Node::as_i64).unwrap_or(1);
    u32::try_from(count).ok().filter(|count| *count > 0)
}

fn image(container: &Node) -> Option<String> {
    let image = container.get("image")?;
    image.as_str().or_else(|| image.find_str(&["repository"])).map(str::to_owned)
}

/// Takes the probes of a container over. They are on unless switched off, and only what is `custom` has a `spec` that
/// counts in full; the numbers of it do in any case.
fn probe(workload: &mut Workload, image: &str, probes: Option<&Node>) {
    workload.warmup = workload.warmup.max(Warmup::new(image.rsplit('/').next().unwrap_or(image)));
    let mut delay = Duration::ZERO;
    let mut period = PROBE_PERIOD;
    for kind in ["readiness", "startup"] {
        let Some(probe) = probes.and_then(|probes| probes.get(kind)).filter(|probe| is_on(probe)) else { continue };
        let number = |key: &str| {
            let value = probe.find(&["spec", key]).and_then(Node::as_i64);
            value.and_then(|value| u32::try_from(value).ok()).map(|value| Duration::from_secs(value.into()))
        };
        let first = number("initialDelaySeconds").unwrap_or_default();
        let between = number("periodSeconds").unwrap_or(PROBE_PERIOD);
        delay += first;
        period = period.max(between);
        if kind == "startup" {
            let failures = number("failureThreshold").map_or(FAILURE_THRESHOLD, |count| count.as_secs());
            let budget = first + between * u32::try_from(failures).unwrap_or(u32::MAX);
            workload.budget = workload.budget.max(budget);
        }
    }
    workload.delay = workload.delay.max(delay);
    workload.period = workload.period.max(period);
}

/// Whether controller `name` mounts a volume claim: one that mounts none by name, mounts everywhere.
fn uses_claim(values: &Node, name: &str) -> bool {
    section(values, "persistence").any(|volume| {
        let kind = volume.find_str(&["type"]).unwrap_or("persistentVolumeClaim");
        let is_claim = matches!(kind, "persistentVolumeClaim" | "pvc");
        let mounts = volume.get("advancedMounts");
        is_claim && mounts.is_none_or(|mounts| mounts.get(name).is_some())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{source::FileId, timing::Profile};

    fn seen(values: &str) -> Option<Layout> {
        let file = crate::yaml::parse(FileId::NONE, values.as_bytes());
        layout(&file.documents[0].root)
    }

    #[test]
    fn every_controller_is_a_workload_with_its_images_probes_and_volumes() {
        let layout = seen(
            "controllers:\n  app:\n    initContainers:\n      db:\n        image: {repository: docker.io/library/postgres, tag: 17}\n    containers:\n      app:\n        image: {repository: ghcr.io/org/app, tag: v1}\n        probes:\n          readiness: {enabled: true, spec: {initialDelaySeconds: 30, periodSeconds: 20}}\n          startup: {enabled: true, spec: {periodSeconds: 10, failureThreshold: 60}}\n  worker:\n    type: statefulset\n    replicas: 3\n    containers:\n      app: {image: {repository: ghcr.io/org/app, tag: v1}}\n  nightly:\n    type: cronjob\n    containers:\n      app: {image: {repository: ghcr.io/org/dump}}\n  off:\n    enabled: false\n    containers:\n      app: {image: {repository: ghcr.io/org/off}}\npersistence:\n  data:\n    existingClaim: data\n    advancedMounts: {app: {app: [{path: /data}]}}\n  tmp: {type: emptyDir}\nservice:\n  app: {type: LoadBalancer}\n",
        )
        .expect("of that form");
        assert_eq!(layout.images.keys().map(String::as_str).collect::<Vec<_>>(), ["library/postgres", "org/app"]);
        let [app, worker] = layout.workloads.as_slice() else { panic!("{layout:?}") };
        assert_eq!((app.delay.as_secs(), app.period.as_secs(), app.budget.as_secs()), (30, 20, 600));
        assert!(app.has_volume && app.inits == 1 && !app.is_ordered && layout.load_balancer);
        assert!(!worker.has_volume && worker.is_ordered && worker.replicas == 3);
        assert_eq!(layout.seen().to_string(), "2 workloads, 2 images, 1 volume");
    }

    #[test]
    fn the_older_form_has_one_workload() {
        let layout = seen(
            "image: {repository: ghcr.io/org/sonarr}\ninitContainers:\n  wait: {image: busybox:1.36}\npersistence:\n  config: {enabled: true, existingClaim: x}\n  media: {type: nfs}\n",
        )
        .expect("of that form");
        assert_eq!(layout.workloads.len(), 1);
        assert!(layout.workloads[0].has_volume && layout.workloads[0].inits == 1);
        assert_eq!(layout.images.len(), 2);
    }

    #[test]
    fn what_says_nothing_of_its_workloads_is_left_to_others() {
        for values in
            ["replicaCount: 2\n", "controllers: {app: {containers: {app: {env: {A: b}}}}}\n", "controllers: 3\n", "[]"]
        {
            assert!(seen(values).is_none(), "{values}");
        }
    }

    #[test]
    fn a_large_image_and_a_startup_budget_are_felt() {
        let of = |image: &str| {
            let layout =
                seen(&format!("controllers: {{a: {{containers: {{a: {{image: {{repository: {image}}}}}}}}}}}"))
                    .expect("seen");
            layout.of_chart(Profile::Slow, Duration::from_secs(300))
        };
        let (small, large) = (of("ghcr.io/org/app"), of("docker.io/ollama/ollama"));
        assert!((60..=110).contains(&small.typical.as_secs()), "{small:?}");
        assert!(large.typical > small.typical + Duration::from_secs(100), "{large:?}");
        assert!(small.low < small.typical && small.typical < small.high);
    }
}

//! What keeps an ImageUpdateAutomation from pushing to the GitRepository that it names.

use super::{Reference, ReferenceProblem};
use crate::{
    cluster::{Cluster, ObjectKey},
    flux::{
        api::{IMAGE_GROUP, kinds::GIT_REPOSITORY},
        is_open_text,
    },
    yaml::Node,
};

/// What is wrong with the source of an automation that a build of the cluster holds: no branch to push to (image-automation-controller
/// v1.0, `internal/source/git.go`, `configurePush`), or an address over HTTP without credentials (`getAuthOpts`).
pub(super) fn problem(
    cluster: &Cluster,
    key: &ObjectKey,
    object: &Node,
    reference: &Reference<'_>,
) -> Option<ReferenceProblem> {
    let is_automation = key.group == IMAGE_GROUP && key.kind == "ImageUpdateAutomation";
    let is_suspended = object.find(&["spec", "suspend"]).and_then(Node::as_bool) == Some(true);
    if !is_automation || is_suspended || !reference.wanted.is(GIT_REPOSITORY) {
        return None;
    }
    let source = &cluster.object(*cluster.objects.get(&reference.wanted)?.first()?).node;
    let text = |node: &Node, keys: &[&str]| node.find_str(keys).is_some_and(|text| !text.is_empty());
    let git = object.find(&["spec", "git"])?;
    let checkout = git.find(&["checkout", "ref"]);
    let has_checkout = git.get("checkout").is_some();
    let branch = match (checkout, has_checkout) {
        (Some(reference), _) => text(reference, &["branch"]),
        (None, true) => false,
        (None, false) => text(source, &["spec", "ref", "branch"]),
    };
    if !branch && !text(git, &["push", "branch"]) {
        return Some(ReferenceProblem::NoPushBranch);
    }
    let url = source.find_str(&["spec", "url"]).filter(|url| !is_open_text(url))?;
    let (scheme, rest) = url.split_once("://")?;
    let is_http = scheme.eq_ignore_ascii_case("https") || scheme.eq_ignore_ascii_case("http");
    // Credentials in the address, and those of a cloud's identity.
    let has_own = rest.split('/').next().is_some_and(|host| host.contains('@'));
    let has_provider = source.find_str(&["spec", "provider"]).is_some_and(|provider| provider != "generic");
    let is_anonymous = is_http && !has_own && !has_provider && source.find(&["spec", "secretRef"]).is_none();
    is_anonymous.then_some(ReferenceProblem::NoCredentials)
}

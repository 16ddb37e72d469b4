//! Which lists of built-in kinds are merged, and by which key (the strategic-merge marks of Kubernetes' OpenAPI document;
//! kyaml carries that of Kubernetes 1.21). Lists not named here, and all lists of other kinds, are replaced.

use std::sync::LazyLock;

use rustc_hash::FxHashMap;

/// A field that is merged, or that leads to one that is.
#[derive(Debug, Clone, Copy)]
pub(in crate::kustomize) struct Field {
    /// The keys of a merged list, most important first; an empty key where the items are scalars.
    pub(in crate::kustomize) keys: Option<&'static [&'static str]>,
    /// The type of the field, or of the items of the list.
    pub(in crate::kustomize) of: Type,
}

/// A type of the table.
pub(in crate::kustomize) type Type = &'static str;

/// `type: field[keys]>type …`
const TYPES: &str = "
Meta: metadata>ObjectMeta
Conditions: metadata>ObjectMeta status>ConditionStatus
ConditionStatus: conditions[type]
ObjectMeta: finalizers[] ownerReferences[uid]
Webhooks: metadata>ObjectMeta webhooks[name]
Workload: metadata>ObjectMeta spec>WorkloadSpec status>ConditionStatus
WorkloadSpec: template>PodTemplateSpec
PodTemplateSpec: metadata>ObjectMeta spec>PodSpec
PodTemplate: metadata>ObjectMeta template>PodTemplateSpec
CronJob: metadata>ObjectMeta spec>CronJobSpec
CronJobSpec: jobTemplate>Workload
Pod: metadata>ObjectMeta spec>PodSpec status>PodStatus
PodStatus: conditions[type] podIPs[ip]
PodSpec: containers[name]>Container initContainers[name]>Container ephemeralContainers[name]>EphemeralContainer hostAliases[ip] imagePullSecrets[name] topologySpreadConstraints[topologyKey,whenUnsatisfiable] volumes[name]>Volume
Volume: ephemeral>Ephemeral
Ephemeral: volumeClaimTemplate>Meta
Container: env[name] ports[containerPort,protocol] volumeDevices[devicePath] volumeMounts[mountPath]
EphemeralContainer: env[name] volumeDevices[devicePath] volumeMounts[mountPath]
Service: metadata>ObjectMeta spec>ServiceSpec status>ConditionStatus
ServiceSpec: ports[port,protocol]
ServiceAccount: metadata>ObjectMeta secrets[name]
ComponentStatus: metadata>ObjectMeta conditions[type]
Node: metadata>ObjectMeta spec>NodeSpec status>NodeStatus
NodeSpec: podCIDRs[]
NodeStatus: addresses[type] conditions[type]
CSINode: metadata>ObjectMeta spec>CSINodeSpec
CSINodeSpec: drivers[name]
";

/// `apiVersions: Kind[>type] …`; the type of a kind without one is `Meta`.
const KINDS: &str = "
v1: Binding ComponentStatus>ComponentStatus ConfigMap Endpoints Event LimitRange Namespace>Conditions Node>Node PersistentVolume PersistentVolumeClaim>Conditions Pod>Pod PodTemplate>PodTemplate ReplicationController>Workload ResourceQuota Secret Service>Service ServiceAccount>ServiceAccount
admissionregistration.k8s.io/v1,admissionregistration.k8s.io/v1beta1: MutatingWebhookConfiguration>Webhooks ValidatingWebhookConfiguration>Webhooks
apiextensions.k8s.io/v1,apiextensions.k8s.io/v1beta1: CustomResourceDefinition
apiregistration.k8s.io/v1,apiregistration.k8s.io/v1beta1: APIService>Conditions
apps/v1: ControllerRevision DaemonSet>Workload Deployment>Workload ReplicaSet>Workload StatefulSet>Workload
authentication.k8s.io/v1,authentication.k8s.io/v1beta1: TokenReview
authorization.k8s.io/v1,authorization.k8s.io/v1beta1: LocalSubjectAccessReview SelfSubjectAccessReview SelfSubjectRulesReview SubjectAccessReview
autoscaling/v1,autoscaling/v2beta1,autoscaling/v2beta2: HorizontalPodAutoscaler
batch/v1: CronJob>CronJob Job>Workload
batch/v1beta1: CronJob>CronJob
certificates.k8s.io/v1,certificates.k8s.io/v1beta1: CertificateSigningRequest
coordination.k8s.io/v1,coordination.k8s.io/v1beta1: Lease
discovery.k8s.io/v1,discovery.k8s.io/v1beta1: EndpointSlice
events.k8s.io/v1,events.k8s.io/v1beta1: Event
extensions/v1beta1: Ingress
flowcontrol.apiserver.k8s.io/v1beta1: FlowSchema PriorityLevelConfiguration
networking.k8s.io/v1: Ingress IngressClass NetworkPolicy
networking.k8s.io/v1beta1: Ingress IngressClass
node.k8s.io/v1,node.k8s.io/v1beta1: RuntimeClass
policy/v1: PodDisruptionBudget>Conditions
policy/v1beta1: PodDisruptionBudget>Conditions PodSecurityPolicy
rbac.authorization.k8s.io/v1,rbac.authorization.k8s.io/v1beta1: ClusterRole ClusterRoleBinding Role RoleBinding
scheduling.k8s.io/v1,scheduling.k8s.io/v1beta1: PriorityClass
storage.k8s.io/v1,storage.k8s.io/v1beta1: CSIDriver CSINode>CSINode StorageClass VolumeAttachment
";

struct Tables {
    types: FxHashMap<(Type, &'static str), Field>,
    kinds: FxHashMap<(&'static str, &'static str), Type>,
}

static TABLES: LazyLock<Tables> = LazyLock::new(|| {
    let mut tables = Tables { types: FxHashMap::default(), kinds: FxHashMap::default() };
    for (name, fields) in TYPES.lines().filter_map(|line| line.split_once(": ")) {
        for field in fields.split(' ') {
            let (field, of) = field.split_once('>').unwrap_or((field, ""));
            let (field, keys) = match field.split_once('[') {
                Some((field, keys)) => (field, Some(keys.trim_end_matches(']').split(',').collect::<Vec<_>>().leak())),
                None => (field, None),
            };
            tables.types.insert((name, field), Field { keys: keys.map(|keys| &*keys), of });
        }
    }
    for (versions, kinds) in KINDS.lines().filter_map(|line| line.split_once(": ")) {
        for (version, kind) in versions.split(',').flat_map(|version| kinds.split(' ').map(move |kind| (version, kind)))
        {
            let (kind, of) = kind.split_once('>').unwrap_or((kind, "Meta"));
            tables.kinds.insert((version, kind), of);
        }
    }
    tables
});

/// The type of a built-in kind.
pub(in crate::kustomize) fn type_of(api_version: &str, kind: &str) -> Option<Type> {
    TABLES.kinds.get(&(api_version, kind)).copied()
}

/// The field of a type, where it is merged or leads to one that is.
pub(in crate::kustomize) fn field(of: Type, name: &str) -> Option<Field> {
    // The table's keys live forever, those asked for do not: the lifetime of a tuple key forces equal ones.
    let tables: &FxHashMap<(&str, &str), Field> = &TABLES.types;
    tables.get(&(of, name)).copied()
}

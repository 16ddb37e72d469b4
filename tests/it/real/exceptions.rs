//! Where the model and the recordings are known to disagree.

/// Why, and which recordings and objects. One that is not listed fails, and so does one that agrees.
pub(super) const EXCEPTIONS: &[(&str, &[(&str, &str)])] = &[
    (
        "not yet: a build that fails (`BuildFailed`)",
        &[
            ("build-failure/Bad/A patch without a target", "Kustomization/flux-system/apps"),
            ("build-failure/Bad/A resource that is not there", "Kustomization/flux-system/apps"),
            (
                "build-failure/Bad/Not a Kubernetes object, in a folder without a kustomization file",
                "Kustomization/flux-system/apps",
            ),
            ("duplicate-node/Bad/In one file", "Kustomization/flux-system/flux-system"),
            ("invalid-yaml/Bad/A key twice", "Kustomization/flux-system/apps"),
            ("invalid-yaml/Bad/Not YAML", "Kustomization/flux-system/apps"),
        ],
    ),
    (
        "not yet: a dependency on what nothing defines (`DependencyNotReady`)",
        &[
            ("dangling", "Kustomization/flux-system/a"),
            ("dangling-dependency/Bad/A near miss", "Kustomization/flux-system/apps"),
            ("dangling-dependency/Bad/Nothing of that name", "Kustomization/flux-system/apps"),
            ("dangling-dependency/Bad/Only in another cluster", "Kustomization/flux-system/apps"),
            ("wrong-kind-dependency/Bad/A Kustomization depends on a HelmRelease", "Kustomization/flux-system/apps"),
            ("wrong-namespace-dependency/Bad/Moved by a kustomization file", "Kustomization/media/jellyfin"),
            ("wrong-namespace-dependency/Bad/The default is the own namespace", "Kustomization/tenant/web"),
        ],
    ),
    (
        "not yet: a health check that can match nothing",
        &[
            ("broken-health-check/Bad/No group", "Kustomization/flux-system/web"),
            (
                "broken-health-check/Bad/The namespace of the release instead of that of the HelmRelease",
                "Kustomization/flux-system/web",
            ),
        ],
    ),
    (
        "not yet: a manifest that the API server refuses",
        &[
            ("crd-deadlock/Good/Definition and custom resource in one build", "Kustomization/flux-system/widgets"),
            ("invalid-expression/Bad/A health check without `current`", "Kustomization/flux-system/flux-system"),
            ("invalid-manifest/Bad/A HelmRelease", "Kustomization/flux-system/apps"),
            ("invalid-manifest/Bad/A Kustomization", "Kustomization/flux-system/flux-system"),
            ("invalid-manifest/Good/Good", "Kustomization/flux-system/apps"),
            ("unset-variable/Bad/No `postBuild` where the others have one", "Kustomization/flux-system/dns"),
        ],
    ),
    (
        "not yet: a namespace that nothing makes",
        &[
            ("missing-source/Bad/A misspelt name", "Kustomization/flux-system/apps"),
            ("missing-source/Bad/In another namespace", "Kustomization/flux-system/apps"),
            ("missing-source/Bad/Not there at all", "Kustomization/flux-system/apps"),
            ("missing-source/Bad/Of another kind", "Kustomization/flux-system/apps"),
            ("missing-source/Good/Good", "Kustomization/flux-system/apps"),
            (
                "missing-source/Good/Where no source of the kind is built, they are made by hand",
                "Kustomization/flux-system/apps",
            ),
        ],
    ),
    (
        "not yet: a path that the artifact lacks (`ArtifactFailed`)",
        &[
            ("missing-path/Bad/A file", "Kustomization/flux-system/apps"),
            ("missing-path/Bad/A folder that is not there", "Kustomization/flux-system/apps"),
            ("missing-path/Bad/Upper and lower case", "Kustomization/flux-system/apps"),
        ],
    ),
    (
        "not yet: a substitution that fails (`BuildFailed`)",
        &[
            ("unset-variable/Bad/A form that Flux does not know", "Kustomization/flux-system/apps"),
            ("unset-variable/Bad/A parent that substitutes its child", "Kustomization/flux-system/apps"),
            ("unset-variable/Bad/A variable that is set nowhere", "Kustomization/flux-system/apps"),
        ],
    ),
    (
        "not yet: an expression that does not parse, gives no truth value, or is one of two for a kind (`InvalidCELExpression`)",
        &[
            ("invalid-expression/Bad/A field is no truth value", "Kustomization/flux-system/apps"),
            ("invalid-expression/Bad/It does not parse", "Kustomization/flux-system/apps"),
            ("invalid-expression/Bad/The variable is missing", "Kustomization/flux-system/apps"),
            ("invalid-expression/Bad/Two health checks for one kind", "Kustomization/flux-system/secrets"),
        ],
    ),
    (
        "not yet: an expression that is never true",
        &[("invalid-expression/Bad/It is never true", "Kustomization/flux-system/apps")],
    ),
    (
        "not yet: an expression that reads a label which the object has not (`no such key`)",
        &[
            ("invalid-expression/Bad/It takes the place of the check for Ready", "Kustomization/flux-system/apps"),
            ("invalid-expression/Good/Ready, and of the same version", "Kustomization/flux-system/apps"),
        ],
    ),
    (
        "not yet: remediation uninstalls after each failed try and starts anew, so that a release whose tries are all too short is out of retries",
        &[("release-retries", "HelmRelease/flux-system/r"), ("release-retries", "Kustomization/flux-system/a")],
    ),
    (
        "not yet: variables from an object that nothing makes (`BuildFailed`)",
        &[
            ("missing-substitute-source/Bad/A hash in the name", "Kustomization/flux-system/apps"),
            ("missing-substitute-source/Bad/A misspelt name", "Kustomization/flux-system/apps"),
            ("missing-substitute-source/Bad/In another namespace", "Kustomization/flux-system/apps"),
        ],
    ),
    (
        "only the lab knows that its chart has the CRD of Widget",
        &[("cr-beside-its-chart", "Kustomization/flux-system/both")],
    ),
    (
        "the chart in the lab is a stub without CRDs, the real one has them",
        &[("unready-gate/Bad/Definitions from a chart", "Kustomization/flux-system/issuers")],
    ),
];

//! Where the model and the recordings are known to disagree.

/// Why, and which recordings and objects. One that is not listed fails, and so does one that agrees.
pub(super) const EXCEPTIONS: &[(&str, &[(&str, &str)])] = &[
    (
        "a namespace that nothing makes is taken for one that was made by hand",
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
        "remediation uninstalls after each failed try and starts anew, so that a release whose tries are all too short is out of retries",
        &[("release-retries", "HelmRelease/flux-system/r"), ("release-retries", "Kustomization/flux-system/a")],
    ),
    (
        "the schema of a CRD is not judged",
        &[("crd-deadlock/Good/Definition and custom resource in one build", "Kustomization/flux-system/widgets")],
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

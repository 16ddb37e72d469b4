use rayon::prelude::*;

use super::{Options, Survey};
use crate::{
    cluster::{self, BrokenDocument},
    finding::{self, Finding, Suppression},
    query::{self, Change, Commit, Impact, Listing, Model, Timeline, TimelineOptions, WhatIf, Why, WhyOn},
    rules::{self, Context},
    situation::{Masking, Situation, View},
    source::Tree,
};

/// One analysed state of a repository: its files, its clusters, and what was computed of them. `lint` and all questions read
/// the same.
///
/// ```
/// use fluxdag::{Options, Session, query::TimelineOptions, survey};
///
/// let options = Options::default();
/// let survey = survey(&["fixtures/deadlock-no-wait".into()], &options)?;
/// let session = Session::new(&survey, &options);
/// // What becomes Ready, and when.
/// let timeline = session.timeline(&TimelineOptions::default())?;
/// let outcome = timeline.clusters[0].outcome.counts;
/// assert_eq!((outcome.ready, outcome.never_ready), (1, 2));
/// // And why the others do not.
/// let [why] = session.why("database")?.clusters;
/// assert_eq!(why.obstacles[0].cause, "deadlock");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Session<'a> {
    /// The files and clusters.
    pub survey: &'a Survey,
    /// The clusters with their graphs and times.
    pub situations: Vec<Situation<'a>>,
    options: &'a Options,
}

/// One state of a repository, and what is found in it.
#[derive(Debug)]
pub struct State<'a> {
    /// Its clusters.
    pub session: &'a Session<'a>,
    /// What the rules found.
    pub found: Found,
}

/// What the rules found in one state of a repository.
#[derive(Debug)]
pub struct Found {
    /// Everything, sorted.
    pub findings: Vec<Finding>,
    /// What the run could not judge.
    pub masking: Masking,
    /// Ids of the rules that said all they ever say.
    pub(super) complete: Vec<&'static str>,
    /// Which entries of `ignores` silence something.
    pub(super) used: Vec<bool>,
}

impl<'a> State<'a> {
    /// The files.
    #[must_use]
    pub fn tree(&self) -> &'a Tree {
        self.session.tree()
    }
}

impl<'a> Session<'a> {
    /// Draws the graphs of the clusters and computes the times.
    #[must_use]
    pub fn new(survey: &'a Survey, options: &'a Options) -> Self {
        let situations = View::each(&survey.clusters, &survey.store)
            .map(|view| Situation::new(view, options.profile, &options.durations))
            .collect();
        Self { survey, situations, options }
    }

    /// The files.
    #[must_use]
    pub fn tree(&self) -> &'a Tree {
        self.survey.store.tree()
    }

    /// What questions are asked of.
    #[must_use]
    pub fn model(&self) -> Model<'_> {
        Model {
            store: &self.survey.store,
            situations: &self.situations,
            focus: &self.survey.focus,
            profile: self.options.profile.name(),
        }
    }

    /// What there is, and what becomes of it.
    #[must_use]
    pub fn list(&self) -> Listing {
        query::list(self.model(), self.survey.remark())
    }

    /// What an object waits for.
    ///
    /// # Errors
    /// Where the name is not that of one object.
    pub fn why(&self, name: &str) -> Result<Why, query::Error> {
        query::why(self.model(), name)
    }

    /// Whether one object waits for another, and through what.
    ///
    /// # Errors
    /// Where the names are not those of two objects of one cluster.
    pub fn why_on(&self, node: &str, on: &str) -> Result<WhyOn, query::Error> {
        query::why_on(self.model(), node, on)
    }

    /// What the objects and files of these names reach.
    ///
    /// # Errors
    /// Where one of them names nothing, or several objects of a cluster.
    pub fn impact(&self, about: &[impl AsRef<str>]) -> Result<Impact, query::Error> {
        query::impact(self.model(), about)
    }

    /// When everything happens in a cold start.
    ///
    /// # Errors
    /// Where the name of an object is not that of one.
    pub fn timeline(&self, options: &TimelineOptions) -> Result<Timeline, query::Error> {
        query::timeline(self.model(), options, self.survey.remark())
    }

    /// What a commit of files costs in running clusters.
    ///
    /// # Errors
    /// Where a path leads nowhere.
    pub fn commit(&self, paths: &[impl AsRef<str>]) -> Result<Commit, query::Error> {
        query::commit(self.model(), paths)
    }

    /// What changes would do, all of them together, to a cold start.
    ///
    /// # Errors
    /// Where a name is not that of one object of one cluster, and where there is nothing to change.
    pub fn what_if(&self, changes: &[Change]) -> Result<WhatIf, query::Error> {
        query::what_if(self.model(), changes)
    }

    /// What the rules say, and where there is a state before this one, what they say of the step between them.
    #[must_use]
    pub fn findings(&self, before: Option<&State<'_>>) -> Found {
        let (survey, options) = (self.survey, self.options);
        let broken = cluster::broken_documents(&survey.store);
        let mut suppressions = match options.no_ignore_comments {
            true => Vec::new(),
            false => cluster::suppressions(&survey.store, &survey.sight, options.require_reason),
        };
        suppressions.iter_mut().flat_map(|comment| &mut comment.rules).for_each(rules::rename);
        let context = self.context(&self.situations, &broken, &suppressions);
        let before = before.map(|before| Context {
            store: &before.session.survey.store,
            tree: before.tree(),
            situations: &before.session.situations,
            broken: &[],
            suppressions: &[],
            ..context
        });
        let context = Context { before: before.as_ref(), ..context };
        let (mut findings, complete) = (rules::check(&context), rules::complete(&context));
        finding::fingerprint(&mut findings, self.tree(), &rules::first_id);
        finding::group(&mut findings);
        let from = options.patterns_from.as_deref();
        let used = rules::leave_out(&mut findings, self.tree(), from, &options.exclude, &options.ignores);
        Found { findings, masking: Masking::new(&self.situations), complete, used }
    }

    fn context<'s>(
        &'s self,
        situations: &'s [Situation<'s>],
        broken: &'s [BrokenDocument],
        suppressions: &'s [Suppression],
    ) -> Context<'s> {
        Context {
            store: &self.survey.store,
            tree: self.tree(),
            situations,
            broken,
            suppressions,
            max_path: self.options.max_path,
            pedantic: self.options.pedantic,
            budgets: &self.options.budgets,
            selection: &self.options.selection,
            before: None,
        }
    }
}

//! What the service reports, each thing once.

use std::collections::BTreeMap;

use fairshare_client::{Phase, Status};
use fairshare_protocol::{encoded_len, Address, FileKind};

use crate::error::AggregatorError;
use crate::event::{Due, Event};
use crate::round::settled_event;
use crate::service::Service;

impl Service {
    /// Reports that the service is ready.
    ///
    /// # Errors
    /// The chain's faults.
    pub(crate) async fn report_start(&self, dev: bool) -> Result<(), AggregatorError> {
        let status = self.project.status().await?;
        let terms = self.project.terms();
        self.reporter.report(&Event::Started {
            project: self.project.address().to_string(),
            aggregator: self.me.to_string(),
            named: self.is_named(),
            phase: status.phase,
            round: status.round,
            settled: status.settled,
            dimension: terms.dimension,
            slots: terms.slots,
            dev,
        });
        Ok(())
    }

    pub(crate) fn trouble(&mut self, error: &AggregatorError) {
        let reason = error.to_string();
        if self.reported_trouble.as_ref() == Some(&reason) {
            return;
        }
        tracing::warn!(%reason, "this failed; trying again");
        let round = self.reported_phase.map_or(0, |(round, _)| round);
        self.reporter.report(&Event::Waiting { round, reason: reason.clone() });
        self.reported_trouble = Some(reason);
    }

    pub(crate) fn recovered(&mut self) {
        if self.reported_trouble.take().is_some() {
            tracing::info!("going on");
        }
    }

    /// Reports settlements that this run did not make.
    pub(crate) async fn report_found(&mut self, status: &Status) -> Result<(), AggregatorError> {
        if self.reported_settled.len() as u64 >= status.settled {
            return Ok(());
        }
        let length = encoded_len(&self.spec.model, FileKind::Model)?;
        for settled in self.project.settlements().await? {
            if self.reported_settled.contains(&settled.round) {
                continue;
            }
            let committed = self.project.committed(settled.round).await?;
            let trainers: BTreeMap<u8, Address> =
                committed.into_iter().map(|c| (c.slot, c.trainer)).collect();
            let event = settled_event(&settled, &trainers, length, None);
            self.reporter.report(&Event::RoundSettled(Box::new(event)));
            self.reported_settled.insert(settled.round);
        }
        Ok(())
    }

    pub(crate) async fn report_end(&self, status: &Status) -> Result<(), AggregatorError> {
        let owed = self.project.owed(self.me).await?;
        self.reporter.report(&Event::ProjectEnded {
            phase: status.phase,
            settled: status.settled,
            voids: status.voids,
            owed: self.project.terms().amount(owed),
        });
        Ok(())
    }

    /// Reports what is still to be done. That the bond depends on it is an error.
    pub(crate) fn report_stopped(&self) -> Result<(), AggregatorError> {
        let round = self.last.as_ref().map_or(0, |status| status.round);
        let waits = |status: &&Status| {
            let is_settled = self.reported_settled.contains(&status.round);
            self.is_named() && status.bond_placed && status.phase == Phase::Aggregate && !is_settled
        };
        let due = self.last.as_ref().filter(waits).map(|_| Due::Settlement);
        let deadline = self.last.as_ref().map(|status| status.deadline);
        self.reporter.report(&Event::Stopped { round, due, deadline });
        match (due, deadline) {
            (Some(Due::Settlement), Some(deadline)) => {
                Err(AggregatorError::StoppedAtRisk { round, deadline })
            }
            _ => Ok(()),
        }
    }
}

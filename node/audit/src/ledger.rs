//! The money of a project, replayed from its events: what each account must be owed, to the last unit.

use std::collections::BTreeMap;

use fairshare_client::{EventKind, Terms};
use fairshare_protocol::{Address, SlotMask};

use super::money_fault::MoneyFault;

/// A project's money by its events, in the least unit of its currency.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ledger {
    /// Deposited by the owner.
    pub deposit: u128,
    /// Neither credited nor returned.
    pub escrow: u128,
    /// Credited to trainers as their shares.
    pub paid: u128,
    /// Fees credited to the sources of attested model files.
    pub fees: u128,
    /// Fee of the model file that is not attested yet.
    pub held_fee: u128,
    /// Credited to the owner at the end.
    pub returned: u128,
    /// Lost stakes and bonds that were credited to trainers.
    pub divided: u128,
    /// Lost stakes, penalties and bonds that no account owns.
    pub burnt: u128,
    /// Withdrawn by all accounts.
    pub withdrawn: u128,
    /// Owed to each account now.
    pub owed: BTreeMap<Address, u128>,
    /// Each account's shares, over all rounds.
    pub earned: BTreeMap<Address, u128>,
    stakes: BTreeMap<Address, u128>,
    bond: Option<(Address, u128)>,
    /// Lost, and neither divided nor burnt so far.
    lost: Lost,
    /// Trainer of each slot.
    slots: BTreeMap<(u64, u8), Address>,
    /// Slots whose trainers attested, by round: only they are paid.
    attested: BTreeMap<u64, SlotMask>,
    /// Slots whose updates are revealed, by round.
    revealed: BTreeMap<u64, SlotMask>,
}

/// What the next events must divide or burn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Lost {
    amount: u128,
    /// Of it, what is divided: stakes of trainers that did not reveal, and the bond when no one settled.
    among: SlotMask,
    /// Whether each part is at most the trainer's own stake.
    capped: bool,
}

impl Ledger {
    /// Replays the events in order and lists the faults.
    pub fn replay<'e>(
        terms: &Terms,
        events: impl IntoIterator<Item = &'e EventKind>,
    ) -> (Self, Vec<MoneyFault>) {
        let mut ledger = Self::default();
        let mut faults = Vec::new();
        for event in events {
            ledger.take(terms, event, &mut faults);
        }
        (ledger, faults)
    }

    /// The balance that the contract must have.
    pub fn held(&self) -> u128 {
        let bond = self.bond.map_or(0, |(_, amount)| amount);
        let owed: u128 = self.owed.values().sum();
        self.escrow + self.held_fee + owed + self.burnt + self.stakes.values().sum::<u128>() + bond
    }

    /// Compares with the contract's escrow, its balance and its debts. A larger balance is not a fault: money sent by force
    /// belongs to no account.
    pub fn compare(
        &self,
        escrow: u128,
        burnt: u128,
        balance: u128,
        owed: &[(Address, u128)],
    ) -> Vec<MoneyFault> {
        let mut faults = Vec::new();
        if self.escrow != escrow {
            faults.push(MoneyFault::Escrow { expected: self.escrow, found: escrow });
        }
        if self.burnt != burnt {
            faults.push(MoneyFault::Burnt { expected: self.burnt, found: burnt });
        }
        if self.lost.amount != 0 {
            faults.push(MoneyFault::LossLeft { amount: self.lost.amount });
        }
        for &(account, found) in owed {
            let expected = self.owed.get(&account).copied().unwrap_or_default();
            if expected != found {
                faults.push(MoneyFault::Owed { account, expected, found });
            }
        }
        if balance < self.held() {
            faults.push(MoneyFault::Balance { expected: self.held(), found: balance });
        }
        let Self { deposit, paid, returned, .. } = *self;
        let fees = self.fees + self.held_fee;
        if deposit != paid + fees + returned + escrow {
            faults.push(MoneyFault::Sum { deposit, paid, fees, returned, escrow });
        }
        faults
    }

    /// Every account that the events name.
    pub fn accounts(&self) -> Vec<Address> {
        let mut all: Vec<Address> = self.owed.keys().chain(self.stakes.keys()).copied().collect();
        all.extend(self.bond.map(|(who, _)| who));
        all.sort_unstable();
        all.dedup();
        all
    }

    fn take(&mut self, terms: &Terms, event: &EventKind, faults: &mut Vec<MoneyFault>) {
        match event {
            EventKind::Opened { deposit, .. } => {
                if *deposit != terms.deposit() {
                    faults.push(MoneyFault::Deposit { expected: terms.deposit(), found: *deposit });
                }
                self.deposit += deposit;
                self.escrow += deposit;
            }
            EventKind::Joined { trainer, stake } => {
                security("stake", *trainer, terms.stake, *stake, faults);
                self.stakes.insert(*trainer, *stake);
            }
            EventKind::Left { trainer, .. } => {
                let stake = self.stakes.remove(trainer).unwrap_or_default();
                self.credit(*trainer, stake);
            }
            EventKind::BondPlaced { aggregator, amount } => {
                security("bond", *aggregator, terms.bond, *amount, faults);
                self.bond = Some((*aggregator, *amount));
            }
            EventKind::Committed { round, update } => {
                self.slots.insert((*round, update.slot), update.trainer);
            }
            EventKind::Revealed { round, update } => {
                self.revealed.entry(*round).or_default().insert(update.slot);
            }
            EventKind::StakeSlashed { round, trainer, .. } => {
                self.lost.amount += self.stakes.remove(trainer).unwrap_or_default();
                let revealed = self.revealed.get(round).copied().unwrap_or_default();
                let reveals = revealed.iter().any(|slot| self.slots.get(&(*round, slot)) == Some(trainer));
                if !reveals {
                    (self.lost.among, self.lost.capped) = (revealed, true);
                }
            }
            EventKind::OutlierPenalised { trainer, amount, .. } => {
                let stake = self.stakes.entry(*trainer).or_default();
                let lost = (*amount).min(*stake);
                *stake -= lost;
                self.lost.amount += lost;
            }
            EventKind::BondSlashed { active, .. } => {
                let bond = self.bond.take().map_or(0, |(_, bond)| bond);
                self.lost = Lost { amount: self.lost.amount + bond, among: *active, capped: false };
            }
            EventKind::LossDivided { round, slots, part } => {
                self.divide(terms, *round, *slots, *part, faults);
            }
            EventKind::Burnt { round, amount } => {
                let lost = std::mem::take(&mut self.lost);
                if lost.amount != *amount || !lost.among.is_empty() {
                    let expected = if lost.among.is_empty() { lost.amount } else { 0 };
                    faults.push(MoneyFault::Loss { round: *round, what: "burnt", expected, found: *amount });
                }
                self.burnt += amount;
            }
            EventKind::SlotsActive { round, attested, .. } => {
                self.attested.insert(*round, *attested);
            }
            EventKind::ModelAttested { source, .. } => {
                let fee = std::mem::take(&mut self.held_fee);
                self.credit(*source, fee);
                self.fees += fee;
            }
            EventKind::ModelUnattested { .. } => self.escrow += std::mem::take(&mut self.held_fee),
            EventKind::Settled(settled) => self.settle(terms, settled, faults),
            EventKind::Ended { to_owner, .. } => {
                if *to_owner != self.escrow {
                    faults.push(MoneyFault::Returned { expected: self.escrow, found: *to_owner });
                }
                let rest = std::mem::take(&mut self.escrow);
                self.returned += rest;
                self.credit(terms.owner, rest);
                for (trainer, stake) in std::mem::take(&mut self.stakes) {
                    self.credit(trainer, stake);
                }
                if let Some((aggregator, bond)) = self.bond.take() {
                    self.credit(aggregator, bond);
                }
            }
            EventKind::Withdrawn { account, amount, .. } => {
                let owed = self.owed.entry(*account).or_default();
                if *amount > *owed {
                    faults.push(MoneyFault::Overdrawn { account: *account, taken: *amount, owed: *owed });
                }
                *owed = owed.saturating_sub(*amount);
                self.withdrawn += amount;
            }
            EventKind::Attested { .. }
            | EventKind::ModelPublished { .. }
            | EventKind::ModelSourceNamed { .. }
            | EventKind::PhaseOpened { .. }
            | EventKind::HyperParameters { .. }
            | EventKind::Voided { .. } => {}
        }
    }

    fn settle(
        &mut self,
        terms: &Terms,
        settled: &fairshare_client::SettledRound,
        faults: &mut Vec<MoneyFault>,
    ) {
        let mut credited = terms.round_fee;
        let attested = self.attested.get(&settled.round).copied().unwrap_or_default();
        let paid =
            (0u8..128).zip(&settled.shares).filter(|(slot, share)| **share > 0 && attested.contains(*slot));
        for (slot, share) in paid {
            let part = (terms.round_reward * u128::from(*share)) >> 16;
            credited += part;
            if let Some(trainer) = self.slots.get(&(settled.round, slot)).copied() {
                self.credit(trainer, part);
                *self.earned.entry(trainer).or_default() += part;
                self.paid += part;
            }
        }
        self.held_fee += terms.round_fee; // until the model file is attested
        if credited > self.escrow {
            faults.push(MoneyFault::EscrowOverdrawn { round: settled.round, credited, escrow: self.escrow });
        }
        self.escrow = self.escrow.saturating_sub(credited);
    }

    /// Credits each of these slots with its part; the rest stays lost until it is burnt.
    fn divide(
        &mut self,
        terms: &Terms,
        round: u64,
        slots: SlotMask,
        part: u128,
        faults: &mut Vec<MoneyFault>,
    ) {
        let Lost { amount, among, capped } = std::mem::take(&mut self.lost);
        // No slot may be credited other than those that the rules name, and each with an equal part.
        let expected = amount.checked_div(u128::from(among.count())).unwrap_or_default();
        if slots != among || part != expected {
            let what = "credited to each slot";
            faults.push(MoneyFault::Loss { round, what, expected, found: part });
        }
        let mut rest = amount;
        let trainers = slots.iter().filter_map(|slot| self.slots.get(&(round, slot)).copied());
        for trainer in trainers.collect::<Vec<_>>() {
            if trainer == terms.owner {
                continue; // the owner gets no part of what others lose
            }
            let stake = self.stakes.get(&trainer).copied().unwrap_or_default();
            let gain = if capped { part.min(stake) } else { part };
            rest = rest.saturating_sub(gain);
            self.divided += gain;
            self.credit(trainer, gain);
        }
        self.lost = Lost { amount: rest, ..Lost::default() };
    }

    fn credit(&mut self, account: Address, amount: u128) {
        *self.owed.entry(account).or_default() += amount;
    }
}

fn security(what: &'static str, account: Address, expected: u128, found: u128, faults: &mut Vec<MoneyFault>) {
    if expected != found {
        faults.push(MoneyFault::Security { what, account, expected, found });
    }
}

#[cfg(test)]
#[path = "ledger_tests.rs"]
mod tests;

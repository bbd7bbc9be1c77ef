//! Commitments, the Gram argument, assessment circuits, keys and round proofs.

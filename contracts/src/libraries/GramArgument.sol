// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {IRoundVerifier} from "../interfaces/IRoundVerifier.sol";
import {Bn254} from "./Bn254.sol";
import {Packed} from "./Packed.sol";
import {RoundChallenges} from "./RoundTranscript.sol";

/// @title The field equations of the Gram argument, and its sum of commitments (docs/protocol.md 5).
/// @dev `values` are `P(z), P(1/z), S(z), S(1/z)`.
library GramArgument {
    /// @notice Requires `P(z) P(1/z) = sigma + z S(z) + S(1/z) / z`: the constant term of `P(X) P(1/X)` is sigma.
    function checkLaurent(uint256[4] calldata values, uint256 sigma, RoundChallenges memory c) internal pure {
        uint256 left = mulmod(values[0], values[1], Bn254.R);
        uint256 right = addmod(sigma, mulmod(c.z, values[2], Bn254.R), Bn254.R);
        right = addmod(right, mulmod(c.zInverse, values[3], Bn254.R), Bn254.R);
        if (left != right) revert IRoundVerifier.LaurentIdentityFailed();
    }

    /// @notice `L(X) = constantTerm + slope X`, the line through `(z, Q(z))` and `(1/z, Q(1/z))` with `Q = P + gamma S
    /// + gamma^2 R`.
    function line(uint256[4] calldata values, uint256 dimension, RoundChallenges memory c)
        internal
        view
        returns (uint256 constantTerm, uint256 slope)
    {
        (uint256 p, uint256 pInverse) = (values[0], values[1]);
        // R(z) = z^(d-1) P(1/z) and R(1/z) = z^-(d-1) P(z), which bounds the degree: deg P < d.
        uint256 rAtZ = mulmod(Bn254.power(c.z, dimension - 1), pInverse, Bn254.R);
        uint256 rAtInverse = mulmod(Bn254.power(c.zInverse, dimension - 1), p, Bn254.R);
        uint256 atZ = _fold(p, values[2], rAtZ, c.gamma);
        uint256 atInverse = _fold(pInverse, values[3], rAtInverse, c.gamma);
        slope = mulmod(Bn254.sub(atZ, atInverse), c.inverseSpan, Bn254.R);
        constantTerm = Bn254.sub(atZ, mulmod(slope, c.z, Bn254.R));
    }

    /// @dev `p + gamma (s + gamma r)`.
    function _fold(uint256 p, uint256 s, uint256 r, uint256 gamma) private pure returns (uint256) {
        uint256 inner = addmod(s, mulmod(gamma, r, Bn254.R), Bn254.R);
        return addmod(p, mulmod(gamma, inner, Bn254.R), Bn254.R);
    }

    /// @notice Adds `sum (nu^2 w_i - nu rho_i) C_i` over the active slots: the model's step and `-nu C_P` with one
    /// multiplication for each commitment. `rho_i = rho^(2^i)` and `w_i` belong to slot `i`, whether or not lower slots
    /// are active.
    /// @param commitments 64 bytes for every bit of `mask`
    /// @param weights a word for every fourteen slots
    function addCommitments(
        Bn254.Sum memory sum,
        bytes calldata commitments,
        uint256[] calldata weights,
        uint256 mask,
        RoundChallenges memory c
    ) internal view {
        uint256 nuSquared = mulmod(c.nu, c.nu, Bn254.R);
        uint256 minusNu = Bn254.R - c.nu;
        uint256 rho = c.rho;
        (uint256 order, uint256 bits, uint256 lane) = (Bn254.R, Packed.BITS, Packed.LANE);
        uint256 end = 1 << Packed.BITS * Packed.PER_WORD;
        // The precompile checks that each commitment is on the curve. `RangeVerifier` has checked it before, so only a
        // caller that is not a project can lose its gas to a refused point. The precompile accepts infinity; we do not.
        bool multiplied = true;
        bool infinite;
        // Assembly, because around the two calls of a slot Solidity's checks would cost three times as much as the
        // rest, for up to 128 slots.
        assembly ("memory-safe") {
            let from := commitments.offset
            for { let at := weights.offset } mask { at := add(at, 0x20) } {
                // The lanes of a word, then a one that ends the loop.
                for { let word := or(end, mod(calldataload(at), end)) } gt(word, 1) { word := shr(bits, word) } {
                    let square := mulmod(rho, rho, order)
                    let inactive := iszero(and(mask, 1))
                    mask := shr(1, mask)
                    if inactive {
                        rho := square
                        continue
                    }
                    calldatacopy(add(sum, 0x40), from, 0x40)
                    from := add(from, 0x40)
                    // No point of the curve has y = 0, so this detects infinity alone.
                    infinite := or(infinite, iszero(mload(add(sum, 0x60))))
                    mstore(
                        add(sum, 0x80),
                        addmod(mulmod(nuSquared, and(word, lane), order), mulmod(minusNu, rho, order), order)
                    )
                    rho := square
                    // Multiplies, then adds: arguments are evaluated from the last to the first.
                    multiplied :=
                        and(
                            staticcall(gas(), 6, sum, 0x80, sum, 0x40),
                            staticcall(gas(), 7, add(sum, 0x40), 0x60, add(sum, 0x40), 0x40)
                        )
                    // Leaves both loops; another call would burn the gas that is left for the error.
                    if iszero(multiplied) {
                        mask := 0
                        word := 1
                    }
                }
            }
        }
        if (!multiplied) revert Bn254.PrecompileFailed(7);
        if (infinite) revert IRoundVerifier.InvalidPoint();
    }
}

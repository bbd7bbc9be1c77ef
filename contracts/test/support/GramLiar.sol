// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {RoundProof, RoundStatement} from "../../src/interfaces/IRoundVerifier.sol";
import {Bn254} from "../../src/libraries/Bn254.sol";
import {Transcript} from "../../src/libraries/Transcript.sol";
import {Forger, KnownSecrets} from "./KnownSecrets.sol";

/// @notice FOR TESTS: a prover that knows the secrets of the assessment's keys, but makes the Gram argument like any
/// other prover: from polynomials, by polynomial division. A refusal is therefore due to the argument of
/// docs/protocol.md 5 alone.
contract GramLiar is Forger {
    /// @dev The polynomial that it sends for `R`, which should be `X^(d-1) P(1/X)`, and the other lies.
    enum Lie {
        None,
        ROneLonger, // X^d P(1/X): a polynomial where P has a coefficient at d
        RFolded, // the coefficient of X^-1 is added to that of X^0
        RShifted, // the coefficient of X^-1 becomes that of X^d
        RNothing, // zero
        RAfterZ, // the line through the values that the verifier expects, chosen after z
        SAfterZ, // a wrong sigma, for which S compensates, chosen after z
        ValuesAfterGamma, // a wrong sigma, for which the values compensate, chosen after gamma
        Sigma // a wrong sigma without compensation
    }

    /// @dev `P`, `S` and `R`.
    struct Polynomials {
        uint256[] sum;
        uint256[] shifted;
        uint256[] reversed;
    }

    constructor(bytes32 keysHash) Forger(keysHash) {}

    /// @notice `x, y` of the commitment of each update.
    function commitments(uint256[][] memory updates) public view returns (bytes memory points) {
        for (uint256 i; i < updates.length; ++i) {
            (uint256 x, uint256 y) = _committed(updates[i]);
            points = abi.encodePacked(points, x, y);
        }
    }

    /// @param p an argued proof: `rho` depends on its commitment
    function rhoOf(RoundStatement memory s, RoundProof memory p) external view returns (uint256) {
        return Transcript.challenge(_gram(s, p));
    }

    /// @notice `<p, p>`, which is `sum rho_i rho_j G_ij` of these updates.
    function sigmaOf(uint256[][] memory updates, uint256 mask, uint256 rho) external pure returns (uint256) {
        return _product(_sum(updates, mask, rho), 0);
    }

    /// @param updates the coefficients of every active slot's polynomial, in slot order, all of one length
    /// @param claims kept mask, coherence and packed words
    /// @param off the error of `sigma`, for the lies about it
    function argue(RoundStatement memory s, RoundProof memory claims, uint256[][] memory updates, Lie lie, uint256 off)
        external
        view
        returns (RoundProof memory p)
    {
        p = this.argued(s, claims, updates, lie, off);
        p.model = this.step(s, p.weights);
    }

    /// @dev An external call, as `step`, because both together exceed the stack.
    function argued(RoundStatement memory s, RoundProof memory claims, uint256[][] memory updates, Lie lie, uint256 off)
        external
        view
        returns (RoundProof memory p)
    {
        p = claims;
        _commit(p);
        bytes32 state = _gram(s, p);
        Polynomials memory f;
        f.sum = _sum(updates, s.activeMask, Transcript.challenge(state));
        f.shifted = _shifted(f.sum);
        f.reversed = _reversed(f.sum, s.dimension, lie);
        p.sigma = addmod(_product(f.sum, 0), off, Bn254.R);
        (p.quotient[0], p.quotient[1]) = _committed(f.shifted);
        (p.reversed[0], p.reversed[1]) = _committed(f.reversed);
        _open(s, p, f, lie, off, _laurent(state, p));
        _groth16(s, p, Transcript.challenge(state), _chi(p, state));
    }

    /// @dev Values and opening, and the lies that need `z` or `gamma`.
    function _open(
        RoundStatement memory s,
        RoundProof memory p,
        Polynomials memory f,
        Lie lie,
        uint256 off,
        bytes32 next
    ) private view {
        uint256 z = Transcript.challenge(next);
        uint256 trace = addmod(z, Bn254.inverse(z), Bn254.R);
        if (lie == Lie.RAfterZ) {
            f.reversed = _expected(f.sum, s.dimension, z);
            (p.reversed[0], p.reversed[1]) = _committed(f.reversed);
        } else if (lie == Lie.SAfterZ) {
            // z c + c / z = -off
            uint256 c = mulmod(Bn254.R - off, Bn254.inverse(trace), Bn254.R);
            f.shifted[0] = addmod(f.shifted[0], c, Bn254.R);
            (p.quotient[0], p.quotient[1]) = _committed(f.shifted);
        }
        uint256 gamma = _valuesAt(p, f.sum, f.shifted, z, next);
        if (lie == Lie.ValuesAfterGamma) _bend(p, z, gamma, s.dimension, off);
        uint256[] memory folded = _folded(f.sum, f.shifted, f.reversed, gamma);
        (p.opening[0], p.opening[1]) = _committed(_quotient(folded, trace));
    }

    /// @dev The true values, and the challenge that follows them.
    function _valuesAt(RoundProof memory p, uint256[] memory sum, uint256[] memory shifted, uint256 z, bytes32 state)
        private
        view
        returns (uint256)
    {
        uint256 zi = Bn254.inverse(z);
        p.values = [_at(sum, z), _at(sum, zi), _at(shifted, z), _at(shifted, zi)];
        return Transcript.challenge(_opened(state, p));
    }

    /// @dev Adds `e` to `P(z)` and changes `S(z)`, `S(1/z)` so that `Q` keeps its values; `e` makes the Laurent
    /// identity hold.
    function _bend(RoundProof memory p, uint256 z, uint256 gamma, uint256 d, uint256 off) private view {
        uint256 zi = Bn254.inverse(z);
        uint256 gammaInverse = Bn254.inverse(gamma);
        uint256 tail = mulmod(gamma, Bn254.power(zi, d - 1), Bn254.R);
        uint256 slope = addmod(p.values[1], mulmod(z, gammaInverse, Bn254.R), Bn254.R);
        slope = addmod(slope, mulmod(tail, zi, Bn254.R), Bn254.R);
        uint256 e = mulmod(off, Bn254.inverse(slope), Bn254.R);
        p.values[0] = addmod(p.values[0], e, Bn254.R);
        p.values[2] = _sub(p.values[2], mulmod(e, gammaInverse, Bn254.R));
        p.values[3] = _sub(p.values[3], mulmod(e, tail, Bn254.R));
    }

    /* POLYNOMIALS, lowest coefficient first */

    function _committed(uint256[] memory f) private view returns (uint256, uint256) {
        return Bn254.mul(1, 2, _at(f, KnownSecrets.X));
    }

    function _at(uint256[] memory f, uint256 x) private pure returns (uint256 value) {
        for (uint256 i = f.length; i > 0; --i) {
            value = addmod(mulmod(value, x, Bn254.R), f[i - 1], Bn254.R);
        }
    }

    /// @dev `P = sum rho^(2^slot) U_slot`.
    function _sum(uint256[][] memory updates, uint256 mask, uint256 rho) private pure returns (uint256[] memory sum) {
        sum = new uint256[](updates[0].length);
        uint256 next;
        for (uint256 slot; next < updates.length; ++slot) {
            if (mask >> slot & 1 == 1) {
                for (uint256 j; j < sum.length; ++j) {
                    sum[j] = addmod(sum[j], mulmod(rho, updates[next][j], Bn254.R), Bn254.R);
                }
                ++next;
            }
            rho = mulmod(rho, rho, Bn254.R);
        }
    }

    /// @dev `sum_j p_j p_(j + by)`.
    function _product(uint256[] memory f, uint256 by) private pure returns (uint256 sum) {
        for (uint256 j; j + by < f.length; ++j) {
            sum = addmod(sum, mulmod(f[j], f[j + by], Bn254.R), Bn254.R);
        }
    }

    /// @dev `S`: `P(X) P(1/X) = sigma + X S(X) + S(1/X) / X`.
    function _shifted(uint256[] memory f) private pure returns (uint256[] memory s) {
        s = new uint256[](f.length);
        for (uint256 k; k + 1 < f.length; ++k) {
            s[k] = _product(f, k + 1);
        }
    }

    function _reversed(uint256[] memory f, uint256 d, Lie lie) private pure returns (uint256[] memory r) {
        r = new uint256[](d + 1);
        if (lie == Lie.RNothing || lie == Lie.RAfterZ) return r;
        uint256 top = lie == Lie.ROneLonger ? d : d - 1;
        for (uint256 j; j <= top; ++j) {
            if (top - j < f.length) r[j] = f[top - j];
        }
        if (lie == Lie.RFolded) r[0] = addmod(r[0], f[d], Bn254.R);
        if (lie == Lie.RShifted) r[d] = f[d];
    }

    /// @dev The line through the values that the verifier expects of `R` at `z` and `1/z`.
    function _expected(uint256[] memory f, uint256 d, uint256 z) private view returns (uint256[] memory r) {
        uint256 zi = Bn254.inverse(z);
        uint256 atZ = mulmod(Bn254.power(z, d - 1), _at(f, zi), Bn254.R);
        uint256 atInverse = mulmod(Bn254.power(zi, d - 1), _at(f, z), Bn254.R);
        r = new uint256[](2);
        r[1] = mulmod(_sub(atZ, atInverse), Bn254.inverse(_sub(z, zi)), Bn254.R);
        r[0] = _sub(atZ, mulmod(r[1], z, Bn254.R));
    }

    /// @dev `Q = P + gamma S + gamma^2 R`.
    function _folded(uint256[] memory f, uint256[] memory s, uint256[] memory r, uint256 gamma)
        private
        pure
        returns (uint256[] memory q)
    {
        q = new uint256[](f.length > r.length ? f.length : r.length);
        for (uint256 j; j < q.length; ++j) {
            uint256 value = j < r.length ? mulmod(gamma, r[j], Bn254.R) : 0;
            value = addmod(value, j < s.length ? s[j] : 0, Bn254.R);
            q[j] = addmod(mulmod(gamma, value, Bn254.R), j < f.length ? f[j] : 0, Bn254.R);
        }
    }

    /// @dev The quotient of `Q / (X^2 - t X + 1)`. The remainder is the line `L` if the opening is true; otherwise no
    /// prover can send it.
    function _quotient(uint256[] memory q, uint256 t) private pure returns (uint256[] memory w) {
        w = new uint256[](q.length);
        for (uint256 k = q.length - 1; k >= 2; --k) {
            w[k - 2] = q[k];
            q[k - 1] = addmod(q[k - 1], mulmod(t, q[k], Bn254.R), Bn254.R);
            q[k - 2] = _sub(q[k - 2], q[k]);
        }
    }
}

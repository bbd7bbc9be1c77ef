// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {RoundProof, RoundStatement} from "../../src/interfaces/IRoundVerifier.sol";
import {Bn254} from "../../src/libraries/Bn254.sol";
import {Transcript} from "../../src/libraries/Transcript.sol";
import {Forger, KnownSecrets} from "./KnownSecrets.sol";
import {Points} from "./Points.sol";

/// @notice FOR TESTS: changes two parts of a proof so that their errors in the pairing equation cancel, for the
/// challenge `nu` that the transcript would give if it did not absorb one of them. That one is chosen after `nu`.
contract LateForger is Forger {
    enum Late {
        Opening,
        Model,
        Groth16
    }

    constructor(bytes32 keysHash) Forger(keysHash) {}

    /// @param p a valid proof
    function bend(RoundStatement memory s, RoundProof memory p, Late late) external view returns (RoundProof memory) {
        // In the exponents: `- dA + nu q dW - nu^2 dC_T' = 0` with `q = (x - z)(x - 1/z)`. Moves the early part by one
        // first.
        if (late == Late.Groth16) (p.model[0], p.model[1]) = Bn254.add(p.model[0], p.model[1], 1, 2);
        else (p.groth16[0], p.groth16[1]) = Bn254.add(p.groth16[0], p.groth16[1], 1, 2);
        (uint256 nu, uint256 q) = _nuWithout(s, p, late);
        uint256 square = mulmod(nu, nu, Bn254.R);
        if (late == Late.Opening) {
            uint256 step = Bn254.inverse(mulmod(nu, q, Bn254.R));
            (p.opening[0], p.opening[1]) = Points.addMul(p.opening[0], p.opening[1], 1, 2, step);
        } else if (late == Late.Model) {
            uint256 step = Bn254.R - Bn254.inverse(square);
            (p.model[0], p.model[1]) = Points.addMul(p.model[0], p.model[1], 1, 2, step);
        } else {
            (p.groth16[0], p.groth16[1]) = Points.addMul(p.groth16[0], p.groth16[1], 1, 2, Bn254.R - square);
        }
        return p;
    }

    function _nuWithout(RoundStatement memory s, RoundProof memory p, Late late)
        private
        view
        returns (uint256 nu, uint256 q)
    {
        bytes32 state = _gram(s, p);
        uint256 rho = Transcript.challenge(state);
        uint256 chi = _chi(p, state);
        state = _laurent(state, p);
        uint256 z = Transcript.challenge(state);
        q = mulmod(_sub(KnownSecrets.X, z), _sub(KnownSecrets.X, Bn254.inverse(z)), Bn254.R);
        bytes memory items;
        if (late != Late.Opening) items = abi.encodePacked(p.opening);
        if (late != Late.Model) items = abi.encodePacked(items, p.model);
        if (late != Late.Groth16) items = abi.encodePacked(items, p.groth16);
        items = abi.encodePacked(items, _inputs(s, p, rho, chi));
        nu = Transcript.challenge(Transcript.absorbWords(_opened(state, p), "join", items));
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {IVerifyingKey} from "../src/interfaces/IKeyRegistry.sol";
import {IRoundVerifier, RoundProof, RoundStatement} from "../src/interfaces/IRoundVerifier.sol";
import {Bn254} from "../src/libraries/Bn254.sol";
import {KeyRegistry} from "./support/Deployed.sol";
import {GramLiar} from "./support/GramLiar.sol";
import {KnownSecrets, TestKey} from "./support/KnownSecrets.sol";
import {MiniTest} from "./support/MiniTest.sol";

/// @dev The Gram argument against a prover that can prove any assessment: the commitments alone must suffice to refuse
/// it. Three slots, models of four parameters.
contract GramArgumentTest is MiniTest {
    uint256 private constant D = 4;
    uint256 private constant MASK = 0x25; // slots 0, 2 and 5

    IRoundVerifier private verifier;
    GramLiar private liar;

    function setUp() public {
        IVerifyingKey[] memory keys = new IVerifyingKey[](1);
        keys[0] = new TestKey(1, 8).asKey();
        KeyRegistry registry = newRegistry(true, KnownSecrets.x1(), KnownSecrets.g2(), keys);
        verifier = IRoundVerifier(deploy("RoundVerifier.sol:RoundVerifier", abi.encode(registry)));
        liar = new GramLiar(registry.keysHash());
    }

    /// @dev Small numbers of either sign, `length` for each slot.
    function honest(uint256 length) private pure returns (uint256[][] memory updates) {
        updates = new uint256[][](3);
        for (uint256 i; i < 3; ++i) {
            updates[i] = new uint256[](length);
            for (uint256 j; j < length; ++j) {
                uint256 size = uint256(keccak256(abi.encode(i, j))) % 30_000;
                updates[i][j] = j % 2 == 0 ? size : Bn254.R - size;
            }
        }
    }

    function statementOf(uint256[][] memory updates, uint256 d) private view returns (RoundStatement memory s) {
        (s.project, s.round, s.payee) = (address(0x1234), 3, address(0xA6));
        (s.dimension, s.slots, s.rule, s.activeMask) = (d, 8, 1, MASK);
        s.policy = [uint256(32), 0];
        s.modelCid = "new model";
        s.commitments = liar.commitments(updates);
    }

    function argue(uint256[][] memory updates, uint256 d, GramLiar.Lie lie, uint256 off)
        private
        view
        returns (RoundStatement memory s, RoundProof memory p)
    {
        s = statementOf(updates, d);
        (p.keptMask, p.coherence) = (MASK, 40_000);
        p.shares = new uint256[](1);
        p.weights = new uint256[](1);
        (p.shares[0], p.weights[0]) = (20_000, 20_000 | 30_000 << 34);
        p = liar.argue(s, p, updates, lie, off);
    }

    function accepted(uint256[][] memory updates, uint256 d) private view {
        (RoundStatement memory s, RoundProof memory p) = argue(updates, d, GramLiar.Lie.None, 0);
        verifier.verify(s, p);
    }

    function refused(uint256[][] memory updates, GramLiar.Lie lie, uint256 off, bytes4 reason) private {
        (RoundStatement memory s, RoundProof memory p) = argue(updates, D, lie, off);
        vm.expectRevert(reason);
        verifier.verify(s, p);
    }

    function test_verify_honestArgument() public view {
        accepted(honest(D), D);
        accepted(honest(D), D + 3);
    }

    /// @dev The assessment proves products that are not those of the committed updates: one entry of `G` is larger by
    /// one (at the powers of `rho` of slots 0 and 2), or the whole matrix is another.
    function test_verify_oneWrongGramEntry() public {
        (RoundStatement memory s, RoundProof memory p) = argue(honest(D), D, GramLiar.Lie.None, 0);
        uint256 rho = liar.rhoOf(s, p);
        uint256 off = mulmod(rho, Bn254.power(rho, 4), Bn254.R);
        refused(honest(D), GramLiar.Lie.Sigma, mulmod(2, off, Bn254.R), IRoundVerifier.LaurentIdentityFailed.selector);
        refused(honest(D), GramLiar.Lie.Sigma, 1, IRoundVerifier.LaurentIdentityFailed.selector);
    }

    /// @dev Two accomplices share a number behind the model's last parameter, which would raise their products. It is
    /// valid in a model that is longer by one; here no choice of `R` is.
    function test_verify_aCoordinateBeyondTheModelWithEveryR() public {
        uint256[][] memory updates = honest(D + 1);
        (updates[0][D], updates[1][D], updates[2][D]) = (1 << 18, 1 << 18, 0);
        accepted(updates, D + 1);
        bytes4 reason = IRoundVerifier.PairingFailed.selector;
        refused(updates, GramLiar.Lie.None, 0, reason);
        refused(updates, GramLiar.Lie.ROneLonger, 0, reason);
        refused(updates, GramLiar.Lie.RFolded, 0, reason);
        refused(updates, GramLiar.Lie.RShifted, 0, reason);
        refused(updates, GramLiar.Lie.RNothing, 0, reason);
    }

    /// @dev The same with a `C_R` chosen after `z`: the transcript absorbs `C_R` first.
    function test_verify_cRChosenAfterItsChallenge() public {
        uint256[][] memory updates = honest(D + 1);
        (updates[0][D], updates[1][D]) = (1 << 18, 1 << 18);
        refused(updates, GramLiar.Lie.RAfterZ, 0, IRoundVerifier.LaurentIdentityFailed.selector);
    }

    function test_verify_cSChosenAfterItsChallenge() public {
        refused(honest(D), GramLiar.Lie.SAfterZ, 1 << 40, IRoundVerifier.LaurentIdentityFailed.selector);
    }

    function test_verify_valuesChosenAfterTheirChallenge() public {
        refused(honest(D), GramLiar.Lie.ValuesAfterGamma, 1 << 40, IRoundVerifier.PairingFailed.selector);
    }

    /// @dev `(x, i x)` with `i^2 = -1` in two coordinates changes no product, so the argument is true for it. Only the
    /// range proof of the commit refuses it (`test_verify_refusesEveryCheat`).
    function test_verify_theIsotropicPairChangesNoProduct() public view {
        uint256 i = Bn254.power(5, (Bn254.R - 1) / 4);
        assertEq(mulmod(i, i, Bn254.R), Bn254.R - 1);
        uint256[][] memory updates = honest(D);
        for (uint256 k; k < 3; ++k) {
            (updates[k][2], updates[k][3]) = (0, 0);
        }
        (RoundStatement memory s, RoundProof memory p) = argue(updates, D, GramLiar.Lie.None, 0);
        verifier.verify(s, p);
        uint256 rho = liar.rhoOf(s, p);
        uint256 sigma = p.sigma;
        (updates[1][2], updates[1][3]) = (1 << 40, mulmod(1 << 40, i, Bn254.R));
        (s, p) = argue(updates, D, GramLiar.Lie.None, 0);
        verifier.verify(s, p);
        // Another commitment gives another challenge, so sigma is compared as a polynomial in rho.
        assertTrue(liar.rhoOf(s, p) != rho);
        (updates[1][2], updates[1][3]) = (0, 0);
        assertEq(p.sigma, liar.sigmaOf(updates, MASK, liar.rhoOf(s, p)));
        assertEq(sigma, liar.sigmaOf(updates, MASK, rho));
    }
}

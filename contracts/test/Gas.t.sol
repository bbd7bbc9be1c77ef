// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {KeyRegistry} from "../src/KeyRegistry.sol";
import {FormProof, FormStatement} from "../src/interfaces/IFormVerifier.sol";
import {IVerifyingKey} from "../src/interfaces/IKeyRegistry.sol";
import {Terms} from "../src/interfaces/IProject.sol";
import {IRoundVerifier, RoundProof, RoundStatement} from "../src/interfaces/IRoundVerifier.sol";
import {TrueMarket} from "./support/TrueMarket.sol";

/// @dev What each step of a market costs: `contracts/.gas-snapshot` holds these tests and no others, and `scripts/test solidity` compares. What leads to a step is not metered,
/// and storage is cold before it; 21,000 and the calldata come on top.
contract GasTest is TrueMarket {
    /// @dev The way to a step; the step follows. `where` is what is called.
    modifier notMetered() {
        vm.pauseGasMetering();
        _;
    }

    function meter(address where) private {
        vm.cool(where);
        vm.cool(factory.implementation());
        vm.cool(address(verifier));
        vm.cool(address(formVerifier));
        vm.resumeGasMetering();
    }

    function market() private {
        marketOfRound("round_n10.json");
        openAt(statement.project, roundTerms());
    }

    function test_gas_createProject() public notMetered {
        marketOfRound("round_n10.json");
        Terms memory t = roundTerms();
        uint256 value = depositOf(t);
        vm.deal(OWNER, value);
        meter(address(factory));
        vm.prank(OWNER);
        factory.createProject{value: value}(t);
        vm.pauseGasMetering();
    }

    function test_gas_join() public notMetered {
        market();
        join(0);
        vm.deal(trainer(1), STAKE);
        meter(address(project));
        vm.prank(trainer(1));
        project.join{value: STAKE}();
        vm.pauseGasMetering();
    }

    function test_gas_placeBond() public notMetered {
        market();
        vm.deal(statement.payee, BOND);
        meter(address(project));
        vm.prank(statement.payee);
        project.placeBond{value: BOND}();
        vm.pauseGasMetering();
    }

    function commitForm(string memory name) private {
        marketOfForm(name);
        openAt(form.project, formTerms());
        placeBondOf(AGGREGATOR);
        join(0);
        join(1);
        vm.deal(form.trainer, STAKE);
        vm.prank(form.trainer);
        project.join{value: STAKE}();
        skipAndAdvance();
        skipTo(form.round);
        (uint256[2] memory point, FormProof memory p) = (form.commitment, formProof_);
        uint256 round = form.round;
        meter(address(project));
        vm.prank(form.trainer);
        project.commitUpdate(round, point, "seal", p);
        vm.pauseGasMetering();
    }

    /// @dev With a true proof of form, two limbs of 8 bits.
    function test_gas_commitUpdateTwoLimbs() public notMetered {
        commitForm("form_limbs.json");
    }

    /// @dev With a true proof of form, a table of 2^16.
    function test_gas_commitUpdateSixteenBits() public notMetered {
        commitForm("form_bits.json");
    }

    function test_gas_revealUpdate() public notMetered {
        market();
        beginRound(statement.round);
        for (uint256 i; i < 10; ++i) {
            commitTrue(i);
        }
        reveal(0);
        uint256 round = statement.round;
        meter(address(project));
        vm.prank(trainer(1));
        project.revealUpdate(round, cidOf(1), SALT);
        vm.pauseGasMetering();
    }

    function test_gas_attest() public notMetered {
        market();
        beginRound(statement.round);
        for (uint256 i; i < 10; ++i) {
            commitTrue(i);
        }
        for (uint256 i; i < 10; ++i) {
            reveal(i);
        }
        attest(0);
        uint256 round = statement.round;
        meter(address(project));
        vm.prank(trainer(1));
        project.attest(round, 0x3ff, address(0));
        vm.pauseGasMetering();
    }

    function settle() private {
        uint256 round = statement.round;
        address payee = statement.payee;
        bytes32 cid = statement.modelCid;
        RoundProof memory p = proof;
        meter(address(project));
        vm.prank(payee);
        project.settle(round, payee, cid, slots, p);
        vm.pauseGasMetering();
    }

    /// @dev With a true proof, ten trainers of sixteen slots. Reading the slots from the test's storage is part of the figure.
    function test_gas_settle() public notMetered {
        market();
        playTrue(statement.round);
        settle();
    }

    function test_gas_withdraw() public notMetered {
        market();
        playTrue(statement.round);
        settle();
        meter(address(project));
        vm.prank(trainer(3));
        project.withdraw(payable(trainer(3)));
        vm.pauseGasMetering();
    }

    /// @dev From Commit to Reveal.
    function test_gas_advance() public notMetered {
        market();
        beginRound(statement.round);
        for (uint256 i; i < 9; ++i) {
            commitTrue(i);
        }
        vm.warp(project.deadline());
        meter(address(project));
        project.advance();
        vm.pauseGasMetering();
    }

    function verifyRound(string memory vector, string memory key) private {
        string memory json = file(vector);
        vm.chainId(vm.parseJsonUint(json, ".chainId"));
        (uint256[2] memory x1, uint256[12] memory g2) = readKzg(json, ".keys.kzg");
        IVerifyingKey[] memory keys = new IVerifyingKey[](1);
        keys[0] = IVerifyingKey(deploy(string.concat(key, ".sol:", key), ""));
        IRoundVerifier checker = IRoundVerifier(
            deploy("RoundVerifier.sol:RoundVerifier", abi.encode(new KeyRegistry(true, x1, g2, keys)))
        );
        (RoundStatement memory s, RoundProof memory p) = (readRoundStatement(json), readRoundProof(json));
        vm.resumeGasMetering();
        checker.verify(s, p);
        vm.pauseGasMetering();
    }

    function test_gas_verifyRoundOfFive() public notMetered {
        verifyRound("round_gaps.json", "AgreementKey8");
    }

    function test_gas_verifyRoundOfTen() public notMetered {
        verifyRound("round_n10.json", "AgreementKey16");
    }

    /// @dev Sixty-four slots: the prover commits to its witnesses.
    function test_gas_verifyRoundCommitted() public notMetered {
        verifyRound("round_committed.json", "AgreementKey64");
    }

    function verifyForm(string memory vector) private {
        marketOfForm(vector);
        (FormStatement memory s, FormProof memory p) = (form, formProof_);
        vm.resumeGasMetering();
        formVerifier.verify(s, p);
        vm.pauseGasMetering();
    }

    function test_gas_verifyFormTwoLimbs() public notMetered {
        verifyForm("form_limbs.json");
    }

    function test_gas_verifyFormSixteenBits() public notMetered {
        verifyForm("form_bits.json");
    }
}

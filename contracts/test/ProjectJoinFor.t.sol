// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {IProject, Phase, Terms} from "../src/interfaces/IProject.sol";
import {Project} from "./support/Deployed.sol";
import {Market} from "./support/Market.sol";
import {PlainToken} from "./support/Tokens.sol";

/// @dev A contract wallet that accepts the digest that its owner stored.
contract Wallet1271 {
    bytes32 public noted;

    function note(bytes32 digest) external {
        noted = digest;
    }

    function isValidSignature(bytes32 digest, bytes calldata) external view returns (bytes4) {
        return digest == noted ? this.isValidSignature.selector : bytes4(0);
    }
}

/// @dev Joins that a trainer signs, and that another account submits and pays for.
contract ProjectJoinForTest is Market {
    uint256 private constant KEY = 0xA11CE;
    address private immutable SIGNER = vm.addr(KEY);

    /// @dev EIP-712 written out, without the contract's helpers.
    function digestOf(Project where, address who, uint256 nonce, uint256 validUntil) private view returns (bytes32) {
        bytes32 domain = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("Fairshare"),
                keccak256("2"),
                block.chainid,
                address(where)
            )
        );
        bytes32 kind = keccak256("Join(address trainer,uint256 nonce,uint256 validUntil)");
        bytes32 join_ = keccak256(abi.encode(kind, who, nonce, validUntil));
        return keccak256(abi.encodePacked(hex"1901", domain, join_));
    }

    function sign(uint256 key, Project where, uint256 nonce, uint256 validUntil) private view returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digestOf(where, vm.addr(key), nonce, validUntil));
        return abi.encodePacked(r, s, v);
    }

    function relay(address who, uint256 validUntil, bytes memory signature) private {
        vm.deal(STRANGER, STAKE);
        vm.prank(STRANGER);
        project.joinFor{value: STAKE}(who, validUntil, signature);
    }

    function refuse(address who, uint256 validUntil, bytes memory signature) private {
        vm.deal(STRANGER, STAKE);
        vm.prank(STRANGER);
        vm.expectRevert(abi.encodeWithSelector(IProject.InvalidSignature.selector, who));
        project.joinFor{value: STAKE}(who, validUntil, signature);
        assertEq(STRANGER.balance, STAKE);
    }

    function test_joinFor_theSenderPaysAndTheStakeIsTheTrainers() public {
        uint256 until = block.timestamp;
        vm.expectEmit();
        emit IProject.JoinSigned(SIGNER, STRANGER, 0);
        vm.expectEmit();
        emit IProject.Joined(SIGNER, STAKE);
        relay(SIGNER, until, sign(KEY, project, 0, until));
        assertTrue(project.isTrainer(SIGNER));
        assertFalse(project.isTrainer(STRANGER));
        assertEq(project.nonces(SIGNER), 1);
        (uint256 stake,,) = project.trainerState(SIGNER);
        assertEq(stake, STAKE);
        vm.prank(SIGNER);
        project.leave();
        assertEq(withdraw(SIGNER), STAKE);
    }

    function test_joinFor_inAToken() public {
        Terms memory t = defaultTerms();
        t.token = address(new PlainToken());
        project = create(t);
        give(t.token, STRANGER, address(project), STAKE);
        vm.prank(STRANGER);
        project.joinFor(SIGNER, type(uint256).max, sign(KEY, project, 0, type(uint256).max));
        assertTrue(project.isTrainer(SIGNER));
        assertEq(PlainToken(t.token).balanceOf(STRANGER), 0);
    }

    function test_joinFor_onceOnly() public {
        bytes memory signature = sign(KEY, project, 0, type(uint256).max);
        relay(SIGNER, type(uint256).max, signature);
        vm.prank(SIGNER);
        project.leave();
        refuse(SIGNER, type(uint256).max, signature);
        relay(SIGNER, type(uint256).max, sign(KEY, project, 1, type(uint256).max));
        assertEq(project.nonces(SIGNER), 2);
    }

    function test_joinFor_tooLate() public {
        uint256 until = block.timestamp + 10;
        bytes memory signature = sign(KEY, project, 0, until);
        vm.warp(until + 1);
        refuse(SIGNER, until, signature);
        refuse(SIGNER, until + 1, signature); // not the signed time
        assertEq(project.nonces(SIGNER), 0);
    }

    /// @dev All projects are clones of one implementation: the signature must name the clone.
    function test_joinFor_ofAnotherProject() public {
        bytes memory signature = sign(KEY, project, 0, type(uint256).max);
        Project first = project;
        project = create(defaultTerms());
        refuse(SIGNER, type(uint256).max, signature);
        refuse(SIGNER, type(uint256).max, sign(KEY, Project(factory.implementation()), 0, type(uint256).max));
        project = first;
        relay(SIGNER, type(uint256).max, signature);
    }

    function test_joinFor_onAnotherChain() public {
        bytes memory signature = sign(KEY, project, 0, type(uint256).max);
        vm.chainId(1337);
        refuse(SIGNER, type(uint256).max, signature);
    }

    function test_joinFor_ofAnotherTrainerOrMangled() public {
        bytes memory signature = sign(KEY, project, 0, type(uint256).max);
        refuse(trainer(0), type(uint256).max, signature);
        refuse(SIGNER, type(uint256).max, sign(KEY + 1, project, 0, type(uint256).max));
        refuse(SIGNER, type(uint256).max, "");
        for (uint256 i; i < 65; i += 8) {
            signature[i] ^= 0x01;
            refuse(SIGNER, type(uint256).max, signature);
            signature[i] ^= 0x01;
        }
        refuse(address(0), type(uint256).max, signature);
    }

    function test_joinFor_ofAContractWallet() public {
        Wallet1271 wallet = new Wallet1271();
        refuse(address(wallet), type(uint256).max, "");
        wallet.note(digestOf(project, address(wallet), 0, type(uint256).max));
        relay(address(wallet), type(uint256).max, "");
        assertTrue(project.isTrainer(address(wallet)));
    }

    /// @dev EIP-7702: an account that has delegated to code without ERC-1271 still signs with its own key, and nobody
    /// signs for it.
    function test_joinFor_ofADelegatedAccountWithoutErc1271() public {
        bytes memory signature = sign(KEY, project, 0, type(uint256).max);
        vm.etch(SIGNER, abi.encodePacked(hex"ef0100", address(new PlainToken())));
        refuse(SIGNER, type(uint256).max, sign(KEY + 1, project, 0, type(uint256).max));
        refuse(SIGNER, type(uint256).max, "");
        relay(SIGNER, type(uint256).max, signature);
        assertTrue(project.isTrainer(SIGNER));
    }

    /// @dev The same with code that knows ERC-1271: either is enough.
    function test_joinFor_ofADelegatedAccountWithErc1271() public {
        vm.etch(SIGNER, address(new Wallet1271()).code);
        relay(SIGNER, type(uint256).max, sign(KEY, project, 0, type(uint256).max));
        vm.prank(SIGNER);
        project.leave();
        Wallet1271(SIGNER).note(digestOf(project, SIGNER, 1, type(uint256).max));
        relay(SIGNER, type(uint256).max, "");
        assertTrue(project.isTrainer(SIGNER));
    }

    function test_joinFor_alreadyJoinedWrongValueAndWrongPhase() public {
        relay(SIGNER, type(uint256).max, sign(KEY, project, 0, type(uint256).max));
        bytes memory next = sign(KEY, project, 1, type(uint256).max);
        vm.deal(STRANGER, STAKE);
        vm.prank(STRANGER);
        vm.expectRevert(abi.encodeWithSelector(IProject.AlreadyJoined.selector, SIGNER));
        project.joinFor{value: STAKE}(SIGNER, type(uint256).max, next);
        bytes memory other = sign(KEY + 1, project, 0, type(uint256).max);
        vm.prank(STRANGER);
        vm.expectRevert(abi.encodeWithSelector(IProject.WrongValue.selector, STAKE, STAKE - 1));
        project.joinFor{value: STAKE - 1}(vm.addr(KEY + 1), type(uint256).max, other);
        start(3);
        vm.prank(STRANGER);
        vm.expectRevert(abi.encodeWithSelector(IProject.WrongPhase.selector, Phase.Registration, Phase.Commit));
        project.joinFor{value: STAKE}(vm.addr(KEY + 1), type(uint256).max, other);
    }

    /// @dev ERC-5267: a wallet can read the domain that it signs for.
    function test_eip712Domain_isTheProjects() public view {
        (, string memory name, string memory version, uint256 chainId, address where,,) = project.eip712Domain();
        assertEq(keccak256(bytes(name)), keccak256("Fairshare"));
        assertEq(keccak256(bytes(version)), keccak256("2"));
        assertEq(chainId, block.chainid);
        assertEq(where, address(project));
    }
}

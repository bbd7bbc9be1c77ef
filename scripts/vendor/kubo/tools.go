//go:build tools

// Package kubo pins the IPFS implementation that the tests of the content store run against.
package kubo

import _ "github.com/ipfs/kubo/cmd/ipfs"

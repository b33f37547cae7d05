// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cassim

import "encoding/pem"

// Chains that no authority should give. OrderChain takes them, besides the values of the knob chain.
const (
	// ChainEmpty is an empty Certificate of an order that is issued.
	ChainEmpty ChainForm = "empty"
	// ChainPartial ends in the midst of the intermediate's PEM.
	ChainPartial ChainForm = "partial"
	// ChainPartialLeaf ends in the midst of the leaf's.
	ChainPartialLeaf ChainForm = "partialLeaf"
	// ChainCrossSigned has two intermediates with the same name and key. The first is signed by somebody else's root,
	// which follows, and then comes the root.
	ChainCrossSigned ChainForm = "crossSigned"
	// ChainOtherBlocks has text, and PEM blocks that are no certificates, around the certificates.
	ChainOtherBlocks ChainForm = "otherBlocks"
	// ChainDuplicates has each certificate twice.
	ChainDuplicates ChainForm = "duplicates"
	// ChainWithoutLeaf has the intermediate and the root only.
	ChainWithoutLeaf ChainForm = "withoutLeaf"
	// ChainGarbage has a certificate block that holds none, behind the leaf.
	ChainGarbage ChainForm = "garbage"
	// ChainSHA1Root has the root, and its self-signature is one of SHA-1, as those of old roots are.
	ChainSHA1Root ChainForm = "sha1Root"
)

// oddChains make the Certificate of a leaf.
var oddChains = map[ChainForm]func(a *authority, leaf []byte) string{
	ChainEmpty: func(*authority, []byte) string { return "" },
	ChainPartial: func(a *authority, leaf []byte) string {
		last := toPEM(a.intermediate.Raw)
		return toPEM(leaf) + last[:len(last)/2]
	},
	ChainPartialLeaf: func(_ *authority, leaf []byte) string {
		text := toPEM(leaf)
		return text[:len(text)/2]
	},
	ChainCrossSigned: func(a *authority, leaf []byte) string {
		return toPEM(leaf, a.crossSigned.Raw, a.intermediate.Raw, a.foreign.Raw, a.root.Raw)
	},
	ChainOtherBlocks: func(a *authority, leaf []byte) string {
		parameters := string(pem.EncodeToMemory(&pem.Block{Type: "DH PARAMETERS", Bytes: []byte("no certificate")}))
		return "subject=/CN=leaf\n" + parameters + toPEM(leaf) + "\nissuer=/CN=" + intermediateName + "\n" +
			toPEM(a.intermediate.Raw) + parameters
	},
	ChainDuplicates: func(a *authority, leaf []byte) string {
		return toPEM(leaf, leaf, a.intermediate.Raw, a.intermediate.Raw)
	},
	ChainWithoutLeaf: func(a *authority, _ []byte) string { return toPEM(a.intermediate.Raw, a.root.Raw) },
	ChainSHA1Root:    func(a *authority, leaf []byte) string { return toPEM(leaf, a.intermediate.Raw, a.oldRoot.Raw) },
	ChainGarbage: func(a *authority, leaf []byte) string {
		return toPEM(leaf, []byte("garbage"), a.intermediate.Raw)
	},
}

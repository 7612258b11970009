package keyvault

import (
	"net/http"
	"strings"

	"github.com/azure-tenant-grapher/atg/internal/emulator/keyvault/throttle"
	"github.com/azure-tenant-grapher/atg/internal/emulator/keyvault/vault"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// operation is one operation of the REST reference and what it takes to be allowed to do
// it. Actions are the data actions of Microsoft.KeyVault/vaults in the reference "Azure
// permissions for Security"; one of them is enough. The notes there say that whoever may
// read an asymmetric key may also encrypt, wrap and verify with it.
type operation struct {
	method     string
	path       string // with {name} and {version}
	object     string // the permissions' object: "secrets", "keys", "certificates"
	permission string // in an access policy
	actions    []string
	scope      scope
	class      func(*call) throttle.Class
	serve      func(*call) (int, any, *wire.Error)
}

// scope is where a role assignment must stand for an operation.
type scope int

const (
	onObject  scope = iota // <vault>/<object>/<name>
	onVault                // <vault>
	onIssuer               // <vault>/certificatecas/<name>
	onContact              // <vault>/certificatecontacts/contacts
)

const (
	get   = http.MethodGet
	put   = http.MethodPut
	post  = http.MethodPost
	patch = http.MethodPatch
	del   = http.MethodDelete
)

// operations are tried in this order: fixed segments stand before variable ones.
var operations = []operation{
	{get, "secrets", "secrets", "list", []string{"secrets/readMetadata/action"}, onVault, nil, listSecrets},
	{post, "secrets/restore", "secrets", "restore", []string{"secrets/restore/action"}, onVault, nil, restoreSecret},
	{put, "secrets/{name}", "secrets", "set", []string{"secrets/setSecret/action"}, onObject, creation, setSecret},
	{get, "secrets/{name}", "secrets", "get", []string{"secrets/getSecret/action"}, onObject, nil, getSecret},
	{patch, "secrets/{name}", "secrets", "set", []string{"secrets/update/action"}, onObject, nil, updateSecret},
	{del, "secrets/{name}", "secrets", "delete", []string{"secrets/delete"}, onObject, nil, deleteSecret},
	{get, "secrets/{name}/versions", "secrets", "list", []string{"secrets/readMetadata/action"}, onObject, nil, listSecretVersions},
	{post, "secrets/{name}/backup", "secrets", "backup", []string{"secrets/backup/action"}, onObject, nil, backupSecret},
	{get, "secrets/{name}/{version}", "secrets", "get", []string{"secrets/getSecret/action"}, onObject, nil, getSecret},
	{patch, "secrets/{name}/{version}", "secrets", "set", []string{"secrets/update/action"}, onObject, nil, updateSecret},
	{get, "deletedsecrets", "secrets", "list", []string{"secrets/readMetadata/action"}, onVault, nil, listDeletedSecrets},
	{get, "deletedsecrets/{name}", "secrets", "get", []string{"secrets/readMetadata/action"}, onObject, nil, getDeletedSecret},
	{del, "deletedsecrets/{name}", "secrets", "purge", []string{"secrets/purge/action"}, onObject, nil, purgeSecret},
	{post, "deletedsecrets/{name}/recover", "secrets", "recover", []string{"secrets/recover/action"}, onObject, nil, recoverSecret},

	{get, "keys", "keys", "list", []string{"keys/read"}, onVault, nil, listKeys},
	{post, "keys/restore", "keys", "restore", []string{"keys/restore/action"}, onVault, nil, restoreKey},
	{put, "keys/{name}", "keys", "import", []string{"keys/import/action"}, onObject, creation, importKey},
	{get, "keys/{name}", "keys", "get", []string{"keys/read"}, onObject, nil, getKey},
	{patch, "keys/{name}", "keys", "update", []string{"keys/update/action"}, onObject, nil, updateKey},
	{del, "keys/{name}", "keys", "delete", []string{"keys/delete"}, onObject, nil, deleteKey},
	{post, "keys/{name}/create", "keys", "create", []string{"keys/create/action"}, onObject, keyCreation, createKey},
	{get, "keys/{name}/versions", "keys", "list", []string{"keys/read"}, onObject, nil, listKeyVersions},
	{get, "keys/{name}/rotationpolicy", "keys", "getrotationpolicy", []string{"keyrotationpolicies/read"}, onObject, nil, getRotationPolicy},
	{put, "keys/{name}/rotationpolicy", "keys", "setrotationpolicy", []string{"keyrotationpolicies/write"}, onObject, nil, setRotationPolicy},
	{post, "keys/{name}/rotate", "keys", "rotate", []string{"keys/rotate/action"}, onObject, keyRotation, rotateKey},
	{post, "keys/{name}/backup", "keys", "backup", []string{"keys/backup/action"}, onObject, nil, backupKey},
	{post, "keys/{name}/encrypt", "keys", "encrypt", []string{"keys/encrypt/action", "keys/read"}, onObject, nil, useKey("encrypt")},
	{post, "keys/{name}/decrypt", "keys", "decrypt", []string{"keys/decrypt/action"}, onObject, nil, useKey("decrypt")},
	{post, "keys/{name}/wrapkey", "keys", "wrapKey", []string{"keys/wrap/action", "keys/read"}, onObject, nil, useKey("wrapKey")},
	{post, "keys/{name}/unwrapkey", "keys", "unwrapKey", []string{"keys/unwrap/action"}, onObject, nil, useKey("unwrapKey")},
	{post, "keys/{name}/sign", "keys", "sign", []string{"keys/sign/action"}, onObject, nil, useKey("sign")},
	{post, "keys/{name}/verify", "keys", "verify", []string{"keys/verify/action", "keys/read"}, onObject, nil, useKey("verify")},
	{post, "keys/{name}/release", "keys", "release", []string{"keys/release/action"}, onObject, nil, releaseKey},
	{get, "keys/{name}/{version}", "keys", "get", []string{"keys/read"}, onObject, nil, getKey},
	{patch, "keys/{name}/{version}", "keys", "update", []string{"keys/update/action"}, onObject, nil, updateKey},
	{post, "keys/{name}/{version}/encrypt", "keys", "encrypt", []string{"keys/encrypt/action", "keys/read"}, onObject, nil, useKey("encrypt")},
	{post, "keys/{name}/{version}/decrypt", "keys", "decrypt", []string{"keys/decrypt/action"}, onObject, nil, useKey("decrypt")},
	{post, "keys/{name}/{version}/wrapkey", "keys", "wrapKey", []string{"keys/wrap/action", "keys/read"}, onObject, nil, useKey("wrapKey")},
	{post, "keys/{name}/{version}/unwrapkey", "keys", "unwrapKey", []string{"keys/unwrap/action"}, onObject, nil, useKey("unwrapKey")},
	{post, "keys/{name}/{version}/sign", "keys", "sign", []string{"keys/sign/action"}, onObject, nil, useKey("sign")},
	{post, "keys/{name}/{version}/verify", "keys", "verify", []string{"keys/verify/action", "keys/read"}, onObject, nil, useKey("verify")},
	{post, "keys/{name}/{version}/release", "keys", "release", []string{"keys/release/action"}, onObject, nil, releaseKey},
	{get, "deletedkeys", "keys", "list", []string{"keys/read"}, onVault, nil, listDeletedKeys},
	{get, "deletedkeys/{name}", "keys", "get", []string{"keys/read"}, onObject, nil, getDeletedKey},
	{del, "deletedkeys/{name}", "keys", "purge", []string{"keys/purge/action"}, onObject, nil, purgeKey},
	{post, "deletedkeys/{name}/recover", "keys", "recover", []string{"keys/recover/action"}, onObject, nil, recoverKey},

	{get, "certificates/contacts", "certificates", "managecontacts", []string{"certificatecontacts/write"}, onContact, nil, getContacts},
	{put, "certificates/contacts", "certificates", "managecontacts", []string{"certificatecontacts/write"}, onContact, nil, setContacts},
	{del, "certificates/contacts", "certificates", "managecontacts", []string{"certificatecontacts/write"}, onContact, nil, deleteContacts},
	{get, "certificates/issuers", "certificates", "listissuers", []string{"certificatecas/read"}, onVault, nil, listIssuers},
	{put, "certificates/issuers/{name}", "certificates", "setissuers", []string{"certificatecas/write"}, onIssuer, nil, setIssuer},
	{get, "certificates/issuers/{name}", "certificates", "getissuers", []string{"certificatecas/read"}, onIssuer, nil, getIssuer},
	{patch, "certificates/issuers/{name}", "certificates", "setissuers", []string{"certificatecas/write"}, onIssuer, nil, updateIssuer},
	{del, "certificates/issuers/{name}", "certificates", "deleteissuers", []string{"certificatecas/delete"}, onIssuer, nil, deleteIssuer},
	{get, "certificates", "certificates", "list", []string{"certificates/read"}, onVault, nil, listCertificates},
	{post, "certificates/restore", "certificates", "restore", []string{"certificates/restore/action"}, onVault, nil, restoreCertificate},
	{get, "certificates/{name}", "certificates", "get", []string{"certificates/read"}, onObject, nil, getCertificate},
	{patch, "certificates/{name}", "certificates", "update", []string{"certificates/update/action"}, onObject, nil, updateCertificate},
	{del, "certificates/{name}", "certificates", "delete", []string{"certificates/delete"}, onObject, nil, deleteCertificate},
	{post, "certificates/{name}/create", "certificates", "create", []string{"certificates/create/action"}, onObject, nil, createCertificate},
	{post, "certificates/{name}/import", "certificates", "import", []string{"certificates/import/action"}, onObject, creation, importCertificate},
	{get, "certificates/{name}/versions", "certificates", "list", []string{"certificates/read"}, onObject, nil, listCertificateVersions},
	{get, "certificates/{name}/policy", "certificates", "get", []string{"certificates/read"}, onObject, nil, getPolicy},
	{patch, "certificates/{name}/policy", "certificates", "update", []string{"certificates/update/action"}, onObject, nil, updatePolicy},
	{get, "certificates/{name}/pending", "certificates", "get", []string{"certificates/read"}, onObject, nil, getPending},
	{patch, "certificates/{name}/pending", "certificates", "update", []string{"certificates/update/action"}, onObject, nil, cancelPending},
	{del, "certificates/{name}/pending", "certificates", "update", []string{"certificates/update/action", "certificates/delete"}, onObject, nil, deletePending},
	{post, "certificates/{name}/pending/merge", "certificates", "create", []string{"certificates/create/action"}, onObject, nil, mergeCertificate},
	{post, "certificates/{name}/backup", "certificates", "backup", []string{"certificates/backup/action"}, onObject, nil, backupCertificate},
	{get, "certificates/{name}/{version}", "certificates", "get", []string{"certificates/read"}, onObject, nil, getCertificate},
	{patch, "certificates/{name}/{version}", "certificates", "update", []string{"certificates/update/action"}, onObject, nil, updateCertificate},
	{get, "deletedcertificates", "certificates", "list", []string{"certificates/read"}, onVault, nil, listDeletedCertificates},
	{get, "deletedcertificates/{name}", "certificates", "get", []string{"certificates/read"}, onObject, nil, getDeletedCertificate},
	{del, "deletedcertificates/{name}", "certificates", "purge", []string{"certificates/purge/action"}, onObject, nil, purgeCertificate},
	{post, "deletedcertificates/{name}/recover", "certificates", "recover", []string{"certificates/recover/action"}, onObject, nil, recoverCertificate},
}

// route finds the operation. Empty segments do not count: clients ask for the latest
// version with a slash at the end, or with two in the middle.
func (c *call) route() *wire.Error {
	var segs []string
	for s := range strings.SplitSeq(c.r.URL.Path, "/") {
		if s != "" {
			segs = append(segs, s)
		}
	}
	known := false
	for i := range operations {
		name, version, ok := match(operations[i].path, segs)
		if !ok {
			continue
		}
		if known = true; operations[i].method == c.r.Method {
			c.op, c.name, c.version = &operations[i], name, version
			return c.checkNames()
		}
	}
	if known {
		return &wire.Error{Status: http.StatusMethodNotAllowed, Code: "MethodNotAllowed", Message: "The method " + c.r.Method + " is not allowed for " + c.r.URL.Path + "."}
	}
	return &wire.Error{Status: http.StatusNotFound, Code: "NotFound", Message: "There is no operation at " + c.r.URL.Path + "."}
}

func match(pattern string, segs []string) (name, version string, ok bool) {
	i := 0
	for p := range strings.SplitSeq(pattern, "/") {
		if i == len(segs) {
			return "", "", false
		}
		switch p {
		case "{name}":
			name = segs[i]
		case "{version}":
			version = segs[i]
		default:
			if !strings.EqualFold(p, segs[i]) {
				return "", "", false
			}
		}
		i++
	}
	return name, version, i == len(segs)
}

func (c *call) checkNames() *wire.Error {
	if strings.Contains(c.op.path, "{name}") && !vault.ValidName(c.name) {
		return vault.BadParameter("The request URI contains an invalid name: %s", c.name)
	}
	return nil
}

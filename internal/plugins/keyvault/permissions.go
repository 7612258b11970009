package keyvault

import "github.com/azure-tenant-grapher/atg/plugin"

// right is a data action of Microsoft.KeyVault/vaults and what it is for. The names are
// those of https://learn.microsoft.com/azure/role-based-access-control/permissions/security.
type right struct {
	action string
	reason string
}

// atSource and atTarget are what both modes need.
var (
	atSource = []right{
		{"secrets/readMetadata/action", "list the secrets and their properties"},
		{"keys/read", "list the keys and read their shape"},
		{"keyrotationpolicies/read", "read the keys' rotation policies"},
		{"certificates/read", "list the certificates and read their policies"},
		{"certificatecas/read", "read the certificate issuers"},
		{"certificatecontacts/write", "read the certificate contacts: Azure has no right that only reads them"},
	}
	atTarget = []right{
		{"secrets/readMetadata/action", "see which versions of a secret are there"},
		{"secrets/setSecret/action", "write secrets"},
		{"keys/read", "see which keys are there"},
		{"keys/create/action", "create keys"},
		{"keyrotationpolicies/read", "see the rotation policies that are there"},
		{"keyrotationpolicies/write", "set the keys' rotation policies"},
		{"certificates/read", "see which certificates are there"},
		{"certificatecas/read", "see which issuers are there"},
		{"certificatecas/write", "create certificate issuers"},
		{"certificatecontacts/write", "read and set the certificate contacts"},
	}
)

// Permissions implements plugin.Plugin. What only Overwrite or a setting needs is not
// among them: the rights to update objects in place and to recover deleted ones. Whoever
// lacks one of those gets an error that names it.
func (*Plugin) Permissions(mode plugin.Mode) []plugin.Permission {
	var out []plugin.Permission
	add := func(side plugin.Side, rights ...right) {
		for _, r := range rights {
			out = append(out, plugin.Permission{Side: side, DataActions: []string{"Microsoft.KeyVault/vaults/" + r.action}, Reason: r.reason})
		}
	}
	add(plugin.Source, atSource...)
	if mode == plugin.Replication {
		add(plugin.Source, right{"secrets/getSecret/action", "read the values of secrets and the private keys of certificates"})
	}
	add(plugin.Target, atTarget...)
	if mode == plugin.Replication {
		add(plugin.Target,
			right{"secrets/getSecret/action", "compare the values of secrets, so that nothing is written twice"},
			right{"certificates/import/action", "import certificates with their private keys"})
	} else {
		add(plugin.Target, right{"certificates/create/action", "issue certificates anew from their policies"})
	}
	return out
}

package share

import (
	"cmp"
	"time"

	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/account"
	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/part"
	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/share/node"
	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/share/shares"
	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/way"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// The settings that this part obeys and the blob service declares, since they are about
// content wherever it is, and those of their values that the code asks for.
const (
	setCopy   = "copy"
	setVerify = "verify"

	verifyListing  = "listing"
	verifyUnsummed = "unsummed"
	verifyContent  = "content"
)

func (n *job) via() string { return cmp.Or(n.Setting(setCopy), way.Auto) }

func (n *job) verify() string { return cmp.Or(n.Setting(setVerify), verifyListing) }

// targets is the page that says the service's limits.
const targets = "https://learn.microsoft.com/azure/storage/files/storage-files-scale-targets"

// About implements part.Part.
func (*Part) About() part.About {
	return part.About{
		Name: "files", Service: account.File, PerSecond: 500,
		Items: []plugin.ItemKind{
			{Name: shares.Kind, Plural: "file shares", Holds: true},
			{Name: kindDirectory, Plural: "file directories", Holds: true},
			{Name: kindFile, Plural: "files"},
		},
		Limits: []plugin.Limit{{Name: "requests to files", Host: "*.file.*", Count: 20_000, Per: time.Second, Source: targets}},
		Cannot: []string{
			"Snapshots of file shares cannot be written and are not copied, nor are soft-deleted shares, leases, open handles and locks; what a client has not written back yet is not seen.",
			"ETags, Last-Modified and file IDs are the service's own; times of a directory are set when it is made, and the service moves that of the last write when something comes into it.",
			"Identities in permissions (SDDL) of files, and owners and groups of NFS, are copied as they are: they belong to the source's tenant or domain and may mean nobody at the target.",
			"Hard links of an NFS share are copied as files of their own.",
			"Names of metadata of shares, directories and files are written in lower case: HTTP does not keep their case.",
			"A share's provisioned speed, its bursting and its last access times are not copied; a tier only between accounts that have tiers.",
		},
		Permissions: permissions,
	}
}

// permissions are what the part needs with default settings.
func permissions(mode plugin.Mode) []plugin.Permission {
	action := func(side plugin.Side, name, reason string) plugin.Permission {
		return plugin.Permission{Side: side, Actions: []string{name}, Reason: reason}
	}
	data := func(side plugin.Side, name, reason string) plugin.Permission {
		return plugin.Permission{Side: side, DataActions: []string{name}, Reason: reason}
	}
	out := []plugin.Permission{
		action(plugin.Source, shares.Read, "list the file shares and read their stored access policies"),
		action(plugin.Target, shares.Read, "see which file shares are there"),
		action(plugin.Target, shares.Write, "create file shares, set their properties and stored access policies"),
	}
	if mode == plugin.Template {
		return out
	}
	return append(out,
		data(plugin.Source, node.Read, "list and read files"),
		data(plugin.Source, node.ReadAsBackup, "read files whatever their own permissions say"),
		action(plugin.Source, node.Delegate, "sign for the target's service to read files"),
		data(plugin.Target, node.Read, "see which files are there"),
		data(plugin.Target, node.ReadAsBackup, "see files whatever their own permissions say"),
		data(plugin.Target, node.Write, "write files"),
		data(plugin.Target, node.WriteAsBackup, "write files whatever their own permissions say"),
		data(plugin.Target, node.ModifyPermissions, "set the permissions of files"),
	)
}

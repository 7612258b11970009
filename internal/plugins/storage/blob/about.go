package blob

import (
	"time"

	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/blob/containers"
	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/way"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// settings are what a user can set.
func settings() []plugin.Setting {
	return []plugin.Setting{
		{
			Name: setCopy, Default: way.Auto, Values: []string{way.Auto, way.Server, way.Stream, withAzCopy}, Flag: "storage-copier",
			Help: "how blobs and files are copied; server: the target's service reads from the source's; stream: through this program; auto: server where it can be had; azcopy: AzCopy brings the block blobs that a container lacks, in one job, and auto the rest",
		},
		{
			Name: setAzCopy, Default: "azcopy", Flag: "azcopy",
			Help: "the AzCopy program, version 10.20 or later: a path, or a name to look for in PATH; it is given no signature, key or token",
		},
		{
			Name: setSingle, Default: "256",
			Help: "MiB up to which a block blob is copied from server to server by one request, at most 5000; larger ones go in blocks, which a run that was cut does not send again",
		},
		{
			Name: setVerify, Default: verifyListing, Values: []string{verifyListing, verifyUnsummed, verifyContent}, Flag: "verify",
			Help: "how blobs and files are compared; listing: by size, properties and MD5 as listings show them; unsummed: those without an MD5 are read at both sides; content: all are",
		},
		{
			Name: setHistory, Default: historyNone, Values: []string{historyNone, "snapshots", "versions"},
			Help: "what of a blob's past is copied, oldest first; snapshots and versions get times and IDs of their own at the target, and versions need versioning to be on there",
		},
		{
			Name: setArchive, Default: "report", Values: []string{"report", archiveRehydrated},
			Help: "what to do with blobs in the archive tier, which cannot be read; rehydrate CHANGES THE SOURCE: it moves them to the cool tier, which takes up to 15 hours and costs; run again then",
		},
		{
			Name: setTags, Default: tagsCopied, Values: []string{tagsCopied, "skip"},
			Help: "whether index tags are copied, which needs the rights tags/read and tags/write",
		},
		{
			Name: setACLMap, Default: "",
			Help: "JSON file that maps object IDs of the source's tenant to those of the target's; with it, owners and ACLs of a hierarchical namespace are copied",
		},
	}
}

// limits are those of one account in the regions that have the lower ones
// (https://learn.microsoft.com/azure/storage/common/scalability-targets-standard-account).
func limits() []plugin.Limit {
	return []plugin.Limit{{
		Name: "requests to blobs", Host: "*.blob.*", Count: 20_000, Per: time.Second,
		Source: "https://learn.microsoft.com/azure/storage/common/scalability-targets-standard-account",
	}}
}

// cannot says what is left behind, for people.
func cannot() []string {
	return []string{
		"ETags, times of creation and change, version IDs, snapshot times, leases and copy history of blobs are the service's own.",
		"Blobs in the archive tier cannot be read: they are reported, unless the setting archive=rehydrate lets the source be changed.",
		"Uncommitted blocks and soft-deleted containers, blobs, snapshots and versions are not copied; snapshots and versions only with the setting history.",
		"Immutability policies, legal holds, encryption scopes and customer-provided keys are reported and not copied.",
		"System containers ($logs, $blobchangefeed) are not copied.",
		"Object IDs of owners and ACLs in a hierarchical namespace belong to the source's tenant: without the setting acl-map they are not copied, and those that the map does not have never are.",
		"Sticky bits of a hierarchical namespace are not copied.",
		"Between an account with a hierarchical namespace and one without, directories become empty blobs with hdi_isfolder and the other way about; names with empty parts are skipped there, and a blob below another is refused.",
		"Content is never rewritten: addresses and names of source resources inside blobs stay as they are.",
		"Public access to a container is not copied where the target's account does not allow it.",
	}
}

// permissions are what the part needs with default settings.
func permissions(mode plugin.Mode) []plugin.Permission {
	need := func(side plugin.Side, reason, action string, data bool) plugin.Permission {
		p := plugin.Permission{Side: side, Reason: reason}
		if data {
			p.DataActions = []string{action}
		} else {
			p.Actions = []string{action}
		}
		return p
	}
	out := []plugin.Permission{
		need(plugin.Source, "list the containers", containers.Read, false),
		need(plugin.Source, "read the containers' stored access policies", containers.ReadPolicies, false),
		need(plugin.Target, "see which containers are there", containers.Read, false),
		need(plugin.Target, "create containers", containers.Write, false),
		need(plugin.Target, "see the containers' stored access policies", containers.ReadPolicies, false),
		need(plugin.Target, "set public access and stored access policies", containers.WritePolicies, false),
	}
	if mode == plugin.Template {
		return out
	}
	return append(out,
		need(plugin.Source, "list and read blobs", readBlobs, true),
		need(plugin.Source, "read the blobs' index tags", readTags, true),
		need(plugin.Source, "sign for the target's service to read blobs", delegate, false),
		need(plugin.Target, "see which blobs are there", readBlobs, true),
		need(plugin.Target, "write blobs", writeBlobs, true),
		need(plugin.Target, "see the index tags that are there", readTags, true),
		need(plugin.Target, "set index tags", writeTags, true),
	)
}

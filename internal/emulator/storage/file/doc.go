// Package file emulates Azure Files over REST: the file shares of every storage account,
// their directories and files with the properties of SMB or NFS, ranges, snapshots,
// security descriptors, leases, copies and renaming, after Microsoft's REST reference
// (Azure Files REST API).
//
// # Differences from Azure
//
// A deleted share's name is free at once. A copy is complete when its request is answered.
// Nobody can mount a share: there are no handles. An inherited security descriptor is the
// parent's own, and none is converted between SDDL and its binary form. Names of metadata
// are kept in lower case. The settings of a premium share's speed are not kept. Content is
// compared in pieces of 4 KiB where ranges are asked for that changed since a snapshot.
//
// # Seed format
//
//	"discardWrites": true,
//	"shares": [{"name", "quota", "tier", "protocol", "rootSquash", "metadata": {name: value},
//	            "policies": [{"id", "start", "expiry", "permission"}],
//	            "directories": [{"path", "attributes", "created", "written", "changed", "permission", "metadata", "mode", "owner", "group"}],
//	            "files": [the same, and {"content" or "size" and "seed", "contentType", "contentEncoding",
//	                      "contentLanguage", "cacheControl", "contentDisposition", "md5": true, "link"}],
//	            "generate": {"count", "size", "seed", "prefix", "perDirectory"},
//	            "snapshots": how many, made when all else is there}]
//
// Directories that a path needs are made. A file of a size and no content has octets that
// a seed generates, or, of seed 0, none that were written. "permission" is SDDL, times are
// RFC 3339; "link" makes a symbolic link. Generated files are PREFIX/NNNNNN/NNNNNNNNN, and
// their content costs no memory.
//
// # Objects
//
// shares/NAME (quota, tier, protocol, rootSquash, metadata, policies, snapshots) and
// shares/NAME/PATH for each directory, file and link: type, metadata, attributes, created,
// written, changed, permission (SDDL), mode, owner, group; of files size, ranges, sha256,
// content (of at most 4 KiB of text), md5, contentType and the other headers, links; of
// links link. "shares" has the settings of the service if they are not the default ones.
package file

package conformance

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// object is a JSON object.
type object = map[string]any

// Names that Change and Expect know.
const (
	bare     = "bare"       // a container with nothing of its own but blobs
	nothing  = "nothing"    // a container without blobs
	archived = "archived"   // a blob that cannot be read
	lone     = "lone-queue" // a queue
	loose    = "loose"      // a table without policies
	hollow   = "hollow"     // a share without files
	stack    = "stack"      // a share of files with nothing of their own
)

// seed returns an account with every case that the plugin treats on its own, and n plain
// blobs, queues and entities. Content of blobs and the account's own key are secret here.
func seed(r *rand.Rand, n int, canary string) json.RawMessage {
	policies := []any{
		object{"id": "readers", "start": "2026-01-02T03:04:05Z", "expiry": "2030-01-02T03:04:05Z", "permission": "r"}, object{"id": "open", "permission": "r"},
	}
	plain := make([]any, n)
	for i := range plain {
		plain[i] = object{"name": fmt.Sprintf("%04d/%x", i, r.Uint32()), "content": canary + strings.Repeat("x", r.IntN(200))}
	}
	entities := make([]any, n)
	for i := range entities {
		entities[i] = object{"PartitionKey": fmt.Sprintf("p%d", i%3), "RowKey": fmt.Sprintf("%04d", i), "Number@odata.type": "Edm.Int64", "Number": fmt.Sprint(r.Int64()), "Text": "ä"}
	}
	cors := object{"cors": object{"corsRules": []any{object{
		"allowedOrigins": []any{"https://a.example"}, "allowedMethods": []any{"GET"}, "allowedHeaders": []any{"*"}, "exposedHeaders": []any{"x-ms-meta-*"}, "maxAgeInSeconds": 60,
	}}}}
	return encode(object{
		"accountKeys": []any{keyOf(canary), keyOf("second" + canary)},
		"blobService": cors, "fileService": cors, "queueService": cors, "tableService": cors,
		"managementPolicy": object{"rules": []any{rule(30)}},
		"containers": []any{
			object{"name": "$web", "blobs": []any{object{"name": "index.html", "content": "<p>" + canary + "</p>", "contentType": "text/html"}}},
			object{"name": bare, "blobs": plain},
			object{"name": nothing, "metadata": object{"empty": "yes"}},
			object{"name": "rich", "publicAccess": "blob", "metadata": object{"Owner": "red"}, "policies": policies, "blobs": rich(canary)},
		},
		"shares": []any{
			object{"name": hollow, "quota": 3},
			object{"name": stack, "files": files(r, n/4+1, canary)},
			object{"name": "share-rich", "quota": 9, "tier": "Hot", "metadata": object{"owner": "red"}, "policies": policies, "snapshots": 1, "directories": richDirectories(), "files": richFiles(canary)},
		},
		"queues": []any{object{"name": lone}, object{"name": "queue-rich", "metadata": object{"owner": "red"}, "policies": policies}},
		"tables": []any{object{"name": loose, "entities": entities}, object{"name": "strict", "policies": policies}},
	})
}

// keyOf is an account key that the canary is found in.
func keyOf(canary string) string {
	return base64.StdEncoding.EncodeToString([]byte((canary + strings.Repeat("k", 64))[:64]))
}

func rule(days int) object {
	return object{"enabled": true, "name": "old", "type": "Lifecycle", "definition": object{
		"actions": object{"baseBlob": object{"delete": object{"daysAfterModificationGreaterThan": days}}}, "filters": object{"blobTypes": []any{"blockBlob"}},
	}}
}

// rich are blobs of every shape.
func rich(canary string) []any {
	return []any{
		object{"name": "all properties", "content": canary, "contentType": "text/plain; charset=utf-8", "contentEncoding": "identity", "contentLanguage": "de", "contentDisposition": "inline", "cacheControl": "no-store", "metadata": object{"Camel_Case": "v", "b": "a=b; c"}, "tags": object{"team": "red"}, "tier": "Cool"},
		object{"name": archived, "content": canary, "tier": "Archive"},
		object{"name": "empty", "size": 0},
		object{"name": "in blocks", "size": 30000, "seed": 5, "blockSize": 10000},
		object{"name": "large", "size": 3 << 19, "seed": 6, "noMD5": true},
		object{"name": "leased", "content": canary, "leased": true},
		object{"name": "log", "type": "append", "content": canary + " and more"},
		object{"name": "log, sealed", "type": "append", "content": canary, "sealed": true},
		object{"name": "pages", "type": "page", "size": 1 << 16, "sequenceNumber": 7, "ranges": []any{object{"offset": 512, "size": 1024, "seed": 8}, object{"offset": 1 << 15, "size": 512, "seed": 9}}},
		object{"name": "staged", "content": canary, "uncommitted": []any{object{"id": "AAAA", "content": "x"}}},
		object{"name": "with a past", "content": canary, "snapshots": []any{object{"content": "first " + canary, "metadata": object{"n": "1"}}, object{"content": "second " + canary}}},
		object{"name": "ümläut/日本 語&<x>'\"+%25#?.", "content": canary},
	}
}

// files are plain files in the root directory.
func files(r *rand.Rand, n int, canary string) []any {
	out := make([]any, n)
	for i := range out {
		out[i] = object{"path": fmt.Sprintf("%04d", i), "content": canary + strings.Repeat("x", r.IntN(200))}
	}
	return out
}

// sddl is a security descriptor with so many entries.
func sddl(entries int) string { return "O:BAG:BAD:" + strings.Repeat("(A;;FA;;;SY)", entries) }

const (
	created = "2020-01-02T03:04:05.1234567Z"
	written = "2021-01-02T03:04:05.7654321Z"
	changed = "2022-01-02T03:04:05Z"
)

// richDirectories are directories of every shape.
func richDirectories() []any {
	return []any{
		object{"path": "nobody/is/here", "attributes": "Hidden", "created": created, "written": written, "changed": changed, "metadata": object{"d": "1"}, "permission": sddl(1)},
		object{"path": "dots at its end..."},
	}
}

// richFiles are files of every shape.
func richFiles(canary string) []any {
	return []any{
		object{"path": "all/properties", "content": canary, "contentType": "text/plain; charset=utf-8", "contentEncoding": "identity", "contentLanguage": "de", "contentDisposition": "inline", "cacheControl": "no-store", "metadata": object{"b": "a=b; c"}, "md5": true, "attributes": "ReadOnly|Hidden|System", "created": created, "written": written, "changed": changed, "permission": sddl(2)},
		object{"path": "all/rights", "content": canary, "permission": sddl(1000)},
		object{"path": "empty", "size": 0},
		object{"path": "hole", "size": 1 << 20},
		object{"path": "large", "size": 4<<20 + 1000, "seed": 6}, // two ranges; each look at it costs a checksum
		object{"path": "dots at its end.../file.", "content": canary},
		object{"path": "ümläut/日本 語&'+%25#;=@.", "content": canary},
	}
}

// bulk returns a container with n items, itself among them.
func bulk(n int) json.RawMessage {
	return encode(object{"virtual": object{"container": "many", "count": n - 1, "size": 1 << 20, "perFolder": 1000}})
}

// change makes a target hold something else under an object's key.
func change(o wire.Object) json.RawMessage {
	path := strings.Split(o.Key, "/")
	switch o.Kind {
	case "container":
		if path[1] == nothing { // others hold blobs, which would have no parent
			return encode(object{"containers": []any{object{"name": nothing, "metadata": object{"empty": "no"}}}})
		}
	case "blob":
		if path[1] == bare { // others differ themselves if they are made like this
			name := strings.Join(path[2:], "/")
			return encode(object{"containers": []any{object{"name": bare, "blobs": []any{object{"name": name, "content": "something else"}}}}})
		}
	case "corsRules":
		return encode(object{path[1] + "Service": object{"cors": object{"corsRules": []any{object{
			"allowedOrigins": []any{"*"}, "allowedMethods": []any{"PUT"}, "allowedHeaders": []any{"*"}, "exposedHeaders": []any{"*"}, "maxAgeInSeconds": 1,
		}}}}})
	case "managementPolicy":
		return encode(object{"managementPolicy": object{"rules": []any{rule(31)}}})
	case "queue":
		return encode(object{"queues": []any{object{"name": path[1], "metadata": object{"owner": "blue"}}}})
	case "share":
		if path[1] == hollow { // others hold files, which would have no parent
			return encode(object{"shares": []any{object{"name": hollow, "quota": 4}}})
		}
	case "file":
		if path[1] == stack {
			name := strings.Join(path[2:], "/")
			return encode(object{"shares": []any{object{"name": stack, "files": []any{object{"path": name, "content": "something else"}}}}})
		}
	case "entity":
		if path[1] == loose {
			return encode(object{"tables": []any{object{"name": loose, "entities": []any{object{"PartitionKey": o.Fields["PartitionKey"], "RowKey": o.Fields["RowKey"], "Text": "something else"}}}}})
		}
	}
	return nil
}

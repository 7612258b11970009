package dfs

import (
	"net/http"
	"strings"

	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/blob/req"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// operation answers one operation.
type operation func(*req.Request) *wire.Error

// The operations by method and action (Azure: Data Lake Storage, Filesystem and Path).
var (
	account = map[string]operation{
		"GET": listFilesystems,
	}
	filesystem = map[string]operation{
		"PUT":    createFilesystem,
		"PATCH":  setFilesystemProperties,
		"HEAD":   getFilesystemProperties,
		"DELETE": deleteFilesystem,
		"GET":    listPaths,
	}
	path = map[string]operation{
		"PUT ":                            create,
		"GET ":                            read,
		"HEAD ":                           properties,
		"HEAD getstatus":                  properties,
		"HEAD getaccesscontrol":           getAccess,
		"DELETE ":                         remove,
		"POST ":                           leasePath,
		"PATCH append":                    appendData,
		"PATCH flush":                     flush,
		"PATCH setproperties":             setProperties,
		"PATCH setaccesscontrol":          setAccess,
		"PATCH setaccesscontrolrecursive": setAccessRecursive,
	}
)

// route finds the operation of a request. Resource is of file systems, "account" of the
// account; a path's create says with it what to make.
func route(r *req.Request) (operation, *wire.Error) {
	resource, action := strings.ToLower(r.Param("resource")), strings.ToLower(r.Param("action"))
	method := r.R.Method
	if method == http.MethodPost && strings.EqualFold(r.Header("X-HTTP-Method-Override"), http.MethodPatch) {
		method = http.MethodPatch // for clients that cannot send PATCH
	}
	table, key := path, method+" "+action
	switch {
	case r.Container == "" && resource == "account":
		table, key = account, method
	case r.Container == "":
		return nil, missingQuery("resource")
	case r.Blob == "" && resource == "filesystem":
		table, key = filesystem, method
	case r.Blob == "" && action == "":
		return nil, missingQuery("resource")
	}
	if op, ok := table[key]; ok {
		return op, nil
	}
	switch {
	case action != "":
		return nil, req.BadQuery("action", action)
	case method == http.MethodPatch:
		return nil, missingQuery("action")
	}
	return nil, req.Refuse(http.StatusMethodNotAllowed, "UnsupportedHttpVerb", "The resource doesn't support the specified HTTP verb.")
}

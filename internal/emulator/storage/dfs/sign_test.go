package dfs_test

import (
	"encoding/json"
	neturl "net/url"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/storage/azdatalake"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azdatalake/sas"
)

// signed is the URL of a path of the lake with a signature for everything. The path may
// have a query.
func (l *lab) signed(path string) string {
	l.Helper()
	cred, err := azdatalake.NewSharedKeyCredential(lake, key(lake))
	l.ok(err)
	p, err := sas.AccountSignatureValues{
		Permissions: "racwdlup", ResourceTypes: "sco", ExpiryTime: l.now().Add(time.Hour),
	}.SignWithSharedKey(cred)
	l.ok(err)
	sep := "?"
	if strings.Contains(path, "?") {
		sep = "&"
	}
	return url(lake, "dfs") + path + sep + p.Encode()
}

func query(s string) string { return neturl.QueryEscape(s) }

// errorBody tells whether an answer is this service's JSON with a code. An answer to HEAD
// and OPTIONS may have none.
func errorBody(text, code string) bool {
	var in struct {
		Error struct{ Code, Message string }
	}
	return json.Unmarshal([]byte(text), &in) == nil && in.Error.Code == code && strings.Contains(in.Error.Message, "RequestId:")
}

// names are those of a list of file systems.
func names(tb testing.TB, text string) string {
	tb.Helper()
	var in struct{ Filesystems []struct{ Name string } }
	if err := json.Unmarshal([]byte(text), &in); err != nil {
		tb.Fatal(err)
	}
	var out []string
	for _, f := range in.Filesystems {
		out = append(out, f.Name)
	}
	return strings.Join(out, " ")
}

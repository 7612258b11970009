package way

import (
	"errors"
	"fmt"
	"net/http"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"

	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/account"
	"github.com/azure-tenant-grapher/atg/plugin"
)

var errOther = errors.New("something else")

func TestTake(t *testing.T) {
	t.Parallel()
	no := fmt.Errorf("%w: firewall", ErrNoServerCopy)
	for _, tt := range []struct {
		name, via      string
		closed         bool
		server, stream error
		path           string
		want           error
		asked          string // in the order of the tries
	}{
		{"auto", Auto, false, nil, nil, ByServer, nil, "server "},
		{"auto, the server cannot", Auto, false, no, nil, Streamed, nil, "server stream "},
		{"auto, known that it cannot", Auto, true, nil, nil, Streamed, nil, "stream "},
		{"auto, another error", Auto, false, errOther, nil, ByServer, errOther, "server "},
		{"auto, neither", Auto, false, no, errOther, Streamed, errOther, "server stream "},
		{"server", Server, true, no, nil, ByServer, ErrNoServerCopy, "server "},
		{"stream", Stream, false, nil, nil, Streamed, nil, "stream "},
	} {
		var r Route
		if tt.closed {
			r.Close()
		}
		asked := ""
		path, err := r.Take(tt.via, func() error { asked += "server "; return tt.server }, func() error { asked += "stream "; return tt.stream })
		if path != tt.path || !errors.Is(err, tt.want) || asked != tt.asked {
			t.Errorf("%s: %s, %v, asked %s", tt.name, path, err, asked)
		}
	}
}

func TestRoutesAreKeptApart(t *testing.T) {
	t.Parallel()
	var r Routes
	a, b := &account.Account{ID: "a"}, &account.Account{ID: "b"}
	if !r.To(a).Close() || r.To(a).Close() || !r.To(b).Close() {
		t.Error("a way is closed once for each target")
	}
}

func TestClosed(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		err  error
		want bool
	}{
		{errOther, false},
		{&azcore.ResponseError{StatusCode: http.StatusNotImplemented}, true},
		{fmt.Errorf("x: %w", &azcore.ResponseError{StatusCode: http.StatusForbidden, ErrorCode: "CannotVerifyCopySource"}), true},
		{&azcore.ResponseError{StatusCode: http.StatusForbidden, ErrorCode: "AuthorizationPermissionMismatch"}, false},
	} {
		if got := Closed(tt.err); got != tt.want {
			t.Errorf("%v: %t", tt.err, got)
		}
	}
	err := At(plugin.Source, "read", errOther)
	if !errors.Is(err, errOther) || err.Error() != errOther.Error() || err.Side != plugin.Source || err.Op != "read" {
		t.Errorf("%+v", err)
	}
}

func TestProgress(t *testing.T) {
	t.Parallel()
	var told []int64
	p := Progress{Tell: func(n int64) { told = append(told, n) }}
	p.Add(3, false)
	p.Add(4, true)
	p.Again()
	p.Add(1, true)
	if fmt.Sprint(told) != "[3 7 1]" || p.Moved() != 5 {
		t.Errorf("%v, moved %d", told, p.Moved())
	}
}

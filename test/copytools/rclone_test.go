package copytools

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/azure-tenant-grapher/atg/test/components"
)

// rclone is rclone with a configuration of its own: remotes by name, each with its options.
// It has nothing of Azure's in its environment.
func (w *world) rclone(t *testing.T, remotes map[string]remote) program {
	t.Helper()
	path := components.Find(t, "rclone", "ATG_RCLONE", "rclone-*/rclone")
	var text strings.Builder
	for name, options := range remotes {
		fmt.Fprintf(&text, "[%s]\n", name)
		for _, k := range slices.Sorted(maps.Keys(options)) {
			fmt.Fprintf(&text, "%s = %s\n", k, options[k])
		}
	}
	config := filepath.Join(t.TempDir(), "rclone.conf")
	must(t, os.WriteFile(config, []byte(text.String()), 0o600))
	env := slices.DeleteFunc(w.env(t, "contoso"), func(v string) bool { return strings.HasPrefix(v, "AZ") || strings.HasPrefix(v, "ARM") })
	return program{path: path, env: append(env, "RCLONE_CONFIG="+config), args: []string{"--retries=1", "--low-level-retries=1", "--verbose"}}
}

// remote are the options of a remote of rclone.
type remote map[string]string

// signedIn is a remote that signs in as the principal of a tenant.
func (w *world) signedIn(t *testing.T, tenant, account string) remote {
	t.Helper()
	id := w.principal(t, tenant, "")
	return remote{"type": "azureblob", "account": account, "tenant": id.TenantID, "client_id": id.AppID, "client_secret": id.Secret}
}

func keyed(account string) remote {
	return remote{"type": "azureblob", "account": account, "key": key(account)}
}

func sased(t *testing.T, account string) remote {
	t.Helper()
	return remote{"type": "azureblob", "sas_url": blobURL(account, "?"+accountSAS(t, account, soon()))}
}

const noDifference = "0 differences found"

// rclone makes a container, fills it, lists it, reads it, and finds it equal octet for octet.
func TestRcloneInAndOut(t *testing.T) {
	t.Parallel()
	for name, of := range map[string]func(*testing.T, *world) remote{
		"principal": func(t *testing.T, w *world) remote { return w.signedIn(t, "contoso", source) },
		"key":       func(*testing.T, *world) remote { return keyed(source) },
		"SAS":       func(t *testing.T, _ *world) remote { return sased(t, source) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			rc, dir, out := w.rclone(t, map[string]remote{"src": of(t, w)}), tree(t), t.TempDir()
			rc.must(t, []string{"mkdir", "src:made"})
			rc.must(t, []string{"copy", dir, "src:made/tree"})
			rc.must(t, []string{"lsf", "-R", "src:made"}, "tree/sub/two words.txt\n", "tree/sub/ünïcode.txt\n", "tree/sub/deep/big.bin\n", "tree/empty\n")
			rc.must(t, []string{"check", dir, "src:made/tree"}, noDifference, "5 matching files") // by the MD5s of the listing
			rc.must(t, []string{"check", "--download", dir, "src:made/tree"}, noDifference, "5 matching files")
			rc.must(t, []string{"copy", "src:made/tree", out})
			sameTree(t, dir, out)
			rc.must(t, []string{"delete", "src:made/tree/sub"})
			if got := w.state(t, source, "made", "tree/", false); len(got) != 2 {
				t.Errorf("after delete there are %v", got)
			}
		})
	}
}

// rclone lets the target's account read the source where it can sign a URL of it: with a
// signature it has, one of the account's key, or one of a user delegation key that the
// principal of the source's tenant asks for. Where it may not, contents go through it.
func TestRcloneBetweenTenants(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		from, to func(*testing.T, *world) remote
	}{
		"principal to principal": {
			func(t *testing.T, w *world) remote { return w.signedIn(t, "contoso", source) },
			func(t *testing.T, w *world) remote { return w.signedIn(t, "fabrikam", target) },
		},
		"key to key":       {func(*testing.T, *world) remote { return keyed(source) }, func(*testing.T, *world) remote { return keyed(target) }},
		"SAS to principal": {func(t *testing.T, _ *world) remote { return sased(t, source) }, func(t *testing.T, w *world) remote { return w.signedIn(t, "fabrikam", target) }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			rc := w.rclone(t, map[string]remote{"src": c.from(t, w), "dst": c.to(t, w)})
			w.emu.ResetRequests()
			rc.must(t, []string{"copy", "src:box", "dst:into/server", "--metadata"}, "Server Side Copies:     5")
			w.serverSide(t)
			same(t, plain(w.state(t, source, "box", "", false)), plain(w.state(t, target, "into", "server/", false)))
			rc.must(t, []string{"check", "--download", "src:box", "dst:into/server"}, noDifference, "5 matching files")

			w.emu.ResetRequests()
			said := rc.must(t, []string{"copy", "src:box", "dst:into/streamed", "--disable", "copy"})
			if strings.Contains(said, "Server Side Copies") || len(w.through()) == 0 {
				t.Errorf("not streamed:\n%s", said)
			}
			rc.must(t, []string{"check", "--download", "src:box", "dst:into/streamed"}, noDifference, "5 matching files")
		})
	}
}

// plain is a state without what rclone changes: it writes block blobs, but for sources that are so
// short that the service copies them as they are, and notes the source's time of change.
func plain(state map[string]string) map[string]string {
	for name, text := range state {
		_, rest, _ := strings.Cut(text, " ")
		state[name] = noted.ReplaceAllString(rest, "")
	}
	return state
}

var noted = regexp.MustCompile(`,?mtime=[^ ]*`)

// rclone copies files to a share, lists it and reads it; between accounts they go through it.
func TestRcloneFiles(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	share := func(account, name string) remote {
		return remote{"type": "azurefiles", "account": account, "share_name": name, "key": key(account)}
	}
	rc := w.rclone(t, map[string]remote{"src": share(source, "files"), "dst": share(target, "into")})
	dir, out := tree(t), t.TempDir()
	rc.must(t, []string{"lsf", "-R", "src:"}, "two.bin\n", "d/\n", "d/e/\n", "d/e/one.txt\n")
	rc.must(t, []string{"copy", dir, "dst:tree"})
	rc.must(t, []string{"check", "--download", dir, "dst:tree"}, noDifference, "5 matching files")
	rc.must(t, []string{"copy", "dst:tree", out})
	sameTree(t, dir, out)
	rc.must(t, []string{"copy", "src:", "dst:all"})
	rc.must(t, []string{"check", "--download", "src:", "dst:all"}, noDifference, "2 matching files")
	rc.must(t, []string{"purge", "dst:tree"})
	if got := w.shareState(t, target, "into"); len(got) != 5 {
		t.Errorf("after purge there are %v", got)
	}
}

// What Azure refuses rclone reports in Azure's words.
func TestRcloneIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	wrong := w.signedIn(t, "contoso", source)
	wrong["client_secret"] = "wrong"
	badKey := keyed(source)
	badKey["key"] = key(target)
	for name, c := range map[string]struct {
		remote remote
		want   []string
	}{
		"wrong secret":             {wrong, []string{"AADSTS7000215"}},
		"other tenant's principal": {w.signedIn(t, "fabrikam", source), []string{"RESPONSE 401", "InvalidAuthenticationInfo"}},
		"wrong key":                {badKey, []string{"RESPONSE 403", "AuthenticationFailed"}},
		"expired SAS": {
			remote{"type": "azureblob", "sas_url": blobURL(source, "?"+accountSAS(t, source, time.Now().Add(-time.Hour)))},
			[]string{"RESPONSE 403", "AuthenticationFailed", "Signature not valid in the specified time frame"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w.rclone(t, map[string]remote{"src": c.remote}).refused(t, []string{"lsf", "src:box"}, c.want...)
		})
	}
}

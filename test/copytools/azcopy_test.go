package copytools

import (
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/azure-tenant-grapher/atg/test/components"
)

// azcopy is AzCopy with folders of its own, signed in as a tenant's principal; of the
// principal's name "" it is the first one.
func (w *world) azcopy(t *testing.T, tenant, principal string) program {
	t.Helper()
	path := components.Find(t, "azcopy", "ATG_AZCOPY", "azcopy-*/node_modules/@azure-tools/azcopy-linux/dist/bin/azcopy_linux_amd64")
	id, dir := w.principal(t, tenant, principal), t.TempDir()
	return program{
		path: path,
		env: append(w.env(t, tenant), "AZCOPY_SPA_APPLICATION_ID="+id.AppID, "AZCOPY_SPA_CLIENT_SECRET="+id.Secret,
			"AZCOPY_LOG_LOCATION="+dir, "AZCOPY_JOB_PLAN_LOCATION="+dir, "AZCOPY_DISABLE_SYSLOG=true", "AZCOPY_CONCURRENCY_VALUE=8"),
		args: []string{"--skip-version-check"},
	}
}

const completed = "Final Job Status: Completed\n"

// AzCopy makes a container, fills it, lists it, reads it, brings it up to date and empties it.
func TestAzCopyInAndOut(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	az, dir, made := w.azcopy(t, "contoso", ""), tree(t), blobURL(source, "made")
	az.must(t, []string{"make", made}, "Successfully created the resource")
	az.refused(t, []string{"make", made}, "the container already exists")
	az.must(t, []string{"copy", dir + "/*", made, "--recursive", "--put-md5"}, "File Transfers Completed: 5\n", completed)
	az.must(t, []string{"list", made}, "empty; Content Length: 0.00 B", "sub/two words.txt; Content Length: 4.00 B", "sub/ünïcode.txt", "sub/deep/big.bin; Content Length: 9.00 MiB")
	for name, text := range w.state(t, source, "made", "", false) {
		if strings.Contains(text, "MD5  ") {
			t.Errorf("%s has no MD5: %s", name, text)
		}
	}
	out := t.TempDir()
	az.must(t, []string{"copy", made + "/*", out, "--recursive"}, completed) // compares the MD5s, too
	sameTree(t, dir, out)

	must(t, os.Remove(filepath.Join(dir, "one.txt")))
	must(t, os.WriteFile(filepath.Join(dir, "empty"), []byte("no more"), 0o600))
	w.emu.ResetRequests()
	az.must(t, []string{"sync", dir, made, "--delete-destination=true"}, completed)
	if n := len(w.requests(http.MethodDelete)); n != 1 {
		t.Errorf("sync deleted %d blobs, want 1", n)
	}
	if got := w.state(t, source, "made", "", false); len(got) != 4 || !strings.Contains(got["empty"], " 7 bytes") {
		t.Errorf("after sync there are %v", got)
	}
	az.must(t, []string{"remove", made + "/sub", "--recursive"}, completed)
	if got := w.state(t, source, "made", "", false); len(got) != 1 {
		t.Errorf("after remove there are %v", got)
	}
}

// Each type of blob goes in and comes out again.
func TestAzCopyBlobTypes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	dir := t.TempDir()
	must(t, os.WriteFile(filepath.Join(dir, "disk.vhd"), []byte(strings.Repeat("0123456789abcdef", 1<<16)+strings.Repeat("\x00", 5<<20)), 0o600))
	for _, kind := range []string{"BlockBlob", "PageBlob", "AppendBlob"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			az, made, out := w.azcopy(t, "contoso", ""), blobURL(neighbour, "into/"+kind+"/disk.vhd"), t.TempDir()
			az.must(t, []string{"copy", filepath.Join(dir, "disk.vhd"), made, "--blob-type", kind}, "File Transfers Completed: 1\n", completed)
			if got := w.state(t, neighbour, "into", kind+"/", false)["disk.vhd"]; !strings.HasPrefix(got, kind+" ") {
				t.Errorf("it is %s", got)
			}
			az.must(t, []string{"copy", made, out + "/disk.vhd"}, completed)
			sameTree(t, dir, out)
		})
	}
}

// Every blob goes from one account to another without passing through AzCopy: from one
// tenant to the other where a signature opens the source, and with one sign-in to both where they are
// accounts of one tenant.
func TestAzCopyBetweenAccounts(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		as, to   string
		from, at func(*testing.T, *world) string // SAS of source and target
		tags     bool
	}{
		"delegated SAS to bearer": {"fabrikam", target, func(t *testing.T, w *world) string { return w.delegatedSAS(t, "contoso", source, "box") }, nil, false},
		"container SAS to bearer": {"fabrikam", target, func(t *testing.T, _ *world) string { return containerSAS(t, source, "box") }, nil, false},
		"account SAS to account SAS": {
			"fabrikam", target, func(t *testing.T, _ *world) string { return accountSAS(t, source, soon()) },
			func(t *testing.T, _ *world) string { return accountSAS(t, target, soon()) }, true,
		},
		// AzCopy hands its token on to the target, for the source: see TestSourceBearer.
		"bearer to account SAS": {"contoso", target, nil, func(t *testing.T, _ *world) string { return accountSAS(t, target, soon()) }, false},
		"bearer to bearer":      {"contoso", neighbour, nil, nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			from, at := blobURL(source, "box/*"), blobURL(c.to, "into")
			if c.from != nil {
				from += "?" + c.from(t, w)
			}
			if c.at != nil {
				at += "?" + c.at(t, w)
			}
			args := []string{"copy", from, at, "--recursive"}
			if c.tags {
				args = append(args, "--s2s-preserve-blob-tags")
			}
			w.emu.ResetRequests()
			w.azcopy(t, c.as, "").must(t, args, "File Transfers Completed: 5\n", completed)
			w.serverSide(t)
			w.usedEveryCopy(t, c.to)
			same(t, w.state(t, source, "box", "", c.tags), w.state(t, c.to, "into", "", c.tags))
			// Of pages AzCopy copies pieces of 4 MiB, and leaves out those with nothing in them.
			if got := pageRanges(t, w.blobs(t, c.to).NewContainerClient("into"), "disk"); got != "0-4194303,8388608-9437183" {
				t.Errorf("the page blob has the ranges %s", got)
			}
		})
	}
}

// usedEveryCopy fails unless a copy consists of the operations that take content from a
// URL: of a whole blob, of a block, of pages, of a block to append. None of them had a body.
func (w *world) usedEveryCopy(t *testing.T, account string) {
	t.Helper()
	puts := w.requests(http.MethodPut)
	for what, want := range map[string]string{
		"Put Blob From URL": "into/text", "Put Block From URL": "into/dir/big?comp=block", "Put Page From URL": "into/disk?comp=page", "Append Block From URL": "into/dir/log?comp=appendblock",
	} {
		if !slices.Contains(puts, blobURL(account, want)) {
			t.Errorf("no %s among\n%s", what, strings.Join(puts, "\n"))
		}
	}
}

// Between accounts with a hierarchical namespace directories are copied, too: AzCopy writes
// through both services of such an account.
func TestAzCopyDirectories(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	dir, out, made := tree(t), t.TempDir(), lakeURL(sourceLake, "made")
	must(t, os.Mkdir(filepath.Join(dir, "bare"), 0o700))
	az := w.azcopy(t, "contoso", "")
	az.must(t, []string{"make", made}, "Successfully created the resource")
	az.must(t, []string{"copy", dir + "/*", made, "--recursive"}, "File Transfers Completed: 5\n", completed)
	az.must(t, []string{"list", made}, "bare/; Content Length: 0.00 B", "sub/deep/; Content Length: 0.00 B", "sub/ünïcode.txt")
	w.emu.ResetRequests()
	az = w.azcopy(t, "fabrikam", "")
	az.must(t, []string{"copy", made + "/*?" + accountSAS(t, sourceLake, soon()), lakeURL(targetLake, "into"), "--recursive"},
		"File Transfers Completed: 5\n", "Folder Transfers Completed: 3\n", completed)
	w.serverSide(t)
	az.must(t, []string{"copy", lakeURL(targetLake, "into/*"), out, "--recursive"}, completed)
	sameTree(t, dir, out)
	if _, err := os.Stat(filepath.Join(out, "bare")); err != nil {
		t.Error(err)
	}
	az.must(t, []string{"remove", lakeURL(targetLake, "into/sub"), "--recursive"}, completed)
	if got := w.requests(http.MethodDelete); len(got) != 1 { // a directory goes with all that is in it
		t.Errorf("remove sent %v", got)
	}
}

// AzCopy copies files to a share, from share to share and back.
func TestAzCopyFiles(t *testing.T) {
	t.Parallel()
	t.Run("in and out", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		az, dir, out := w.azcopy(t, "contoso", ""), tree(t), t.TempDir()
		share := fileURL(neighbour, "into?"+shareSAS(t, neighbour, "into"))
		az.must(t, []string{"copy", dir + "/*", share, "--recursive"}, "File Transfers Completed: 5\n", completed)
		az.must(t, []string{"list", share}, "sub/two words.txt; Content Length: 4.00 B", "sub/deep/big.bin; Content Length: 9.00 MiB")
		az.must(t, []string{"copy", fileURL(neighbour, "into/*"), out, "--recursive", "--from-to=FileLocal"}, completed)
		sameTree(t, dir, out)
	})
	t.Run("between tenants", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.azcopy(t, "fabrikam", "").must(t, []string{
			"copy", fileURL(source, "files/*?"+shareSAS(t, source, "files")), fileURL(target, "into?"+shareSAS(t, target, "into")), "--recursive", "--preserve-info",
		}, "File Transfers Completed: 2\n", completed)
		w.serverSide(t)
		same(t, w.shareState(t, source, "files"), w.shareState(t, target, "into"))
	})
	t.Run("with one sign-in", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.azcopy(t, "contoso", "").must(t, []string{"copy", fileURL(source, "files/*"), fileURL(neighbour, "into"), "--recursive", "--from-to=FileFile"}, completed)
		w.serverSide(t)
		same(t, w.shareState(t, source, "files"), w.shareState(t, neighbour, "into"))
	})
}

// What Azure refuses AzCopy reports in Azure's words.
func TestAzCopyIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	dir := tree(t)
	expired := accountSAS(t, source, time.Now().Add(-time.Hour))
	for name, c := range map[string]struct {
		tenant, principal string
		args              []string
		want              []string
	}{
		"expired SAS":              {"fabrikam", "", []string{"list", blobURL(source, "box?"+expired)}, []string{"RESPONSE 403", "AuthenticationFailed", "Signature not valid in the specified time frame"}},
		"expired SAS of a source":  {"fabrikam", "", []string{"copy", blobURL(source, "box/*?"+expired), blobURL(target, "into"), "--recursive"}, []string{"RESPONSE 403", "AuthenticationFailed"}},
		"other tenant's principal": {"fabrikam", "", []string{"list", blobURL(source, "box")}, []string{"RESPONSE 401", "InvalidAuthenticationInfo", "Issuer validation failed"}},
		// AzCopy has one sign-in; the other tenant's account does not take it.
		"one sign-in to two tenants": {"fabrikam", "", []string{"copy", blobURL(source, "box/*"), blobURL(target, "into"), "--recursive"}, []string{"RESPONSE 401", "InvalidAuthenticationInfo"}},
		"no right to make":           {"contoso", reader, []string{"make", blobURL(source, "made")}, []string{"RESPONSE 403", "AuthorizationPermissionMismatch"}},
		"no right to write":          {"contoso", reader, []string{"copy", dir, blobURL(source, "box"), "--recursive", "--log-level=ERROR"}, []string{"RESPONSE 403", "AuthorizationPermissionMismatch", "File Transfers Completed: 0\n"}},
		"no such container":          {"contoso", "", []string{"list", blobURL(source, "none")}, []string{"RESPONSE 404", "ContainerNotFound"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w.azcopy(t, c.tenant, c.principal).refused(t, c.args, c.want...)
		})
	}
}

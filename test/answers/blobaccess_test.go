package answers

import (
	"context"
	"encoding/base64"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/sas"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/service"
)

// signed asks with a service SAS of the values instead of the key.
func signed(values sas.BlobSignatureValues, f func(context.Context, *container.Client) error) ask {
	return func(ctx context.Context, w world) (string, error) {
		cred, err := service.NewSharedKeyCredential(account, accountKey)
		if err != nil {
			return "", err
		}
		if values.ContainerName == "" {
			values.ContainerName = box
		}
		if values.ExpiryTime.IsZero() && values.Identifier == "" {
			values.ExpiryTime = future
		}
		q, err := values.SignWithSharedKey(cred)
		if err != nil {
			return "", err
		}
		return "", with(ctx, w, q.Encode(), f)
	}
}

// with asks about the box with a query instead of the key.
func with(ctx context.Context, w world, query string, f func(context.Context, *container.Client) error) error {
	c, err := service.NewClientWithNoCredential(w.address(account, "blob")+"/?"+query, w.options())
	if err != nil {
		return err
	}
	return f(ctx, c.NewContainerClient(box))
}

// signedForAccount asks with an account SAS.
func signedForAccount(values sas.AccountSignatureValues, f func(context.Context, *container.Client) error) ask {
	return func(ctx context.Context, w world) (string, error) {
		cred, err := service.NewSharedKeyCredential(account, accountKey)
		if err != nil {
			return "", err
		}
		if values.ExpiryTime.IsZero() {
			values.ExpiryTime = future
		}
		q, err := values.SignWithSharedKey(cred)
		if err != nil {
			return "", err
		}
		return "", with(ctx, w, q.Encode(), f)
	}
}

// what is asked of the box with a signature or with nothing.
func reading(ctx context.Context, c *container.Client) error {
	_, err := c.NewBlobClient("a").DownloadStream(ctx, nil)
	return err
}

func writing(name string) func(context.Context, *container.Client) error {
	return func(ctx context.Context, c *container.Client) error {
		_, err := c.NewBlockBlobClient(name).Upload(ctx, text("x"), nil)
		return err
	}
}

func listing(ctx context.Context, c *container.Client) error {
	_, err := c.NewListBlobsFlatPager(nil).NextPage(ctx)
	return err
}

func deleting(name string) func(context.Context, *container.Client) error {
	return func(ctx context.Context, c *container.Client) error {
		_, err := c.NewBlobClient(name).Delete(ctx, nil)
		return err
	}
}

// anonymous asks without any credential.
func anonymous(name string, f func(context.Context, *container.Client) error) ask {
	return func(ctx context.Context, w world) (string, error) {
		c, err := service.NewClientWithNoCredential(w.address(account, "blob")+"/", w.options())
		if err != nil {
			return "", err
		}
		return "", f(ctx, c.NewContainerClient(name))
	}
}

// thief asks with a key that is none of the account's.
func thief(ctx context.Context, w world) (string, error) {
	cred, err := service.NewSharedKeyCredential(account, base64.StdEncoding.EncodeToString([]byte(strings.Repeat("x", 64))))
	if err != nil {
		return "", err
	}
	c, err := service.NewClientWithSharedKeyCredential(w.address(account, "blob")+"/", cred, w.options())
	if err != nil {
		return "", err
	}
	return "", reading(ctx, c.NewContainerClient(box))
}

// bent changes the permissions of a signature after it was made.
func bent(ctx context.Context, w world) (string, error) {
	u, err := w.blobs.NewContainerClient(box).NewBlobClient("a").GetSASURL(sas.BlobPermissions{Read: true}, future, nil)
	if err != nil {
		return "", err
	}
	parsed, err := url.Parse(u)
	if err != nil {
		return "", err
	}
	q := parsed.Query()
	q.Set("sp", "rw")
	return "", with(ctx, w, q.Encode(), reading)
}

func accessQuestions() []question {
	may := func(permissions string) sas.BlobSignatureValues {
		return sas.BlobSignatureValues{Permissions: permissions}
	}
	ofBlob := func(permissions string) sas.BlobSignatureValues {
		return sas.BlobSignatureValues{Permissions: permissions, BlobName: "a"}
	}
	forAccount := func(permissions, types string) sas.AccountSignatureValues {
		return sas.AccountSignatureValues{Permissions: permissions, ResourceTypes: types}
	}
	at := func(v sas.BlobSignatureValues, start, end time.Time) sas.BlobSignatureValues {
		v.StartTime, v.ExpiryTime = start, end
		return v
	}
	named := func(id, permissions string, end time.Time) sas.BlobSignatureValues {
		return sas.BlobSignatureValues{Identifier: id, Permissions: permissions, ExpiryTime: end}
	}
	elsewhere := func(name string, v sas.BlobSignatureValues) sas.BlobSignatureValues {
		v.ContainerName = name
		return v
	}
	properties := func(ctx context.Context, c *container.Client) error {
		_, err := c.GetProperties(ctx, nil)
		return err
	}
	policies := func(ctx context.Context, c *container.Client) error {
		_, err := c.GetAccessPolicy(ctx, nil)
		return err
	}
	tags := func(ctx context.Context, c *container.Client) error {
		_, err := c.NewBlobClient("a").SetTags(ctx, map[string]string{"a": "b"}, nil)
		return err
	}
	taking := func(ctx context.Context, c *container.Client) error {
		_, err := c.NewBlobClient("a").CreateSnapshot(ctx, nil)
		return err
	}
	appending := func(ctx context.Context, c *container.Client) error {
		_, err := c.NewAppendBlobClient("log2").AppendBlock(ctx, text("x"), nil)
		return err
	}
	creating := func(ctx context.Context, c *container.Client) error {
		_, err := c.NewAppendBlobClient("log4").Create(ctx, nil)
		return err
	}
	return []question{
		{name: "access: the wrong key", ask: thief},
		{name: "access: nothing", ask: anonymous(box, reading)},
		{name: "access: nothing, to list", ask: anonymous(box, listing)},
		{name: "access: nothing, to a public blob", ask: all(inside("public", writing("a")), anonymous("public", reading))},
		{name: "access: nothing, to list a container of public blobs", ask: anonymous("public", listing)},
		{name: "access: nothing, to properties of a container of public blobs", ask: anonymous("public", properties)},
		{name: "access: nothing, to list a public container", ask: all(inside("open", writing("a")), anonymous("open", listing), anonymous("open", properties), anonymous("open", reading))},
		{name: "access: nothing, to write into a public container", ask: anonymous("open", writing("b"))},
		{name: "access: nothing, to policies of a public container", ask: anonymous("open", policies)},
		{name: "access: nothing, to what is not there", ask: anonymous("open", func(ctx context.Context, c *container.Client) error {
			_, err := c.NewBlobClient("none").DownloadStream(ctx, nil)
			return err
		})},
		{name: "access: read", ask: signed(may("r"), reading)},
		{name: "access: read the blob", ask: signed(ofBlob("r"), reading)},
		{name: "access: read with a list", ask: signed(may("l"), reading)},
		{name: "access: list", ask: signed(may("l"), listing)},
		{name: "access: list with a read", ask: signed(may("r"), listing)},
		{name: "access: list with a signature of a blob", ask: signed(ofBlob("r"), listing)},
		{name: "access: write", ask: signed(may("w"), writing("sas1"))},
		{name: "access: write with a read", ask: signed(may("r"), writing("sas1"))},
		{name: "access: create", ask: signed(may("c"), writing("sas2"))},
		{name: "access: overwrite with a create", ask: signed(may("c"), writing("sas2"))},
		{name: "access: create an append blob with an add", ask: signed(may("a"), creating)},
		{name: "access: append with an add", ask: signed(may("a"), appending)},
		{name: "access: append with a create", ask: signed(may("c"), appending)},
		{name: "access: delete", ask: signed(may("d"), deleting("sas1"))},
		{name: "access: delete with a write", ask: signed(may("w"), deleting("sas2"))},
		{name: "access: tags", ask: signed(may("t"), tags)},
		{name: "access: tags with a write", ask: signed(may("rw"), tags)},
		{name: "access: snapshot with a create", ask: signed(may("c"), taking)},
		{name: "access: snapshot with a read", ask: signed(may("r"), taking)},
		{name: "access: container properties with a signature of it", ask: signed(may("r"), properties)},
		{name: "access: policies with a signature", ask: signed(may("rwdl"), policies)},
		{name: "access: delete the container with its signature", ask: signed(may("rwdl"), func(ctx context.Context, c *container.Client) error {
			_, err := c.Delete(ctx, nil)
			return err
		})},
		{name: "access: another blob", ask: signed(ofBlob("r"), func(ctx context.Context, c *container.Client) error {
			_, err := c.NewBlobClient("rich").DownloadStream(ctx, nil)
			return err
		})},
		{name: "access: another container", ask: signed(elsewhere("forest", may("r")), reading)},
		{name: "access: expired", ask: signed(at(may("r"), past, past.Add(time.Hour)), reading)},
		{name: "access: not yet", ask: signed(at(may("r"), future, future.Add(time.Hour)), reading)},
		{name: "access: another address", ask: signed(sas.BlobSignatureValues{Permissions: "r", IPRange: sas.IPRange{Start: net.IPv4(1, 2, 3, 4)}}, reading)},
		{name: "access: without encryption where it is asked for", ask: signed(sas.BlobSignatureValues{Permissions: "r", Protocol: sas.ProtocolHTTPS}, reading)},
		{name: "access: with or without encryption", ask: signed(sas.BlobSignatureValues{Permissions: "r", Protocol: sas.ProtocolHTTPSandHTTP}, reading)},
		{name: "access: bent", ask: bent},
		{name: "access: headers of the signature's own", ask: signed(sas.BlobSignatureValues{Permissions: "r", BlobName: "a", ContentType: "text/x", CacheControl: "no-store", ContentDisposition: "inline"}, reading)},
		{name: "access: a policy", ask: all(setACL(box, &container.SetAccessPolicyOptions{ContainerACL: []*container.SignedIdentifier{
			{ID: to.Ptr("readers"), AccessPolicy: &container.AccessPolicy{Start: &past, Expiry: &future, Permission: to.Ptr("r")}},
			{ID: to.Ptr("expired"), AccessPolicy: &container.AccessPolicy{Start: &past, Expiry: to.Ptr(past.Add(time.Hour)), Permission: to.Ptr("r")}},
			{ID: to.Ptr("endless"), AccessPolicy: &container.AccessPolicy{Start: &past, Permission: to.Ptr("r")}},
		}}), signed(named("readers", "", time.Time{}), reading))},
		{name: "access: a policy for reading, to write", ask: signed(named("readers", "", time.Time{}), writing("sas3"))},
		{name: "access: a policy and more", ask: signed(named("readers", "w", time.Time{}), writing("sas3"))},
		{name: "access: an expired policy", ask: signed(named("expired", "", time.Time{}), reading)},
		{name: "access: a policy without an end", ask: signed(named("endless", "", time.Time{}), reading)},
		{name: "access: a policy without an end and a signature with one", ask: signed(named("endless", "", future), reading)},
		{name: "access: a policy that is not there", ask: signed(named("nobody", "", time.Time{}), reading)},
		{name: "access: the policies are gone", ask: all(setACL(box, nil), signed(named("readers", "", time.Time{}), reading))},
		{name: "access: the account's signature", ask: signedForAccount(forAccount("rl", "sco"), reading)},
		{name: "access: the account's, of containers, to read a blob", ask: signedForAccount(forAccount("rl", "c"), reading)},
		{name: "access: the account's, of blobs, to list", ask: signedForAccount(forAccount("rl", "o"), listing)},
		{name: "access: the account's, of containers, to list", ask: signedForAccount(forAccount("l", "c"), listing)},
		{name: "access: the account's, for reading, to write", ask: signedForAccount(forAccount("r", "sco"), writing("sas4"))},
		{name: "access: the account's, for creating, to create and to overwrite", ask: all(signedForAccount(forAccount("c", "o"), writing("sas4")), signedForAccount(forAccount("c", "o"), writing("sas4")))},
		{name: "access: the account's, to delete", ask: signedForAccount(forAccount("d", "o"), deleting("sas4"))},
		{name: "access: the account's, to properties of a container", ask: signedForAccount(forAccount("r", "c"), properties)},
		{name: "access: the account's, to policies", ask: signedForAccount(forAccount("rwdlacup", "sco"), policies)},
		{name: "access: the account's, to tags", ask: signedForAccount(forAccount("t", "o"), tags)},
		{name: "access: the account's, to tags with a write", ask: signedForAccount(forAccount("w", "o"), tags)},
		{name: "access: the account's, expired", ask: signedForAccount(sas.AccountSignatureValues{Permissions: "r", ResourceTypes: "o", ExpiryTime: past}, reading)},
		{name: "access: the account's, to service properties", ask: func(ctx context.Context, w world) (string, error) {
			u, err := w.blobs.GetSASURL(sas.AccountResourceTypes{Service: true}, sas.AccountPermissions{Read: true}, future, nil)
			if err != nil {
				return "", err
			}
			c, err := service.NewClientWithNoCredential(u, w.options())
			if err != nil {
				return "", err
			}
			_, err = c.GetProperties(ctx, nil)
			return "", err
		}},
		{name: "access: a signature of a snapshot, to it and to its base", ask: ofSnapshot},
	}
}

// ofSnapshot reads a snapshot with a signature for it alone, and then its base.
func ofSnapshot(ctx context.Context, w world) (string, error) {
	r, err := w.blobs.NewContainerClient(box).NewBlobClient("a").CreateSnapshot(ctx, nil)
	if err != nil {
		return "", err
	}
	at, err := time.Parse(time.RFC3339Nano, *r.Snapshot)
	if err != nil {
		return "", err
	}
	cred, err := service.NewSharedKeyCredential(account, accountKey)
	if err != nil {
		return "", err
	}
	signature, err := sas.BlobSignatureValues{ContainerName: box, BlobName: "a", SnapshotTime: at, Permissions: "r", ExpiryTime: future}.SignWithSharedKey(cred)
	if err != nil {
		return "", err
	}
	q, err := url.ParseQuery(signature.Encode())
	if err != nil {
		return "", err
	}
	q.Set("snapshot", *r.Snapshot)
	if err := with(ctx, w, q.Encode(), reading); err != nil {
		return "", err
	}
	q.Del("snapshot")
	return "", with(ctx, w, q.Encode(), reading)
}

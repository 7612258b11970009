package answers

import (
	"context"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blockblob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/lease"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/service"
)

func setMetadata(name string, m map[string]*string, opt *blob.SetMetadataOptions) ask {
	return about(name, func(ctx context.Context, c *blob.Client) error {
		_, err := c.SetMetadata(ctx, m, opt)
		return err
	})
}

func setHeaders(name string, h *blob.HTTPHeaders, opt *blob.SetHTTPHeadersOptions) ask {
	return about(name, func(ctx context.Context, c *blob.Client) error {
		_, err := c.SetHTTPHeaders(ctx, *h, opt)
		return err
	})
}

func setTags(name string, tags map[string]string, opt *blob.SetTagsOptions) ask {
	return about(name, func(ctx context.Context, c *blob.Client) error {
		_, err := c.SetTags(ctx, tags, opt)
		return err
	})
}

func getTags(name string) ask {
	return func(ctx context.Context, w world) (string, error) {
		r, err := w.blobs.NewContainerClient(box).NewBlobClient(name).GetTags(ctx, nil)
		return fields(r.BlobTags), err
	}
}

func setTier(name string, tier blob.AccessTier, opt *blob.SetTierOptions) ask {
	return about(name, func(ctx context.Context, c *blob.Client) error {
		_, err := c.SetTier(ctx, tier, opt)
		return err
	})
}

func undelete(name string) ask {
	return about(name, func(ctx context.Context, c *blob.Client) error {
		_, err := c.Undelete(ctx, nil)
		return err
	})
}

func propertyQuestions() []question {
	ten := map[string]string{}
	for i := range 10 {
		ten[string(rune('a'+i))] = "v"
	}
	return []question{
		{name: "set metadata", ask: all(put("p", "hello", &blockblob.UploadOptions{HTTPHeaders: headers(), Metadata: values("old", "1"), Tags: map[string]string{"t": "v"}}), setMetadata("p", values("new", "2", "other", "a b"), nil), head("p", nil))},
		{name: "set metadata, empty", ask: all(setMetadata("p", nil, nil), head("p", nil))},
		{name: "set metadata, invalid", ask: setMetadata("p", values("a.b", "1"), nil)},
		{name: "set metadata of nothing", ask: setMetadata("none", values("a", "1"), nil)},
		{name: "set headers: all at once", ask: all(setHeaders("p", &blob.HTTPHeaders{BlobContentLanguage: to.Ptr("fr")}, nil), head("p", nil))},
		{name: "set headers with an MD5", ask: all(setHeaders("p", &blob.HTTPHeaders{BlobContentType: to.Ptr("text/plain"), BlobContentMD5: sum("other")}, nil), head("p", nil))},
		{name: "set headers of nothing", ask: setHeaders("none", &blob.HTTPHeaders{}, nil)},
		{name: "set headers if it matches another", ask: setHeaders("p", &blob.HTTPHeaders{}, &blob.SetHTTPHeadersOptions{AccessConditions: when(`"0x1"`, "")})},
		{name: "set tags", ask: all(setTags("p", map[string]string{"team": "red", "cost centre": "7/8:=+-._"}, nil), getTags("p"), head("p", nil))},
		{name: "set ten tags", ask: all(setTags("p", ten, nil), getTags("p"))},
		{name: "set no tags", ask: all(setTags("p", nil, nil), getTags("p"), head("p", nil))},
		{name: "set a tag of a bad character", ask: setTags("p", map[string]string{"a": "x;y"}, nil)},
		{name: "set a tag without a name", ask: setTags("p", map[string]string{"": "x"}, nil)},
		{name: "set a tag without a value", ask: all(setTags("p", map[string]string{"a": ""}, nil), getTags("p"))},
		{name: "set a long tag", ask: setTags("p", map[string]string{"a": strings.Repeat("v", 257)}, nil)},
		{name: "set tags of nothing", ask: setTags("none", map[string]string{"a": "b"}, nil)},
		{name: "tags of nothing", ask: getTags("none")},
		{name: "set tags if tags match", ask: setTags("p", map[string]string{"a": "2"}, &blob.SetTagsOptions{AccessConditions: tagged(`a = ''`)})},
		{name: "set a tier", ask: all(setTier("p", blob.AccessTierCool, nil), head("p", nil), setTier("p", blob.AccessTierCold, nil), head("p", nil))},
		{name: "set a tier that does not exist", ask: setTier("p", "Warm", nil)},
		{name: "set a tier of nothing", ask: setTier("none", blob.AccessTierHot, nil)},
		{name: "set the archive and come back", ask: all(setTier("p", blob.AccessTierArchive, nil), head("p", nil), setTier("p", blob.AccessTierHot, &blob.SetTierOptions{RehydratePriority: to.Ptr(blob.RehydratePriorityHigh)}))},
		{name: "a blob on its way out of the archive", ask: head("p", nil)},
		{name: "another tier on the way", ask: setTier("p", blob.AccessTierCool, nil)},
		{name: "set a tier of an append blob", ask: setTier("log2", blob.AccessTierCool, nil)},
		{name: "read from the archive", ask: read("archived", nil)},
		{name: "metadata in the archive", ask: setMetadata("archived", values("a", "1"), nil)},
		{name: "snapshot in the archive", ask: about("archived", func(ctx context.Context, c *blob.Client) error {
			_, err := c.CreateSnapshot(ctx, nil)
			return err
		})},
		{name: "stage into the archive", ask: stage("archived", "1", nil)},
		{name: "set an immutability policy", ask: about("a", func(ctx context.Context, c *blob.Client) error {
			_, err := c.SetImmutabilityPolicy(ctx, future, nil)
			return err
		})},
		{name: "delete an immutability policy", ask: about("a", func(ctx context.Context, c *blob.Client) error {
			_, err := c.DeleteImmutabilityPolicy(ctx, nil)
			return err
		})},
		{name: "set a legal hold", ask: about("a", func(ctx context.Context, c *blob.Client) error {
			_, err := c.SetLegalHold(ctx, true, nil)
			return err
		})},
		{name: "account information of a blob", ask: about("a", func(ctx context.Context, c *blob.Client) error {
			_, err := c.GetAccountInfo(ctx, nil)
			return err
		})},
	}
}

// withSnapshot takes a snapshot of a blob and asks about it.
func withSnapshot(name string, f func(ctx context.Context, base, snapshot *blob.Client) error) ask {
	return func(ctx context.Context, w world) (string, error) {
		base := w.blobs.NewContainerClient(box).NewBlobClient(name)
		r, err := base.CreateSnapshot(ctx, nil)
		if err != nil {
			return "", err
		}
		s, err := base.WithSnapshot(*r.Snapshot)
		if err != nil {
			return "", err
		}
		return "", f(ctx, base, s)
	}
}

func snapshotQuestions() []question {
	deleting := func(name string, what blob.DeleteSnapshotsOptionType) ask {
		return remove(name, &blob.DeleteOptions{DeleteSnapshots: &what})
	}
	return []question{
		{name: "take a snapshot and read it", ask: all(put("s", "one", &blockblob.UploadOptions{Metadata: values("a", "1")}), withSnapshot("s", func(ctx context.Context, base, snapshot *blob.Client) error {
			if _, err := base.SetMetadata(ctx, values("a", "2"), nil); err != nil {
				return err
			}
			if _, err := snapshot.GetProperties(ctx, nil); err != nil {
				return err
			}
			_, err := snapshot.DownloadStream(ctx, nil)
			return err
		}))},
		{name: "a snapshot with metadata of its own", ask: func(ctx context.Context, w world) (string, error) {
			base := w.blobs.NewContainerClient(box).NewBlobClient("s")
			r, err := base.CreateSnapshot(ctx, &blob.CreateSnapshotOptions{Metadata: values("b", "3")})
			if err != nil {
				return "", err
			}
			s, err := base.WithSnapshot(*r.Snapshot)
			if err != nil {
				return "", err
			}
			_, err = s.GetProperties(ctx, nil)
			return "", err
		}},
		{name: "write to a snapshot", ask: withSnapshot("s", func(ctx context.Context, _, snapshot *blob.Client) error {
			_, err := snapshot.SetMetadata(ctx, values("a", "1"), nil)
			return err
		})},
		{name: "tier of a snapshot", ask: all(put("s2", "x", nil), withSnapshot("s2", func(ctx context.Context, _, snapshot *blob.Client) error {
			if _, err := snapshot.SetTier(ctx, blob.AccessTierCool, nil); err != nil {
				return err
			}
			_, err := snapshot.GetProperties(ctx, nil)
			return err
		}), remove("s2", &blob.DeleteOptions{DeleteSnapshots: to.Ptr(blob.DeleteSnapshotsOptionTypeInclude)}))},
		{name: "tags of a snapshot", ask: withSnapshot("s", func(ctx context.Context, _, snapshot *blob.Client) error {
			_, err := snapshot.GetTags(ctx, nil)
			return err
		})},
		{name: "take a snapshot if it matches another", ask: about("s", func(ctx context.Context, c *blob.Client) error {
			_, err := c.CreateSnapshot(ctx, &blob.CreateSnapshotOptions{AccessConditions: when(`"0x1"`, "")})
			return err
		})},
		{name: "take a snapshot of nothing", ask: about("none", func(ctx context.Context, c *blob.Client) error {
			_, err := c.CreateSnapshot(ctx, nil)
			return err
		})},
		{name: "list with snapshots", ask: list(container.ListBlobsFlatOptions{Prefix: to.Ptr("s"), Include: container.ListBlobsInclude{Snapshots: true, Metadata: true}})},
		{name: "delete a blob that has snapshots", ask: remove("s", nil)},
		{name: "delete one snapshot", ask: withSnapshot("s", func(ctx context.Context, _, snapshot *blob.Client) error {
			if _, err := snapshot.Delete(ctx, nil); err != nil {
				return err
			}
			_, err := snapshot.Delete(ctx, nil)
			return err
		})},
		{name: "delete a snapshot and all snapshots at once", ask: withSnapshot("s", func(ctx context.Context, _, snapshot *blob.Client) error {
			_, err := snapshot.Delete(ctx, &blob.DeleteOptions{DeleteSnapshots: to.Ptr(blob.DeleteSnapshotsOptionTypeInclude)})
			return err
		})},
		{name: "delete in a way that does not exist", ask: deleting("s", "some")},
		{name: "delete the snapshots alone", ask: all(deleting("s", blob.DeleteSnapshotsOptionTypeOnly), list(container.ListBlobsFlatOptions{Prefix: to.Ptr("s"), Include: container.ListBlobsInclude{Snapshots: true}}))},
		{name: "overwrite a blob that has snapshots", ask: all(withSnapshot("s", func(context.Context, *blob.Client, *blob.Client) error { return nil }), put("s", "two", nil), list(container.ListBlobsFlatOptions{Prefix: to.Ptr("s"), Include: container.ListBlobsInclude{Snapshots: true}}))},
		{name: "delete it with its snapshots", ask: all(deleting("s", blob.DeleteSnapshotsOptionTypeInclude), head("s", nil))},
		{name: "undelete what is not deleted", ask: undelete("a")},
		{name: "delete softly and undelete", ask: all(
			setProperties(&service.SetPropertiesOptions{DeleteRetentionPolicy: days(5)}), put("soft", "x", nil), remove("soft", nil),
			list(container.ListBlobsFlatOptions{Prefix: to.Ptr("soft"), Include: container.ListBlobsInclude{Deleted: true}}), undelete("soft"), head("soft", nil), read("soft", nil),
		)},
		{name: "no soft delete any more", ask: all(setProperties(&service.SetPropertiesOptions{DeleteRetentionPolicy: days(0)}), put("soft", "x", nil), remove("soft", nil))},
		{name: "a version that is not there", ask: about("a", func(ctx context.Context, c *blob.Client) error {
			v, err := c.WithVersionID("2020-01-02T03:04:05.0000000Z")
			if err != nil {
				return err
			}
			_, err = v.GetProperties(ctx, nil)
			return err
		})},
	}
}

// holder asks for something of a blob's lease, as the holder of an ID.
func holder(name, id string, f func(context.Context, *lease.BlobClient) error) ask {
	return about(name, func(ctx context.Context, c *blob.Client) error {
		l, err := lease.NewBlobClient(c, &lease.BlobClientOptions{LeaseID: &id})
		if err != nil {
			return err
		}
		return f(ctx, l)
	})
}

func acquire(name, id string, seconds int32) ask {
	return holder(name, id, func(ctx context.Context, l *lease.BlobClient) error {
		_, err := l.AcquireLease(ctx, seconds, nil)
		return err
	})
}

func leaseQuestions() []question {
	renew := func(id string) ask {
		return holder("leased", id, func(ctx context.Context, l *lease.BlobClient) error {
			_, err := l.RenewLease(ctx, nil)
			return err
		})
	}
	release := func(id string) ask {
		return holder("leased", id, func(ctx context.Context, l *lease.BlobClient) error {
			_, err := l.ReleaseLease(ctx, nil)
			return err
		})
	}
	change := func(id, to string) ask {
		return holder("leased", id, func(ctx context.Context, l *lease.BlobClient) error {
			_, err := l.ChangeLease(ctx, to, nil)
			return err
		})
	}
	breaks := func(seconds *int32) ask {
		return holder("leased", lease1, func(ctx context.Context, l *lease.BlobClient) error {
			_, err := l.BreakLease(ctx, &lease.BlobBreakOptions{BreakPeriod: seconds})
			return err
		})
	}
	with := func(id string) *blockblob.UploadOptions {
		return &blockblob.UploadOptions{AccessConditions: holding(id)}
	}
	return []question{
		{name: "lease", ask: all(put("leased", "x", nil), acquire("leased", lease1, -1), head("leased", nil))},
		{name: "lease again for a time", ask: all(acquire("leased", lease1, 60), head("leased", nil))},
		{name: "lease for another", ask: acquire("leased", lease2, 60)},
		{name: "lease for too long", ask: acquire("leased", lease1, 61)},
		{name: "lease nothing", ask: acquire("none", lease1, 60)},
		{name: "write without the lease", ask: put("leased", "y", nil)},
		{name: "write with the wrong lease", ask: put("leased", "y", with(lease2))},
		{name: "write with the lease", ask: all(put("leased", "y", with(lease1)), head("leased", nil))},
		{name: "write with a lease where there is none", ask: put("a", "hello", with(lease1))},
		{name: "a new one with a lease", ask: put("unleased", "x", with(lease1))},
		{name: "read without the lease", ask: read("leased", nil)},
		{name: "read with the wrong lease", ask: read("leased", &blob.DownloadStreamOptions{AccessConditions: holding(lease2)})},
		{name: "read with a lease where there is none", ask: read("a", &blob.DownloadStreamOptions{AccessConditions: holding(lease2)})},
		{name: "metadata without the lease", ask: setMetadata("leased", nil, nil)},
		{name: "metadata with the lease", ask: setMetadata("leased", values("a", "1"), &blob.SetMetadataOptions{AccessConditions: holding(lease1)})},
		{name: "headers without the lease", ask: setHeaders("leased", &blob.HTTPHeaders{}, nil)},
		{name: "tags without the lease", ask: setTags("leased", map[string]string{"a": "b"}, nil)},
		{name: "tier without the lease", ask: all(put("leased3", "x", nil), acquire("leased3", lease1, -1), setTier("leased3", blob.AccessTierCool, nil))},
		{name: "snapshot without the lease", ask: all(put("leased2", "x", nil), acquire("leased2", lease1, -1), withSnapshot("leased2", func(ctx context.Context, _, snapshot *blob.Client) error {
			_, err := snapshot.GetProperties(ctx, nil)
			return err
		}))},
		{name: "stage without the lease", ask: stage("leased", "1", nil)},
		{name: "commit without the lease", ask: commit("leased", nil)},
		{name: "delete without the lease", ask: remove("leased", nil)},
		{name: "delete with the wrong lease", ask: remove("leased", &blob.DeleteOptions{AccessConditions: holding(lease2)})},
		{name: "renew", ask: renew(lease1)},
		{name: "renew the wrong lease", ask: renew(lease2)},
		{name: "change", ask: change(lease1, lease3)},
		{name: "change the wrong lease", ask: change(lease2, lease1)},
		{name: "release the wrong lease", ask: release(lease1)},
		{name: "release", ask: all(release(lease3), head("leased", nil))},
		{name: "release no lease", ask: release(lease3)},
		{name: "break no lease", ask: breaks(nil)},
		{name: "break at once", ask: all(acquire("leased", lease1, -1), breaks(nil), head("leased", nil))},
		{name: "write with a broken lease", ask: put("leased", "z", with(lease1))},
		{name: "write after the break", ask: all(put("leased", "z", nil), head("leased", nil))},
		{name: "break slowly", ask: all(acquire("leased", lease2, -1), breaks(to.Ptr(int32(60))), head("leased", nil))},
		{name: "write while it breaks", ask: put("leased", "z", nil)},
		{name: "lease while it breaks", ask: acquire("leased", lease2, -1)},
		{name: "release while it breaks, delete", ask: all(release(lease2), remove("leased", nil))},
	}
}

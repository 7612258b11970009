package answers

import (
	"context"
	"fmt"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/lease"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/service"
)

func setProperties(opt *service.SetPropertiesOptions) ask {
	return func(ctx context.Context, w world) (string, error) {
		_, err := w.blobs.SetProperties(ctx, opt)
		return "", err
	}
}

func getProperties(ctx context.Context, w world) (string, error) {
	r, err := w.blobs.GetProperties(ctx, nil)
	return fields(r.StorageServiceProperties), err
}

// rule is a CORS rule.
func rule(origin, methods string) *service.CORSRule {
	return &service.CORSRule{AllowedOrigins: &origin, AllowedMethods: &methods, AllowedHeaders: to.Ptr("x-ms-*"), ExposedHeaders: to.Ptr("*"), MaxAgeInSeconds: to.Ptr(int32(60))}
}

func days(n int32) *service.RetentionPolicy {
	return &service.RetentionPolicy{Enabled: to.Ptr(n > 0), Days: map[bool]*int32{true: &n}[n > 0]}
}

func serviceQuestions() []question {
	six := make([]*service.CORSRule, 6)
	for i := range six {
		six[i] = rule(fmt.Sprintf("https://%d.example.com", i), "GET")
	}
	metrics := func(enabled bool) *service.Metrics {
		return &service.Metrics{Version: to.Ptr("1.0"), Enabled: &enabled, IncludeAPIs: map[bool]*bool{true: &enabled}[enabled], RetentionPolicy: days(0)}
	}
	return []question{
		{name: "blobs: set CORS", ask: setProperties(&service.SetPropertiesOptions{CORS: []*service.CORSRule{rule("https://a.example.com,https://b.example.com", "GET,PUT")}})},
		{name: "blobs: set static website", ask: setProperties(&service.SetPropertiesOptions{StaticWebsite: &service.StaticWebsite{Enabled: to.Ptr(true), IndexDocument: to.Ptr("index.html"), ErrorDocument404Path: to.Ptr("404.html")}})},
		{name: "blobs: set logging and metrics", ask: setProperties(&service.SetPropertiesOptions{
			Logging:     &service.Logging{Version: to.Ptr("1.0"), Read: to.Ptr(true), Write: to.Ptr(false), Delete: to.Ptr(true), RetentionPolicy: days(3)},
			HourMetrics: metrics(true), MinuteMetrics: metrics(false),
		})},
		{name: "blobs: set the default version", ask: setProperties(&service.SetPropertiesOptions{DefaultServiceVersion: to.Ptr("2021-12-02")})},
		{name: "blobs: set soft delete", ask: setProperties(&service.SetPropertiesOptions{DeleteRetentionPolicy: days(5)})},
		{name: "blobs: service properties", ask: getProperties},
		{name: "blobs: no soft delete", ask: setProperties(&service.SetPropertiesOptions{DeleteRetentionPolicy: days(0)})},
		{name: "blobs: six rules for CORS", ask: setProperties(&service.SetPropertiesOptions{CORS: six})},
		{name: "blobs: a method that CORS does not know", ask: setProperties(&service.SetPropertiesOptions{CORS: []*service.CORSRule{rule("*", "FETCH")}})},
		{name: "blobs: kept for 366 days", ask: setProperties(&service.SetPropertiesOptions{DeleteRetentionPolicy: days(366)})},
		{name: "blobs: no rules for CORS, no website", ask: setProperties(&service.SetPropertiesOptions{CORS: []*service.CORSRule{}, StaticWebsite: &service.StaticWebsite{Enabled: to.Ptr(false)}, DeleteRetentionPolicy: days(0)})},
		{name: "blobs: service properties after that", ask: getProperties},
		{name: "blobs: account information", ask: func(ctx context.Context, w world) (string, error) {
			_, err := w.blobs.GetAccountInfo(ctx, nil)
			return "", err
		}},
		{name: "blobs: statistics at the primary", ask: func(ctx context.Context, w world) (string, error) {
			_, err := w.blobs.GetStatistics(ctx, nil)
			return "", err
		}},
	}
}

// policies are n stored access policies.
func policies(n int) []*container.SignedIdentifier {
	out := make([]*container.SignedIdentifier, 0, n)
	for i := range n {
		out = append(out, &container.SignedIdentifier{ID: to.Ptr(fmt.Sprint("policy", i)), AccessPolicy: &container.AccessPolicy{
			Start: &day, Expiry: to.Ptr(day.AddDate(4, 0, 0)), Permission: to.Ptr("rl"),
		}})
	}
	return out
}

func setACL(name string, opt *container.SetAccessPolicyOptions) ask {
	return inside(name, func(ctx context.Context, c *container.Client) error {
		_, err := c.SetAccessPolicy(ctx, opt)
		return err
	})
}

func getACL(name string) ask {
	return func(ctx context.Context, w world) (string, error) {
		r, err := w.blobs.NewContainerClient(name).GetAccessPolicy(ctx, nil)
		return fields(r.SignedIdentifiers), err
	}
}

func drop(name string, opt *container.DeleteOptions) ask {
	return inside(name, func(ctx context.Context, c *container.Client) error {
		_, err := c.Delete(ctx, opt)
		return err
	})
}

func containerProperties(name string, opt *container.GetPropertiesOptions) ask {
	return inside(name, func(ctx context.Context, c *container.Client) error {
		_, err := c.GetProperties(ctx, opt)
		return err
	})
}

func describe(name string, opt *container.SetMetadataOptions) ask {
	return inside(name, func(ctx context.Context, c *container.Client) error {
		_, err := c.SetMetadata(ctx, opt)
		return err
	})
}

// listContainers lists, page by page.
func listContainers(opt service.ListContainersOptions) ask {
	return func(ctx context.Context, w world) (string, error) {
		var out []string
		for p := w.blobs.NewListContainersPager(&opt); p.More(); {
			page, err := p.NextPage(ctx)
			if err != nil {
				return "", err
			}
			out = append(out, fields(page.ListContainersSegmentResponse))
		}
		return strings.Join(out, " "), nil
	}
}

// The IDs of leases.
const (
	lease1 = "11111111-1111-1111-1111-111111111111"
	lease2 = "22222222-2222-2222-2222-222222222222"
	lease3 = "33333333-3333-3333-3333-333333333333"
)

// leasing asks for something of a container's lease, as the holder of an ID.
func leasing(name, id string, f func(context.Context, *lease.ContainerClient) error) ask {
	return inside(name, func(ctx context.Context, c *container.Client) error {
		l, err := lease.NewContainerClient(c, &lease.ContainerClientOptions{LeaseID: &id})
		if err != nil {
			return err
		}
		return f(ctx, l)
	})
}

func containerQuestions() []question {
	named := func(name string) question {
		return question{name: "blobs: a container " + name, ask: create(name, nil)}
	}
	long := strings.Repeat("c", 63)
	acquire := func(name, id string, seconds int32) ask {
		return leasing(name, id, func(ctx context.Context, l *lease.ContainerClient) error {
			_, err := l.AcquireLease(ctx, seconds, nil)
			return err
		})
	}
	renew := func(name, id string) ask {
		return leasing(name, id, func(ctx context.Context, l *lease.ContainerClient) error {
			_, err := l.RenewLease(ctx, nil)
			return err
		})
	}
	release := func(name, id string) ask {
		return leasing(name, id, func(ctx context.Context, l *lease.ContainerClient) error {
			_, err := l.ReleaseLease(ctx, nil)
			return err
		})
	}
	change := func(name, id, to string) ask {
		return leasing(name, id, func(ctx context.Context, l *lease.ContainerClient) error {
			_, err := l.ChangeLease(ctx, to, nil)
			return err
		})
	}
	breaks := func(name string, seconds *int32) ask {
		return leasing(name, lease1, func(ctx context.Context, l *lease.ContainerClient) error {
			_, err := l.BreakLease(ctx, &lease.ContainerBreakOptions{BreakPeriod: seconds})
			return err
		})
	}
	held := func(id string) *container.LeaseAccessConditions {
		return &container.LeaseAccessConditions{LeaseID: &id}
	}
	return []question{
		{name: "blobs: create a container", ask: create(box, &container.CreateOptions{Metadata: values("owner", "red", "empty", "")})},
		{name: "blobs: create it again", ask: create(box, nil)},
		named("Capitals"), named("ab"), named(long), named(long + "c"), named("two--hyphens"), named("-first"), named("last-"), named("under_score"), named("dotted.name"), named("$root"),
		{name: "blobs: the container of the website", ask: create("$web", nil)},
		{name: "blobs: a container with a dollar sign", ask: all(create("$other", nil), drop("$other", nil))},
		{name: "blobs: a container with an invalid metadata key", ask: create("badmeta", &container.CreateOptions{Metadata: values("has-hyphen", "1")})},
		{name: "blobs: a public container", ask: create("public", &container.CreateOptions{Access: to.Ptr(container.PublicAccessTypeBlob), Metadata: values("a", "1")})},
		{name: "blobs: an open container", ask: create("open", &container.CreateOptions{Access: to.Ptr(container.PublicAccessTypeContainer)})},
		{name: "blobs: container properties", ask: containerProperties(box, nil)},
		{name: "blobs: public container properties", ask: containerProperties("public", nil)},
		{name: "blobs: properties of no container", ask: containerProperties("nothing", nil)},
		{name: "blobs: set container metadata", ask: describe(box, &container.SetMetadataOptions{Metadata: values("team", "a b", "x1", "\"quoted\"")})},
		{name: "blobs: set container metadata, invalid", ask: describe(box, &container.SetMetadataOptions{Metadata: values("1st", "x")})},
		{name: "blobs: set container metadata, unchanged since long ago", ask: describe(box, &container.SetMetadataOptions{ModifiedAccessConditions: &container.ModifiedAccessConditions{IfModifiedSince: &future}})},
		{name: "blobs: set metadata of no container", ask: describe("nothing", nil)},
		{name: "blobs: container properties after that", ask: containerProperties(box, nil)},
		{name: "blobs: five policies", ask: all(setACL(box, &container.SetAccessPolicyOptions{ContainerACL: policies(5)}), getACL(box))},
		{name: "blobs: six policies", ask: setACL(box, &container.SetAccessPolicyOptions{ContainerACL: policies(6)})},
		{name: "blobs: a policy with a permission that does not exist", ask: setACL(box, &container.SetAccessPolicyOptions{ContainerACL: []*container.SignedIdentifier{{ID: to.Ptr("a"), AccessPolicy: &container.AccessPolicy{Permission: to.Ptr("rq")}}}})},
		{name: "blobs: a policy twice", ask: setACL(box, &container.SetAccessPolicyOptions{ContainerACL: append(policies(1), policies(1)...)})},
		{name: "blobs: a policy with a name of 65", ask: setACL(box, &container.SetAccessPolicyOptions{ContainerACL: []*container.SignedIdentifier{{ID: to.Ptr(strings.Repeat("i", 65)), AccessPolicy: &container.AccessPolicy{Permission: to.Ptr("r")}}}})},
		{name: "blobs: a policy that leaves all to the signature", ask: all(setACL(box, &container.SetAccessPolicyOptions{ContainerACL: []*container.SignedIdentifier{{ID: to.Ptr("bare"), AccessPolicy: &container.AccessPolicy{}}}}), getACL(box))},
		{name: "blobs: public access", ask: all(setACL(box, &container.SetAccessPolicyOptions{Access: to.Ptr(container.PublicAccessTypeContainer)}), getACL(box))},
		{name: "blobs: no public access and no policy", ask: all(setACL(box, nil), getACL(box))},
		{name: "blobs: policies of no container", ask: getACL("nothing")},
		{name: "blobs: list all containers", ask: listContainers(service.ListContainersOptions{})},
		{name: "blobs: list containers by prefix with metadata", ask: listContainers(service.ListContainersOptions{Prefix: to.Ptr("p"), Include: service.ListContainersInclude{Metadata: true}})},
		{name: "blobs: list containers two by two", ask: listContainers(service.ListContainersOptions{MaxResults: to.Ptr(int32(2))})},
		{name: "blobs: list containers with deleted and system ones", ask: listContainers(service.ListContainersOptions{Include: service.ListContainersInclude{Deleted: true, System: true}})},
		{name: "blobs: list no containers", ask: listContainers(service.ListContainersOptions{MaxResults: to.Ptr(int32(0))})},
		{name: "blobs: list more containers than a page has", ask: listContainers(service.ListContainersOptions{MaxResults: to.Ptr(int32(5001)), Prefix: to.Ptr("open")})},
		{name: "blobs: lease a container for a second", ask: acquire("open", lease1, 1)},
		{name: "blobs: lease a container", ask: acquire("open", lease1, 60)},
		{name: "blobs: lease it again", ask: acquire("open", lease1, -1)},
		{name: "blobs: lease it for another", ask: acquire("open", lease2, 60)},
		{name: "blobs: properties of a leased container", ask: containerProperties("open", nil)},
		{name: "blobs: properties with the wrong lease", ask: containerProperties("open", &container.GetPropertiesOptions{LeaseAccessConditions: held(lease2)})},
		{name: "blobs: properties with a lease of no lease", ask: containerProperties(box, &container.GetPropertiesOptions{LeaseAccessConditions: held(lease2)})},
		{name: "blobs: list a leased container", ask: listContainers(service.ListContainersOptions{Prefix: to.Ptr("open")})},
		{name: "blobs: set metadata of a leased container", ask: describe("open", nil)},
		{name: "blobs: set metadata with the wrong lease", ask: describe("open", &container.SetMetadataOptions{LeaseAccessConditions: held(lease2)})},
		{name: "blobs: set access policy with the wrong lease", ask: setACL("open", &container.SetAccessPolicyOptions{AccessConditions: &container.AccessConditions{LeaseAccessConditions: held(lease2)}})},
		{name: "blobs: delete a leased container", ask: drop("open", nil)},
		{name: "blobs: renew", ask: renew("open", lease1)},
		{name: "blobs: renew the wrong lease", ask: renew("open", lease2)},
		{name: "blobs: renew no lease", ask: renew(box, lease1)},
		{name: "blobs: change", ask: change("open", lease1, lease3)},
		{name: "blobs: change the wrong lease", ask: change("open", lease2, lease1)},
		{name: "blobs: change to no ID", ask: change("open", lease3, "three")},
		{name: "blobs: release the wrong lease", ask: release("open", lease1)},
		{name: "blobs: break", ask: breaks("open", to.Ptr(int32(0)))},
		{name: "blobs: break again", ask: breaks("open", nil)},
		{name: "blobs: renew a broken lease", ask: renew("open", lease3)},
		{name: "blobs: properties of a broken lease", ask: containerProperties("open", nil)},
		{name: "blobs: lease after the break, break slowly", ask: all(acquire("open", lease1, -1), breaks("open", to.Ptr(int32(60))))},
		{name: "blobs: lease while it breaks", ask: acquire("open", lease1, 15)},
		{name: "blobs: change while it breaks", ask: change("open", lease1, lease2)},
		{name: "blobs: break for too long", ask: breaks("open", to.Ptr(int32(61)))},
		{name: "blobs: release while it breaks", ask: release("open", lease1)},
		{name: "blobs: break no lease", ask: breaks("open", nil)},
		{name: "blobs: lease no container", ask: acquire("nothing", lease1, 15)},
		{name: "blobs: delete a container unless it changed", ask: drop(long, &container.DeleteOptions{AccessConditions: &container.AccessConditions{ModifiedAccessConditions: &container.ModifiedAccessConditions{IfUnmodifiedSince: &past}}})},
		{name: "blobs: delete a container", ask: drop(long, nil)},
		{name: "blobs: delete it again", ask: drop(long, nil)},
		{name: "blobs: restore a container", ask: func(ctx context.Context, w world) (string, error) {
			_, err := w.blobs.RestoreContainer(ctx, long, "01D60F8BB59A4652", nil)
			return "", err
		}},
		{name: "blobs: a container of an access that does not exist", ask: create("zz-access", &container.CreateOptions{Access: to.Ptr(container.PublicAccessType("some"))})},
	}
}

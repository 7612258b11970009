package contoso

import (
	"time"
)

// Account is what lives in a storage account.
type Account struct {
	BlobService      *Service    `json:"blobService,omitempty"`
	QueueService     *Service    `json:"queueService,omitempty"`
	ManagementPolicy *Policy     `json:"managementPolicy,omitempty"`
	StaticWebsite    *Website    `json:"staticWebsite,omitempty"`
	Containers       []Container `json:"containers,omitempty"`
	Virtual          []Series    `json:"virtual,omitempty"`
	Shares           []Share     `json:"shares,omitempty"`
	Queues           []Queue     `json:"queues,omitempty"`
	Tables           []Table     `json:"tables,omitempty"`
}

// Service is how one of an account's services is set, in the form of the storage resource
// provider.
type Service struct {
	CORS CORS `json:"cors"`
}

// CORS is what browsers may do.
type CORS struct {
	Rules []CORSRule `json:"corsRules"`
}

// CORSRule lets pages of some origins in.
type CORSRule struct {
	AllowedOrigins  []string `json:"allowedOrigins"`
	AllowedMethods  []string `json:"allowedMethods"`
	AllowedHeaders  []string `json:"allowedHeaders"`
	ExposedHeaders  []string `json:"exposedHeaders"`
	MaxAgeInSeconds int      `json:"maxAgeInSeconds"`
}

// Policy is a lifecycle management policy; its rules have the form of the resource provider.
type Policy struct {
	Rules []any `json:"rules"`
}

// Website is the static website of an account.
type Website struct {
	IndexDocument string `json:"indexDocument"`
	NotFound      string `json:"errorDocument404Path"`
}

// Access is a stored access policy.
type Access struct {
	ID         string     `json:"id"`
	Start      *time.Time `json:"start,omitempty"`
	Expiry     *time.Time `json:"expiry,omitempty"`
	Permission string     `json:"permission"`
}

// Container holds blobs.
type Container struct {
	Name     string            `json:"name"`
	Metadata map[string]string `json:"metadata,omitempty"`
	Policies []Access          `json:"policies,omitempty"`
	Blobs    []Blob            `json:"blobs,omitempty"`
}

// Octets are content: a text, or so many bytes that a seed makes.
type Octets struct {
	Content string `json:"content,omitempty"`
	Size    int    `json:"size,omitempty"`
	Seed    uint64 `json:"seed,omitempty"`
}

// Blob is a blob; Snapshots are its older states, the oldest first.
type Blob struct {
	Name string `json:"name,omitempty"`
	Type string `json:"type,omitempty"`
	Octets
	ContentType     string            `json:"contentType,omitempty"`
	ContentEncoding string            `json:"contentEncoding,omitempty"`
	ContentLanguage string            `json:"contentLanguage,omitempty"`
	Disposition     string            `json:"contentDisposition,omitempty"`
	CacheControl    string            `json:"cacheControl,omitempty"`
	NoMD5           bool              `json:"noMD5,omitempty"`
	Metadata        map[string]string `json:"metadata,omitempty"`
	Tags            map[string]string `json:"tags,omitempty"`
	Tier            string            `json:"tier,omitempty"`
	BlockSize       int               `json:"blockSize,omitempty"`
	Ranges          []Range           `json:"ranges,omitempty"`
	Sequence        int               `json:"sequenceNumber,omitempty"`
	Sealed          bool              `json:"sealed,omitempty"`
	Leased          bool              `json:"leased,omitempty"`
	Snapshots       []Blob            `json:"snapshots,omitempty"`
}

// Range is a piece of a page blob; between pieces there is nothing.
type Range struct {
	Offset int `json:"offset"`
	Octets
}

// Series are many blobs of one size, numbered, in folders.
type Series struct {
	Container   string `json:"container"`
	Count       int    `json:"count"`
	Size        int    `json:"size"`
	Seed        uint64 `json:"seed"`
	Prefix      string `json:"prefix"`
	PerFolder   int    `json:"perFolder"`
	ContentType string `json:"contentType"`
}

// Share is a file share.
type Share struct {
	Name        string            `json:"name"`
	Quota       int               `json:"quota"` // GiB
	Tier        string            `json:"tier"`
	Metadata    map[string]string `json:"metadata,omitempty"`
	Policies    []Access          `json:"policies,omitempty"`
	Directories []Node            `json:"directories,omitempty"`
	Files       []Node            `json:"files,omitempty"`
}

// Node is a directory or a file of a share.
type Node struct {
	Path        string            `json:"path"`
	Attributes  string            `json:"attributes,omitempty"`
	Created     *time.Time        `json:"created,omitempty"`
	Written     *time.Time        `json:"written,omitempty"`
	Permission  string            `json:"permission,omitempty"` // SDDL
	Metadata    map[string]string `json:"metadata,omitempty"`
	ContentType string            `json:"contentType,omitempty"`
	MD5         bool              `json:"md5,omitempty"`
	Octets
}

// Queue is a queue with the messages in it.
type Queue struct {
	Name     string            `json:"name"`
	Metadata map[string]string `json:"metadata,omitempty"`
	Policies []Access          `json:"policies,omitempty"`
	Messages []Message         `json:"messages,omitempty"`
}

// Message waits in a queue.
type Message struct {
	Text string `json:"text"`
	TTL  int    `json:"ttl,omitempty"` // seconds; -1 is never
}

// Table is a table. An entity is JSON as the service takes it.
type Table struct {
	Name     string           `json:"name"`
	Policies []Access         `json:"policies,omitempty"`
	Entities []map[string]any `json:"entities,omitempty"`
	Generate *Rows            `json:"generate,omitempty"`
}

// Rows are many entities with a property of each type.
type Rows struct {
	Prefix       string `json:"prefix"`
	Count        int    `json:"count"`
	PerPartition int    `json:"perPartition"`
	Seed         uint64 `json:"seed"`
	Bytes        int    `json:"bytes"`
}

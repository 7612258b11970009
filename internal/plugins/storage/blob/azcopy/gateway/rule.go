package gateway

import (
	"net/http"
	"net/url"
	"strings"
)

// what is a kind of request that a copy needs.
type what int

const (
	nothing what = iota // it is refused
	look                // it reads what is no content
	exists              // it asks for the container to be made, which it is already
	kind                // it asks what kind of account this is
	remove              // it takes back what it could not write whole
	whole               // a blob from the source's blob, by one request
	block               // a block from the source's blob
	list                // the blob from its blocks
)

// rule says what a request is: see https://learn.microsoft.com/rest/api/storageservices/
// for get-account-information, get-container-properties, list-blobs, get-blob-properties,
// get-blob-tags, get-block-list, create-container, put-blob-from-url, put-block-from-url,
// put-block-list.
func (g *Gateway) rule(req *http.Request) what {
	container, blob, _ := strings.Cut(strings.TrimPrefix(req.URL.Path, "/"), "/")
	q := req.URL.Query()
	if container != g.Container || req.URL.Scheme != "http" || q.Has("snapshot") || q.Has("versionid") {
		return nothing
	}
	target := strings.EqualFold(req.URL.Host, g.to)
	if !target && !strings.EqualFold(req.URL.Host, g.from) {
		return nothing
	}
	comp := q.Get("comp")
	switch req.Method {
	case http.MethodGet, http.MethodHead:
		return reading(req.Method, q.Get("restype"), comp, blob != "")
	case http.MethodPut:
		if blob == "" {
			return when(target && q.Get("restype") == "container" && comp == "", exists)
		}
		return when(target, g.writing(req, comp))
	case http.MethodDelete:
		return when(target && blob != "", remove)
	default:
		return nothing
	}
}

func when(yes bool, w what) what {
	if yes {
		return w
	}
	return nothing
}

// reading says what a request is that changes nothing.
func reading(method, restype, comp string, blob bool) what {
	switch {
	case method == http.MethodHead:
		return when(comp == "", look)
	case restype == "account":
		return when(comp == "properties", kind)
	case blob:
		return when(comp == "tags" || comp == "blocklist", look)
	default:
		return when(restype == "container" && (comp == "" || comp == "list"), look)
	}
}

// writing says what a request is that writes a blob of the target.
func (g *Gateway) writing(req *http.Request, comp string) what {
	switch {
	case comp == "blocklist":
		return when(g.isStaged(req.URL.Path), list)
	case !g.sameBlob(req):
		return nothing
	case comp == "block":
		return block
	default:
		return when(comp == "" && req.Header.Get("X-Ms-Blob-Type") == "BlockBlob", whole)
	}
}

// sameBlob tells whether a request copies from the source's blob of the same name.
func (g *Gateway) sameBlob(req *http.Request) bool {
	u, err := url.Parse(req.Header.Get(copySource))
	if err != nil || u.Scheme != "http" || !strings.EqualFold(u.Host, g.from) {
		return false
	}
	q := u.Query()
	return u.Path == req.URL.Path && !q.Has("snapshot") && !q.Has("versionid")
}

func (g *Gateway) isStaged(path string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.staged[path]
}

func (g *Gateway) stage(path string, is bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if is {
		g.staged[path] = true
	} else {
		delete(g.staged, path)
	}
}

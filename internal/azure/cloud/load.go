package cloud

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	azcloud "github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/azure-tenant-grapher/atg/errs"
)

const (
	metadataPath = "/metadata/endpoints"
	// maxDocument is far more than a metadata document has, in bytes.
	maxDocument = 1 << 20
)

// versions are the api-versions that are asked for in turn: the newest, and the one that
// Azure Stack Hub has (https://learn.microsoft.com/azure-stack/user/azure-stack-rest-api-use).
var versions = []string{"2022-09-01", "2015-01-01"}

// isAddress tells whether value is the address of a Resource Manager or of its document.
func isAddress(value string) bool { return strings.Contains(value, "://") }

// Absolute returns value as it is understood from any directory: the path of a file is
// made absolute, a name or an address stays what it is.
func Absolute(value string) (string, error) {
	if _, _, err := Resolve(value); err == nil || isAddress(value) {
		return value, nil
	}
	if _, err := os.Stat(value); err != nil {
		return value, nil // Load says what is wrong with it
	}
	return filepath.Abs(value)
}

// Load returns the SDK configuration and the endpoints of the cloud that value stands for:
// a name that Resolve knows, the https address of a Resource Manager or of its metadata
// document, or the path of a file that holds such a document. The document is fetched
// through client without a token; nil means http.DefaultClient. What cannot be read or
// used is an *errs.Error of kind Invalid, a Resource Manager that does not answer one of
// kind Unavailable, and AD FS one of kind Unsupported.
func Load(ctx context.Context, value string, client policy.Transporter) (azcloud.Configuration, Endpoints, error) {
	if config, e, err := Resolve(value); err == nil {
		return config, e, nil
	}
	d, arm, err := find(ctx, value, client)
	if err != nil {
		return azcloud.Configuration{}, Endpoints{}, err
	}
	e := d.endpoints(arm)
	return e.configuration(), e, nil
}

// find gets the document, and the address of the Resource Manager that gave it.
func find(ctx context.Context, value string, client policy.Transporter) (document, string, error) {
	if !isAddress(value) {
		d, err := fromFile(value)
		return d, "", err
	}
	u, err := url.Parse(value)
	if err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil {
		return document{}, "", invalid("the address", errors.New("it is no plain https address of a Resource Manager"))
	}
	arm := "https://" + u.Host
	if client == nil {
		client = http.DefaultClient
	}
	text, err := fetch(ctx, u, client)
	if err != nil {
		return document{}, "", err
	}
	d, err := parse(text, arm)
	if err != nil {
		return d, "", invalid(value, err)
	}
	return d, arm, nil
}

func fromFile(path string) (document, error) {
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) && !strings.ContainsAny(path, `./\`) {
		_, _, err := Resolve(path) // it looks like a name
		return document{}, err
	}
	if err != nil {
		return document{}, invalid(path, errors.Unwrap(err))
	}
	defer func() { _ = f.Close() }()
	text, err := io.ReadAll(io.LimitReader(f, maxDocument))
	if err != nil {
		return document{}, invalid(path, err)
	}
	d, err := parse(text, "")
	if err != nil {
		return d, invalid(path, err)
	}
	return d, nil
}

// fetch asks for the document: at the very address if that has a query, else with each
// api-version until one is known.
func fetch(ctx context.Context, u *url.URL, client policy.Transporter) (text []byte, err error) {
	if u.RawQuery != "" {
		return get(ctx, u.String(), client)
	}
	for _, version := range versions {
		at := "https://" + u.Host + metadataPath + "?api-version=" + version
		if text, err = get(ctx, at, client); err == nil || errs.KindOf(err) != errs.Invalid {
			break
		}
	}
	return text, err
}

func get(ctx context.Context, address string, client policy.Transporter) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, invalid(address, err)
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, unavailable(address, err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxDocument))
	switch {
	case err != nil:
		return nil, unavailable(address, err)
	case resp.StatusCode >= http.StatusInternalServerError:
		return nil, unavailable(address, fmt.Errorf("it was answered %s", resp.Status))
	case resp.StatusCode != http.StatusOK:
		return nil, invalid(address, fmt.Errorf("it was answered %s", resp.Status))
	}
	return text, nil
}

const opRead = "read the cloud's metadata document"

func invalid(place string, err error) error {
	kind, hint := errs.Invalid, "--cloud takes "+strings.Join(Names(), ", ")+", the https address of a Resource Manager, or a file with what its "+metadataPath+" answers"
	if errors.Is(err, errADFS) {
		kind, hint = errs.Unsupported, ""
	}
	return &errs.Error{Op: opRead, Kind: kind, Hint: hint, Err: fmt.Errorf("%s: %w", place, err)}
}

func unavailable(place string, err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	return &errs.Error{Op: opRead, Kind: errs.Unavailable, Err: fmt.Errorf("%s: %w", place, err), Hint: "check the address and the proxy (HTTPS_PROXY), or save the document to a file and give that to --cloud"}
}

package account

import (
	"net/http"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
)

// asStored asks for content as it is kept. Go's HTTP transport, left to itself, offers to
// take compressed answers and unpacks them unseen; a blob whose Content-Encoding says gzip
// would then be read as something else than what is there.
type asStored struct{}

// Do implements policy.Policy.
func (asStored) Do(req *policy.Request) (*http.Response, error) {
	req.Raw().Header.Set("Accept-Encoding", "identity")
	return req.Next()
}

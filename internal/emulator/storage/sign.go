package storage

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"strings"
	"time"

	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// sasVersion is the version of the signatures that ARM makes.
const sasVersion = "2015-04-05"

// signRequest is the body of listAccountSas (AccountSasParameters) and listServiceSas
// (ServiceSasParameters).
type signRequest struct {
	SignedServices      string     `json:"signedServices"`
	SignedResourceTypes string     `json:"signedResourceTypes"`
	SignedPermission    string     `json:"signedPermission"`
	SignedIP            string     `json:"signedIp"`
	SignedProtocol      string     `json:"signedProtocol"`
	SignedStart         *time.Time `json:"signedStart"`
	SignedExpiry        *time.Time `json:"signedExpiry"`
	KeyToSign           string     `json:"keyToSign"`

	Canonicalized    string `json:"canonicalizedResource"`
	SignedResource   string `json:"signedResource"`
	SignedIdentifier string `json:"signedIdentifier"`
	StartPk          string `json:"startPk"`
	EndPk            string `json:"endPk"`
	StartRk          string `json:"startRk"`
	EndRk            string `json:"endRk"`
	CacheControl     string `json:"rscc"`
	Disposition      string `json:"rscd"`
	Encoding         string `json:"rsce"`
	Language         string `json:"rscl"`
	ContentType      string `json:"rsct"`
}

func (r signRequest) start() string { return optionalTime(r.SignedStart) }

func (r signRequest) expiry() string { return optionalTime(r.SignedExpiry) }

func optionalTime(t *time.Time) string {
	if t == nil {
		return ""
	}
	return stampTime(*t)
}

func readSign(body json.RawMessage) (signRequest, *wire.Error) {
	var in signRequest
	if err := json.Unmarshal(body, &in); err != nil {
		return in, badRequest("InvalidRequestContent", "The request content was invalid and could not be deserialized: '%v'.", err)
	}
	return in, nil
}

// signAccount answers Storage Accounts - List Account SAS.
func (s *Service) signAccount(e *entry, body json.RawMessage) (any, *wire.Error) {
	in, err := readSign(body)
	if err != nil {
		return nil, err
	}
	if in.SignedExpiry == nil || in.SignedServices == "" || in.SignedResourceTypes == "" || in.SignedPermission == "" {
		return nil, badRequest("InvalidValuesForRequestParameters", "Values for request parameters are invalid: signedServices, signedResourceTypes, signedPermission, signedExpiry.")
	}
	text := strings.Join([]string{
		e.name, in.SignedPermission, in.SignedServices, in.SignedResourceTypes, in.start(), in.expiry(), in.SignedIP, in.SignedProtocol, sasVersion,
	}, "\n") + "\n"
	v := url.Values{}
	set(v, "sv", sasVersion, "ss", in.SignedServices, "srt", in.SignedResourceTypes, "sp", in.SignedPermission,
		"st", in.start(), "se", in.expiry(), "sip", in.SignedIP, "spr", in.SignedProtocol, "sig", s.sign(e, in.KeyToSign, text))
	return map[string]any{"accountSasToken": v.Encode()}, nil
}

// signService answers Storage Accounts - List Service SAS.
func (s *Service) signService(e *entry, body json.RawMessage) (any, *wire.Error) {
	in, err := readSign(body)
	if err != nil {
		return nil, err
	}
	if !strings.HasPrefix(in.Canonicalized, "/") || in.SignedIdentifier == "" && (in.SignedExpiry == nil || in.SignedPermission == "") {
		return nil, badRequest("InvalidValuesForRequestParameters", "Values for request parameters are invalid: canonicalizedResource, signedExpiry, signedPermission.")
	}
	fields := []string{in.SignedPermission, in.start(), in.expiry(), in.Canonicalized, in.SignedIdentifier, in.SignedIP, in.SignedProtocol, sasVersion}
	switch {
	case strings.HasPrefix(in.Canonicalized, "/table/"):
		fields = append(fields, in.StartPk, in.StartRk, in.EndPk, in.EndRk)
	case !strings.HasPrefix(in.Canonicalized, "/queue/"):
		fields = append(fields, in.CacheControl, in.Disposition, in.Encoding, in.Language, in.ContentType)
	}
	v := url.Values{}
	set(v, "sv", sasVersion, "sr", in.SignedResource, "si", in.SignedIdentifier, "sp", in.SignedPermission, "st", in.start(), "se", in.expiry(),
		"sip", in.SignedIP, "spr", in.SignedProtocol, "spk", in.StartPk, "srk", in.StartRk, "epk", in.EndPk, "erk", in.EndRk,
		"rscc", in.CacheControl, "rscd", in.Disposition, "rsce", in.Encoding, "rscl", in.Language, "rsct", in.ContentType,
		"sig", s.sign(e, in.KeyToSign, strings.Join(fields, "\n")))
	return map[string]any{"serviceSasToken": v.Encode()}, nil
}

// set adds pairs of names and values, but for empty values.
func set(v url.Values, pairs ...string) {
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			v.Set(pairs[i], pairs[i+1])
		}
	}
}

// sign signs with the named key, or the first.
func (s *Service) sign(e *entry, key, text string) string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	k := e.keys[0]
	for _, other := range e.keys {
		if strings.EqualFold(other.name, key) {
			k = other
		}
	}
	m := hmac.New(sha256.New, k.raw)
	_, _ = m.Write([]byte(text))
	return base64.StdEncoding.EncodeToString(m.Sum(nil))
}

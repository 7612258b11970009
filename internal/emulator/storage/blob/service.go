package blob

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"net/http"
	"strings"

	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/blob/model"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/blob/req"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/kit"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/settings"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// properties are the settings of an account's Blob service that Get and Set Blob Service
// Properties exchange.
type properties struct {
	settings.Properties
	Deleted *settings.Retention `xml:"DeleteRetentionPolicy"`
	Website *website            `xml:"StaticWebsite"`
}

// website is the static website of an account.
type website struct {
	Enabled bool   `xml:"Enabled" json:"-"`
	Index   string `xml:"IndexDocument,omitempty" json:"indexDocument"`
	Default string `xml:"DefaultIndexDocumentPath,omitempty" json:"defaultIndexDocumentPath"`
	Error   string `xml:"ErrorDocument404Path,omitempty" json:"errorDocument404Path"`
}

// seedWebsite turns on the static website of a scenario's account. Its container is one of
// the scenario's, if there is to be any.
func (s *Server) seedWebsite(a kit.Account, data json.RawMessage) error {
	var in struct {
		Website json.RawMessage `json:"staticWebsite"`
	}
	if err := json.Unmarshal(data, &in); err != nil || in.Website == nil {
		return err
	}
	site := website{Enabled: true}
	d := json.NewDecoder(bytes.NewReader(in.Website))
	d.DisallowUnknownFields()
	if err := d.Decode(&site); err != nil {
		return fmt.Errorf("staticWebsite: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.of(a.ID).Website = &site
	return nil
}

// of returns an account's properties; the caller holds the lock.
func (s *Server) of(accountID string) *properties {
	id := strings.ToLower(accountID)
	p, ok := s.properties[id]
	if !ok {
		p = &properties{Properties: *settings.New(true), Website: &website{}}
		s.properties[id] = p
	}
	return p
}

// getProperties answers Get Blob Service Properties.
func (s *Server) getProperties(r *req.Request) *wire.Error {
	if err := r.Allow("r", "", "read"); err != nil {
		return err
	}
	s.mu.Lock()
	out := *s.of(r.Account.ID)
	s.mu.Unlock()
	out.Deleted = &settings.Retention{}
	if days := r.Store.Settings().DeleteDays; days > 0 {
		out.Deleted = &settings.Retention{Enabled: true, Days: &days}
	}
	return r.WriteXML(out)
}

// setProperties answers Set Blob Service Properties.
func (s *Server) setProperties(r *req.Request) *wire.Error {
	if err := r.Allow("w", "", "write"); err != nil {
		return err
	}
	body, err := r.XML(1 << 20)
	if err != nil {
		return err
	}
	in, err := settings.Parse(body)
	if err != nil {
		return err
	}
	var own properties
	if xml.Unmarshal(body, &own) != nil {
		return req.BadXML()
	}
	if d := own.Deleted; d != nil {
		if d.Enabled && (d.Days == nil || *d.Days < 1 || *d.Days > 365) {
			return req.Bad("InvalidXmlNodeValue", "The value for one of the XML nodes is not in the correct format.")
		}
		r.Store.Configure(func(set *model.Settings) {
			set.DeleteDays = 0
			if d.Enabled {
				set.DeleteDays = *d.Days
			}
		})
	}
	s.mu.Lock()
	p := s.of(r.Account.ID)
	p.Apply(in)
	if own.Website != nil {
		p.Website = own.Website
	}
	enabled := p.Website.Enabled
	s.mu.Unlock()
	if enabled {
		// The container is there as soon as the website is; it may have been before.
		_, _ = r.Store.Create("$web", r.Now, model.ContainerState{})
	}
	return r.Answer(http.StatusAccepted)
}

// stats answers Get Blob Service Stats.
func (s *Server) stats(r *req.Request) *wire.Error {
	if err := r.Allow("r", "", "read"); err != nil {
		return err
	}
	out, err := settings.ReadStats(r.R.Host, r.Now)
	if err != nil {
		return err
	}
	return r.WriteXML(out)
}

// account answers Get Account Information. A service SAS opens it too.
func (s *Server) account(r *req.Request) *wire.Error {
	if how := r.Grant.How(); how == "Bearer" || how == "Anonymous" {
		if err := r.Allow("r", "", "getInfo/action"); err != nil {
			return err
		}
	}
	r.Out.Set("X-Ms-Sku-Name", r.Account.SKU)
	r.Out.Set("X-Ms-Account-Kind", r.Account.Kind)
	r.Out.Set("X-Ms-Is-Hns-Enabled", map[bool]string{true: "true", false: "false"}[r.Account.HNS])
	return r.Answer(http.StatusOK)
}

// website answers the static website of an account: the blobs of $web, for everybody.
func (s *Server) website(r *req.Request) *wire.Error {
	s.mu.Lock()
	site := *s.of(r.Account.ID).Website
	s.mu.Unlock()
	if !site.Enabled {
		return req.Refuse(http.StatusNotFound, "WebsiteDisabled", "The account has no static website.") // words not confirmed
	}
	if r.R.Method != http.MethodGet && r.R.Method != http.MethodHead {
		return req.Refuse(http.StatusMethodNotAllowed, "UnsupportedHttpVerb", "The resource doesn't support specified Http Verb.")
	}
	path := strings.TrimPrefix(r.R.URL.Path, "/")
	switch {
	case path == "" && site.Default != "":
		path = site.Default
	case (path == "" || strings.HasSuffix(path, "/")) && site.Index != "":
		path += site.Index
	}
	if b := r.Store.Look("$web", path, r.Now); b != nil {
		return page(r, http.StatusOK, b)
	}
	if b := r.Store.Look("$web", site.Error, r.Now); site.Error != "" && b != nil {
		return page(r, http.StatusNotFound, b)
	}
	return req.Refuse(http.StatusNotFound, "WebContentNotFound", "The requested content does not exist.")
}

// page answers with a blob as a web server does.
func page(r *req.Request, status int, b *model.Blob) *wire.Error {
	r.ETag(b.ETag, b.Modified)
	for name, v := range map[string]string{
		"Content-Type": b.Headers.ContentType, "Content-Encoding": b.Headers.Encoding, "Content-Language": b.Headers.Language,
		"Content-Disposition": b.Headers.Disposition, "Cache-Control": b.Headers.CacheControl,
	} {
		if v != "" {
			r.Out.Set(name, v)
		}
	}
	r.W.WriteHeader(status)
	_, _ = b.Content(0, b.Size()).WriteTo(r.W) // the client may have gone
	return nil
}

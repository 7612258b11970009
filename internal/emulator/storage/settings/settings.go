// Package settings holds what Get and Set Service Properties exchange for the services of
// a storage account, and their statistics (Azure: Set Table Service Properties, Set Queue
// Service Properties, Set File Service Properties, Get Table Service Stats).
package settings

import (
	"encoding/xml"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// Properties are the settings of one service of one account. A member that is nil is
// absent: in a request it is left as it was.
type Properties struct {
	XMLName               xml.Name  `xml:"StorageServiceProperties"`
	Logging               *Logging  `xml:"Logging"`
	HourMetrics           *Metrics  `xml:"HourMetrics"`
	MinuteMetrics         *Metrics  `xml:"MinuteMetrics"`
	Cors                  *Cors     `xml:"Cors"`
	DefaultServiceVersion string    `xml:"DefaultServiceVersion,omitempty"`
	Protocol              *Protocol `xml:"ProtocolSettings"`
}

// Logging is what Storage Analytics logs.
type Logging struct {
	Version         string    `xml:"Version"`
	Delete          bool      `xml:"Delete"`
	Read            bool      `xml:"Read"`
	Write           bool      `xml:"Write"`
	RetentionPolicy Retention `xml:"RetentionPolicy"`
}

// Metrics is what Storage Analytics measures. IncludeAPIs is nil if not enabled.
type Metrics struct {
	Version         string    `xml:"Version"`
	Enabled         bool      `xml:"Enabled"`
	IncludeAPIs     *bool     `xml:"IncludeAPIs"`
	RetentionPolicy Retention `xml:"RetentionPolicy"`
}

// Retention tells for how many days something is kept; Days is nil if not enabled.
type Retention struct {
	Enabled bool `xml:"Enabled"`
	Days    *int `xml:"Days"`
}

// Cors is the list of rules for browsers.
type Cors struct {
	Rules []Rule `xml:"CorsRule"`
}

// Rule is one rule of Cors.
type Rule struct {
	AllowedOrigins  string `xml:"AllowedOrigins"`
	AllowedMethods  string `xml:"AllowedMethods"`
	MaxAgeInSeconds int    `xml:"MaxAgeInSeconds"`
	ExposedHeaders  string `xml:"ExposedHeaders"`
	AllowedHeaders  string `xml:"AllowedHeaders"`
}

// Protocol are the settings of the file service's protocols.
type Protocol struct {
	SMB *SMB `xml:"SMB"`
	NFS *NFS `xml:"NFS"`
}

// SMB are the settings of the SMB protocol.
type SMB struct {
	Multichannel *Switch     `xml:"Multichannel"`
	Encryption   *Encryption `xml:"EncryptionInTransit"`
}

// NFS are the settings of the NFS protocol.
type NFS struct {
	Encryption *Encryption `xml:"EncryptionInTransit"`
}

// Switch is a setting that is on or off.
type Switch struct {
	Enabled bool `xml:"Enabled"`
}

// Encryption tells whether traffic must be encrypted.
type Encryption struct {
	Required bool `xml:"Required"`
}

// New returns the settings of a new account. Logging is nil for the file service, which
// has none.
func New(logging bool) *Properties {
	yes, week := true, 7
	p := &Properties{
		HourMetrics:   &Metrics{Version: "1.0", Enabled: true, IncludeAPIs: &yes, RetentionPolicy: Retention{Enabled: true, Days: &week}},
		MinuteMetrics: &Metrics{Version: "1.0"},
		Cors:          &Cors{},
	}
	if logging {
		p.Logging = &Logging{Version: "1.0"}
	}
	return p
}

// Parse reads the body of a Set Service Properties and checks it.
func Parse(body []byte) (*Properties, *wire.Error) {
	var p Properties
	if err := xml.Unmarshal(body, &p); err != nil {
		return nil, fail("InvalidXmlDocument", "XML specified is not syntactically valid.")
	}
	if p.Cors != nil && len(p.Cors.Rules) > 5 {
		return nil, fail("InvalidXmlDocument", "XML specified is not syntactically valid.")
	}
	for _, r := range rules(p.Cors) {
		if !r.valid() {
			return nil, fail("InvalidXmlNodeValue", "The value for one of the XML nodes is not in the correct format.")
		}
	}
	for _, r := range p.retentions() {
		if r.Enabled && (r.Days == nil || *r.Days < 1 || *r.Days > 365) {
			return nil, fail("InvalidXmlNodeValue", "The value for one of the XML nodes is not in the correct format.")
		}
	}
	return &p, nil
}

func rules(c *Cors) []Rule {
	if c == nil {
		return nil
	}
	return c.Rules
}

// valid knows the methods that a rule may name (Azure: CORS support for Azure Storage).
func (r Rule) valid() bool {
	known := []string{"DELETE", "GET", "HEAD", "MERGE", "POST", "OPTIONS", "PUT", "PATCH", "CONNECT", "TRACE"}
	for m := range strings.SplitSeq(r.AllowedMethods, ",") {
		if !slices.Contains(known, strings.TrimSpace(m)) {
			return false
		}
	}
	return r.AllowedOrigins != "" && r.MaxAgeInSeconds >= 0
}

func (p *Properties) retentions() []Retention {
	var rs []Retention
	if p.Logging != nil {
		rs = append(rs, p.Logging.RetentionPolicy)
	}
	for _, m := range []*Metrics{p.HourMetrics, p.MinuteMetrics} {
		if m != nil {
			rs = append(rs, m.RetentionPolicy)
		}
	}
	return rs
}

// Apply takes over what a request names.
func (p *Properties) Apply(in *Properties) {
	if in.Logging != nil && p.Logging != nil {
		p.Logging = in.Logging
	}
	if in.HourMetrics != nil {
		p.HourMetrics = in.HourMetrics
	}
	if in.MinuteMetrics != nil {
		p.MinuteMetrics = in.MinuteMetrics
	}
	if in.Cors != nil {
		p.Cors = in.Cors
	}
	if in.DefaultServiceVersion != "" {
		p.DefaultServiceVersion = in.DefaultServiceVersion
	}
	if in.Protocol != nil {
		p.Protocol = in.Protocol
	}
}

func fail(code, message string) *wire.Error {
	return &wire.Error{Status: http.StatusBadRequest, Code: code, Message: message}
}

// Stats is the document of Get Service Stats.
type Stats struct {
	XMLName     xml.Name `xml:"StorageServiceStats"`
	Replication struct {
		Status       string `xml:"Status"`
		LastSyncTime string `xml:"LastSyncTime"`
	} `xml:"GeoReplication"`
}

// ReadStats answers Get Service Stats: it exists at the secondary endpoint of an account
// with read access to it (RA-GRS, RA-GZRS) alone.
func ReadStats(host string, now time.Time) (*Stats, *wire.Error) {
	name, _, _ := strings.Cut(host, ".")
	if !strings.HasSuffix(name, "-secondary") {
		return nil, fail("InvalidQueryParameterValue", "Value for one of the query parameters specified in the request URI is invalid.")
	}
	s := &Stats{}
	s.Replication.Status, s.Replication.LastSyncTime = "live", now.UTC().Format(http.TimeFormat)
	return s, nil
}

// Text is the canonical form of the settings in a wire.Object.
func (p *Properties) Text() string {
	data, err := xml.Marshal(p)
	if err != nil {
		return err.Error()
	}
	return string(data)
}

package settings

import (
	"strings"
	"testing"
	"time"
)

func TestRequestsChangeWhatTheyName(t *testing.T) {
	t.Parallel()
	p := New(true)
	in, err := Parse([]byte("<StorageServiceProperties><Logging><Version>1.0</Version><Read>true</Read><RetentionPolicy><Enabled>true</Enabled><Days>3</Days></RetentionPolicy></Logging><DefaultServiceVersion>2020-10-02</DefaultServiceVersion></StorageServiceProperties>"))
	if err != nil {
		t.Fatal(err)
	}
	p.Apply(in)
	if !p.Logging.Read || *p.Logging.RetentionPolicy.Days != 3 || !p.HourMetrics.Enabled || p.DefaultServiceVersion != "2020-10-02" {
		t.Errorf("%s", p.Text())
	}
	none := New(false)
	none.Apply(in)
	if none.Logging != nil {
		t.Error("a service without logging has some")
	}
}

func TestBadSettings(t *testing.T) {
	t.Parallel()
	rule := "<CorsRule><AllowedOrigins>*</AllowedOrigins><AllowedMethods>GET</AllowedMethods><MaxAgeInSeconds>1</MaxAgeInSeconds></CorsRule>"
	for body, code := range map[string]string{
		"<": "InvalidXmlDocument",
		"<StorageServiceProperties><Cors>" + strings.Repeat(rule, 6) + "</Cors></StorageServiceProperties>":                                                          "InvalidXmlDocument",
		"<StorageServiceProperties><Cors>" + strings.Replace(rule, "GET", "LOOK", 1) + "</Cors></StorageServiceProperties>":                                          "InvalidXmlNodeValue",
		"<StorageServiceProperties><HourMetrics><RetentionPolicy><Enabled>true</Enabled><Days>366</Days></RetentionPolicy></HourMetrics></StorageServiceProperties>": "InvalidXmlNodeValue",
		"<StorageServiceProperties><MinuteMetrics><RetentionPolicy><Enabled>true</Enabled></RetentionPolicy></MinuteMetrics></StorageServiceProperties>":             "InvalidXmlNodeValue",
	} {
		if _, err := Parse([]byte(body)); err == nil || err.Code != code {
			t.Errorf("%.80s: %v, want %s", body, err, code)
		}
	}
}

func TestStatsAreOfTheSecondary(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	if _, err := ReadStats("a.queue.core.windows.net", now); err == nil {
		t.Error("the primary endpoint has statistics")
	}
	if s, err := ReadStats("a-secondary.queue.core.windows.net", now); err != nil || s.Replication.LastSyncTime != "Sun, 01 Mar 2026 12:00:00 GMT" {
		t.Errorf("%+v %v", s, err)
	}
}

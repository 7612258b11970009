package contoso

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// prodAccount holds what a shop keeps in files, in every form that its services know.
func (m *maker) prodAccount() *Account {
	shop := Service{CORS{[]CORSRule{{
		AllowedOrigins: []string{"https://shop.contoso.example"}, AllowedMethods: []string{"GET", "HEAD", "PUT"},
		AllowedHeaders: []string{"x-ms-*", "content-type"}, ExposedHeaders: []string{"etag", "x-ms-meta-*"}, MaxAgeInSeconds: 3600,
	}}}}
	return &Account{
		BlobService: &shop, QueueService: &shop,
		ManagementPolicy: &Policy{[]any{coolLogs()}},
		StaticWebsite:    &Website{IndexDocument: "index.html", NotFound: "404.html"},
		Containers:       []Container{m.site(), m.invoices(), m.media(), m.logs(), m.disks(), {Name: "exports", Metadata: map[string]string{"purpose": "filled-at-night"}}},
		Virtual:          []Series{{Container: "media", Count: 60, Size: 2048, Seed: m.seed(), Prefix: "thumbnails/", PerFolder: 20, ContentType: "image/jpeg"}},
		Shares:           []Share{m.projects()},
		Queues:           m.queues(),
		Tables: []Table{
			{Name: "Orders", Policies: []Access{{ID: "readers", Permission: "r", Start: day(0), Expiry: day(farAway)}}, Entities: m.orders(60)},
			{Name: "Telemetry", Generate: &Rows{Prefix: "sensor-", Count: 240, PerPartition: 60, Seed: m.seed(), Bytes: 24}},
		},
	}
}

// coolLogs is a lifecycle rule in the form of the API: logs get cheaper and then go.
func coolLogs() any {
	after := func(days int) any { return map[string]any{"daysAfterModificationGreaterThan": days} }
	return map[string]any{
		"name": "old-logs", "enabled": true, "type": "Lifecycle",
		"definition": map[string]any{
			"filters": map[string]any{"blobTypes": []string{"blockBlob"}, "prefixMatch": []string{"logs/", "exports/"}},
			"actions": map[string]any{"baseBlob": map[string]any{"tierToCool": after(30), "delete": after(365)}},
		},
	}
}

// site is a small static website.
func (m *maker) site() Container {
	page := func(title, body string) string {
		return "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\"><title>" + title + "</title>\n<link rel=\"stylesheet\" href=\"/css/site.css\">\n<body>" + body + "</body></html>\n"
	}
	const html, day = "text/html; charset=utf-8", "public, max-age=86400"
	return Container{Name: "$web", Blobs: []Blob{
		{Name: "index.html", Octets: Octets{Content: page("Contoso", "<h1>Contoso</h1><p>Build "+m.text(6)+"</p>")}, ContentType: html, CacheControl: "no-cache"},
		{Name: "404.html", Octets: Octets{Content: page("Not found", "<p>There is nothing here.</p>")}, ContentType: html},
		{Name: "de/index.html", Octets: Octets{Content: page("Contoso", "<h1>Grüß Gott</h1>")}, ContentType: html, ContentLanguage: "de"},
		{Name: "css/site.css", Octets: Octets{Content: "body { font-family: sans-serif; margin: 2rem }\n"}, ContentType: "text/css", CacheControl: day},
		{Name: "js/app.js", Octets: Octets{Content: "document.body.dataset.build = '" + m.text(9) + "'\n"}, ContentType: "text/javascript", CacheControl: day},
		{Name: "img/logo.svg", Octets: Octets{Content: `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><circle cx="4" cy="4" r="4"/></svg>`}, ContentType: "image/svg+xml", CacheControl: day},
		{Name: "robots.txt", Octets: Octets{Content: "User-agent: *\nAllow: /\n"}, ContentType: "text/plain"},
	}}
}

// invoices are twelve months of documents with metadata, under two access policies.
func (m *maker) invoices() Container {
	c := Container{
		Name: "invoices", Metadata: map[string]string{"department": "finance", "retention": "10-years"},
		Policies: []Access{
			{ID: "auditors", Permission: "rl", Start: day(0), Expiry: day(farAway)},
			{ID: "drop-off", Permission: "cw"},
		},
	}
	for i := range 96 {
		number := fmt.Sprintf("INV-%05d", 10001+i)
		body := fmt.Sprintf(`{"invoice":%q,"customer":"C-%04d","total":"%d.%02d","currency":"EUR","reference":%q}`, number, m.IntN(9999), 10+m.IntN(5000), m.IntN(100), m.text(12))
		b := Blob{
			Name: fmt.Sprintf("2025/%02d/%s.json", i/8+1, number), Octets: Octets{Content: body}, ContentType: "application/json",
			Metadata: map[string]string{"number": number, "approvedby": m.one([]string{"j.doe", "a.smith", "m.mustermann"})},
		}
		if m.IntN(8) == 0 {
			b.Disposition = fmt.Sprintf("attachment; filename=%q", number+".json")
		}
		c.Blobs = append(c.Blobs, b)
	}
	return c
}

// media is a tree of folders with every awkward form that a block blob can have.
func (m *maker) media() Container {
	c := Container{Name: "media", Metadata: map[string]string{"owner": "marketing"}}
	for _, app := range apps[:6] {
		for i, tier := range []string{"", "Cool", "Cold"} {
			c.Blobs = append(c.Blobs, Blob{
				Name: fmt.Sprintf("campaigns/2025/q%d/%s/banner-%d.png", i+1, app, m.IntN(90)+10), Octets: Octets{Size: 4000 + m.IntN(9000), Seed: m.seed()},
				ContentType: "image/png", Tags: map[string]string{"app": app, "status": m.one([]string{"live", "draft", "retired"})}, Tier: tier,
			})
		}
	}
	octets := func(size int) Octets { return Octets{Size: size, Seed: m.seed()} }
	c.Blobs = append(c.Blobs,
		Blob{Name: "masters/launch-film.mov", Octets: octets(65_536), ContentType: "video/quicktime", Tier: "Archive"},
		Blob{Name: "masters/showreel.mp4", Octets: octets(3 << 20), ContentType: "video/mp4", NoMD5: true, BlockSize: 1 << 20},
		Blob{Name: "originals/.keep"},
		Blob{Name: "originals/Zürich – 東京 🗼/Straße & Co, 100% #1 + 2.jpg", Octets: octets(5000), ContentType: "image/jpeg", Metadata: map[string]string{"camera": "x-100"}},
		Blob{Name: "originals/" + strings.Repeat("a-long-folder-name/", 40) + "deep.txt", Octets: Octets{Content: "Here."}, ContentType: "text/plain"},
		Blob{Name: "originals/catalogue.csv.gz", Octets: octets(2000), ContentType: "text/csv", ContentEncoding: "gzip"},
		Blob{Name: "originals/scan-without-md5.tif", Octets: octets(50_000), ContentType: "image/tiff", NoMD5: true},
		Blob{Name: "terraform.tfstate", Octets: Octets{Content: `{"version":4,"serial":` + fmt.Sprint(m.IntN(900)+1) + `,"resources":[]}`}, ContentType: "application/json", Leased: true},
		Blob{Name: "price-list.txt", Octets: Octets{Content: "third edition " + m.text(6)}, ContentType: "text/plain", Snapshots: []Blob{
			{Octets: Octets{Content: "first edition " + m.text(6)}}, {Octets: Octets{Content: "second edition " + m.text(6)}},
		}},
	)
	return c
}

// seed is one that JSON readers of every sort read without loss.
func (m *maker) seed() uint64 { return m.Uint64() >> 12 }

// logs are append blobs, last month's sealed.
func (m *maker) logs() Container {
	lines := func(month string, n int) Octets {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, "%s-%02dT%02d:00:00Z %s request %s took %d ms\n", month, i%28+1, m.IntN(24), m.one(apps), m.text(6), m.IntN(900))
		}
		return Octets{Content: b.String()}
	}
	return Container{Name: "logs", Blobs: []Blob{
		{Name: "app/2025-11.log", Type: "append", Octets: lines("2025-11", 28), ContentType: "text/plain", Sealed: true},
		{Name: "app/2025-12.log", Type: "append", Octets: lines("2025-12", 12), ContentType: "text/plain"},
	}}
}

// disks is a page blob that is mostly holes.
func (m *maker) disks() Container {
	piece := func(offset, size int) Range { return Range{offset, Octets{Size: size, Seed: m.seed()}} }
	return Container{Name: "disks", Blobs: []Blob{{
		Name: "vm-legacy-erp.vhd", Type: "page", Octets: Octets{Size: 4 << 20}, Sequence: 7, Metadata: map[string]string{"os": "linux"},
		Ranges: []Range{piece(0, 4096), piece(1<<20, 65_536), piece(4<<20-512, 512)},
	}}}
}

// projects is a share with what Windows keeps of files.
func (m *maker) projects() Share {
	const locked = "O:BAG:BAD:(A;;FA;;;SY)(A;;FA;;;BA)(A;;0x1200a9;;;AU)"
	s := Share{
		Name: "projects", Quota: 20, Tier: "Cool", Metadata: map[string]string{"owner": "engineering"},
		Policies: []Access{{ID: "scanner", Permission: "rl", Expiry: day(farAway)}},
		Directories: []Node{
			{Path: "archive/empty", Attributes: "Hidden", Created: day(longAgo), Written: day(longAgo)},
			{Path: "board", Permission: locked, Metadata: map[string]string{"class": "confidential"}},
		},
		Files: []Node{
			{Path: "board/minutes-2025.txt", Octets: Octets{Content: "Present: all. Decided: " + m.text(9)}, Permission: locked, ContentType: "text/plain"},
			{Path: "readme.txt", Octets: Octets{Content: "Ask engineering."}, Attributes: "ReadOnly", Created: day(longAgo - 90), Written: day(longAgo), MD5: true},
			{Path: "archive/desktop.ini", Octets: Octets{Content: "[.ShellClassInfo]\r\n"}, Attributes: "Hidden|System"},
			{Path: "archive/nothing.dat"},
			{Path: strings.Repeat("a directory with a long name and spaces/", 7) + "deep.txt", Octets: Octets{Content: "Here, too."}},
			{Path: "Entwürfe/Größe & Maß (東京).txt", Octets: Octets{Content: "Übergröße"}},
		},
	}
	for i := range 24 {
		s.Files = append(s.Files, Node{
			Path: fmt.Sprintf("plans/%s/drawing-%02d.dwg", apps[i%6], i+1), Octets: Octets{Size: 2000 + m.IntN(20_000), Seed: m.seed()},
			Created: day(-m.IntN(300)), Written: day(m.IntN(300)), ContentType: "application/acad",
		})
	}
	return s
}

// queues have messages that wait for their consumers.
func (m *maker) queues() []Queue {
	incoming := Queue{Name: "orders-incoming", Metadata: map[string]string{"consumer": "worker", "owner": "shop"}}
	for range 12 {
		incoming.Messages = append(incoming.Messages, Message{Text: base64.StdEncoding.EncodeToString([]byte("order " + m.text(9))), TTL: -1})
	}
	return []Queue{incoming, {
		Name: "mail-outbox", Metadata: map[string]string{"consumer": "mail"},
		Policies: []Access{{ID: "sender", Permission: "a", Expiry: day(farAway)}, {ID: "consumer", Permission: "rp"}},
	}}
}

// orders are entities in which every type of property occurs, with values that a careless
// copy changes: a double that looks whole, an integer beyond 53 bits, fractions of a second.
func (m *maker) orders(count int) []map[string]any {
	out := make([]map[string]any, count)
	for i := range out {
		placed := day(-m.IntN(200)).Add(time.Duration(m.Int64N(int64(24*time.Hour))) / 100 * 100)
		out[i] = map[string]any{
			"PartitionKey": fmt.Sprintf("C-%04d", i/6+1), "RowKey": fmt.Sprintf("%s-%05d", placed.Format("20060102"), i+1),
			"Product": m.one(apps) + " – größe " + m.one([]string{"S", "M", "L"}), "Quantity": m.IntN(9) + 1, "Paid": m.IntN(3) > 0,
			"Barcode@odata.type": "Edm.Int64", "Barcode": fmt.Sprint(1<<60 + m.Int64N(1<<60)),
			"Price@odata.type": "Edm.Double", "Price": json.RawMessage(fmt.Sprintf("%d.0", m.IntN(500)+1)),
			"Placed@odata.type": "Edm.DateTime", "Placed": placed.Format("2006-01-02T15:04:05.0000000Z"),
			"Tracking@odata.type": "Edm.Guid", "Tracking": m.guid(),
			"Signature@odata.type": "Edm.Binary", "Signature": base64.StdEncoding.EncodeToString([]byte(m.text(18))),
		}
	}
	out[0]["Price"], out[1]["Price"] = "NaN", "-Infinity"
	out[2]["Note"] = ""
	return out
}

func (m *maker) guid() string {
	hi, lo := m.Uint64(), m.Uint64()
	return fmt.Sprintf("%08x-%04x-4%03x-8%03x-%012x", hi>>32, hi>>16&0xffff, hi&0xfff, lo>>52, lo&(1<<48-1))
}

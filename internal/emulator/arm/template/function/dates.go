package function

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

var dates = []entry{
	{"dateTimeAdd", 2, 3, dateTimeAdd},
	{"dateTimeFromEpoch", 1, 1, func(args []any) (any, error) {
		n, err := whole(args, 0)
		if err != nil {
			return nil, err
		}
		return time.Unix(n, 0).UTC().Format("2006-01-02T15:04:05Z"), nil
	}},
	{"dateTimeToEpoch", 1, 1, func(args []any) (any, error) {
		t, err := date(args, 0)
		if err != nil {
			return nil, err
		}
		return t.Unix(), nil
	}},
}

// layouts are the texts that dateTimeAdd takes as a date.
var layouts = []string{
	time.RFC3339Nano, "2006-01-02T15:04:05", "2006-01-02 15:04:05Z07:00", "2006-01-02 15:04:05", "2006-01-02T15:04Z07:00",
	"2006-01-02", "20060102T150405Z", "1/2/2006 3:04:05 PM", "1/2/2006",
}

func date(args []any, i int) (time.Time, error) {
	s, err := text(args, i)
	if err != nil {
		return time.Time{}, err
	}
	for _, l := range layouts {
		if t, err := time.Parse(l, s); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, fmt.Errorf("the value '%s' is not a date", s)
}

func dateTimeAdd(args []any) (any, error) {
	t, err := date(args, 0)
	if err != nil {
		return nil, err
	}
	s, err := text(args, 1)
	if err != nil {
		return nil, err
	}
	if t, err = addDuration(t, s); err != nil {
		return nil, err
	}
	if len(args) == 2 {
		return t.Format("2006-01-02T15:04:05Z"), nil
	}
	layout, err := text(args, 2)
	if err != nil {
		return nil, err
	}
	return FormatDate(t, layout)
}

var duration = regexp.MustCompile(`^(-)?P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)(?:\.(\d+))?S)?)?$`)

// addDuration adds an ISO 8601 duration, as .NET converts it: a year has 365 days and a
// month 30.
func addDuration(t time.Time, s string) (time.Time, error) {
	m := duration.FindStringSubmatch(s)
	if m == nil || strings.HasSuffix(s, "P") || strings.HasSuffix(s, "T") {
		return t, fmt.Errorf("the value '%s' is not an ISO 8601 duration", s)
	}
	n := make([]int64, 9)
	for i := 2; i <= 8; i++ {
		if m[i] == "" {
			continue
		}
		v, err := strconv.ParseInt(m[i], 10, 32)
		if err != nil {
			return t, fmt.Errorf("the duration '%s' is too long", s)
		}
		n[i] = v
	}
	days := n[2]*365 + n[3]*30 + n[4]*7 + n[5]
	seconds := n[6]*3600 + n[7]*60 + n[8]
	if m[1] == "-" {
		days, seconds = -days, -seconds
	}
	return t.AddDate(0, 0, int(days)).Add(time.Duration(seconds) * time.Second), nil
}

// standard are .NET's one-letter formats in the invariant culture.
var standard = map[string]string{
	"d": "MM/dd/yyyy", "D": "dddd, dd MMMM yyyy", "t": "HH:mm", "T": "HH:mm:ss", "f": "dddd, dd MMMM yyyy HH:mm", "F": "dddd, dd MMMM yyyy HH:mm:ss",
	"g": "MM/dd/yyyy HH:mm", "G": "MM/dd/yyyy HH:mm:ss", "s": "yyyy-MM-ddTHH:mm:ss", "u": "yyyy-MM-dd HH:mm:ssZ",
	"o": "yyyy-MM-ddTHH:mm:ss.fffffffZ", "O": "yyyy-MM-ddTHH:mm:ss.fffffffZ", "R": "ddd, dd MMM yyyy HH:mm:ss GMT", "r": "ddd, dd MMM yyyy HH:mm:ss GMT",
	"y": "yyyy MMMM", "Y": "yyyy MMMM", "M": "MMMM dd", "m": "MMMM dd",
}

// tokens are .NET's custom format specifiers, longest first, and Go's layout for each.
var tokens = []struct{ net, layout string }{
	{"fffffff", "0000000"},
	{"yyyy", "2006"},
	{"MMMM", "January"},
	{"dddd", "Monday"},
	{"MMM", "Jan"},
	{"ddd", "Mon"},
	{"fff", "000"},
	{"zzz", "-07:00"},
	{"yy", "06"},
	{"MM", "01"},
	{"dd", "02"},
	{"HH", "15"},
	{"hh", "03"},
	{"mm", "04"},
	{"ss", "05"},
	{"tt", "PM"},
	{"M", "1"},
	{"d", "2"},
	{"h", "3"},
	{"m", "4"},
	{"s", "5"},
	{"K", "Z07:00"},
	{"H", "15"},
}

// FormatDate writes a time by a .NET format string, standard or custom.
func FormatDate(t time.Time, layout string) (string, error) {
	if layout == "" {
		return "", errors.New("the format is empty")
	}
	if custom, ok := standard[layout]; ok {
		layout = custom
	}
	var b strings.Builder
	for layout != "" {
		if n := token(&b, t, layout); n > 0 {
			layout = layout[n:]
			continue
		}
		if layout[0] == '\'' {
			literal, rest, closed := strings.Cut(layout[1:], "'")
			if !closed {
				return "", errors.New("the format has a quote that is not closed")
			}
			b.WriteString(literal)
			layout = rest
			continue
		}
		b.WriteByte(layout[0])
		layout = layout[1:]
	}
	return b.String(), nil
}

// token writes what the first specifier of a layout asks for and returns its length; 0 if
// the layout does not begin with one.
func token(b *strings.Builder, t time.Time, layout string) int {
	if strings.HasPrefix(layout, "GMT") {
		b.WriteString("GMT")
		return len("GMT")
	}
	for _, tok := range tokens {
		if !strings.HasPrefix(layout, tok.net) {
			continue
		}
		switch tok.net {
		case "fffffff":
			fmt.Fprintf(b, "%07d", t.Nanosecond()/100)
		case "fff":
			fmt.Fprintf(b, "%03d", t.Nanosecond()/1e6)
		case "H":
			b.WriteString(strconv.Itoa(t.Hour()))
		default:
			b.WriteString(t.Format(tok.layout))
		}
		return len(tok.net)
	}
	return 0
}

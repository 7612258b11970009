package function

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"strings"
)

var encodings = []entry{
	{"base64", 1, 1, onTexts(func(s []string) any { return base64.StdEncoding.EncodeToString([]byte(s[0])) })},
	{"base64ToJson", 1, 1, func(args []any) (any, error) {
		s, err := fromBase64(args)
		if err != nil {
			return nil, err
		}
		return parseJSON(s)
	}},
	{"base64ToString", 1, 1, func(args []any) (any, error) { return fromBase64(args) }},
	{"dataUri", 1, 1, onTexts(func(s []string) any {
		return "data:text/plain;charset=utf8;base64," + base64.StdEncoding.EncodeToString([]byte(s[0]))
	})},
	{"dataUriToString", 1, 1, dataURIToString},
	{"json", 1, 1, func(args []any) (any, error) {
		s, err := text(args, 0)
		if err != nil {
			return nil, err
		}
		return parseJSON(s)
	}},
	{"uri", 2, 2, joinURI},
	{"uriComponent", 1, 1, onTexts(func(s []string) any { return escape(s[0]) })},
	{"uriComponentToString", 1, 1, func(args []any) (any, error) {
		s, err := text(args, 0)
		if err != nil {
			return nil, err
		}
		return url.PathUnescape(s)
	}},
}

func fromBase64(args []any) (string, error) {
	s, err := text(args, 0)
	if err != nil {
		return "", err
	}
	raw, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		return "", errors.New("the value is not base64")
	}
	return string(raw), nil
}

func parseJSON(s string) (any, error) {
	v, err := Decode([]byte(s))
	if err != nil {
		return nil, fmt.Errorf("the value is not JSON: %w", err)
	}
	return v, nil
}

func dataURIToString(args []any) (any, error) {
	s, err := text(args, 0)
	if err != nil {
		return nil, err
	}
	head, data, ok := strings.Cut(s, ",")
	if !ok || !strings.HasPrefix(head, "data:") {
		return nil, errors.New("the value is not a data URI")
	}
	if strings.HasSuffix(head, ";base64") {
		return fromBase64([]any{data})
	}
	return url.PathUnescape(data)
}

// joinURI resolves a relative URI as Uri does in .NET.
func joinURI(args []any) (any, error) {
	s, err := texts(args)
	if err != nil {
		return nil, err
	}
	base, err := url.Parse(s[0])
	if err != nil || !base.IsAbs() {
		return nil, fmt.Errorf("'%s' is not an absolute URI", s[0])
	}
	relative, err := url.Parse(s[1])
	if err != nil {
		return nil, fmt.Errorf("'%s' is not a relative URI", s[1])
	}
	return base.ResolveReference(relative).String(), nil
}

// escape is RFC 3986: everything but letters, digits and -._~ is encoded.
func escape(s string) string {
	return strings.ReplaceAll(url.QueryEscape(s), "+", "%20")
}

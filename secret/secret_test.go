package secret_test

import (
	"bytes"
	"encoding/gob"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/azure-tenant-grapher/atg/secret"
)

const canary = "c4n4ry-value"

// holder has the secret in an unexported field, on which fmt calls no methods.
type holder struct{ v secret.Value }

func TestNothingPrintsASecret(t *testing.T) {
	t.Parallel()
	v := secret.New(canary)
	var log bytes.Buffer
	for _, h := range []slog.Handler{slog.NewTextHandler(&log, nil), slog.NewJSONHandler(&log, nil)} {
		slog.New(h).Info("x", "v", v, "holder", holder{v}, "pointer", &v)
	}
	asJSON, err := json.Marshal(map[string]any{"v": v, "p": &v, "list": []secret.Value{v}})
	if err != nil {
		t.Fatal(err)
	}
	asKey, err := json.Marshal(map[secret.Value]int{v: 1})
	if err != nil {
		t.Fatal(err)
	}
	var asGob bytes.Buffer
	if err := gob.NewEncoder(&asGob).Encode(struct{ V secret.Value }{v}); err != nil {
		t.Fatal(err)
	}
	outputs := map[string]string{"slog": log.String(), "json": string(asJSON), "json key": string(asKey), "gob": asGob.String()}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		outputs[verb] = fmt.Sprintf(verb, v) + fmt.Sprintf(verb, holder{v}) + fmt.Sprintf(verb, &holder{v})
	}
	outputs["error"] = fmt.Errorf("wrapped: %v", v).Error()
	for how, out := range outputs {
		if strings.Contains(out, canary) || strings.Contains(out, fmt.Sprintf("%x", canary)) {
			t.Errorf("%s shows the secret: %s", how, out)
		}
	}
}

func TestValue(t *testing.T) {
	t.Parallel()
	var zero secret.Value
	if !zero.Empty() || zero.Reveal() != "" || zero.Len() != 0 {
		t.Error("the zero value is not an empty secret")
	}
	v := secret.New(canary)
	if v.Empty() || v.Reveal() != canary || v.Len() != len(canary) {
		t.Error("a secret is not what was put in")
	}
	if !v.Equal(secret.New(canary)) || v.Equal(secret.New("other")) || v.Equal(zero) || !zero.Equal(secret.New("")) {
		t.Error("Equal is wrong")
	}
}

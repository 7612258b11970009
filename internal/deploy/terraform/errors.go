package terraform

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/hashicorp/terraform-exec/tfexec"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/internal/deploy/change"
)

var errFailed = errors.New("the provider reported an error")

// explain turns the error of a step into one that says why, in the program's own words,
// and what to do.
func (d *Driver) explain(ctx context.Context, step string, said *listener, err error) error {
	if err == nil {
		return nil
	}
	out := &errs.Error{Op: fmt.Sprintf("carry out `%s %s`", d.program, step), Resource: d.opt.Dir}
	var late *timeoutError
	switch {
	case errors.Is(err, errCut):
		out.Kind, out.Err = errs.Canceled, err
		return out
	case errors.As(err, &late) && ctx.Err() == nil:
		out.Kind, out.Err = errs.Canceled, err
		out.Hint = fmt.Sprintf("give it more time by %s", timeoutFlags[step])
		return out
	case ctx.Err() != nil:
		out.Kind, out.Err = errs.Canceled, context.Cause(ctx)
		return out
	}
	var old *tfexec.ErrVersionMismatch
	if errors.As(err, &old) {
		out.Kind, out.Err, out.Hint = errs.Unsupported, err, "install a newer "+d.program
		return out
	}
	problems, lines := said.heard()
	if len(problems) == 0 {
		problems = parse(lines)
	}
	if len(problems) == 0 {
		out.Kind, out.Err, out.Hint = errs.Conflict, err, "the lines above are "+d.program+"'s own"
		return out
	}
	out.Err = Diagnostics(texts(problems))
	out.Kind, out.Code, out.Hint = d.advise(problems)
	return out
}

// timeoutFlags are the flags that bound the steps.
var timeoutFlags = map[string]string{"init": "--init-timeout", "plan": "--plan-timeout", "apply": "--deploy-timeout"}

// Diagnostics are errors that Terraform reported, one text each.
type Diagnostics []string

// Error returns all of them in one line.
func (d Diagnostics) Error() string { return strings.Join(d, "; ") }

// maxClauses is how many diagnostics an error shows.
const maxClauses = 5

// Clauses returns the diagnostics for a text of several lines; only the first ones unless
// all are wanted.
func (d Diagnostics) Clauses(all bool) []string {
	if all || len(d) <= maxClauses {
		return d
	}
	return append(append([]string{}, d[:maxClauses]...), fmt.Sprintf("and %d more", len(d)-maxClauses))
}

func texts(problems []diagnostic) []string {
	out := make([]string, len(problems))
	for i, p := range problems {
		text := p.Summary
		if p.Address != "" && !strings.Contains(text, p.Address) {
			text = p.Address + ": " + text
		}
		if detail := firstSentence(p.Detail); detail != "" {
			text += ": " + detail
		}
		out[i] = text
	}
	return out
}

// blame gives each failure the diagnostic that names its resource.
func (l *listener) blame(failures []change.Failure) {
	problems, _ := l.heard()
	for i, f := range failures {
		for _, p := range problems {
			if p.Address == f.Resource {
				cause := Diagnostics(texts([]diagnostic{{Summary: p.Summary, Detail: p.Detail}}))
				failures[i].Err = &errs.Error{Op: "deploy", Kind: errs.Conflict, Item: f.Resource, Err: cause}
				break
			}
		}
	}
}

// maxDetail is how much of a diagnostic's detail an error quotes: the lines above it have
// it whole.
const maxDetail = 400

// firstSentence is the first paragraph of a detail, in one line.
func firstSentence(detail string) string {
	paragraph, _, _ := strings.Cut(strings.TrimSpace(detail), "\n\n")
	text := strings.Join(strings.Fields(paragraph), " ")
	if len(text) > maxDetail {
		text = strings.ToValidUTF8(text[:maxDetail], "") + "…"
	}
	return text
}

// errorLine is the head of an error in the output for people, with or without the rule at
// the left: "│ Error: Error acquiring the state lock".
var errorLine = regexp.MustCompile(`^[│|╷\s]*Error: (.+)$`)

// parse reads diagnostics out of the output for people, which is what init prints.
func parse(lines []string) []diagnostic {
	var out []diagnostic
	for _, line := range lines {
		if m := errorLine.FindStringSubmatch(line); m != nil {
			out = append(out, diagnostic{Severity: "error", Summary: m[1]})
			continue
		}
		rest := strings.Trim(line, "│╵ \t")
		if len(out) > 0 && rest != "" {
			last := &out[len(out)-1]
			last.Detail = strings.TrimSpace(last.Detail + "\n" + rest)
		}
	}
	return out
}

// lockID finds the ID of the lock in the detail of a lock error.
var lockID = regexp.MustCompile(`(?m)^\s*ID:\s+(\S+)`)

// advice is what to do about a diagnostic, found by a part of its text. {program} and
// {dir} stand for themselves. The texts are those of Terraform 1.11, and OpenTofu's are
// the same.
var advice = []struct {
	part string
	kind errs.Kind
	code string
	hint string
}{
	{"acquiring the state lock", errs.Conflict, "StateLocked", "another {program} works on this state; if none does any more, free it: `{program} -chdir={dir} force-unlock {lock}`"},
	{"backend initialization required", errs.Invalid, "BackendChanged", "the backend has changed: `{program} -chdir={dir} init -reconfigure`, or -migrate-state to take the state along"},
	{"backend configuration changed", errs.Invalid, "BackendChanged", "the backend has changed: `{program} -chdir={dir} init -reconfigure`, or -migrate-state to take the state along"},
	{"failed to get existing workspaces", errs.Unavailable, "BackendUnreachable", "the storage of the Terraform state cannot be read: check the backend block, and that the principal may read it"},
	{"error loading state", errs.Unavailable, "BackendUnreachable", "the storage of the Terraform state cannot be read: check the backend block, and that the principal may read it"},
	{"failed to load state", errs.Unavailable, "BackendUnreachable", "the storage of the Terraform state cannot be read: check the backend block, and that the principal may read it"},
	{"failed to query available provider packages", errs.Unavailable, "ProviderUnavailable", "a provider cannot be fetched: check the network, or set up a mirror in the Terraform CLI configuration"},
	{"failed to install provider", errs.Unavailable, "ProviderUnavailable", "a provider cannot be fetched: check the network, or set up a mirror in the Terraform CLI configuration"},
	{"unable to build authorizer", errs.Unauthenticated, "", "give the target's service principal by --sp-client-id and --sp-client-secret-file, or sign in by `az login`"},
	{"unable to list provider registration status", errs.PermissionDenied, "", "the principal needs a role at the subscription, such as Contributor"},
	{"authorizationfailed", errs.Conflict, "AuthorizationFailed", "the principal needs the right named above, for example by the role Contributor"},
	{"no value for required variable", errs.Invalid, "VariableMissing", "set it in terraform.tfvars or by the environment variable TF_VAR_NAME"},
	{"already exists", errs.Conflict, "AlreadyExists", "import it into the state, `{program} -chdir={dir} import ADDRESS ID`, or remove it"},
}

// advise picks kind, code and hint by the first diagnostic that is known.
func (d *Driver) advise(problems []diagnostic) (errs.Kind, string, string) {
	for _, p := range problems {
		text := strings.ToLower(p.Summary + "\n" + p.Detail)
		for _, a := range advice {
			if !strings.Contains(text, a.part) {
				continue
			}
			lock := "ID"
			if m := lockID.FindStringSubmatch(p.Detail); m != nil {
				lock = m[1]
			}
			return a.kind, a.code, strings.NewReplacer("{program}", d.program, "{dir}", d.opt.Dir, "{lock}", lock).Replace(a.hint)
		}
	}
	return errs.Conflict, "", "mend it in the Terraform files, then run the same command again: what is deployed already stays"
}
